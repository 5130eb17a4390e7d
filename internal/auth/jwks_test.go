package auth_test

import (
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fairway/internal/auth"
	"fairway/internal/inference"
)

// publisher is an issuer's HTTP server. Each answer waits until hold lets it go.
type publisher struct {
	*httptest.Server
	asked atomic.Int64

	mu     sync.Mutex
	answer func(http.ResponseWriter, *http.Request)
}

func newPublisher(t testing.TB, answer http.HandlerFunc) *publisher {
	t.Helper()
	p := &publisher{answer: answer}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.asked.Add(1)
		p.mu.Lock()
		answer := p.answer
		p.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *publisher) now(answer http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

// rsaJWK is the signing key of the tests as a JWK.
func rsaJWK(kid string) map[string]any {
	encode := base64.RawURLEncoding.EncodeToString
	public := signingKey().PublicKey
	return map[string]any{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": encode(public.N.Bytes()), "e": encode(big.NewInt(int64(public.E)).Bytes()),
	}
}

func keySet(keys ...map[string]any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode(map[string]any{"keys": keys}) }
}

func away(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "away", http.StatusServiceUnavailable)
}

// clockOf is a clock that the test moves.
type movingClock struct{ at atomic.Int64 }

func newMovingClock() *movingClock {
	c := &movingClock{}
	c.at.Store(now.UnixNano())
	return c
}

func (c *movingClock) now() time.Time       { return time.Unix(0, c.at.Load()).UTC() }
func (c *movingClock) pass(d time.Duration) { c.at.Add(int64(d)) }

func has(t *testing.T, when string, set auth.KeySet, kid string, want bool) {
	t.Helper()
	key, err := set.Key(t.Context(), kid)
	if (err == nil) != want || (key.Public != nil) != want {
		t.Errorf("%s: Key(%q) = %v, %v, want it there: %t", when, kid, key.Public, err, want)
	}
}

func asked(t *testing.T, when string, p *publisher, want int64) {
	t.Helper()
	if got := p.asked.Load(); got != want {
		t.Errorf("%s: the issuer was asked %d times, want %d", when, got, want)
	}
}

func TestJWKSIsKept(t *testing.T) {
	p, c := newPublisher(t, keySet(rsaJWK("a"))), newMovingClock()
	set := auth.NewJWKS(p.URL, p.Client(), c.now)
	asked(t, "before", p, 0)
	has(t, "at first", set, "a", true)
	has(t, "again", set, "a", true)
	has(t, "the only key", set, "", true)
	asked(t, "then", p, 1)
}

// TestJWKSIsFetchedForAnUnknownKey: a key is good as soon as it is published, and who
// makes keys up does not have the issuer asked without end.
func TestJWKSIsFetchedForAnUnknownKey(t *testing.T) {
	p, c := newPublisher(t, keySet(rsaJWK("a"))), newMovingClock()
	set := auth.NewJWKS(p.URL, p.Client(), c.now)
	has(t, "at first", set, "a", true)
	p.now(keySet(rsaJWK("b")))
	has(t, "just published", set, "b", true)
	has(t, "just taken back", set, "a", false)
	asked(t, "just published", p, 3)
	for i := range 100 {
		has(t, "a moment later", set, fmt.Sprint("b", i), false)
	}
	asked(t, "a moment later", p, 4)
	p.now(keySet(rsaJWK("c")))
	c.pass(29 * time.Second)
	has(t, "before half a minute", set, "c", false)
	c.pass(time.Second)
	has(t, "half a minute later", set, "c", true)
	has(t, "half a minute later", set, "b", false)
	asked(t, "half a minute later", p, 5)
	has(t, "a long name", set, strings.Repeat("b", 257), false)
}

func TestJWKSIsFetchedInTheBackground(t *testing.T) {
	p, c := newPublisher(t, keySet(rsaJWK("a"))), newMovingClock()
	set := auth.NewJWKS(p.URL, p.Client(), c.now)
	has(t, "at first", set, "a", true)
	release, began := make(chan struct{}), make(chan struct{})
	p.now(func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-release
		keySet(rsaJWK("b"))(w, r)
	})
	c.pass(10 * time.Minute)
	has(t, "while it is fetched", set, "a", true)
	<-began
	p.now(keySet(rsaJWK("b")))
	has(t, "still", set, "a", true)
	close(release)
	has(t, "a key that waits for the fetch", set, "b", true)
	asked(t, "a key that waits for the fetch", p, 2)
	has(t, "then", set, "a", false)
}

