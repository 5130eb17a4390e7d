package userpool

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"fairway/internal/wire/uuid"
)

func refresh(t testing.TB, p *Pool, token string) (AuthenticationResult, error) {
	t.Helper()
	out, err := p.GetTokensFromRefreshToken(t.Context(), GetTokensFromRefreshTokenInput{ClientID: p.ClientID(), RefreshToken: token})
	return out.AuthenticationResult, err
}

func mustRefresh(t testing.TB, p *Pool, token string) AuthenticationResult {
	t.Helper()
	r, err := refresh(t, p, token)
	if err != nil {
		t.Fatalf("GetTokensFromRefreshToken() = %v", err)
	}
	return r
}

// signedIn is a pool whose user has signed in.
func signedIn(t testing.TB, s Settings) (*place, *Pool, AuthenticationResult) {
	t.Helper()
	w := newPlace(t)
	s.SignInBy = []string{"email"}
	p := w.server(t, s)
	addAna(t, p, nil)
	return w, p, mustSignIn(t, p)
}

func TestRefresh(t *testing.T) {
	w, p, first := signedIn(t, Settings{})
	signedInAt := w.now()
	w.advance(time.Hour)
	second := mustRefresh(t, p, first.RefreshToken)
	if second.RefreshToken == "" || second.RefreshToken == first.RefreshToken || second.TokenType != "Bearer" || second.ExpiresIn != 3600 {
		t.Errorf("GetTokensFromRefreshToken() = %+v", second)
	}
	w.advance(time.Minute)
	third := mustRefresh(t, p, second.RefreshToken)
	w.advance(-time.Minute)
	before, after := claimsOf(t, p, second.AccessToken), claimsOf(t, p, third.AccessToken)
	for _, name := range []string{"origin_jti", "auth_time", "sub"} {
		if before[name] != after[name] || after[name] == nil {
			t.Errorf("%s after a refresh = %v, want %v", name, after[name], before[name])
		}
	}
	if got := after["auth_time"]; got != float64(signedInAt.Unix()) {
		t.Errorf("auth_time = %v, want %v", got, signedInAt.Unix())
	}
	if before["jti"] == after["jti"] || before["iat"] == after["iat"] {
		t.Error("jti and iat are as before a refresh")
	}
}

// TestTwoTabs: of two that refresh at once with one token both go on, with one token.
func TestTwoTabs(t *testing.T) {
	w, p, r := signedIn(t, Settings{})
	next := make([]string, 6)
	var all sync.WaitGroup
	for i := range next {
		all.Go(func() {
			r, err := refresh(t, p, r.RefreshToken)
			if err != nil {
				t.Errorf("refresh %d at once = %v", i, err)
			}
			next[i] = r.RefreshToken
		})
	}
	all.Wait()
	for _, token := range next {
		if token != next[0] {
			t.Fatalf("tokens of refreshes at once = %q, want one", next)
		}
	}
	w.advance(refreshGrace - time.Second)
	if late := mustRefresh(t, p, r.RefreshToken); late.RefreshToken != next[0] {
		t.Error("a late refresh gave another token")
	}
	mustRefresh(t, p, next[0])
}

// TestReuse: a refresh token that comes again ends its session for both who have it.
func TestReuse(t *testing.T) {
	for name, spoil := range map[string]func(w *place, p *Pool, second string){
		"after the grace":          func(w *place, _ *Pool, _ string) { w.advance(refreshGrace) },
		"two tokens ago":           func(_ *place, p *Pool, second string) { mustRefresh(t, p, second) },
		"two tokens ago and later": func(w *place, p *Pool, second string) { mustRefresh(t, p, second); w.advance(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			w, p, first := signedIn(t, Settings{})
			second := mustRefresh(t, p, first.RefreshToken)
			spoil(w, p, second.RefreshToken)
			_, err := refresh(t, p, first.RefreshToken)
			wantError(t, "the first token again", err, RefreshTokenReuse, "Refresh token has been reused")
			for _, token := range []string{first.RefreshToken, second.RefreshToken} {
				_, err = refresh(t, p, token)
				wantError(t, "a token of the session", err, NotAuthorized, "Refresh Token has been revoked")
			}
			if id := originOf(t, second.AccessToken); !p.Revoked(id) {
				t.Errorf("Revoked(%s) = false, want the session's tokens revoked", id)
			}
			mustSignIn(t, p)
		})
	}
}

