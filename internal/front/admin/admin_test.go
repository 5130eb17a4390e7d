package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fairway/internal/explain"
	"fairway/internal/inference"
	"fairway/internal/keyring"
	"fairway/internal/store"
	"fairway/internal/usage"
	"fairway/internal/userpool"
)

// door is a door over a store and a pool of its own. It counts what it is told of
// changes.
type door struct {
	http.Handler
	changes int
	asked   string // action of the last explanation
	log     bytes.Buffer
	store   *store.Store
	ledger  ledger
	budgets []usage.BudgetState

	corrections []inference.Correction
}

func newDoor(t *testing.T, withPool bool) *door {
	t.Helper()
	kept, err := store.Open(t.Context(), "", store.Options{MasterKey: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kept.Close() })
	d := &door{store: kept}
	c := Config{
		Keys: &keyring.Ring{
			Store: kept, Now: time.Now,
			Changed:   func(context.Context) { d.changes++ },
			Principal: func(name string) bool { return name == "checkout" },
			Budgets:   func() []string { return []string{"team", "trial"} },
		},
		Log: slog.New(slog.NewTextHandler(&d.log, nil)),
		Explain: func(_ context.Context, principal, action, _ string, _ inference.Region) (*explain.Explanation, error) {
			d.asked = action
			return &explain.Explanation{Principal: principal}, nil
		},
		Usage:   &d.ledger,
		Budgets: func(context.Context) ([]usage.BudgetState, error) { return d.budgets, nil },
		Principal: func(name string) (inference.Principal, bool) {
			if name != "checkout" {
				return inference.Principal{}, false
			}
			return inference.Principal{Name: name, ARN: "arn:aws:iam::123456789012:role/checkout"}, true
		},
		Now:         time.Now,
		Corrections: func() []inference.Correction { return d.corrections }, Calibrations: kept,
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

func TestKeys(t *testing.T) {
	d := newDoor(t, false)
	for _, c := range []struct {
		life string
		want time.Duration
	}{{"", 30 * 24 * time.Hour}, {`, "expires_in": null`, 30 * 24 * time.Hour}, {`, "expires_in": 3600`, time.Hour}, {`, "expires_in": 0`, 0}} {
		var made keyring.Key
		if status := d.ask(t, "POST", "/api/keys", `{"kind": "bearer", "name": "b", "principal": "checkout", "budget": "team"`+c.life+`}`, &made); status != 200 || made.Key == "" {
			t.Fatalf("POST /api/keys = %d %+v, want a key", status, made)
		}
		var list struct{ Keys []map[string]any }
		d.ask(t, "GET", "/api/keys", "", &list)
		if len(list.Keys) != 1 || list.Keys[0]["name"] != "b" || list.Keys[0]["key"] != nil || list.Keys[0]["secret"] != nil {
			t.Errorf("GET /api/keys = %v, want the key without what it is made of", list.Keys)
		}
		if got := life(made); got != c.want {
			t.Errorf("POST /api/keys%s is good for %v, want %v", c.life, got, c.want)
		}
		if status := d.ask(t, "DELETE", "/api/keys/b", "", nil); status != 200 {
			t.Errorf("DELETE = %d, want 200", status)
		}
	}
	if d.changes != 8 {
		t.Errorf("told of %d changes, want 8", d.changes)
	}
}

// life is how long a key was made for, 0 for ever.
func life(k keyring.Key) time.Duration {
	if k.Expires == nil {
		return 0
	}
	return k.Expires.Sub(k.Created)
}

func TestRotate(t *testing.T) {
	d := newDoor(t, false)
	d.ask(t, "POST", "/api/keys", `{"kind": "bearer", "name": "b", "principal": "checkout", "expires_in": 7200}`, nil)
	for _, c := range []struct {
		body          string
		life, overlap time.Duration
	}{{`{}`, 2 * time.Hour, 2 * time.Hour}, {`{"expires_in": 0, "overlap": 60}`, 0, time.Minute}, {`{"overlap": null}`, 0, 24 * time.Hour}} {
		var made keyring.Key
		if status := d.ask(t, "POST", "/api/keys/b/rotate", c.body, &made); status != 200 || made.Key == "" || made.BeforeUntil == nil {
			t.Fatalf("rotate %s = %d %+v, want a key", c.body, status, made)
		}
		overlap := made.BeforeUntil.Sub(made.Created)
		if life(made) != c.life || overlap.Round(time.Minute) != c.overlap {
			t.Errorf("rotate %s = %+v, good for %v beside the old one for %v, want %v and %v", c.body, made, life(made), overlap, c.life, c.overlap)
		}
	}
	if status := d.ask(t, "POST", "/api/keys/b/expire", "", nil); status != 200 {
		t.Errorf("expire = %d, want 200", status)
	}
}

// TestFailures: the operator reads the cause, and so does the log.
func TestFailures(t *testing.T) {
	d := newDoor(t, false)
	d.store.Close()
	var answer struct{ Message string }
	if status := d.ask(t, "GET", "/api/keys", "", &answer); status != 503 || !strings.Contains(answer.Message, "list bearer keys") || !strings.Contains(answer.Message, "database is closed") {
		t.Errorf("GET /api/keys without a store = %d %q, want operation and cause", status, answer.Message)
	}
	if log := d.log.String(); !strings.Contains(log, `request="GET /api/keys" status=503`) || !strings.Contains(log, "database is closed") {
		t.Errorf("log = %s, want the request and the cause", log)
	}
}

func TestExplain(t *testing.T) {
	d := newDoor(t, false)
	for query, want := range map[string]string{"": "bedrock:InvokeModel", "&action=bedrock:CountTokens": "bedrock:CountTokens"} {
		if status := d.ask(t, "GET", "/api/explain?principal=p&profile=m"+query, "", nil); status != 200 || d.asked != want {
			t.Errorf("GET /api/explain%s = %d about %s, want %s", query, status, d.asked, want)
		}
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
		{"POST", "/api/users/ana@example.com/groups/Cooks", "", 200},
		{"POST", "/api/users/ana@example.com/groups/two%20words", "", 400},
		{"DELETE", "/api/users/ana@example.com/groups/Cooks", "", 200},
		{"POST", "/api/users/ana@example.com/password", `{"password": "Mango-Tree-77"}`, 200},
		{"POST", "/api/users/ana@example.com/password", `{"password": "short"}`, 400},
		{"POST", "/api/users/nobody/password", `{}`, 404},
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

// TestGroupsAtOnce: of groups that are given at once none is lost, whatever the user and
// the groups are called.
func TestGroupsAtOnce(t *testing.T) {
	d := newDoor(t, true)
	const user = "a/b@example.com"
	if status := d.ask(t, "POST", "/api/users", `{"username": "`+user+`", "confirmed": true}`, nil); status != 200 {
		t.Fatalf("POST /api/users = %d, want 200", status)
	}
	groups := []string{"a/b", "..", "100%", "c?d", "Ü", "e+f", "g#h", "i;j"}
	slices.Sort(groups)
	path := func(group string) string {
		return "/api/users/a%2Fb@example.com/groups/" + strings.ReplaceAll(url.PathEscape(group), ".", "%2E")
	}
	var all sync.WaitGroup
	for _, group := range groups {
		all.Go(func() {
			if status := d.ask(t, "POST", path(group), "", nil); status != 200 {
				t.Errorf("POST %s = %d, want 200", path(group), status)
			}
		})
	}
	all.Wait()
	var person userpool.Person
	d.ask(t, "GET", "/api/users/a%2Fb@example.com", "", &person)
	if !slices.Equal(person.Groups, groups) {
		t.Errorf("groups = %q, want %q", person.Groups, groups)
	}
	for _, group := range groups {
		d.ask(t, "DELETE", path(group), "", &person)
	}
	if len(person.Groups) != 0 {
		t.Errorf("groups = %q, want none", person.Groups)
	}
}

func TestSetPassword(t *testing.T) {
	d := newDoor(t, true)
	d.ask(t, "POST", "/api/users", `{"username": "ana@example.com", "confirmed": true}`, nil)
	for _, c := range []struct {
		body, status string
		made         bool
	}{
		{`{}`, "CONFIRMED", true},
		{`{"temporary": true}`, "FORCE_CHANGE_PASSWORD", true},
		{`{"password": "Mango-Tree-77"}`, "CONFIRMED", false},
	} {
		var answer struct{ Status, Password string }
		if status := d.ask(t, "POST", "/api/users/ana@example.com/password", c.body, &answer); status != 200 || answer.Status != c.status || (answer.Password != "") != c.made {
			t.Errorf("password %s = %d %+v, want the user %s", c.body, status, answer, c.status)
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
	d.ask(t, "POST", "/api/keys", `{"kind": "api", "name": "taken"}`, nil)
	d.changes = 0
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", "/api/users", "", 404},
		{"GET", "/api/explain?principal=p", "", 400},
		{"GET", "/api/explain?profile=m", "", 400},
		{"POST", "/api/keys", `{"kind": "bearer", "name": "k", "principal": "nobody"}`, 400},
		{"POST", "/api/keys", `{"kind": "bearer", "name": "k"}`, 400},
		{"POST", "/api/keys", `{"kind": "cookie", "name": "k", "principal": "checkout"}`, 400},
		{"POST", "/api/keys", `{"kind": "bearer", "name": "a name with spaces", "principal": "checkout"}`, 400},
		{"POST", "/api/keys", `{"kind": "bearer", "name": "k", "principal": "checkout", "expires_in": -1}`, 400},
		{"POST", "/api/keys", `{"kind": "bearer", "name": "k", "principal": "checkout", "expires_in": 9223372036854775807}`, 400},
		{"POST", "/api/keys", `{"kind": "bearer", "name": "k", "principal": "checkout", "admin": true}`, 400},
		{"POST", "/api/keys", `[]`, 400},
		{"POST", "/api/keys", `{"name": "` + strings.Repeat("x", maxBody) + `"}`, 400},
		{"POST", "/api/keys", `{"kind": "access", "name": "taken", "principal": "checkout"}`, 409},
		{"POST", "/api/keys/a/rotate", `{"overlap": 9223372036854775807}`, 400},
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
