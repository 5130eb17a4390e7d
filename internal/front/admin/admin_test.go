package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fairway/internal/explain"
	"fairway/internal/inference"
	"fairway/internal/store"
	"fairway/internal/userpool"
)

// door is a door over a store and a pool of its own. It counts what it is told of
// changes.
type door struct {
	http.Handler
	changes int
}

func newDoor(t *testing.T, withPool bool) *door {
	t.Helper()
	kept, err := store.Open(t.Context(), "", store.Options{MasterKey: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kept.Close() })
	d := &door{}
	c := Config{
		Store: kept, Now: time.Now,
		Changed:   func(context.Context) { d.changes++ },
		Principal: func(name string) bool { return name == "checkout" },
		Explain: func(_ context.Context, principal, _, _ string, _ inference.Region) (*explain.Explanation, error) {
			return &explain.Explanation{Principal: principal}, nil
		},
	}
	if withPool {
		c.Pool, err = userpool.New(t.Context(), userpool.Options{Region: "eu-west-1", Store: kept, Settings: userpool.Settings{SignInBy: []string{"email"}}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Pool.Close() })
	}
	mux := http.NewServeMux()
	c.Register(mux, func(next http.HandlerFunc) http.HandlerFunc { return next })
	d.Handler = mux
	return d
}

// ask sends one request and reads its answer into out, unless that is nil.
func (d *door) ask(t *testing.T, method, path, body string, out any) int {
	t.Helper()
	w := httptest.NewRecorder()
	d.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	if w.Header().Get("Cache-Control") != "no-store" && w.Code != http.StatusMethodNotAllowed {
		t.Errorf("%s %s: Cache-Control = %q, want no-store: it may hold a key", method, path, w.Header().Get("Cache-Control"))
	}
	if out != nil {
		if err := json.Unmarshal(w.Body.Bytes(), out); err != nil {
			t.Fatalf("%s %s answers %s: %v", method, path, w.Body, err)
		}
	}
	return w.Code
}

func TestKeysAreKeptAsHashes(t *testing.T) {
	d := newDoor(t, false)
	for _, kind := range []kind{bearer, access, api} {
		var made, listed key
		body := `{"kind": "` + string(kind) + `", "name": "` + string(kind) + `", "principal": "checkout", "budget": "team", "expires_in": 3600}`
		if status := d.ask(t, "POST", "/api/keys", body, &made); status != 200 || made.Key+made.Secret == "" {
			t.Fatalf("POST /api/keys of kind %s = %d %+v, want a key", kind, status, made)
		}
		var list struct{ Keys []key }
		d.ask(t, "GET", "/api/keys", "", &list)
		for _, k := range list.Keys {
			if k.Kind == kind {
				listed = k
			}
		}
		if listed.Principal != "checkout" || listed.Budget != "team" || listed.Expires == nil || listed.Key+listed.Secret != "" {
			t.Errorf("GET /api/keys has %+v, want the key without what it is made of", listed)
		}
	}
	if d.changes != 3 {
		t.Errorf("told of %d changes, want 3", d.changes)
	}
}

func TestRotate(t *testing.T) {
	d := newDoor(t, false)
	d.ask(t, "POST", "/api/keys", `{"kind": "bearer", "name": "b", "principal": "checkout"}`, nil)
	d.ask(t, "POST", "/api/keys", `{"kind": "access", "name": "a", "principal": "checkout"}`, nil)
	var made key
	if status := d.ask(t, "POST", "/api/keys/b/rotate", `{"overlap": 60}`, &made); status != 200 || made.Key == "" || made.Expires != nil {
		t.Errorf("rotate = %d %+v, want a key that does not expire", status, made)
	}
	if status := d.ask(t, "POST", "/api/keys/a/rotate", `{}`, nil); status != 400 {
		t.Errorf("rotate of an access key = %d, want 400", status)
	}
	for _, path := range []string{"/api/keys/a/expire", "/api/keys/b/expire"} {
		if status := d.ask(t, "POST", path, "", nil); status != 200 {
			t.Errorf("POST %s = %d, want 200", path, status)
		}
	}
	if status := d.ask(t, "DELETE", "/api/keys/b", "", nil); status != 200 {
		t.Errorf("DELETE = %d, want 200", status)
	}
}