// originOf reads origin_jti without a look at the signature.
func originOf(t testing.TB, token string) string {
	t.Helper()
	var c claims
	if _, _, err := jwt.NewParser().ParseUnverified(token, &c); err != nil {
		t.Fatal(err)
	}
	return c.OriginJTI
}

// refreshByFlow is InitiateAuth's way to refresh.
func refreshByFlow(t testing.TB, p *Pool, flow, token string) (AuthenticationResult, error) {
	t.Helper()
	out, err := p.InitiateAuth(t.Context(), InitiateAuthInput{
		AuthFlow: flow, ClientID: p.ClientID(), AuthParameters: map[string]string{"REFRESH_TOKEN": token},
	})
	if err != nil {
		return AuthenticationResult{}, err
	}
	if out.AuthenticationResult.AccessToken == "" || out.AuthenticationResult.IdToken == "" {
		t.Errorf("InitiateAuth(%s) = %+v, want tokens", flow, out)
	}
	return *out.AuthenticationResult, nil
}

// TestRefreshByFlow: the older way to refresh is no way around the replacement.
func TestRefreshByFlow(t *testing.T) {
	w, p, r := signedIn(t, Settings{})
	last := r.RefreshToken
	for _, flow := range []string{"REFRESH_TOKEN_AUTH", "REFRESH_TOKEN", "REFRESH_TOKEN_AUTH"} {
		got, err := refreshByFlow(t, p, flow, last)
		if err != nil || got.RefreshToken == "" || got.RefreshToken == last {
			t.Fatalf("InitiateAuth(%s) = %+v, %v, want another refresh token", flow, got, err)
		}
		last = got.RefreshToken
	}
	w.advance(time.Hour)
	_, err := refreshByFlow(t, p, "REFRESH_TOKEN_AUTH", r.RefreshToken)
	wantError(t, "the first token again", err, RefreshTokenReuse, "Refresh token has been reused")
	_, err = refreshByFlow(t, p, "REFRESH_TOKEN_AUTH", last)
	wantError(t, "the last token after that", err, NotAuthorized, "Refresh Token has been revoked")
	_, err = p.InitiateAuth(t.Context(), InitiateAuthInput{AuthFlow: "REFRESH_TOKEN_AUTH", ClientID: p.ClientID(), AuthParameters: map[string]string{"REFRESH_TOKEN": "x"}})
	wantError(t, "InitiateAuth() with a made-up token", err, NotAuthorized, "Invalid Refresh Token")
}

func TestKeepRefreshToken(t *testing.T) {
	w, p, r := signedIn(t, Settings{KeepRefreshToken: true, RefreshLife: 2 * time.Hour})
	for range 3 {
		if got := mustRefresh(t, p, r.RefreshToken); got.RefreshToken != "" {
			t.Errorf("refresh token = %q, want none", got.RefreshToken)
		}
		if got, err := refreshByFlow(t, p, "REFRESH_TOKEN_AUTH", r.RefreshToken); err != nil || got.RefreshToken != "" {
			t.Errorf("InitiateAuth(REFRESH_TOKEN_AUTH) = %+v, %v, want no refresh token", got, err)
		}
	}
	w.advance(2 * time.Hour)
	_, err := refresh(t, p, r.RefreshToken)
	wantError(t, "a refresh token that has expired", err, NotAuthorized, "Refresh Token has expired")
}

func TestRefreshRefuses(t *testing.T) {
	_, p, r := signedIn(t, Settings{})
	u := find(t, p)
	_, err := refresh(t, p, "")
	wantError(t, "no token", err, InvalidParameter, "Missing required parameter REFRESH_TOKEN")
	_, err = refresh(t, p, r.AccessToken)
	wantError(t, "an access token", err, NotAuthorized, "Invalid Refresh Token")
	_, err = p.GetTokensFromRefreshToken(t.Context(), GetTokensFromRefreshTokenInput{ClientID: "other", RefreshToken: r.RefreshToken})
	wantError(t, "another client", err, ResourceNotFound, "User pool client other does not exist.")
	edit(t, p, u, func(u *user) { u.Disabled = true })
	_, err = refresh(t, p, r.RefreshToken)
	wantError(t, "a disabled user", err, NotAuthorized, "User is disabled.")
}

