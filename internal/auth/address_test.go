package auth_test

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"fairway/internal/auth"
	"fairway/internal/inference"
)

// TestAddress: who is called by an e-mail address has one that somebody vouches for.
func TestAddress(t *testing.T) {
	known := pool(&oneKey{})
	known.Address = func(_ context.Context, sub string) (string, error) { return sub + "@Pool.example", nil }
	for _, tt := range []struct {
		name   string
		issuer auth.Issuer
		claims jwt.MapClaims
		want   string
	}{
		{"access token", pool(&oneKey{}), accessClaims(), ""},
		{"access token of a pool that knows", known, accessClaims(), "sub-1@pool.example"},
		{"id token", pool(&oneKey{}), vouched(true), "ana@example.com"},
		{"id token in text", pool(&oneKey{}), vouched("true"), "ana@example.com"},
		{"id token of an unverified address", pool(&oneKey{}), vouched(false), ""},
		{"id token that says nothing of that", pool(&oneKey{}), set(idClaims(), "email", "ana@example.com"), ""},
	} {
		got, err := auth.NewTokens([]auth.Issuer{tt.issuer}, clock).Verify(t.Context(), newToken(t, tt.claims))
		if err != nil || got.Caller.Alias != tt.want || got.Caller.Name != "ann" {
			t.Errorf("%s: Verify = %+v, %v, want ann alias %q", tt.name, got.Caller, err, tt.want)
		}
	}
}

func vouched(verified any) jwt.MapClaims {
	claims := idClaims()
	maps.Copy(claims, jwt.MapClaims{"email": "Ana@Example.com", "email_verified": verified})
	return claims
}

// TestAddressIsAskedSeldom: once for as long as a token is remembered. Without an answer
// nobody is let in whom a budget might bind.
func TestAddressIsAskedSeldom(t *testing.T) {
	asked, away, at := 0, errors.New("the store is away"), now
	i := pool(&oneKey{})
	i.Address = func(context.Context, string) (string, error) { asked++; return "", away }
	tokens, token := auth.NewTokens([]auth.Issuer{i}, func() time.Time { return at }), newToken(t, accessClaims())
	for range 2 {
		_, err := tokens.Verify(t.Context(), token)
		wantKind(t, "Verify() without an answer", err, inference.ServiceUnavailable)
		if !errors.Is(err, away) {
			t.Errorf("Verify() = %v, want the cause", err)
		}
	}
	away = nil
	for range 3 {
		if _, err := tokens.Verify(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 3 {
		t.Errorf("asked %d times, want twice without an answer and once more", asked)
	}
	at = at.Add(5 * time.Minute)
	if _, err := tokens.Verify(t.Context(), token); err != nil || asked != 4 {
		t.Errorf("Verify() later = %v after asking %d times, want it asked again", err, asked)
	}
}
