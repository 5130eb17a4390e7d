package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"fairway/backend"
	"fairway/internal/inference"
	"fairway/internal/store"
)

// status is what a bearer key gets for a call of a model.
func status(s *Server, key string) int {
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/model/"+profile+"/invoke", strings.NewReader(prompt))
	r.Header.Set("Authorization", "Bearer "+key)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code
}

// TestKeysThatChange: a key of the store is good from when it is there until it is
// taken back, whatever happens to the configuration meanwhile.
func TestKeysThatChange(t *testing.T) {
	var gone atomic.Bool // what the configuration's secrets are read from
	s, _ := opened(t, "region: ap-southeast-1\nsimulate: {speed: instant}\nprincipals:\n  - name: app\n    bearer_keys: [env:BEARER]\n    "+allowAll+"\n",
		func(o *Options) {
			o.Env = func(name string) (string, bool) {
				if gone.Load() {
					return "", false
				}
				return environment(name)
			}
		})
	keep := func(key string) {
		t.Helper()
		if err := s.store.AddBearerKey(t.Context(), store.BearerKey{Name: key, Hash: store.KeyHash(key), Principal: "app"}); err != nil {
			t.Fatal(err)
		}
		s.takeUpKeys(t.Context())
		if got := status(s, key); got != http.StatusOK {
			t.Fatalf("a key that is kept gets %d, want 200", got)
		}
	}
	takeBack := func(key string) {
		t.Helper()
		if _, err := s.store.DeleteBearerKey(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}

	keep("one")
	takeBack("one")
	bad := &backend.Backend{Authorization: backend.Authorization{Default: backend.OIDC, OIDC: &backend.OIDCProvider{Issuer: "http://issuer.example.com"}}}
	if err := s.Reload(bad); err == nil {
		t.Fatal("Reload of a backend that cannot be served = nil, want an error")
	}
	s.takeUpKeys(t.Context())
	if got := status(s, "one"); got != http.StatusForbidden {
		t.Errorf("a key that was taken back before a reload that failed gets %d, want 403", got)
	}

	keep("two")
	takeBack("two")
	gone.Store(true)
	s.takeUpKeys(t.Context())
	if got := status(s, "two"); got != http.StatusForbidden {
		t.Errorf("a key that was taken back while no secret can be read gets %d, want 403", got)
	}
	if got := status(s, bearer); got != http.StatusOK {
		t.Errorf("the configuration's key gets %d, want 200", got)
	}
}

// TestControlsBindEveryPrincipal: also the roles of a folder.
func TestControlsBindEveryPrincipal(t *testing.T) {
	const controls = `region: ap-southeast-1
simulate: {speed: instant}
principals: [{name: app, bearer_keys: ["env:BEARER"]}]
service_control_policies:
  - Statement:
      - {Effect: Allow, Action: "*", Resource: "*"}
      - {Effect: Deny, Action: "bedrock:*", Resource: "*"}
`
	b := &backend.Backend{
		Auth:        &backend.Auth{Email: true, Groups: []string{"Cooks"}},
		Schema:      "type Query { x: String }",
		DataSources: []backend.DataSource{{Name: "ds", Kind: backend.HTTP, Endpoint: "https://bedrock-runtime.ap-southeast-1.amazonaws.com", SigningService: "bedrock", SigningRegion: "ap-southeast-1", Principal: "ds"}},
		Principals: []backend.Principal{{Name: "ds", Statements: []backend.Statement{
			{Effect: "Allow", Actions: []string{"*"}, Resources: []string{"*"}},
		}}},
		Authorization: backend.Authorization{Default: backend.UserPool},
	}
	s, _ := opened(t, controls, func(o *Options) { o.Backend, o.Development = b, true })
	for _, name := range []string{"ds", "developer", backend.AuthenticatedRole, backend.GroupRole("Cooks")} {
		x, err := s.Explain(t.Context(), name, "bedrock:InvokeModel", profile, "")
		if err != nil {
			t.Fatal(err)
		}
		if x.Fairway.Allowed || x.AWS.Allowed {
			t.Errorf("Explain(%s) allows what a service control policy denies", name)
		}
	}
	if _, err := s.Explain(t.Context(), "nobody", "bedrock:InvokeModel", profile, ""); inference.AsError(err).Kind != inference.ResourceNotFound {
		t.Errorf("Explain(nobody) = %v, want ResourceNotFound", err)
	}
}

// TestOperatorIsNoPage: what a page asks the admin API for is refused, also where the
// page may call models.
func TestOperatorIsNoPage(t *testing.T) {
	s := instant(t, nil)
	for origin, want := range map[string]int{
		"": http.StatusOK, s.baseURL: http.StatusOK,
		"http://localhost:5173": http.StatusForbidden, "http://127.0.0.1:1": http.StatusForbidden, "https://app.example.com": http.StatusForbidden,
	} {
		r := httptest.NewRequest(http.MethodGet, s.baseURL+"/api/keys", nil)
		r.RemoteAddr = "127.0.0.1:4"
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("GET /api/keys from a page of %q = %d, want %d", origin, w.Code, want)
		}
	}
}