// TestRefreshTokenIsNotKept: the database has no refresh token, and no password.
func TestRefreshTokenIsNotKept(t *testing.T) {
	_, p, r := signedIn(t, Settings{})
	session, ok, err := p.store.UserSessionOf(t.Context(), digest(r.RefreshToken))
	if !ok || err != nil {
		t.Fatalf("UserSessionOf() = %v, %v", ok, err)
	}
	u := find(t, p)
	kept, err := json.Marshal([]any{session, u})
	if err != nil {
		t.Fatal(err)
	}
	for what, secret := range map[string]string{"refresh token": r.RefreshToken, "password": anaPassword} {
		if strings.Contains(string(kept), secret) {
			t.Errorf("the store has the %s", what)
		}
	}
}

func TestRevokeToken(t *testing.T) {
	w, p, r := signedIn(t, Settings{})
	other := mustSignIn(t, p)
	revoke := func(token string) {
		t.Helper()
		if _, err := p.RevokeToken(t.Context(), RevokeTokenInput{ClientID: p.ClientID(), Token: token}); err != nil {
			t.Errorf("RevokeToken() = %v", err)
		}
	}
	elsewhere := w.server(t, byEmail)
	second := mustRefresh(t, p, r.RefreshToken)
	revoke(r.RefreshToken) // an earlier token of the session does as well
	revoke("made up")
	revoke(r.RefreshToken)
	_, err := refresh(t, p, second.RefreshToken)
	wantError(t, "a revoked token", err, NotAuthorized, "Refresh Token has been revoked")
	_, _, err = p.authorize(t.Context(), r.AccessToken)
	wantError(t, "authorize() of a revoked session", err, NotAuthorized, "Access Token has been revoked")
	if _, _, err := p.authorize(t.Context(), other.AccessToken); err != nil {
		t.Errorf("authorize() of another session = %v", err)
	}
	origin := originOf(t, r.AccessToken)
	if elsewhere.Revoked(origin) {
		t.Error("Revoked() on another server before it asked the store = true")
	}
	if elsewhere.poll(t.Context(), false) || !elsewhere.Revoked(origin) {
		t.Error("Revoked() on another server after it asked the store = false")
	}
	if restarted := w.server(t, byEmail); !restarted.Revoked(origin) {
		t.Error("Revoked() after a restart = false")
	}
	for _, token := range []string{other.AccessToken, other.IdToken} {
		_, err = p.RevokeToken(t.Context(), RevokeTokenInput{ClientID: p.ClientID(), Token: token})
		wantError(t, "RevokeToken() of no refresh token", err, UnsupportedTokenType, "Unsupported token type")
	}
	_, err = p.RevokeToken(t.Context(), RevokeTokenInput{ClientID: p.ClientID()})
	wantError(t, "RevokeToken() of nothing", err, InvalidParameter, "Missing required parameter Token")
}

func TestGlobalSignOut(t *testing.T) {
	_, p, first := signedIn(t, Settings{})
	second := mustSignIn(t, p)
	signOut := func(token string) error {
		_, err := p.GlobalSignOut(t.Context(), GlobalSignOutInput{AccessToken: token})
		return err
	}
	if err := signOut(first.AccessToken); err != nil {
		t.Fatal(err)
	}
	for _, r := range []AuthenticationResult{first, second} {
		wantError(t, "GlobalSignOut() again", signOut(r.AccessToken), NotAuthorized, "Access Token has been revoked")
		_, err := refresh(t, p, r.RefreshToken)
		wantError(t, "refresh after GlobalSignOut()", err, NotAuthorized, "Refresh Token has been revoked")
	}
	if _, _, err := p.authorize(t.Context(), mustSignIn(t, p).AccessToken); err != nil {
		t.Errorf("authorize() after another sign-in = %v", err)
	}
}

