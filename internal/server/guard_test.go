package server

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestGuard(t *testing.T) {
	g := &guard{
		next:    http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }),
		hosts:   []string{"gateway.example.com"},
		origins: func() []string { return []string{"https://app.example.com"} },
		local:   true,
	}
	for _, c := range []struct {
		name, host, origin string
		want               int
	}{
		{"loopback address", "127.0.0.1:20002", "", http.StatusTeapot},
		{"loopback address, version 6", "[::1]:20002", "", http.StatusTeapot},
		{"loopback name", "localhost:20002", "", http.StatusTeapot},
		{"name below localhost", "app.localhost", "", http.StatusTeapot},
		{"own name, any case", "Gateway.Example.com", "", http.StatusTeapot},
		{"endpoint of the service", "bedrock-runtime.ap-southeast-1.amazonaws.com", "", http.StatusTeapot},
		{"address", "192.168.1.7:20002", "", http.StatusTeapot},
		{"rebound name", "evil.example.com:20002", "", http.StatusForbidden},
		{"name that only looks like the service", "bedrock-runtime.ap-southeast-1.amazonaws.com.evil.example", "", http.StatusForbidden},
		{"name that begins like loopback", "127.0.0.1.evil.example", "", http.StatusForbidden},
		{"page on loopback", "localhost", "http://localhost:5173", http.StatusTeapot},
		{"configured page", "localhost", "https://app.example.com", http.StatusTeapot},
		{"foreign page", "localhost", "https://evil.example.com", http.StatusForbidden},
		{"configured page on another port", "localhost", "https://app.example.com:444", http.StatusForbidden},
		{"file on loopback", "localhost", "file://localhost", http.StatusForbidden},
		{"sandboxed page", "localhost", "null", http.StatusForbidden},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/graphql", nil)
			r.Host = c.host
			if c.origin != "" {
				r.Header.Set("Origin", c.origin)
			}
			w := httptest.NewRecorder()
			g.ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("Host %q Origin %q = %d, want %d", c.host, c.origin, w.Code, c.want)
			}
			allowed := w.Header().Get("Access-Control-Allow-Origin")
			if w.Code == http.StatusForbidden && allowed != "" {
				t.Errorf("a refused origin is told Access-Control-Allow-Origin %q", allowed)
			}
			if c.origin != "" && w.Code == http.StatusTeapot && allowed != c.origin {
				t.Errorf("Access-Control-Allow-Origin = %q, want %q", allowed, c.origin)
			}
		})
	}
}

func TestTwoOrigins(t *testing.T) {
	g := &guard{next: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("reached the handler") }), origins: none, local: true}
	r := httptest.NewRequest(http.MethodPut, "http://localhost/api/regions/us-east-1", nil)
	r.Header["Origin"] = []string{"http://localhost:1", "http://evil.example.com"}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	if w.Code != http.StatusForbidden {
		t.Errorf("two origins = %d, want 403", w.Code)
	}
}

func TestPreflight(t *testing.T) {
	g := &guard{next: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a preflight reached the handler") }), origins: none, local: true}
	r := httptest.NewRequest(http.MethodOptions, "/graphql", nil)
	r.Host = "localhost:20002"
	r.Header.Set("Origin", "http://localhost:5173")
	r.Header.Set("Access-Control-Request-Method", "POST")
	r.Header.Set("Access-Control-Request-Headers", "content-type,x-amz-user-agent,x-api-key")
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	if w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Headers") != allowedHeaders {
		t.Errorf("preflight = %d %v, want 204 with the allowed headers", w.Code, w.Header())
	}
}

func none() []string { return nil }
