package datasource

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"fairway/backend"
	"fairway/internal/inference"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func serve(t *testing.T, h http.HandlerFunc) string {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func network(t *testing.T, sign Signer) *Network {
	n := NewNetwork(sign)
	t.Cleanup(n.Client.CloseIdleConnections)
	return n
}

func TestNetwork(t *testing.T) {
	var uri, body, signature string
	var header http.Header
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		header = r.Header
		uri, body, signature = r.RequestURI, string(data), r.Header.Get("Authorization")
		w.Header().Set("x-amzn-ErrorType", "ThrottlingException")
		w.WriteHeader(429)
		io.WriteString(w, "slow down")
	})
	signed := func(_ context.Context, cred inference.Credential, req *http.Request, body []byte) error {
		req.Header.Set("Authorization", "signed for "+cred.Service+" "+string(body))
		return nil
	}
	ds := bedrock
	ds.Endpoint = url
	result, record, err := NewHTTP(ds, inference.Principal{}, network(t, signed)).Invoke(t.Context(), inference.Caller{}, inference.Steering{Session: "s", Trace: true}, map[string]any{
		"resourcePath": "/model/x-v1:0/invoke", "method": "POST", "params": map[string]any{"body": "hello"},
	})
	if err != nil || record != nil {
		t.Fatalf("Invoke = %v, %v", record, err)
	}
	m := result.(map[string]any)
	if m["statusCode"] != 429 || m["body"] != "slow down" || m["headers"].(map[string]any)["x-amzn-ErrorType"] != "ThrottlingException" {
		t.Errorf("result = %v", m)
	}
	for name := range header {
		if strings.HasPrefix(name, "X-Fairway") {
			t.Errorf("the request has %s, want nothing of how model calls are steered", name)
		}
	}
	if uri != "/model/x-v1:0/invoke" || body != "hello" || signature != "signed for bedrock hello" {
		t.Errorf("request = %q, %q, %q", uri, body, signature)
	}
}

func TestNetworkFollowsNoRedirect(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			t.Errorf("request for %s, want none beyond the first", r.URL.Path)
		}
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	})
	res, _, err := network(t, nil).Send(t.Context(), inference.Credential{}, inference.Caller{}, inference.Steering{}, &inference.HTTPRequest{Method: "GET", URL: url + "/"})
	if err != nil || res.Status != http.StatusFound {
		t.Errorf("Send = %v, %v, want the redirect itself", res, err)
	}
}

func TestNetworkErrors(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	large := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		chunk := make([]byte, 1<<20)
		for range 8 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	refuse := func(context.Context, inference.Credential, *http.Request, []byte) error { return errors.New("no key") }
	tests := []struct {
		name    string
		ctx     context.Context
		sign    Signer
		service string
		url     string
		want    string
	}{
		{"refused", t.Context(), nil, "", closed.URL, "failed"},
		{"canceled", canceled, nil, "", closed.URL, "was canceled"},
		{"too large", t.Context(), nil, "", large, "is larger than 5 MB"},
		{"no signer", t.Context(), nil, "bedrock", large, "no credentials to sign for bedrock: configure AWS credentials"},
		{"signer fails", t.Context(), refuse, "bedrock", large, "request for bedrock could not be signed: no AWS credentials are configured"},
	}
	for _, test := range tests {
		ds := backend.DataSource{Endpoint: test.url, SigningService: test.service}
		_, _, err := NewHTTP(ds, inference.Principal{}, network(t, test.sign)).Invoke(test.ctx, inference.Caller{}, inference.Steering{}, &backend.HTTPRequest{Method: "GET", ResourcePath: "/"})
		got, ok := errors.AsType[*backend.DataSourceError](err)
		if !ok || !strings.HasSuffix(got.Message, test.want) {
			t.Errorf("%s: Invoke = %v, want ctx.error ending in %q", test.name, err, test.want)
		}
	}
}