func TestAuthorize(t *testing.T) {
	w, p, r := signedIn(t, Settings{})
	u, c, err := p.authorize(t.Context(), r.AccessToken)
	if err != nil || u.Sub != c.Subject || u.Attributes["email"] != ana || c.OriginJTI == "" {
		t.Errorf("authorize() = %+v, %+v, %v", u, c, err)
	}
	key, _ := p.signer.current()
	good := func() jwt.MapClaims {
		return jwt.MapClaims{"sub": u.Sub, "iss": p.Issuer(), "token_use": "access", "client_id": p.ClientID(), "exp": w.now().Add(time.Hour).Unix(), "origin_jti": uuid.New()}
	}
	signed := func(change func(jwt.MapClaims)) string {
		claims := good()
		change(claims)
		token, err := key.sign(claims)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	if _, _, err := p.authorize(t.Context(), signed(func(jwt.MapClaims) {})); err != nil {
		t.Fatalf("authorize() of a good token = %v", err)
	}
	unsigned, err := jwt.NewWithClaims(jwt.SigningMethodNone, good()).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"nothing":          "",
		"no JWT":           "a.b.c",
		"a long one":       strings.Repeat("a", maxToken+1),
		"alg none":         unsigned,
		"key confusion":    confused(t, key.id, good(), public),
		"an id token":      r.IdToken,
		"another client":   signed(func(c jwt.MapClaims) { c["client_id"] = "other" }),
		"another issuer":   signed(func(c jwt.MapClaims) { c["iss"] = "https://example.com" }),
		"no expiry":        signed(func(c jwt.MapClaims) { delete(c, "exp") }),
		"nobody":           signed(func(c jwt.MapClaims) { c["sub"] = uuid.New() }),
		"a key of no one":  strings.Replace(r.AccessToken, ".", "x.", 1),
		"a bad signature":  r.AccessToken[:len(r.AccessToken)-8] + "AAAAAAAA",
		"a changed header": "e30" + r.AccessToken[strings.Index(r.AccessToken, "."):],
	} {
		_, _, err := p.authorize(t.Context(), token)
		wantError(t, "authorize() of "+name, err, NotAuthorized, "Invalid Access Token")
	}
	edit(t, p, u, func(u *user) { u.Disabled = true })
	_, _, err = p.authorize(t.Context(), r.AccessToken)
	wantError(t, "authorize() of a disabled user", err, NotAuthorized, "User is disabled.")
	w.advance(time.Hour)
	_, _, err = p.authorize(t.Context(), r.AccessToken)
	wantError(t, "authorize() an hour later", err, NotAuthorized, "Access Token has expired")
}

// confused is a token that says HS256 and is signed with the public key.
func confused(t testing.TB, kid string, claims jwt.MapClaims, public []byte) string {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	text := encode([]byte(`{"alg":"HS256","kid":"`+kid+`"}`)) + "." + encode(body)
	mac := hmac.New(sha256.New, public)
	mac.Write([]byte(text))
	return text + "." + encode(mac.Sum(nil))
}

// TestRevokedForgets: what concerns no token any more is not remembered.
func TestRevokedForgets(t *testing.T) {
	w, p, r := signedIn(t, Settings{})
	if _, err := p.GlobalSignOut(t.Context(), GlobalSignOutInput{AccessToken: r.AccessToken}); err != nil {
		t.Fatal(err)
	}
	origin := originOf(t, r.AccessToken)
	w.advance(maxTokenLife)
	p.sweep(t.Context())
	if !p.Revoked(origin) {
		t.Error("Revoked() while a token may live = false")
	}
	w.advance(2 * time.Hour)
	p.sweep(t.Context())
	if p.Revoked(origin) {
		t.Error("Revoked() when no token lives = true")
	}
	w.advance(40 * 24 * time.Hour)
	p.sweep(t.Context())
	if _, ok, err := p.store.UserSessionOf(t.Context(), digest(r.RefreshToken)); ok || err != nil {
		t.Errorf("UserSessionOf() of an expired session = %v, %v, want it swept", ok, err)
	}
}

func BenchmarkIssue(b *testing.B) {
	_, p, r := signedIn(b, Settings{})
	session, _, err := p.store.UserSessionOf(b.Context(), digest(r.RefreshToken))
	if err != nil {
		b.Fatal(err)
	}
	u := find(b, p)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.issue(b.Context(), u, session); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRefresh(b *testing.B) {
	_, p, r := signedIn(b, Settings{})
	b.ReportAllocs()
	for b.Loop() {
		r = mustRefresh(b, p, r.RefreshToken)
	}
}

func BenchmarkRevoked(b *testing.B) {
	p := newPlace(b).server(b, Settings{})
	id := uuid.New()
	p.revoked.add(p.now(), uuid.New(), uuid.New())
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			p.Revoked(id)
		}
	})
}
