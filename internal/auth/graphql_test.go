package auth_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"fairway/backend"
	"fairway/internal/auth"
	"fairway/internal/inference"
)

const (
	issuer   = "http://127.0.0.1:20002/ap-southeast-1_Local1234"
	clientID = "client"
)

var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// oneKey is an issuer whose one key has the id "k"; it counts how often it is asked.
type oneKey struct{ asked int }

func (o *oneKey) Key(ctx context.Context, kid string) (auth.Key, error) {
	o.asked++
	return auth.RSAKeys(func(_ context.Context, kid string) *rsa.PublicKey {
		if kid != "k" {
			return nil
		}
		return &signingKey().PublicKey
	}).Key(ctx, kid)
}

// pool is a user pool with those keys.
func pool(keys auth.KeySet) auth.Issuer {
	return auth.Issuer{Issuer: issuer, Mode: string(backend.UserPool), Keys: keys, Audiences: []string{clientID}}
}

func accessClaims() jwt.MapClaims {
	return jwt.MapClaims{
		"iss": issuer, "sub": "sub-1", "username": "ann", "token_use": "access", "client_id": clientID,
		"cognito:groups": []string{"Admins", "Cooks"}, "exp": now.Add(time.Hour).Unix(), "iat": now.Unix(),
	}
}

func idClaims() jwt.MapClaims {
	return jwt.MapClaims{
		"iss": issuer, "sub": "sub-1", "cognito:username": "ann", "token_use": "id", "aud": clientID,
		"exp": now.Add(time.Hour).Unix(),
	}
}

func set(claims jwt.MapClaims, name string, value any) jwt.MapClaims {
	claims[name] = value
	return claims
}

func newToken(t testing.TB, claims jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = "k"
	text, err := token.SignedString(signingKey())
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func newTokens(keys auth.KeySet, now func() time.Time) *auth.Tokens {
	return auth.NewTokens([]auth.Issuer{pool(keys)}, now)
}

func newGraphQL() auth.GraphQL {
	keys := auth.NewAPIKeys(clock)
	keys.AddKey(auth.APIKey{Hash: hash("da2-good"), Expires: now.Add(time.Second)})
	keys.AddKey(auth.APIKey{Hash: hash("da2-forever")})
	keys.AddKey(auth.APIKey{Hash: hash("da2-expired"), Expires: now})
	keys.AddKey(auth.APIKey{Hash: hash("da2-named"), Name: "kiosk", Principal: "shop", Budget: "free"})
	return auth.GraphQL{
		Modes:   backend.Authorization{Default: backend.UserPool, Additional: []backend.Mode{backend.APIKey}},
		APIKeys: keys, Tokens: newTokens(&oneKey{}, clock),
	}
}

func identify(g auth.GraphQL, header map[string]string) (inference.Identity, error) {
	r := httptest.NewRequest("POST", "/graphql", nil)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	return g.Identify(r, nil)
}

func TestIdentify(t *testing.T) {
	access, id := newToken(t, accessClaims()), newToken(t, idClaims())
	user := inference.Identity{
		Mode: "AMAZON_COGNITO_USER_POOLS", Caller: inference.Caller{ID: "sub-1", Name: "ann", Group: "Admins"},
		Issuer: issuer, Groups: []string{"Admins", "Cooks"}, SourceIP: "192.0.2.1",
	}
	noGroups := user
	noGroups.Groups, noGroups.Caller.Group = nil, ""
	apiKey := inference.Identity{Mode: "API_KEY", SourceIP: "192.0.2.1"}
	named := apiKey
	named.Caller, named.Principal = inference.Caller{Key: "kiosk", Budget: "free"}, "shop"

	for name, tt := range map[string]struct {
		header map[string]string
		want   inference.Identity
	}{
		"access token":      {map[string]string{"Authorization": access}, user},
		"after Bearer":      {map[string]string{"Authorization": "Bearer " + access}, user},
		"id token":          {map[string]string{"Authorization": id}, noGroups},
		"token and API key": {map[string]string{"Authorization": access, "X-Api-Key": "da2-expired"}, user},
		"API key":           {map[string]string{"X-Api-Key": "da2-good"}, apiKey},
		"API key for ever":  {map[string]string{"X-Api-Key": "da2-forever"}, apiKey},
		"named API key":     {map[string]string{"X-Api-Key": "da2-named"}, named},
	} {
		got, err := identify(newGraphQL(), tt.header)
		if err != nil {
			t.Errorf("%s: Identify = %v", name, err)
			continue
		}
		if tt.want.Mode != "API_KEY" && got.Claims["sub"] != "sub-1" {
			t.Errorf("%s: Claims = %v, want those of the token", name, got.Claims)
		}
		got.Claims = nil
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: Identify (-want +got):\n%s", name, diff)
		}
	}
}

