package auth

import (
	"context"
	"crypto/rsa"
	"errors"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
	lru "github.com/hashicorp/golang-lru/v2"

	"fairway/backend"
	"fairway/internal/inference"
)

// maxRemembered bounds the verified tokens that are remembered; one takes about
// a kilobyte.
const maxRemembered = 4096

// KeySet finds the public keys of a token issuer. PublicKey is nil for a key
// that the issuer does not have; it may wait for keys until ctx is done.
type KeySet interface {
	PublicKey(ctx context.Context, kid string) *rsa.PublicKey
}

// TokenOptions say whose tokens are accepted.
type TokenOptions struct {
	Issuer   string // exactly the token's iss
	ClientID string // the access token's client_id and the id token's aud; empty accepts every client
	Keys     KeySet
	Now      func() time.Time
}

// Tokens verifies user-pool tokens: JWTs signed with RS256 whose token_use is
// access or id. A verified token is remembered until it expires, because
// checking an RSA signature costs a third of a GraphQL request's time budget.
// Its methods may be called concurrently.
type Tokens struct {
	TokenOptions
	parser   *jwt.Parser
	verified *lru.Cache[digest, verifiedToken]
}

type verifiedToken struct {
	identity inference.Identity
	expires  time.Time
}

// NewTokens verifies tokens by the options, all of which but ClientID are required.
func NewTokens(o TokenOptions) *Tokens {
	cache, err := lru.New[digest, verifiedToken](maxRemembered)
	if err != nil {
		panic(err) // the size is a positive constant
	}
	return &Tokens{
		TokenOptions: o,
		verified:     cache,
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{jwt.SigningMethodRS256.Alg()}),
			jwt.WithIssuer(o.Issuer),
			jwt.WithExpirationRequired(),
			jwt.WithStrictDecoding(),
			jwt.WithTimeFunc(o.Now),
		),
	}
}

// Purge forgets every verified token, so that each is checked again. Call it
// when the issuer's keys or its revocations change.
func (t *Tokens) Purge() { t.verified.Purge() }

// Verify gives the user that token speaks for. Errors: Validation when it is no
// JWT, ExpiredToken, UnrecognizedClient for every other reason.
func (t *Tokens) Verify(ctx context.Context, token string) (inference.Identity, error) {
	key := digestOf(token)
	if known, ok := t.verified.Get(key); ok {
		if t.Now().Before(known.expires) {
			return known.identity, nil
		}
		t.verified.Remove(key)
		return inference.Identity{}, refuse(inference.ExpiredToken, msgTokenExpired)
	}
	claims := jwt.MapClaims{}
	if _, err := t.parser.ParseWithClaims(token, claims, t.keyOf(ctx)); err != nil {
		return inference.Identity{}, tokenError(err)
	}
	if !t.isForUs(claims) {
		return inference.Identity{}, refuse(inference.UnrecognizedClient, msgNotAuthorized)
	}
	expires, err := claims.GetExpirationTime()
	if err != nil {
		return inference.Identity{}, tokenError(err)
	}
	identity := identityOf(claims)
	t.verified.Add(key, verifiedToken{identity, expires.Time})
	return identity, nil
}

func (t *Tokens) keyOf(ctx context.Context) jwt.Keyfunc {
	return func(token *jwt.Token) (any, error) {
		kid, _ := token.Header["kid"].(string)
		key := t.Keys.PublicKey(ctx, kid)
		if key == nil {
			return nil, errors.New("no key of that kid")
		}
		return key, nil
	}
}

// isForUs reports whether the claims are of a token kind that identifies a user,
// issued to our client. Where the client is named depends on the kind.
func (t *Tokens) isForUs(claims jwt.MapClaims) bool {
	switch claims["token_use"] {
	case "access":
		return t.ClientID == "" || claims["client_id"] == t.ClientID
	case "id":
		audience, err := claims.GetAudience()
		return err == nil && (t.ClientID == "" || slices.Contains(audience, t.ClientID))
	default:
		return false
	}
}

func identityOf(claims jwt.MapClaims) inference.Identity {
	text := func(name string) string { s, _ := claims[name].(string); return s }
	name := text("username")
	if name == "" {
		name = text("cognito:username")
	}
	var groups []string
	list, _ := claims["cognito:groups"].([]any)
	for _, g := range list {
		if s, ok := g.(string); ok {
			groups = append(groups, s)
		}
	}
	return inference.Identity{
		Mode:   string(backend.UserPool),
		Caller: inference.Caller{ID: text("sub"), Name: name},
		Issuer: text("iss"),
		Groups: groups,
		Claims: claims,
	}
}

// tokenError is AppSync's answer to a token that does not verify. jwt checks the
// signature before the claims, so only a genuine token is called expired.
func tokenError(err error) error {
	refused := refuse(inference.UnrecognizedClient, msgNotAuthorized)
	switch {
	case errors.Is(err, jwt.ErrTokenMalformed):
		refused = refuse(inference.Validation, msgTokenGarbled)
	case errors.Is(err, jwt.ErrTokenExpired):
		refused = refuse(inference.ExpiredToken, msgTokenExpired)
	}
	refused.Err = err
	return refused
}
