package auth_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"fairway/backend"
	"fairway/internal/auth"
	"fairway/internal/inference"
)

const notAuthorized = "You are not authorized to make this call."

// keyRing is an issuer's keys by id; it notes which were asked for.
type keyRing struct {
	keys  map[string]auth.Key
	asked []string
}

func (k *keyRing) Key(_ context.Context, kid string) (auth.Key, error) {
	k.asked = append(k.asked, kid)
	key, ok := k.keys[kid]
	if !ok {
		return auth.Key{}, errors.New("no such key")
	}
	return key, nil
}

func newECDSA(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign makes a token by any method, with more fields in its header.
func sign(t testing.TB, method jwt.SigningMethod, key any, claims jwt.MapClaims, header map[string]any) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	token.Header["kid"] = "k"
	for name, value := range header {
		token.Header[name] = value
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// signText makes a token by RS256 of a header and claims as they are written.
func signText(t testing.TB, header, claims string) string {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(header)) + "." + encode([]byte(claims))
	signature, err := jwt.SigningMethodRS256.Sign(signed, signingKey())
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + encode(signature)
}

func wantRefusal(t *testing.T, name string, tokens *auth.Tokens, token string, kind inference.Kind, message string) {
	t.Helper()
	got, err := tokens.Verify(t.Context(), token)
	checkError(t, name, err, kind, message)
	if got.Mode != "" || got.Caller.ID != "" {
		t.Errorf("%s: Verify = %+v beside its error, want zero", name, got)
	}
}

// refusesAll wants every token to be refused as one that is not authorized.
func refusesAll(t *testing.T, tokens map[string]string) {
	t.Helper()
	known := newTokens(&oneKey{}, clock)
	for name, token := range tokens {
		wantRefusal(t, name, known, token, inference.UnrecognizedClient, notAuthorized)
	}
}

func TestAttackAlgNone(t *testing.T) {
	good := newToken(t, accessClaims())
	payload := strings.Split(good, ".")[1]
	encode := base64.RawURLEncoding.EncodeToString
	tokens := map[string]string{}
	for _, alg := range []string{"none", "None", "NONE", "nOnE", ""} {
		header := encode([]byte(`{"alg":"` + alg + `","kid":"k","typ":"JWT"}`))
		tokens[alg+" without a signature"] = header + "." + payload + "."
		tokens[alg+" with another's"] = header + "." + payload + "." + strings.Split(good, ".")[2]
	}
	refusesAll(t, tokens)
}

func TestAttackKeyConfusion(t *testing.T) {
	public := signingKey().Public()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	tokens := map[string]string{}
	for _, method := range []jwt.SigningMethod{jwt.SigningMethodHS256, jwt.SigningMethodHS384, jwt.SigningMethodHS512} {
		for name, secret := range map[string][]byte{
			"PEM":           pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
			"PEM, trimmed":  []byte(strings.TrimSpace(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))),
			"DER":           der,
			"PKCS #1":       x509.MarshalPKCS1PublicKey(&signingKey().PublicKey),
			"modulus":       signingKey().N.Bytes(),
			"nothing":       {},
			"the issuer":    []byte(issuer),
			"the client ID": []byte(clientID),
		} {
			tokens[method.Alg()+" with "+name] = sign(t, method, secret, accessClaims(), nil)
		}
	}
	refusesAll(t, tokens)
}

