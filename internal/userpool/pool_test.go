package userpool

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
	"fairway/internal/wire/uuid"
)

var now = time.Date(2026, 11, 22, 10, 44, 6, 0, time.UTC)

func clock() time.Time { return now }

func newTestPool(t testing.TB, o Options) *Pool {
	t.Helper()
	o.Region, o.Now = "ap-southeast-1", clock
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func signIn(t testing.TB, p *Pool) Tokens {
	t.Helper()
	tokens, err := p.SignIn(t.Context(), p.TestUser().Username, p.TestUser().Password)
	if err != nil {
		t.Fatalf("SignIn of the test user = %v", err)
	}
	return tokens
}

// claimsOf verifies token against the pool's published key set.
func claimsOf(t testing.TB, p *Pool, token string) jwt.MapClaims {
	t.Helper()
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("GET", "/"+p.ID()+"/.well-known/jwks.json", nil))
	var set struct {
		Keys []struct{ Alg, E, Kid, Kty, N, Use string }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &set); err != nil || len(set.Keys) != 1 {
		t.Fatalf("jwks.json = %d %s", w.Code, w.Body)
	}
	k := set.Keys[0]
	n, _ := base64.RawURLEncoding.DecodeString(k.N)
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}
	if k.Alg != "RS256" || k.Kty != "RSA" || k.Use != "sig" || k.E != "AQAB" {
		t.Errorf("jwks.json holds %+v", k)
	}
	claims := jwt.MapClaims{}
	parsed, err := jwt.ParseWithClaims(token, claims, func(token *jwt.Token) (any, error) { return key, nil },
		jwt.WithTimeFunc(clock), jwt.WithValidMethods([]string{"RS256"}))
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]any{"alg": "RS256", "kid": k.Kid}; !cmp.Equal(parsed.Header, want) {
		t.Errorf("token header = %v, want %v", parsed.Header, want)
	}
	return claims
}

func TestIdentifiers(t *testing.T) {
	p := newTestPool(t, Options{})
	if got := p.ID(); !regexp.MustCompile(`^ap-southeast-1_[0-9a-zA-Z]{9}$`).MatchString(got) {
		t.Errorf("ID() = %q", got)
	}
	if got := p.ClientID(); !regexp.MustCompile(`^[0-9a-z]{26}$`).MatchString(got) {
		t.Errorf("ClientID() = %q", got)
	}
	if got, want := p.Issuer(), "https://cognito-idp.ap-southeast-1.amazonaws.com/"+p.ID(); got != want {
		t.Errorf("Issuer() = %q, want %q", got, want)
	}
	local := newTestPool(t, Options{BaseURL: "http://127.0.0.1:20002/"})
	if got, want := local.Issuer(), "http://127.0.0.1:20002/"+local.ID(); got != want {
		t.Errorf("Issuer() = %q, want %q", got, want)
	}
}

func TestClaims(t *testing.T) {
	p := newTestPool(t, Options{})
	tokens := signIn(t, p)
	access, id := claimsOf(t, p, tokens.Access), claimsOf(t, p, tokens.ID)

	if got, want := slices.Sorted(maps.Keys(access)), []string{"auth_time", "client_id", "event_id", "exp", "iat", "iss", "jti", "origin_jti", "scope", "sub", "token_use", "username"}; !slices.Equal(got, want) {
		t.Errorf("access claims = %q, want %q", got, want)
	}
	if got, want := slices.Sorted(maps.Keys(id)), []string{"aud", "auth_time", "cognito:username", "email", "email_verified", "event_id", "exp", "iat", "iss", "jti", "origin_jti", "sub", "token_use"}; !slices.Equal(got, want) {
		t.Errorf("id claims = %q, want %q", got, want)
	}
	user := p.TestUser().Username
	for _, check := range []struct{ got, want any }{
		{access["username"], user},
		{id["cognito:username"], user},
		{id["email"], user},
		{id["email_verified"], true},
		{access["token_use"], "access"},
		{id["token_use"], "id"},
		{access["client_id"], p.ClientID()},
		{id["aud"], p.ClientID()},
		{access["iss"], p.Issuer()},
		{id["iss"], p.Issuer()},
		{access["exp"], float64(now.Add(time.Hour).Unix())},
		{access["iat"], float64(now.Unix())},
		{access["sub"], id["sub"]},
		{access["origin_jti"], id["origin_jti"]},
		{access["jti"] == id["jti"], false},
	} {
		if check.got != check.want {
			t.Errorf("claim = %v, want %v", check.got, check.want)
		}
	}
}