func TestUsers(t *testing.T) {
	d := newDoor(t, true)
	var made struct {
		Username, Password, Status string
		Attributes                 map[string]string
	}
	if status := d.ask(t, "POST", "/api/users", `{"username": "ana@example.com", "confirmed": true}`, &made); status != 200 || made.Password == "" || made.Status != "CONFIRMED" {
		t.Fatalf("POST /api/users = %d %+v, want a confirmed user with a password", status, made)
	}
	var shown map[string]any
	d.ask(t, "GET", "/api/users/ana@example.com", "", &shown)
	if _, has := shown["password"]; has || shown["enabled"] != true {
		t.Errorf("GET /api/users/NAME = %v, want the user without a password", shown)
	}
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"POST", "/api/users", `{"username": "ana@example.com"}`, 409},
		{"POST", "/api/users/ana@example.com/disable", "", 200},
		{"POST", "/api/users/ana@example.com/enable", "", 200},
		{"PUT", "/api/users/ana@example.com/groups", `{"groups": ["Cooks"]}`, 200},
		{"PUT", "/api/users/ana@example.com/groups", `{"group": "Cooks"}`, 400},
		{"POST", "/api/user-pool/rotate-key", "", 200},
		{"DELETE", "/api/users/ana@example.com", "", 200},
		{"DELETE", "/api/users/ana@example.com", "", 404},
		{"POST", "/api/users/nobody/confirm", "", 404},
	} {
		if got := d.ask(t, c.method, c.path, c.body, nil); got != c.want {
			t.Errorf("%s %s %s = %d, want %d", c.method, c.path, c.body, got, c.want)
		}
	}
}

func TestUsersByPage(t *testing.T) {
	d := newDoor(t, true)
	for i := range page + 1 {
		name := "user" + string(rune('a'+i/26)) + string(rune('a'+i%26)) + "@example.com"
		d.ask(t, "POST", "/api/users", `{"username": "`+name+`", "password": "Mango-Tree-77", "confirmed": true}`, nil)
	}
	var first, second struct {
		Users []userpool.Person
		Next  string
	}
	d.ask(t, "GET", "/api/users", "", &first)
	d.ask(t, "GET", "/api/users?after="+first.Next, "", &second)
	if len(first.Users) != page || len(second.Users) != 1 || second.Next != "" {
		t.Errorf("pages have %d and %d users, next %q, want %d and 1 and no more", len(first.Users), len(second.Users), second.Next, page)
	}
}

func TestRefused(t *testing.T) {
	d := newDoor(t, false)
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", "/api/users", "", 404},
		{"GET", "/api/explain?principal=p", "", 400},
		{"POST", "/api/keys", `{"kind": "bearer", "name": "k", "principal": "nobody"}`, 400},
		{"POST", "/api/keys", `{"kind": "bearer", "name": "k"}`, 400},
		{"POST", "/api/keys", `{"kind": "cookie", "name": "k", "principal": "checkout"}`, 400},
		{"POST", "/api/keys", `{"kind": "bearer", "name": "a name with spaces", "principal": "checkout"}`, 400},
		{"POST", "/api/keys", `{"kind": "bearer", "name": "k", "principal": "checkout", "expires_in": -1}`, 400},
		{"POST", "/api/keys", `{"kind": "bearer", "name": "k", "principal": "checkout", "expires_in": 99999999999}`, 400},
		{"POST", "/api/keys", `{"kind": "bearer", "name": "k", "principal": "checkout", "admin": true}`, 400},
		{"POST", "/api/keys", `[]`, 400},
		{"POST", "/api/keys", `{"name": "` + strings.Repeat("x", maxBody) + `"}`, 400},
		{"DELETE", "/api/keys/none", "", 404},
	} {
		var answer struct{ Message string }
		if got := d.ask(t, c.method, c.path, c.body, &answer); got != c.want || answer.Message == "" {
			t.Errorf("%s %s %.60s = %d %q, want %d with a message", c.method, c.path, c.body, got, answer.Message, c.want)
		}
	}
	if d.changes != 0 {
		t.Errorf("told of %d changes, want none", d.changes)
	}
}