// TestAttackForeignAlgorithm: the algorithm fits the key, and its issuer.
func TestAttackForeignAlgorithm(t *testing.T) {
	p256, p384 := newECDSA(t, elliptic.P256()), newECDSA(t, elliptic.P384())
	rsaKey := signingKey()
	tests := []struct {
		name   string
		key    auth.Key
		method jwt.SigningMethod
		sign   crypto.Signer
		mode   backend.Mode
		good   bool
	}{
		{"RS256", auth.Key{Public: rsaKey.Public()}, jwt.SigningMethodRS256, rsaKey, backend.OIDC, true},
		{"RS384", auth.Key{Public: rsaKey.Public()}, jwt.SigningMethodRS384, rsaKey, backend.OIDC, true},
		{"RS512", auth.Key{Public: rsaKey.Public()}, jwt.SigningMethodRS512, rsaKey, backend.OIDC, true},
		{"PS256", auth.Key{Public: rsaKey.Public()}, jwt.SigningMethodPS256, rsaKey, backend.OIDC, true},
		{"PS384", auth.Key{Public: rsaKey.Public()}, jwt.SigningMethodPS384, rsaKey, backend.OIDC, false},
		{"RS512 with a key for RS256", auth.Key{Public: rsaKey.Public(), Algorithm: "RS256"}, jwt.SigningMethodRS512, rsaKey, backend.OIDC, false},
		{"PS256 with a key for RS256", auth.Key{Public: rsaKey.Public(), Algorithm: "RS256"}, jwt.SigningMethodPS256, rsaKey, backend.OIDC, false},
		{"RS512 of a user pool", auth.Key{Public: rsaKey.Public()}, jwt.SigningMethodRS512, rsaKey, backend.UserPool, false},
		{"ES256", auth.Key{Public: p256.Public()}, jwt.SigningMethodES256, p256, backend.OIDC, true},
		{"ES384", auth.Key{Public: p384.Public(), Algorithm: "ES384"}, jwt.SigningMethodES384, p384, backend.OIDC, true},
		{"ES256 of a user pool", auth.Key{Public: p256.Public()}, jwt.SigningMethodES256, p256, backend.UserPool, false},
		{"ES256 with an RSA key", auth.Key{Public: rsaKey.Public()}, jwt.SigningMethodES256, p256, backend.OIDC, false},
		{"RS256 with an EC key", auth.Key{Public: p256.Public()}, jwt.SigningMethodRS256, rsaKey, backend.OIDC, false},
		{"ES256 with the other curve", auth.Key{Public: p384.Public()}, jwt.SigningMethodES256, p256, backend.OIDC, false},
		{"a key that is a secret", auth.Key{Public: []byte("secret")}, jwt.SigningMethodRS256, rsaKey, backend.OIDC, false},
	}
	for _, tt := range tests {
		ring := &keyRing{keys: map[string]auth.Key{"k": tt.key}}
		tokens := auth.NewTokens([]auth.Issuer{{Issuer: issuer, Mode: string(tt.mode), Keys: ring}}, clock)
		token := sign(t, tt.method, tt.sign, accessClaims(), nil)
		if !tt.good {
			wantRefusal(t, tt.name, tokens, token, inference.UnrecognizedClient, notAuthorized)
		} else if got, err := tokens.Verify(t.Context(), token); err != nil || got.Mode != string(tt.mode) {
			t.Errorf("%s: Verify = %+v, %v, want it accepted", tt.name, got, err)
		}
	}
}

// TestAttackKidInjection: a kid is a key's name and nothing else.
func TestAttackKidInjection(t *testing.T) {
	ring := &keyRing{keys: map[string]auth.Key{"k": {Public: signingKey().Public()}}}
	tokens := auth.NewTokens([]auth.Issuer{pool(ring)}, clock)
	for name, kid := range map[string]any{
		"path":      "../../../../dev/null",
		"file":      "file:///dev/null",
		"URL":       "https://attacker.example/jwks.json",
		"SQL":       "k' UNION SELECT 'secret' --",
		"command":   "k|/bin/true",
		"NUL":       "k\x00",
		"very long": strings.Repeat("k", 10_000),
		"number":    7,
		"list":      []string{"k"},
		"object":    map[string]any{"kid": "k"},
		"none":      nil,
		"empty":     "",
	} {
		token := sign(t, jwt.SigningMethodRS256, signingKey(), accessClaims(), map[string]any{"kid": kid})
		wantRefusal(t, name, tokens, token, inference.UnrecognizedClient, notAuthorized)
		secret := sign(t, jwt.SigningMethodHS256, []byte{}, accessClaims(), map[string]any{"kid": kid})
		wantRefusal(t, name+" with an empty secret", tokens, secret, inference.UnrecognizedClient, notAuthorized)
	}
}

