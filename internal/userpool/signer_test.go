package userpool

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"fairway/internal/store"
)

// TestFirstKey: a new pool makes its key in the background, and who needs it waits.
func TestFirstKey(t *testing.T) {
	w := &place{clock: newClock(), dsn: "sqlite:" + t.TempDir() + "/pool.db"}
	w.store = w.open(t)
	p := w.server(t, byEmail)
	addAna(t, p, nil)
	first := claimsOf(t, p, mustSignIn(t, p).AccessToken)
	if first["iss"] != p.Issuer() {
		t.Errorf("iss = %v, want %v", first["iss"], p.Issuer())
	}
	if again := w.server(t, byEmail); len(again.signer.all()) != 1 {
		t.Errorf("keys after a restart = %d, want the one", len(again.signer.all()))
	}
	waiting := &Pool{signer: newSigner(nil, "", nil)}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if waiting.PublicKey(ctx, "") != nil {
		t.Error("PublicKey before the key is made is a key, want nil")
	}
}

// TestServersAgree: what one server signs another verifies, also after a rotation,
// without waiting for its next look at the store.
func TestServersAgree(t *testing.T) {
	w := newPlace(t)
	first, second := w.server(t, byEmail), w.server(t, byEmail)
	addAna(t, first, nil)
	old := mustSignIn(t, first).AccessToken
	if err := first.RotateKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	fresh := mustSignIn(t, first).AccessToken
	for _, token := range []string{old, fresh} {
		for _, p := range []*Pool{first, second} {
			if _, _, err := p.authorize(t.Context(), token); err != nil {
				t.Errorf("authorize() = %v", err)
			}
		}
	}
	if kid := func(token string) string { head, _, _ := strings.Cut(token, "."); return head }; kid(old) == kid(fresh) {
		t.Error("the key that signs is the same after a rotation")
	}
	if got := len(publishedKeys(t, second)); got != 2 {
		t.Errorf("jwks.json has %d keys, want the retired one too", got)
	}
	w.advance(keyLinger)
	if got := len(publishedKeys(t, first)); got != 2 {
		t.Errorf("jwks.json has %d keys while tokens may live, want 2", got)
	}
	w.advance(time.Second)
	if got := len(publishedKeys(t, first)); got != 1 {
		t.Errorf("jwks.json has %d keys when the old one's tokens are over, want 1", got)
	}
	first.sweep(t.Context())
	if kept, err := w.store.SigningKeys(t.Context(), first.ID()); len(kept) != 1 || err != nil {
		t.Errorf("SigningKeys() after a sweep = %d, %v, want 1", len(kept), err)
	}
}

// TestKeysGetOld: a key of ninety days is replaced at start.
func TestKeysGetOld(t *testing.T) {
	w := newPlace(t)
	young := w.server(t, byEmail)
	young.sweep(t.Context())
	if got := len(young.signer.all()); got != 1 {
		t.Errorf("keys of a young pool = %d, want 1", got)
	}
	w.advance(keyLife)
	p := w.server(t, byEmail)
	p.sweep(t.Context()) // after the one in the background, or in its place
	old, _ := p.signer.known(testKey().id)
	if k, ok := p.signer.current(); !ok || k.id == old.id || old.retired.IsZero() {
		t.Errorf("the key that signs is still %s", k.id)
	}
}

// TestUnknownKeys: keys that nobody has cost the store nothing, and a new one is found
// all the same.
func TestUnknownKeys(t *testing.T) {
	w := newPlace(t)
	first, second := w.server(t, byEmail), w.server(t, byEmail)
	if second.PublicKey(t.Context(), "made up") != nil {
		t.Error("PublicKey of a key that nobody has is a key")
	}
	if err := first.RotateKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	k, _ := first.signer.current()
	if second.PublicKey(t.Context(), k.id) != nil {
		t.Error("PublicKey asked the store again at once")
	}
	w.advance(reloadEvery)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if second.PublicKey(t.Context(), k.id) == nil {
				t.Error("PublicKey of another server's new key = nil")
			}
		})
	}
	all.Wait()
}

func TestRotateAtOnce(t *testing.T) {
	w := newPlace(t)
	servers := []*Pool{w.server(t, byEmail), w.server(t, byEmail)}
	var all sync.WaitGroup
	for _, p := range servers {
		all.Go(func() {
			if err := p.RotateKey(t.Context()); err != nil {
				t.Errorf("RotateKey() = %v", err)
			}
		})
	}
	all.Wait()
	for i, p := range servers {
		if k, ok := p.signer.current(); !ok || servers[1-i].PublicKey(t.Context(), k.id) == nil {
			t.Errorf("server %d does not know the key of the other", 1-i)
		}
	}
}

func TestNoGoodKey(t *testing.T) {
	w := newPlace(t)
	kept, err := w.store.Pool(t.Context(), "ap-southeast-1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.store.AddSigningKey(t.Context(), store.SigningKey{ID: "bad", Pool: kept.ID, Key: []byte("x"), Created: w.now()}); err != nil {
		t.Fatal(err)
	}
	_, err = New(t.Context(), Options{Region: "ap-southeast-1", Store: w.store})
	if err == nil || !strings.Contains(err.Error(), "read signing key bad") {
		t.Errorf("New() with a key that is none = %v, want an error that names it", err)
	}
}

// TestKeepUp: a server hears within seconds what another did, and Close ends it.
func TestKeepUp(t *testing.T) {
	w := newPlace(t)
	here := w.server(t, byEmail)
	addAna(t, here, nil)
	origin := originOf(t, mustSignIn(t, here).AccessToken)
	u := find(t, here)
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open(context.Background(), w.dsn, store.Options{Now: w.now})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		there := openPool(t, Options{Region: "ap-southeast-1", Store: s, Settings: byEmail, Now: w.now})
		defer there.Close()
		if _, err := s.RevokeUserSessions(t.Context(), there.ID(), u.Sub); err != nil {
			t.Fatal(err)
		}
		if there.Revoked(origin) {
			t.Error("Revoked() before the server looked = true")
		}
		time.Sleep(pollEvery + time.Millisecond)
		synctest.Wait()
		if !there.Revoked(origin) {
			t.Error("Revoked() after three seconds = false")
		}
	})
}

func TestCloseEndsEverything(t *testing.T) {
	w := newPlace(t)
	before := goleak.IgnoreCurrent()
	p := w.server(t, byEmail)
	addAna(t, p, nil)
	mustSignIn(t, p)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	goleak.VerifyNone(t, before, goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener"), goleak.IgnoreTopFunction("database/sql.(*DB).connectionCleaner"))
}

func TestWellKnown(t *testing.T) {
	w := newPlace(t)
	p := openPool(t, Options{Region: "ap-southeast-1", Store: w.store, BaseURL: "http://127.0.0.1:20002"})
	get := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		return w
	}
	var config struct {
		Issuer string `json:"issuer"`
		JWKS   string `json:"jwks_uri"`
	}
	found := get("GET", "/"+p.ID()+"/.well-known/openid-configuration")
	if err := json.Unmarshal(found.Body.Bytes(), &config); err != nil {
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
