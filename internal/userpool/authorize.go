package userpool

import (
	"context"
	"errors"

	"github.com/golang-jwt/jwt/v5"
)

// claims are what an access token says of who shows it.
type claims struct {
	jwt.RegisteredClaims
	TokenUse  string `json:"token_use"`
	ClientID  string `json:"client_id"`
	OriginJTI string `json:"origin_jti"`
	AuthTime  int64  `json:"auth_time"`
}

var errAccess = refuse(NotAuthorized, "Invalid Access Token")

// maxToken is the longest access token that is looked at; ours mostly have a thousand
// characters, see maxClaimBytes.
const maxToken = 16 << 10

// authorize is the user whose access token this is. Every refusal is NotAuthorized:
// the token is not this pool's, has expired or was revoked, or the user is disabled
// or gone.
func (p *Pool) authorize(ctx context.Context, accessToken string) (user, claims, error) {
	c, err := p.verify(ctx, accessToken)
	if err != nil {
		return user{}, claims{}, err
	}
	if p.Revoked(c.OriginJTI) {
		return user{}, claims{}, refuse(NotAuthorized, "Access Token has been revoked")
	}
	u, ok, err := p.bySub(ctx, c.Subject)
	switch {
	case err != nil:
		return user{}, claims{}, err
	case !ok:
		return user{}, claims{}, errAccess
	case u.Disabled:
		return user{}, claims{}, errDisabled
	}
	return u, c, nil
}

// verify reads an access token of this pool that has not expired.
func (p *Pool) verify(ctx context.Context, accessToken string) (claims, error) {
	if accessToken == "" || len(accessToken) > maxToken {
		return claims{}, errAccess
	}
	var c claims
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodRS256.Alg()}),
		jwt.WithIssuer(p.issuer),
		jwt.WithExpirationRequired(),
		jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(p.now),
	)
	_, err := parser.ParseWithClaims(accessToken, &c, func(token *jwt.Token) (any, error) {
		kid, _ := token.Header["kid"].(string)
		key := p.PublicKey(ctx, kid)
		if key == nil {
			return nil, errors.New("no key of that kid")
		}
		return key, nil
	})
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return claims{}, refuse(NotAuthorized, "Access Token has expired")
	case err != nil:
		return claims{}, &Error{Kind: NotAuthorized, Message: errAccess.Message, Err: err}
	case c.TokenUse != "access" || c.ClientID != p.ClientID():
		return claims{}, errAccess
	}
	return c, nil
}
