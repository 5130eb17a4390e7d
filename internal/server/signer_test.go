package server

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"fairway/backend"
	"fairway/internal/wire/sigv4"
)

// TestSignedDataSource: a data source that is not Bedrock's goes out over the
// network, signed with the credentials of the environment.
func TestSignedDataSource(t *testing.T) {
	const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	verified := make(chan bool, 1)
	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		auth, err := sigv4.Parse(r.Header.Get("Authorization"))
		at, timeErr := sigv4.Time(r.Header)
		verified <- err == nil && timeErr == nil && auth.Scope.Service == "execute-api" && auth.Scope.Region == "eu-west-1" &&
			auth.Verify(sigv4.RequestOf(r, body), auth.Scope.Key(secret), at) && r.Header.Get("X-Amz-Security-Token") == "session"
		_, _ = w.Write([]byte("hello"))
	}))
	defer outside.Close()

	b := &backend.Backend{
		Schema: "type Query { hello: String @aws_api_key }",
		Operations: []backend.Operation{{Type: "Query", Field: "hello", Pipeline: []backend.Function{{DataSource: "api", Resolver: backend.Funcs{
			OnRequest: func(*backend.Context) (any, error) {
				return &backend.HTTPRequest{Method: "POST", ResourcePath: "/v1/things", Body: "x", Headers: map[string]string{"Content-Type": "text/plain"}}, nil
			},
			OnResponse: func(c *backend.Context) (any, error) {
				if c.Error != nil {
					return nil, &backend.Error{Type: c.Error.Type, Message: c.Error.Message}
				}
				return c.Result.(map[string]any)["body"], nil
			},
		}}}}},
		DataSources:   []backend.DataSource{{Name: "api", Kind: backend.HTTP, Endpoint: outside.URL, SigningService: "execute-api", SigningRegion: "eu-west-1"}},
		Authorization: backend.Authorization{Default: backend.APIKey, APIKeyExpiry: time.Hour},
	}
	env := map[string]string{"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": "session"}
	s := instant(t, b, func(o *Options) { o.Env = func(name string) (string, bool) { v, ok := env[name]; return v, ok } })
	key := "X-Api-Key: " + s.Outputs().GraphQL.APIKey

	if got := raw(t, s, `{ hello }`, key); got != `{"data":{"hello":"hello"}}` {
		t.Errorf("hello = %s, want the answer", got)
	}
	if !<-verified {
		t.Error("the request was not signed as configured")
	}
	clear(env)
	const refused = `{"data":{"hello":null},"errors":[{"path":["hello"],"data":null,"errorType":"UnrecognizedClientException","errorInfo":null,"locations":[{"line":1,"column":3,"sourceName":null}],"message":"request for execute-api could not be signed: no AWS credentials are configured"}]}`
	if got := raw(t, s, `{ hello }`, key); got != refused {
		t.Errorf("without credentials hello = %s, want %s", got, refused)
	}
}