func TestGroupsClaim(t *testing.T) {
	p := newTestPool(t, Options{})
	tokens, err := p.issue(t.Context(), &User{Sub: uuid.New(), Username: "u", Groups: []string{"Admins"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{tokens.Access, tokens.ID} {
		if got := claimsOf(t, p, token)["cognito:groups"]; !cmp.Equal(got, []any{"Admins"}) {
			t.Errorf("cognito:groups = %v, want [Admins]", got)
		}
	}
}

func TestSignInRefuses(t *testing.T) {
	p := newTestPool(t, Options{})
	user := p.TestUser()
	for _, l := range []Login{
		{user.Username, user.Password + "x"},
		{user.Username, ""},
		{"nobody@example.com", user.Password},
		{"", ""},
	} {
		tokens, err := p.SignIn(t.Context(), l.Username, l.Password)
		e, ok := errors.AsType[*inference.Error](err)
		if !ok || e.Kind != inference.UnrecognizedClient || e.Message != "Incorrect username or password." {
			t.Errorf("SignIn(%q, ...) = %v, want UnrecognizedClient", l.Username, err)
		}
		if tokens != (Tokens{}) {
			t.Errorf("SignIn(%q, ...) gave tokens beside its error", l.Username)
		}
	}
	if _, err := p.SignIn(t.Context(), strings.ToUpper(user.Username), user.Password); err != nil {
		t.Errorf("SignIn with an upper-case user name = %v, want nil", err)
	}
}

func TestKeptOverRestarts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pool")
	first := newTestPool(t, Options{Dir: dir})
	token := signIn(t, first).Access

	second := newTestPool(t, Options{Dir: dir})
	if second.ID() != first.ID() || second.ClientID() != first.ClientID() || second.TestUser() != first.TestUser() {
		t.Error("a reopened pool has other identifiers or another test user")
	}
	claimsOf(t, second, token)
	signIn(t, second)

	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 && runtime.GOOS != "windows" {
			t.Errorf("%s has mode %o, want 600", f.Name(), got)
		}
	}
	if want := []string{"pool.json", "signing-key.pem", "test-user.json"}; !slices.Equal(names, want) {
		t.Errorf("files = %q, want %q", names, want)
	}
	data, err := os.ReadFile(filepath.Join(dir, "pool.json"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), first.TestUser().Password) {
		t.Error("pool.json holds the password, want the verifier only")
	}
}

func TestAnotherRegionIsAnotherPool(t *testing.T) {
	dir := t.TempDir()
	first := newTestPool(t, Options{Dir: dir})
	signIn(t, first) // waits until the key is kept
	second, err := New(Options{Region: "us-east-1", Dir: dir, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(second.ID(), "us-east-1_") {
		t.Errorf("ID() = %q, want us-east-1_...", second.ID())
	}
	signIn(t, second)
}

func TestDamagedFiles(t *testing.T) {
	for _, name := range []string{"pool.json", "test-user.json", "signing-key.pem"} {
		dir := t.TempDir()
		signIn(t, newTestPool(t, Options{Dir: dir}))
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := New(Options{Region: "ap-southeast-1", Dir: dir, Now: clock})
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("New over a damaged %s = %v, want an error that names it", name, err)
		}
	}
}

func TestKeyThatCannotBeKept(t *testing.T) {
	if _, err := makeKey(directory(filepath.Join(t.TempDir(), "gone"))); err == nil {
		t.Error("makeKey into a directory that is not there = nil, want an error")
	}
}

func TestPublicKey(t *testing.T) {
	p := newTestPool(t, Options{})
	signIn(t, p)
	if p.PublicKey(t.Context(), p.signer.kid) == nil {
		t.Error("PublicKey of the pool's kid = nil")
	}
	if p.PublicKey(t.Context(), "other") != nil {
		t.Error("PublicKey of another kid is a key, want nil")
	}
	waiting := &Pool{signer: &signer{ready: make(chan struct{})}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if waiting.PublicKey(ctx, "") != nil {
		t.Error("PublicKey before the key is made is a key, want nil")
	}
}

func TestWellKnown(t *testing.T) {
	p := newTestPool(t, Options{BaseURL: "http://127.0.0.1:20002"})
	get := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		return w
	}
	var config struct {
		Issuer string `json:"issuer"`
		JWKS   string `json:"jwks_uri"`
	}
	w := get("GET", "/"+p.ID()+"/.well-known/openid-configuration")
	if err := json.Unmarshal(w.Body.Bytes(), &config); err != nil {
		t.Fatal(err)
	}
	if config.Issuer != p.Issuer() || config.JWKS != p.Issuer()+"/.well-known/jwks.json" {
		t.Errorf("openid-configuration = %+v", config)
	}
	if got := get("GET", "/other/.well-known/jwks.json").Code; got != 404 {
		t.Errorf("jwks.json of another pool = %d, want 404", got)
	}
	if got := get("POST", "/"+p.ID()+"/.well-known/jwks.json").Code; got != 405 {
		t.Errorf("POST jwks.json = %d, want 405", got)
	}
}