// TestAttackKeyInHeader: a token does not bring its own key.
func TestAttackKeyInHeader(t *testing.T) {
	attacker := newECDSA(t, elliptic.P256())
	x := base64.RawURLEncoding.EncodeToString(attacker.X.FillBytes(make([]byte, 32)))
	y := base64.RawURLEncoding.EncodeToString(attacker.Y.FillBytes(make([]byte, 32)))
	ring := &keyRing{keys: map[string]auth.Key{"k": {Public: signingKey().Public()}}}
	oidc := auth.Issuer{Issuer: issuer, Mode: string(backend.OIDC), Keys: ring}
	tokens := auth.NewTokens([]auth.Issuer{oidc}, clock)
	brought := map[string]any{
		"jwk": map[string]any{"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": "k"},
		"jku": "https://attacker.example/jwks.json",
		"x5u": "https://attacker.example/cert.pem",
		"x5c": []string{"MIIB"},
	}
	for name, value := range brought {
		header := map[string]any{name: value}
		wantRefusal(t, name, tokens, sign(t, jwt.SigningMethodES256, attacker, accessClaims(), header), inference.UnrecognizedClient, notAuthorized)
		if _, err := tokens.Verify(t.Context(), sign(t, jwt.SigningMethodRS256, signingKey(), accessClaims(), header)); err != nil {
			t.Errorf("%s: Verify of a token by the issuer's own key = %v, want it accepted", name, err)
		}
	}
	for _, kid := range ring.asked {
		if kid != "k" {
			t.Errorf("key %q was asked for, want k alone", kid)
		}
	}
	critical := map[string]any{"crit": []string{"exp"}}
	wantRefusal(t, "crit", tokens, sign(t, jwt.SigningMethodRS256, signingKey(), accessClaims(), critical), inference.UnrecognizedClient, notAuthorized)
}

func TestAttackExpired(t *testing.T) {
	tokens := newTokens(&oneKey{}, clock)
	for name, at := range map[string]any{"just now": now.Unix(), "yesterday": now.Add(-24 * time.Hour).Unix(), "long ago": 1} {
		wantRefusal(t, name, tokens, newToken(t, set(accessClaims(), "exp", at)), inference.ExpiredToken, "Token has expired.")
	}
	for name, claims := range map[string]jwt.MapClaims{
		"never":           without(accessClaims(), "exp"),
		"as text":         set(accessClaims(), "exp", "2099-01-01"),
		"not yet good":    set(accessClaims(), "nbf", now.Add(time.Minute).Unix()),
		"from the future": set(accessClaims(), "iat", now.Add(time.Minute).Unix()),
	} {
		wantRefusal(t, name, tokens, newToken(t, claims), inference.UnrecognizedClient, notAuthorized)
	}
}

func without(claims jwt.MapClaims, name string) jwt.MapClaims {
	delete(claims, name)
	return claims
}

// TestLeeway: the clocks of an issuer and ours may differ by so much and no more.
func TestLeeway(t *testing.T) {
	i := pool(&oneKey{})
	i.Leeway = 30 * time.Second
	tokens := auth.NewTokens([]auth.Issuer{i}, clock)
	for name, tt := range map[string]struct {
		claim string
		off   time.Duration
		good  bool
	}{
		"expired within":   {"exp", -29 * time.Second, true},
		"expired before":   {"exp", -30 * time.Second, false},
		"future within":    {"iat", 30 * time.Second, true},
		"future beyond":    {"iat", 31 * time.Second, false},
		"not before":       {"nbf", 30 * time.Second, true},
		"not before at so": {"nbf", 31 * time.Second, false},
	} {
		_, err := tokens.Verify(t.Context(), newToken(t, set(accessClaims(), tt.claim, now.Add(tt.off).Unix())))
		if (err == nil) != tt.good {
			t.Errorf("%s: Verify = %v, want good %t", name, err, tt.good)
		}
	}
}

func TestAttackWrongAudience(t *testing.T) {
	refusesAll(t, map[string]string{
		"another client":         newToken(t, set(accessClaims(), "client_id", "other")),
		"no client":              newToken(t, without(accessClaims(), "client_id")),
		"client in the wrong":    newToken(t, set(without(accessClaims(), "client_id"), "aud", clientID)),
		"client as a list":       newToken(t, set(accessClaims(), "client_id", []string{"other"})),
		"another audience":       newToken(t, set(idClaims(), "aud", "other")),
		"other audiences":        newToken(t, set(idClaims(), "aud", []string{"a", "b"})),
		"part of an audience":    newToken(t, set(idClaims(), "aud", clientID+"x")),
		"no audience":            newToken(t, without(idClaims(), "aud")),
		"a refresh token":        newToken(t, set(accessClaims(), "token_use", "refresh")),
		"of no use":              newToken(t, without(accessClaims(), "token_use")),
		"nobody":                 newToken(t, without(accessClaims(), "sub")),
		"a subject that is none": newToken(t, set(accessClaims(), "sub", 7)),
	})
}

