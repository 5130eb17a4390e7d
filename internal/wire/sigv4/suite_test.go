package sigv4_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/textproto"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"fairway/internal/wire/sigv4"
)

// suiteCase is a case of the AWS Signature Version 4 test suite, in both forms;
// testdata/v4.json names its source.
type suiteCase struct {
	Context struct {
		Credentials struct {
			AccessKeyID     string `json:"access_key_id"`
			SecretAccessKey string `json:"secret_access_key"`
			Token           string `json:"token"`
		} `json:"credentials"`
		Normalize        bool      `json:"normalize"`
		OmitSessionToken bool      `json:"omit_session_token"`
		Region           string    `json:"region"`
		Service          string    `json:"service"`
		Timestamp        time.Time `json:"timestamp"`
	} `json:"context"`
	CanonicalRequest string `json:"header_canonical_request"`
	StringToSign     string `json:"header_string_to_sign"`
	Signature        string `json:"header_signature"`
	SignedRequest    string `json:"header_signed_request"`

	QuerySignature     string `json:"query_signature"`
	QuerySignedRequest string `json:"query_signed_request"`
}

func loadSuite(t testing.TB) map[string]suiteCase {
	t.Helper()
	data, err := os.ReadFile("testdata/v4.json")
	if err != nil {
		t.Fatal(err)
	}
	var suite struct{ Cases map[string]suiteCase }
	if err := json.Unmarshal(data, &suite); err != nil {
		t.Fatal(err)
	}
	if len(suite.Cases) == 0 {
		t.Fatal("testdata/v4.json holds no cases")
	}
	return suite.Cases
}

// parseRequest reads the suite's request text, which net/http refuses: its
// targets hold raw spaces and UTF-8.
func parseRequest(t testing.TB, text string) (sigv4.Request, []byte) {
	t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	line, fields, _ := strings.Cut(head, "\n")
	method, rest, _ := strings.Cut(line, " ")
	target := strings.TrimSuffix(rest, " HTTP/1.1")
	path, query, _ := strings.Cut(target, "?")
	header := http.Header{}
	name := ""
	for field := range strings.Lines(fields) {
		field = strings.TrimRight(field, "\n")
		if folded := strings.TrimLeft(field, " "); folded != field {
			values := header[name]
			values[len(values)-1] += " " + folded
			continue
		}
		key, value, ok := strings.Cut(field, ":")
		if !ok {
			t.Fatalf("no header field: %q", field)
		}
		name = textproto.CanonicalMIMEHeaderKey(key)
		header.Add(name, value)
	}
	return sigv4.Request{
		Method: method, Path: path, RawQuery: query, Host: header.Get("Host"),
		Header: header, PayloadHash: sigv4.HashPayload([]byte(body)),
	}, []byte(body)
}

func TestSuite(t *testing.T) {
	cases := loadSuite(t)
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		t.Run(name, func(t *testing.T) {
			c := cases[name]
			r, _ := parseRequest(t, c.SignedRequest)
			r.Normalize = c.Context.Normalize

			auth, err := sigv4.Parse(r.Header.Get("Authorization"))
			if err != nil {
				t.Fatalf("Parse = %v", err)
			}
			if got := r.Canonical(auth.SignedHeaders); got != c.CanonicalRequest {
				t.Errorf("Canonical = %q, want %q", got, c.CanonicalRequest)
			}
			if auth.Signature != c.Signature {
				t.Errorf("Signature = %s, want %s", auth.Signature, c.Signature)
			}
			at, err := sigv4.Time(r.Header)
			if err != nil || !at.Equal(c.Context.Timestamp) {
				t.Errorf("Time = %v, %v, want %v", at, err, c.Context.Timestamp)
			}
			secret := c.Context.Credentials.SecretAccessKey
			if !auth.Verify(r, auth.Scope.Key(secret), at) {
				t.Error("Verify = false, want true")
			}
			if auth.Verify(r, auth.Scope.Key(secret+"x"), at) {
				t.Error("Verify with another secret = true, want false")
			}
			if auth.Verify(r, auth.Scope.Key(secret), at.Add(time.Second)) {
				t.Error("Verify a second later = true, want false")
			}
			r.Method = "DELETE"
			if auth.Verify(r, auth.Scope.Key(secret), at) {
				t.Error("Verify of another method = true, want false")
			}
		})
	}
}
