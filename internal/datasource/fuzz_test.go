package datasource

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Whatever a resolver asks for, the request goes to the endpoint's host, under
// its root, and can be written on one request line.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		`{"method":"POST","resourcePath":"/model/a.b-v1:0/invoke","params":{"headers":{"Content-Type":"application/json"},"body":"{}"}}`,
		`{"method":"GET","resourcePath":"//evil/..","params":{"query":{"a b":"ü"},"body":{"x":1}}}`,
		`{"method":"GET","resourcePath":"/?x#y%"}`, `{"method":"GET","resourcePath":"/%zz%41\u0000\\"}`, `null`, `[]`, `"x"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var value any
		if json.Unmarshal(data, &value) != nil {
			return
		}
		req, malformed := request("https://endpoint.example", value)
		if malformed != nil {
			if req != nil {
				t.Fatalf("request(%s) = %v with an error", data, req)
			}
			return
		}
		u, err := url.Parse(req.URL)
		if err != nil {
			t.Fatalf("request(%s) has URL %q: %v", data, req.URL, err)
		}
		if u.Host != "endpoint.example" || u.User != nil || u.Fragment != "" || !strings.HasPrefix(u.EscapedPath(), "/") {
			t.Fatalf("request(%s) goes to %q", data, req.URL)
		}
		if strings.ContainsFunc(req.URL, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Fatalf("request(%s) has URL %q, not fit for a request line", data, req.URL)
		}
		if _, err := http.NewRequest(req.Method, req.URL, nil); err != nil {
			t.Fatalf("request(%s): %v", data, err)
		}
	})
}