func TestAttackWrongIssuer(t *testing.T) {
	refusesAll(t, map[string]string{
		"longer":         newToken(t, set(accessClaims(), "iss", issuer+"/")),
		"upper case":     newToken(t, set(accessClaims(), "iss", strings.ToUpper(issuer))),
		"another pool":   newToken(t, set(accessClaims(), "iss", strings.Replace(issuer, "Local", "Other", 1))),
		"list":           newToken(t, set(accessClaims(), "iss", []string{issuer})),
		"none":           newToken(t, without(accessClaims(), "iss")),
		"with a user":    newToken(t, set(accessClaims(), "iss", strings.Replace(issuer, "//", "//attacker@", 1))),
		"another's name": newToken(t, set(accessClaims(), "iss", "attacker")),
	})
}

// TestIssuersDoNotSpeakForOneAnother: a key that one issuer has is nobody else's.
func TestIssuersDoNotSpeakForOneAnother(t *testing.T) {
	other := newECDSA(t, elliptic.P256())
	tokens := auth.NewTokens([]auth.Issuer{
		pool(&oneKey{}),
		{Issuer: "https://other.example", Mode: string(backend.OIDC), Keys: &keyRing{keys: map[string]auth.Key{"k": {Public: other.Public()}}}},
	}, clock)
	forged := sign(t, jwt.SigningMethodES256, other, accessClaims(), nil)
	wantRefusal(t, "signed by the other", tokens, forged, inference.UnrecognizedClient, notAuthorized)
	claims := set(accessClaims(), "iss", "https://other.example")
	wantRefusal(t, "signed by the pool", tokens, newToken(t, claims), inference.UnrecognizedClient, notAuthorized)
	if got, err := tokens.Verify(t.Context(), sign(t, jwt.SigningMethodES256, other, claims, nil)); err != nil || got.Mode != string(backend.OIDC) {
		t.Errorf("Verify of the other's own token = %+v, %v", got, err)
	}
}

func TestAttackTruncated(t *testing.T) {
	tokens := newTokens(&oneKey{}, clock)
	good := newToken(t, accessClaims())
	for n := range len(good) {
		if got, err := tokens.Verify(t.Context(), good[:n]); err == nil {
			t.Fatalf("Verify of the first %d of %d bytes = %+v, want an error", n, len(good), got)
		}
	}
	parts := strings.Split(good, ".")
	for name, token := range map[string]string{
		"unsigned":           parts[0] + "." + parts[1] + ".",
		"without its end":    parts[0] + "." + parts[1],
		"without its claims": parts[0] + ".." + parts[2],
	} {
		if _, err := tokens.Verify(t.Context(), token); err == nil {
			t.Errorf("%s: Verify = nil, want an error", name)
		}
	}
}

// TestAttackTwoTokens: one token, once, in one way of writing.
func TestAttackTwoTokens(t *testing.T) {
	tokens := newTokens(&oneKey{}, clock)
	good := newToken(t, accessClaims())
	for name, token := range map[string]string{
		"two":           good + " " + good,
		"in a list":     good + "," + good,
		"four parts":    good + ".x",
		"joined":        good + good,
		"line break":    good + "\n",
		"broken":        good[:len(good)-3] + "\r\n" + good[len(good)-3:],
		"padded":        good + "==",
		"space before":  " " + good,
		"far too long":  good + strings.Repeat("A", 16<<10),
		"percent-coded": strings.Replace(good, ".", "%2E", 1),
	} {
		wantRefusal(t, name, tokens, token, inference.Validation, "Unable to parse JWT token.")
	}
}

func TestAttackDuplicatedClaims(t *testing.T) {
	claims, err := json.Marshal(accessClaims())
	if err != nil {
		t.Fatal(err)
	}
	const header = `{"alg":"RS256","kid":"k"}`
	rest := `"custom":{"a:\"b\\":[{"c":"d:e"},{"c":[]}]},` + string(claims[1:])
	if _, err := newTokens(&oneKey{}, clock).Verify(t.Context(), signText(t, header, "{"+rest)); err != nil {
		t.Fatalf("Verify of the claims as they are = %v, want them accepted", err)
	}
	refusesAll(t, map[string]string{
		"sub":    signText(t, header, `{"sub":"attacker",`+rest),
		"groups": signText(t, header, `{"cognito:groups":["Admins"],`+rest),
		"below":  signText(t, header, `{"below":{"a":1,"b":[{"c":1,"c":2}]},`+rest),
		"kid":    signText(t, `{"alg":"RS256","kid":"x","kid":"k"}`, "{"+rest),
		"alg":    signText(t, `{"alg":"none","alg":"RS256","kid":"k"}`, "{"+rest),
	})
}

