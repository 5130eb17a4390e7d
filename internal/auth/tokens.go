package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	lru "github.com/hashicorp/golang-lru/v2"

	"fairway/internal/inference"
)

const (
	maxToken      = 16 << 10        // bytes of a token
	maxRemembered = 4096            // verified tokens; one takes some kilobytes
	remembered    = 5 * time.Minute // after which a token is checked again, with the keys there are then
)

// Tokens verifies the JWTs of its issuers. A verified token is remembered for a while,
// because checking an RSA signature costs more than the rest of a GraphQL request.
// Its methods may be called concurrently.
type Tokens struct {
	issuers  map[string]*issuer
	now      func() time.Time
	parser   *jwt.Parser
	verified *lru.Cache[digest, verifiedToken]
}

type verifiedToken struct {
	identity  inference.Identity
	issuer    *issuer
	originJTI string
	until     time.Time // good without another check
}

// NewTokens verifies the tokens of issuers, by the clock now.
func NewTokens(issuers []Issuer, now func() time.Time) *Tokens {
	cache, err := lru.New[digest, verifiedToken](maxRemembered)
	if err != nil {
		panic(err) // the size is a positive constant
	}
	t := &Tokens{issuers: map[string]*issuer{}, now: now, parser: jwt.NewParser(jwt.WithStrictDecoding()), verified: cache}
	for _, i := range issuers {
		t.issuers[i.Issuer] = newIssuer(i, now)
	}
	return t
}

// Purge forgets every verified token, so that each is checked again.
func (t *Tokens) Purge() { t.verified.Purge() }

// Knows reports whether token says that it is of one of the issuers. It verifies nothing.
func (t *Tokens) Knows(token string) bool {
	if t.verified.Contains(digestOf(token)) {
		return true
	}
	p, err := t.parse(token)
	return err == nil && p.issuer != nil
}

// Verify gives the user that token speaks for. Errors: Validation when it is no JWT,
// ExpiredToken, ServiceUnavailable while the issuer's keys, or a user's address, cannot be had,
// UnrecognizedClient for every other reason.
func (t *Tokens) Verify(ctx context.Context, token string) (inference.Identity, error) {
	known, ok := t.verified.Get(digestOf(token))
	if !ok || !t.now().Before(known.until) {
		var err error
		if known, err = t.check(ctx, token); err != nil {
			return inference.Identity{}, tokenError(err)
		}
		t.verified.Add(digestOf(token), known)
	}
	if known.issuer.revoked(known.originJTI) {
		return inference.Identity{}, tokenError(errRevoked)
	}
	return known.identity, nil
}

var (
	errRevoked = errors.New("the token has been revoked")
	errForeign = errors.New("the token is of another issuer")
	errKind    = errors.New("the token is not for us, or not of a kind that we take")
	errSigned  = errors.New("the token is signed in a way that its issuer or key does not have")
	errTwice   = errors.New("the token says the same thing twice")
)

// check verifies a token: first that its issuer made it, then what it says. Nothing of
// it but the issuer's name and the key's id is used before.
func (t *Tokens) check(ctx context.Context, token string) (verifiedToken, error) {
	p, err := t.parse(token)
	if err != nil {
		return verifiedToken{}, err
	}
	if err := p.checkSignature(ctx); err != nil {
		return verifiedToken{}, err
	}
	if err := p.issuer.validator.Validate(p.claims); err != nil {
		return verifiedToken{}, err
	}
	if !p.issuer.isForUs(p.claims) {
		return verifiedToken{}, errKind
	}
	until, err := p.issuer.until(p.claims)
	if err != nil {
		return verifiedToken{}, err
	}
	address, err := p.issuer.address(ctx, p.claims)
	if err != nil {
		return verifiedToken{}, unreachable(fmt.Errorf("get address of user: %w", err))
	}
	if again := t.now().Add(remembered); again.Before(until) {
		until = again
	}
	return verifiedToken{p.issuer.identity(p.claims, address), p.issuer, text(p.claims, "origin_jti"), until}, nil
}

// parsed is a token taken apart.
type parsed struct {
	header    map[string]any
	claims    jwt.MapClaims
	method    jwt.SigningMethod
	issuer    *issuer // nil for one that is not ours
	parts     []string
	signature []byte
}

// parse takes a token apart. Its error wraps jwt.ErrTokenMalformed for what is no JWT.
func (t *Tokens) parse(token string) (parsed, error) {
	if len(token) > maxToken || strings.ContainsFunc(token, notInToken) {
		return parsed{}, jwt.ErrTokenMalformed
	}
	claims := jwt.MapClaims{}
	read, parts, err := t.parser.ParseUnverified(token, claims)
	if err != nil {
		return parsed{}, err
	}
	signature, err := t.parser.DecodeSegment(parts[2])
	if err != nil {
		return parsed{}, errors.Join(jwt.ErrTokenMalformed, err)
	}
	return parsed{read.Header, claims, read.Method, t.issuers[text(claims, "iss")], parts, signature}, nil
}

// notInToken reports whether c cannot stand in a JWT. Decoders of base64 pass over line
// breaks, which would let one token be written in many ways.
func notInToken(c rune) bool {
	letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
	return !letter && c != '-' && c != '_' && c != '.'
}

// checkSignature takes the key from the issuer, never from the token: its jku, jwk, x5u
// and x5c say nothing to us.
func (p parsed) checkSignature(ctx context.Context) error {
	if p.issuer == nil {
		return errForeign
	}
	if _, extended := p.header["crit"]; extended || !p.issuer.signsWith(p.method.Alg()) { // RFC 7515, section 4.1.11
		return errSigned
	}
	kid, _ := p.header["kid"].(string)
	key, err := p.issuer.Keys.Key(ctx, kid)
	if err != nil {
		return err
	}
	if !key.fits(p.method.Alg()) {
		return errSigned
	}
	if err := p.method.Verify(p.parts[0]+"."+p.parts[1], p.signature, key.Public); err != nil {
		return err
	}
	return p.checkNames()
}

// checkNames refuses names that come twice, which two readers may understand in two
// ways: what was read then holds fewer than were written.
func (p parsed) checkNames() error {
	for i, read := range []map[string]any{p.header, p.claims} {
		text, err := base64.RawURLEncoding.DecodeString(p.parts[i])
		if err != nil {
			return err
		}
		if written(text) != held(read) {
			return errTwice
		}
	}
	return nil
}

// written counts the names in a JSON text, each of which a colon follows.
func written(text []byte) int {
	n, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch {
		case quoted && text[i] == '\\':
			i++
		case text[i] == '"':
			quoted = !quoted
		case text[i] == ':' && !quoted:
			n++
		}
	}
	return n
}

// held counts the names in a JSON value.
func held(value any) int {
	n := 0
	switch value := value.(type) {
	case map[string]any:
		n = len(value)
		for _, v := range value {
			n += held(v)
		}
	case []any:
		for _, v := range value {
			n += held(v)
		}
	}
	return n
}

// tokenError is AppSync's answer to a token that does not verify. The signature is
// checked before the claims, so only a genuine token is called expired.
func tokenError(err error) error {
	if e, ok := errors.AsType[*inference.Error](err); ok {
		return e
	}
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
