package userpool

import (
	"context"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"fairway/internal/wire/uuid"
)

// tokenLife is how long access and id tokens last, Cognito's default.
const tokenLife = time.Hour

// Tokens are what a user gets at sign-in.
type Tokens struct {
	Access    string
	ID        string
	ExpiresIn time.Duration // of both
}

// issue makes tokens for u, waiting for the signing key.
func (p *Pool) issue(ctx context.Context, u *User) (Tokens, error) {
	if err := p.signer.wait(ctx); err != nil {
		return Tokens{}, fmt.Errorf("issue tokens: %w", err)
	}
	common := p.commonClaims(u)
	access, err := p.signer.sign(accessClaims(common, u, p.clientID))
	if err != nil {
		return Tokens{}, fmt.Errorf("issue access token: %w", err)
	}
	id, err := p.signer.sign(idClaims(common, u, p.clientID))
	if err != nil {
		return Tokens{}, fmt.Errorf("issue id token: %w", err)
	}
	return Tokens{Access: access, ID: id, ExpiresIn: tokenLife}, nil
}

// commonClaims are those that both tokens of one sign-in share (Cognito
// Developer Guide, "Understanding user pool JSON web tokens").
func (p *Pool) commonClaims(u *User) jwt.MapClaims {
	now := p.opts.Now()
	claims := jwt.MapClaims{
		"sub":        u.Sub,
		"iss":        p.issuer,
		"origin_jti": uuid.New(),
		"event_id":   uuid.New(),
		"auth_time":  now.Unix(),
		"iat":        now.Unix(),
		"exp":        now.Add(tokenLife).Unix(),
	}
	if len(u.Groups) > 0 {
		claims["cognito:groups"] = u.Groups
	}
	return claims
}

func accessClaims(common jwt.MapClaims, u *User, clientID string) jwt.MapClaims {
	return with(common, jwt.MapClaims{
		"token_use": "access",
		"client_id": clientID,
		"username":  u.Username,
		"scope":     "aws.cognito.signin.user.admin",
		"jti":       uuid.New(),
	})
}

func idClaims(common jwt.MapClaims, u *User, clientID string) jwt.MapClaims {
	return with(common, jwt.MapClaims{
		"token_use":        "id",
		"aud":              clientID,
		"cognito:username": u.Username,
		"email":            u.Email,
		"email_verified":   true,
		"jti":              uuid.New(),
	})
}

// with is common and own together; neither is modified.
func with(common, own jwt.MapClaims) jwt.MapClaims {
	all := make(jwt.MapClaims, len(common)+len(own))
	for _, claims := range []jwt.MapClaims{common, own} {
		for name, value := range claims {
			all[name] = value
		}
	}
	return all
}