func TestIssuerRules(t *testing.T) {
	oidc := auth.Issuer{Issuer: issuer, Mode: string(backend.OIDC), Keys: &oneKey{}}
	claims := func(add jwt.MapClaims) jwt.MapClaims {
		all := jwt.MapClaims{"iss": issuer, "sub": "sub-1", "exp": now.Add(time.Hour).Unix(), "iat": now.Unix(), "aud": "web"}
		for name, value := range add {
			all[name] = value
		}
		return all
	}
	for name, tt := range map[string]struct {
		issuer func(*auth.Issuer)
		claims jwt.MapClaims
		good   bool
	}{
		"nothing asked":        {func(*auth.Issuer) {}, nil, true},
		"aud":                  {func(i *auth.Issuer) { i.Audiences = []string{"app", "web"} }, nil, true},
		"one of aud":           {func(i *auth.Issuer) { i.Audiences = []string{"web"} }, jwt.MapClaims{"aud": []string{"x", "web"}}, true},
		"azp":                  {func(i *auth.Issuer) { i.Audiences = []string{"web"} }, jwt.MapClaims{"aud": "api", "azp": "web"}, true},
		"no aud":               {func(i *auth.Issuer) { i.Audiences = []string{"app"} }, nil, false},
		"token_use":            {func(i *auth.Issuer) { i.TokenUse = []string{"id"} }, jwt.MapClaims{"token_use": "id"}, true},
		"other token_use":      {func(i *auth.Issuer) { i.TokenUse = []string{"id"} }, jwt.MapClaims{"token_use": "access"}, false},
		"claim":                {func(i *auth.Issuer) { i.Claims = map[string]string{"tenant": "a"} }, jwt.MapClaims{"tenant": "a"}, true},
		"claim in a list":      {func(i *auth.Issuer) { i.Claims = map[string]string{"roles": "cook"} }, jwt.MapClaims{"roles": []string{"x", "cook"}}, true},
		"true claim":           {func(i *auth.Issuer) { i.Claims = map[string]string{"email_verified": "true"} }, jwt.MapClaims{"email_verified": true}, true},
		"other claim":          {func(i *auth.Issuer) { i.Claims = map[string]string{"tenant": "a"} }, jwt.MapClaims{"tenant": "b"}, false},
		"missing claim":        {func(i *auth.Issuer) { i.Claims = map[string]string{"tenant": ""} }, nil, false},
		"client":               {func(i *auth.Issuer) { i.Client = regexp.MustCompile("^(web|app)$") }, nil, true},
		"other client":         {func(i *auth.Issuer) { i.Client = regexp.MustCompile("^app$") }, nil, false},
		"fresh":                {func(i *auth.Issuer) { i.IatTTL = time.Minute }, jwt.MapClaims{"iat": now.Add(-59 * time.Second).Unix()}, true},
		"stale":                {func(i *auth.Issuer) { i.IatTTL = time.Minute }, jwt.MapClaims{"iat": now.Add(-time.Minute).Unix()}, false},
		"signed in long ago":   {func(i *auth.Issuer) { i.AuthTTL = time.Minute }, jwt.MapClaims{"auth_time": now.Add(-time.Hour).Unix()}, false},
		"no word of auth_time": {func(i *auth.Issuer) { i.AuthTTL = time.Minute }, nil, false},
	} {
		i := oidc
		tt.issuer(&i)
		_, err := auth.NewTokens([]auth.Issuer{i}, clock).Verify(t.Context(), newToken(t, claims(tt.claims)))
		if (err == nil) != tt.good {
			t.Errorf("%s: Verify = %v, want good %t", name, err, tt.good)
		}
	}
}

func TestPrincipalOfToken(t *testing.T) {
	i := auth.Issuer{
		Issuer: issuer, Mode: string(backend.OIDC), Keys: &oneKey{}, GroupsClaim: "roles",
		Principal: "everyone", ByGroup: map[string]string{"cook": "kitchen", "boss": "office"},
	}
	tokens := auth.NewTokens([]auth.Issuer{i}, clock)
	for want, tt := range map[string]struct {
		roles any
		group string
	}{
		"everyone": {[]string{"guest"}, "guest"}, "kitchen": {[]string{"guest", "cook", "boss"}, "guest"}, "office": {"boss", "boss"},
	} {
		got, err := tokens.Verify(t.Context(), newToken(t, set(set(accessClaims(), "roles", tt.roles), "preferred_username", "ann")))
		if err != nil || got.Principal != want || got.Caller != (inference.Caller{ID: "sub-1", Name: "ann", Group: tt.group}) {
			t.Errorf("Verify with the roles %v = %+v, %v, want principal %s and group %s", tt.roles, got, err, want, tt.group)
		}
	}
}

