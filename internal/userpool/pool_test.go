package userpool

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
	"fairway/internal/store"
	"fairway/internal/wire/uuid"
)

// clock is a server's clock, which a test sets.
type clock struct{ at atomic.Pointer[time.Time] }

func newClock() *clock {
	c := &clock{}
	c.set(time.Date(2026, 11, 22, 10, 44, 6, 0, time.UTC))
	return c
}

func (c *clock) now() time.Time          { return *c.at.Load() }
func (c *clock) set(t time.Time)         { c.at.Store(&t) }
func (c *clock) advance(d time.Duration) { c.set(c.now().Add(d)) }

// place is a store with the clock that it and its pools go by.
type place struct {
	*clock
	dsn   string
	store *store.Store
}

// newPlace is a store that has a signing key already, for making one takes time.
func newPlace(t testing.TB) *place {
	t.Helper()
	w := &place{clock: newClock(), dsn: "sqlite:" + t.TempDir() + "/pool.db"}
	w.store = w.open(t)
	kept, err := w.store.Pool(t.Context(), "ap-southeast-1", func() store.Pool { return newPool(Options{Region: "ap-southeast-1"}) })
	if err != nil {
		t.Fatal(err)
	}
	key := testKey()
	if err := w.store.AddSigningKey(t.Context(), store.SigningKey{ID: key.id, Pool: kept.ID, Key: key.der, Created: w.now()}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *place) open(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), w.dsn, store.Options{Now: w.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// server is a pool on the store.
func (w *place) server(t testing.TB, s Settings) *Pool {
	t.Helper()
	return openPool(t, Options{Region: "ap-southeast-1", Store: w.store, Settings: s, Now: w.now})
}

func openPool(t testing.TB, o Options) *Pool {
	t.Helper()
	p, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

var testKey = sync.OnceValue(func() (k struct {
	id  string
	der []byte
}) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	k.id = thumbprint(&key.PublicKey)
	if k.der, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		panic(err)
	}
	return k
})

const (
	ana         = "ana@example.com"
	anaPassword = "Passw0rd!x"
)

// byEmail are the settings of a pool whose users sign in by e-mail, as the seed's.
var byEmail = Settings{SignInBy: []string{"email"}}

// addAna adds a confirmed user who signs in by e-mail.
func addAna(t testing.TB, p *Pool, edit func(*user)) user {
	t.Helper()
	sub := uuid.New()
	u := user{
		User:    store.User{Sub: sub, Username: sub, Aliases: []string{ana}},
		account: account{Attributes: map[string]string{"email": ana, "email_verified": "true"}, Status: confirmed},
	}
	p.setPassword(&u, anaPassword)
	if edit != nil {
		edit(&u)
	}
	if err := p.insert(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	return find(t, p)
}

// find is ana as the store has her.
func find(t testing.TB, p *Pool) user {
	t.Helper()
	u, ok, err := p.byName(t.Context(), ana)
	if !ok || err != nil {
		t.Fatalf("byName(%s) = %v, %v", ana, ok, err)
	}
	return u
}

func edit(t testing.TB, p *Pool, u user, edit func(*user)) {
	t.Helper()
	if _, err := p.change(t.Context(), u.Sub, func(u *user) error { edit(u); return nil }); err != nil {
		t.Fatal(err)
	}
}

// wantError holds err to a kind and a message.
func wantError(t testing.TB, what string, err error, kind Kind, message string) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Kind != kind || e.Message != message {
		t.Errorf("%s = %v, want %s: %s", what, err, kind, message)
	}
}

// claimsOf verifies token against the pool's published key set.
func claimsOf(t testing.TB, p *Pool, token string) jwt.MapClaims {
	t.Helper()
	keys := publishedKeys(t, p)
	claims := jwt.MapClaims{}
	parsed, err := jwt.ParseWithClaims(token, claims, func(token *jwt.Token) (any, error) {
		return keys[token.Header["kid"].(string)], nil
	}, jwt.WithTimeFunc(p.now), jwt.WithValidMethods([]string{"RS256"}))
	if err != nil {
		t.Fatal(err)
	}
	if len(parsed.Header) != 2 {
		t.Errorf("token header = %v, want alg and kid", parsed.Header)
	}
	return claims
}

// publishedKeys are the keys of jwks.json by kid.
func publishedKeys(t testing.TB, p *Pool) map[string]*rsa.PublicKey {
	t.Helper()
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("GET", "/"+p.ID()+"/.well-known/jwks.json", nil))
	var set struct {
		Keys []struct{ Alg, E, Kid, Kty, N, Use string }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &set); err != nil || len(set.Keys) == 0 {
		t.Fatalf("jwks.json = %d %s", w.Code, w.Body)
	}
	keys := map[string]*rsa.PublicKey{}
	for _, k := range set.Keys {
		if k.Alg != "RS256" || k.Kty != "RSA" || k.Use != "sig" || k.E != "AQAB" {
			t.Errorf("jwks.json holds %+v", k)
		}
		n, _ := base64.RawURLEncoding.DecodeString(k.N)
		keys[k.Kid] = &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}
	}
	return keys
}