func TestJWKSIsKeptWhileTheIssuerIsAway(t *testing.T) {
	p, c := newPublisher(t, keySet(rsaJWK("a"))), newMovingClock()
	set := auth.NewJWKS(p.URL, p.Client(), c.now)
	has(t, "at first", set, "a", true)
	for name, answer := range map[string]http.HandlerFunc{
		"an error":           away,
		"no JSON":            func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) },
		"no keys":            keySet(),
		"too long":           func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(strings.Repeat(" ", 300<<10))) },
		"a key that is none": keySet(map[string]any{"kty": "oct", "k": "c2VjcmV0", "kid": "a"}),
	} {
		p.now(answer)
		c.pass(time.Hour)
		has(t, name, set, "a", true)
		has(t, name, set, "other", false)
	}
	c.pass(20 * time.Hour)
	has(t, "after a day", set, "a", false)
	_, err := set.Key(t.Context(), "a")
	if e, ok := errors.AsType[*inference.Error](err); !ok || e.Kind != inference.ServiceUnavailable {
		t.Errorf("Key after a day = %v, want ServiceUnavailable", err)
	}
	p.now(keySet(rsaJWK("a")))
	c.pass(time.Minute)
	has(t, "when it is back", set, "a", true)
}

// TestTokenWhileTheIssuerIsAway: who cannot be checked is told to come again.
func TestTokenWhileTheIssuerIsAway(t *testing.T) {
	p := newPublisher(t, away)
	tokens := auth.NewTokens([]auth.Issuer{pool(auth.NewJWKS(p.URL, p.Client(), clock))}, clock)
	wantRefusal(t, "away", tokens, newToken(t, accessClaims()), inference.ServiceUnavailable,
		"The issuer of the token cannot be reached. Try your request again.")
}

func TestJWKSIsAskedOnceByMany(t *testing.T) {
	release := make(chan struct{})
	p := newPublisher(t, func(w http.ResponseWriter, r *http.Request) { <-release; keySet(rsaJWK("a"))(w, r) })
	set := auth.NewJWKS(p.URL, p.Client(), clock)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { has(t, "together", set, "a", true) })
	}
	close(release)
	wg.Wait()
	asked(t, "together", p, 1)
}

func TestJWKSFollowsNobodyElsewhere(t *testing.T) {
	elsewhere := newPublisher(t, keySet(rsaJWK("a")))
	for name, to := range map[string]string{
		"another port": elsewhere.URL, "plain HTTP elsewhere": "http://attacker.example/jwks.json", "a file": "file:///etc/passwd",
	} {
		p := newPublisher(t, http.RedirectHandler(to, http.StatusFound).ServeHTTP)
		has(t, name, auth.NewJWKS(p.URL, p.Client(), clock), "a", false)
	}
	asked(t, "by a redirect", elsewhere, 0)

	circles := newPublisher(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", http.StatusFound) })
	has(t, "in circles", auth.NewJWKS(circles.URL, circles.Client(), clock), "a", false)
	asked(t, "in circles", circles, 4)

	same := newPublisher(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/there" {
			http.Redirect(w, r, "/there", http.StatusFound)
			return
		}
		keySet(rsaJWK("a"))(w, r)
	})
	has(t, "the same host", auth.NewJWKS(same.URL, same.Client(), clock), "a", true)
}

func TestCheckURL(t *testing.T) {
	for address, good := range map[string]bool{
		"https://issuer.example/jwks.json": true, "http://127.0.0.1:80/": true, "http://localhost/": true, "http://[::1]:1/": true,
		"http://issuer.example/": false, "http://10.0.0.1/": false, "http://127.0.0.1.example/": false, "ftp://127.0.0.1/": false,
		"file:///etc/passwd": false, "https://user:pass@issuer.example/": false, "": false, "https://": false, "\x7f": false,
	} {
		if err := auth.CheckURL(address); (err == nil) != good {
			t.Errorf("CheckURL(%q) = %v, want good %t", address, err, good)
		}
	}
	p := newPublisher(t, keySet(rsaJWK("a")))
	has(t, "not on this machine", auth.NewJWKS(strings.Replace(p.URL, "127.0.0.1", "issuer.example", 1), p.Client(), clock), "a", false)
}