func TestVerifiedTokensAreRemembered(t *testing.T) {
	keys, at, revoked := &oneKey{}, now, ""
	i := pool(keys)
	i.Revoked = func(originJTI string) bool { return originJTI == revoked }
	tokens := auth.NewTokens([]auth.Issuer{i}, func() time.Time { return at })
	token := newToken(t, set(accessClaims(), "origin_jti", "sign-in"))
	verify := func(when string, asked int) {
		t.Helper()
		if _, err := tokens.Verify(t.Context(), token); err != nil || keys.asked != asked {
			t.Errorf("%s: Verify = %v with %d questions for the key, want %d", when, err, keys.asked, asked)
		}
	}
	verify("at first", 1)
	verify("again", 1)
	tokens.Purge()
	verify("when forgotten", 2)
	at = now.Add(5 * time.Minute)
	verify("after a while", 3)
	verify("again", 3)
	revoked = "sign-in"
	wantRefusal(t, "revoked", tokens, token, inference.UnrecognizedClient, notAuthorized)
	revoked = "another sign-in"
	verify("not revoked", 3)
	at = now.Add(time.Hour)
	for range 2 {
		wantRefusal(t, "past its expiry", tokens, token, inference.ExpiredToken, "Token has expired.")
	}
}

// FuzzVerify: no mutation of a good token, and nothing else, verifies; every refusal
// is an *inference.Error and comes without an identity.
func FuzzVerify(f *testing.F) {
	good := newToken(f, accessClaims())
	for _, m := range []struct {
		at   uint16
		with string
		cut  uint16
	}{{0, "", 0}, {3, "A", 1}, {uint16(len(good) - 1), "B", 1}, {uint16(len(good)), "=", 0}, {10, "\n", 0}, {0, "eyJhbGciOiJub25lIn0.e30.", 65535}} {
		f.Add(m.at, m.with, m.cut)
	}
	tokens := newTokens(&oneKey{}, clock)
	f.Fuzz(func(t *testing.T, at uint16, with string, cut uint16) {
		from := min(int(at), len(good))
		token := good[:from] + with + good[min(from+int(cut), len(good)):]
		identity, err := tokens.Verify(t.Context(), token)
		if err == nil {
			if token != good {
				t.Fatalf("Verify(%q) accepted a token that nobody issued: %+v", token, identity)
			}
			return
		}
		if token == good {
			t.Fatalf("Verify of the good token = %v", err)
		}
		if _, ok := errors.AsType[*inference.Error](err); !ok || identity.Mode != "" {
			t.Fatalf("Verify(%q) = %+v, %T, want *inference.Error alone", token, identity, err)
		}
	})
}

// BenchmarkVerifyToken is one JWT of RS256 with 2048 bits.
func BenchmarkVerifyToken(b *testing.B) {
	token := newToken(b, accessClaims())
	for _, cache := range []string{"hit", "miss"} {
		b.Run("cache="+cache, func(b *testing.B) {
			tokens := newTokens(&oneKey{}, clock)
			b.ReportAllocs()
			for b.Loop() {
				if cache == "miss" {
					tokens.Purge()
				}
				if _, err := tokens.Verify(b.Context(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestTokensKnow: a token of one of the issuers is known by what it says, whether it has
// been verified or not; all others are not.
func TestTokensKnow(t *testing.T) {
	tokens := newTokens(&oneKey{}, clock)
	good := newToken(t, accessClaims())
	other := accessClaims()
	other["iss"] = "https://elsewhere.example.com"
	for _, when := range []string{"at first", "once it is verified"} {
		for token, want := range map[string]bool{good: true, newToken(t, other): false, "": false, "no token": false} {
			if got := tokens.Knows(token); got != want {
				t.Errorf("%s: Knows(%.20q) = %t, want %t", when, token, got, want)
			}
		}
		if _, err := tokens.Verify(t.Context(), good); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(100, func() { tokens.Knows(good) }); n > 2 {
		t.Errorf("Knows of a verified token allocates %v times, want it not to be read again", n)
	}
}