func TestIdentifiers(t *testing.T) {
	w := newPlace(t)
	p := w.server(t, Settings{})
	if got := p.ID(); !regexp.MustCompile(`^ap-southeast-1_[0-9a-zA-Z]{9}$`).MatchString(got) {
		t.Errorf("ID() = %q", got)
	}
	if got := p.ClientID(); !regexp.MustCompile(`^[0-9a-z]{26}$`).MatchString(got) {
		t.Errorf("ClientID() = %q", got)
	}
	if got := p.IdentityPoolID(); !regexp.MustCompile(`^ap-southeast-1:[0-9a-f-]{36}$`).MatchString(got) {
		t.Errorf("IdentityPoolID() = %q", got)
	}
	if got, want := p.Issuer(), "https://cognito-idp.ap-southeast-1.amazonaws.com/"+p.ID(); got != want {
		t.Errorf("Issuer() = %q, want %q", got, want)
	}
	local := openPool(t, Options{Region: "ap-southeast-1", Store: w.store, BaseURL: "http://127.0.0.1:20002/"})
	if got, want := local.Issuer(), "http://127.0.0.1:20002/"+p.ID(); got != want {
		t.Errorf("Issuer() = %q, want %q", got, want)
	}
	other := openPool(t, Options{Region: "us-east-1", Store: w.store})
	if !strings.HasPrefix(other.ID(), "us-east-1_") {
		t.Errorf("ID() of another region = %q, want us-east-1_...", other.ID())
	}
}

func TestDefaults(t *testing.T) {
	p := newPlace(t).server(t, Settings{AccessLife: 48 * time.Hour})
	want := Settings{
		Password: PasswordPolicy{MinLength: 8}, MFA: MFAOff,
		AccessLife: 24 * time.Hour, IDLife: time.Hour, RefreshLife: 30 * 24 * time.Hour,
		Lockout: Lockout{Failures: 5, For: time.Second, MaxFor: 15 * time.Minute},
	}
	if diff := cmp.Diff(&want, p.settings.Load()); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestKeptOverRestarts(t *testing.T) {
	w := newPlace(t)
	first := w.server(t, byEmail)
	addAna(t, first, nil)
	token := mustSignIn(t, first).AccessToken
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := openPool(t, Options{Region: "ap-southeast-1", Store: w.open(t), Settings: byEmail, Now: w.now})
	if second.ID() != first.ID() || second.ClientID() != first.ClientID() || second.IdentityPoolID() != first.IdentityPoolID() {
		t.Error("a reopened pool has other identifiers")
	}
	claimsOf(t, second, token)
	mustSignIn(t, second)
}

// TestChange: of edits that come at once none is lost, and an edit's error keeps
// nothing.
func TestChange(t *testing.T) {
	p := newPlace(t).server(t, byEmail)
	u := addAna(t, p, nil)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { edit(t, p, u, func(u *user) { u.Failures++ }) })
	}
	all.Wait()
	if got := find(t, p).Failures; got != 8 {
		t.Errorf("Failures after 8 edits at once = %d, want 8", got)
	}
	stop := errors.New("stop")
	if _, err := p.change(t.Context(), u.Sub, func(u *user) error { u.Failures = 0; return stop }); err != stop {
		t.Errorf("change() = %v, want the edit's error", err)
	}
	if got := find(t, p).Failures; got != 8 {
		t.Errorf("Failures after an edit that failed = %d, want 8", got)
	}
	_, err := p.change(t.Context(), uuid.New(), func(*user) error { return nil })
	wantError(t, "change() of nobody", err, UserNotFound, "User does not exist.")
	bob := u
	bob.Sub, bob.Username, bob.Aliases = uuid.New(), "bob", nil
	if err := p.insert(t.Context(), bob); err != nil {
		t.Fatal(err)
	}
	_, err = p.change(t.Context(), bob.Sub, func(u *user) error { u.Aliases = []string{ana}; return nil })
	wantError(t, "change() to a taken alias", err, AliasExists, "An account with the given email or phone number already exists.")
	wantError(t, "insert() again", p.insert(t.Context(), u), UsernameExists, "An account with the given email already exists.")
}

// TestStoreFails: what the store says stays with the operator.
func TestStoreFails(t *testing.T) {
	w := newPlace(t)
	p := w.server(t, byEmail)
	w.store.Close()
	_, err := p.SignIn(t.Context(), ana, anaPassword)
	wantError(t, "SignIn() without a store", err, InternalError, "Something went wrong")
	if _, ok := errors.AsType[*inference.Error](err); !ok {
		t.Errorf("SignIn() without a store = %v, want the store's error within", err)
	}
	if _, err := New(context.Background(), Options{Region: "ap-southeast-1", Store: w.store}); err == nil {
		t.Error("New() without a store = nil, want an error")
	}
}