func TestDiscover(t *testing.T) {
	for name, tt := range map[string]struct {
		issuer, jwks func(url string) string
		good         bool
	}{
		"as it should be":   {func(u string) string { return u }, func(u string) string { return u + "/keys" }, true},
		"of another issuer": {func(u string) string { return u + "/other" }, func(u string) string { return u + "/keys" }, false},
		"keys in the clear": {func(u string) string { return u }, func(string) string { return "http://issuer.example/keys" }, false},
		"no keys":           {func(u string) string { return u }, func(string) string { return "" }, false},
	} {
		mux := http.NewServeMux()
		p := newPublisher(t, mux.ServeHTTP)
		mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
			json.NewEncoder(w).Encode(map[string]string{"issuer": tt.issuer(p.URL), "jwks_uri": tt.jwks(p.URL)})
		})
		mux.HandleFunc("/keys", keySet(rsaJWK("a")))
		has(t, name, auth.Discover(p.URL, p.Client(), clock), "a", tt.good)
	}
	for name, answer := range map[string]http.HandlerFunc{
		"away": away, "garbled": func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) },
	} {
		p := newPublisher(t, answer)
		has(t, name, auth.Discover(p.URL, p.Client(), clock), "a", false)
	}
}

// TestJWKSTakesWhatItKnows: of a set that has all kinds of keys.
func TestJWKSTakesWhatItKnows(t *testing.T) {
	encode := base64.RawURLEncoding.EncodeToString
	with := func(kid string, change map[string]any) map[string]any {
		j := rsaJWK(kid)
		for name, value := range change {
			j[name] = value
		}
		return j
	}
	curve := func(kid, name string, c elliptic.Curve, size int) map[string]any {
		key := newECDSA(t, c)
		return map[string]any{
			"kty": "EC", "crv": name, "kid": kid, "x": encode(key.X.FillBytes(make([]byte, size))), "y": encode(key.Y.FillBytes(make([]byte, size))),
		}
	}
	offCurve := curve("off curve", "P-256", elliptic.P256(), 32)
	offCurve["y"] = encode(make([]byte, 32))
	short := curve("short", "P-256", elliptic.P256(), 32)
	short["x"] = encode([]byte{1})
	p := newPublisher(t, keySet(
		rsaJWK("plain"), with("no use", map[string]any{"use": ""}), with("verify", map[string]any{"key_ops": []string{"verify"}}),
		curve("p256", "P-256", elliptic.P256(), 32), curve("p384", "P-384", elliptic.P384(), 48),
		with("encrypts", map[string]any{"use": "enc"}), with("signs", map[string]any{"key_ops": []string{"sign"}}),
		with("RSA-OAEP", map[string]any{"alg": "RSA-OAEP"}), with("HS256", map[string]any{"alg": "HS256"}),
		with("small", map[string]any{"n": encode(signingKey().N.Bytes()[:128])}), with("even", map[string]any{"e": "Ag"}),
		with("huge", map[string]any{"n": encode(append(signingKey().N.Bytes(), make([]byte, 1025)...))}),
		with("one", map[string]any{"e": "AQ"}), with("no e", map[string]any{"e": ""}), with("garbled", map[string]any{"n": "!"}),
		curve("p521", "P-521", elliptic.P521(), 66), offCurve, short,
		map[string]any{"kty": "oct", "kid": "secret", "k": "c2VjcmV0"}, map[string]any{"kty": "OKP", "kid": "ed", "crv": "Ed25519"},
	))
	set := auth.NewJWKS(p.URL, p.Client(), clock)
	for _, kid := range []string{"plain", "no use", "verify", "p256", "p384"} {
		has(t, "taken", set, kid, true)
	}
	for _, kid := range []string{
		"encrypts", "signs", "RSA-OAEP", "HS256", "small", "even", "huge", "one", "no e", "garbled", "p521", "off curve", "short", "secret", "ed", "",
	} {
		has(t, "left out", set, kid, false)
	}
	if key, _ := set.Key(t.Context(), "plain"); !signingKey().PublicKey.Equal(key.Public.(*rsa.PublicKey)) || key.Algorithm != "RS256" {
		t.Errorf("Key(plain) = %+v, want the key that was published, for RS256", key)
	}

	var many []map[string]any
	for i := range 65 {
		many = append(many, rsaJWK(fmt.Sprint(i)))
	}
	has(t, "of too many", auth.NewJWKS(newPublisher(t, keySet(many...)).URL, nil, clock), "0", false)
}