func TestIdentifyRefuses(t *testing.T) {
	const notAuthorized = "You are not authorized to make this call."
	authorization := func(token string) map[string]string { return map[string]string{"Authorization": token} }
	token := func(claims jwt.MapClaims) map[string]string { return authorization(newToken(t, claims)) }
	good := newToken(t, accessClaims())
	unsigned, err := jwt.NewWithClaims(jwt.SigningMethodNone, accessClaims()).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	hmac, err := jwt.NewWithClaims(jwt.SigningMethodHS256, accessClaims()).SignedString([]byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	otherKid := jwt.NewWithClaims(jwt.SigningMethodRS256, accessClaims())
	otherKid.Header["kid"] = "other"
	otherKey, err := otherKid.SignedString(signingKey())
	if err != nil {
		t.Fatal(err)
	}
	forever := accessClaims()
	delete(forever, "exp")

	for name, tt := range map[string]struct {
		header  map[string]string
		kind    inference.Kind
		message string
	}{
		"nothing":          {nil, inference.MissingAuth, "Valid authorization header not provided."},
		"unknown API key":  {map[string]string{"X-Api-Key": "da2-other"}, inference.UnrecognizedClient, notAuthorized},
		"expired API key":  {map[string]string{"X-Api-Key": "da2-expired"}, inference.UnrecognizedClient, notAuthorized},
		"garbage":          {authorization("garbage"), inference.Validation, "Unable to parse JWT token."},
		"garbage in parts": {authorization("a.b.c"), inference.Validation, "Unable to parse JWT token."},
		"garbage and key":  {map[string]string{"Authorization": "garbage", "X-Api-Key": "da2-good"}, inference.Validation, "Unable to parse JWT token."},
		"expired":          {token(set(accessClaims(), "exp", now.Unix())), inference.ExpiredToken, "Token has expired."},
		"forged":           {authorization(good[:strings.LastIndex(good, ".")+1] + strings.Repeat("A", 342)), inference.UnrecognizedClient, notAuthorized},
		"no algorithm":     {authorization(unsigned), inference.UnrecognizedClient, notAuthorized},
		"HMAC":             {authorization(hmac), inference.UnrecognizedClient, notAuthorized},
		"unknown kid":      {authorization(otherKey), inference.UnrecognizedClient, notAuthorized},
		"another issuer":   {token(set(accessClaims(), "iss", issuer+"x")), inference.UnrecognizedClient, notAuthorized},
		"another client":   {token(set(accessClaims(), "client_id", "x")), inference.UnrecognizedClient, notAuthorized},
		"another audience": {token(set(idClaims(), "aud", "x")), inference.UnrecognizedClient, notAuthorized},
		"a refresh token":  {token(set(accessClaims(), "token_use", "refresh")), inference.UnrecognizedClient, notAuthorized},
		"no expiry":        {token(forever), inference.UnrecognizedClient, notAuthorized},
		"SigV4":            {authorization("AWS4-HMAC-SHA256 Credential=x"), inference.AccessDenied, notAuthorized},
	} {
		got, err := identify(newGraphQL(), tt.header)
		checkError(t, name, err, tt.kind, tt.message)
		if diff := cmp.Diff(inference.Identity{}, got); diff != "" {
			t.Errorf("%s: Identify gave an identity beside its error:\n%s", name, diff)
		}
	}
}

func TestModesThatTheAPIDoesNotHave(t *testing.T) {
	for name, header := range map[string]map[string]string{
		"token":   {"Authorization": newToken(t, accessClaims())},
		"API key": {"X-Api-Key": "da2-good"},
	} {
		known := newGraphQL()
		known.Modes = backend.Authorization{Default: backend.IAM}
		for _, g := range []auth.GraphQL{known, {}, {Modes: newGraphQL().Modes}} {
			_, err := identify(g, header)
			checkError(t, name, err, inference.UnrecognizedClient, "You are not authorized to make this call.")
		}
	}
}

func TestNewAPIKey(t *testing.T) {
	form := regexp.MustCompile(`^da2-[a-z0-9]{26}$`)
	a, b := auth.NewAPIKey(), auth.NewAPIKey()
	if !form.MatchString(a) || a == b {
		t.Errorf("NewAPIKey = %q, %q, want distinct keys of the form %s", a, b, form)
	}
}

func BenchmarkIdentify(b *testing.B) {
	r := httptest.NewRequest("POST", "/graphql", nil)
	r.Header.Set("Authorization", newToken(b, accessClaims()))
	for _, remembered := range []bool{true, false} {
		b.Run(fmt.Sprintf("remembered=%t", remembered), func(b *testing.B) {
			g := newGraphQL()
			b.ReportAllocs()
			for b.Loop() {
				if !remembered {
					g.Tokens.Purge()
				}
				if _, err := g.Identify(r, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
