package userpool

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"fairway/internal/store"
	"fairway/internal/wire/uuid"
)

// AuthenticationResult is what a sign-in or a refresh gives.
type AuthenticationResult struct {
	AccessToken  string
	ExpiresIn    int // seconds, of the access token
	IdToken      string
	RefreshToken string `json:",omitempty"`
	TokenType    string
}

// issue makes the tokens of a user's session, waiting for the signing key.
func (p *Pool) issue(ctx context.Context, u user, session store.UserSession) (AuthenticationResult, error) {
	key, err := p.signer.wait(ctx)
	if err != nil {
		return AuthenticationResult{}, failed(fmt.Errorf("issue tokens: %w", err))
	}
	settings, now := p.settings.Load(), p.now()
	common := p.commonClaims(u, session, settings.byPrecedence(u.Groups), now)
	access, err := key.sign(accessClaims(common, u, p.ClientID(), now.Add(settings.AccessLife)))
	if err != nil {
		return AuthenticationResult{}, failed(fmt.Errorf("issue access token: %w", err))
	}
	id, err := key.sign(idClaims(common, u, p.ClientID(), now.Add(settings.IDLife)))
	if err != nil {
		return AuthenticationResult{}, failed(fmt.Errorf("issue id token: %w", err))
	}
	return AuthenticationResult{
		AccessToken: access,
		ExpiresIn:   int(settings.AccessLife / time.Second),
		IdToken:     id,
		TokenType:   "Bearer",
	}, nil
}

// commonClaims are those that both tokens of one issue share (Cognito Developer
// Guide, "Understanding user pool JSON web tokens").
func (p *Pool) commonClaims(u user, session store.UserSession, groups []string, now time.Time) jwt.MapClaims {
	claims := jwt.MapClaims{
		"sub":        u.Sub,
		"iss":        p.issuer,
		"origin_jti": session.ID,
		"event_id":   uuid.New(),
		"auth_time":  session.AuthTime.Unix(),
		"iat":        now.Unix(),
	}
	if len(groups) > 0 {
		claims["cognito:groups"] = groups
	}
	return claims
}

// byPrecedence is a user's groups with the pool's own first, in its order.
func (s *Settings) byPrecedence(groups []string) []string {
	place := func(g string) int {
		if i := slices.Index(s.Groups, g); i >= 0 {
			return i
		}
		return len(s.Groups)
	}
	groups = slices.Clone(groups)
	slices.SortStableFunc(groups, func(a, b string) int { return place(a) - place(b) })
	return groups
}

func accessClaims(common jwt.MapClaims, u user, clientID string, expires time.Time) jwt.MapClaims {
	claims := maps.Clone(common)
	maps.Copy(claims, jwt.MapClaims{
		"token_use": "access",
		"client_id": clientID,
		"username":  u.Username,
		"scope":     "aws.cognito.signin.user.admin",
		"jti":       uuid.New(),
		"exp":       expires.Unix(),
	})
	return claims
}

// idClaims are the user's attributes and, over them, the claims that are no attribute.
func idClaims(common jwt.MapClaims, u user, clientID string, expires time.Time) jwt.MapClaims {
	claims := make(jwt.MapClaims, len(u.Attributes)+len(common)+6)
	for name, value := range u.Attributes {
		claims[name] = attributeClaim(name, value)
	}
	maps.Copy(claims, common)
	maps.Copy(claims, jwt.MapClaims{
		"token_use":        "id",
		"aud":              clientID,
		"cognito:username": u.Username,
		"jti":              uuid.New(),
		"exp":              expires.Unix(),
	})
	return claims
}

// attributeClaim is an attribute's value with its type: those that say what is
// verified are booleans.
func attributeClaim(name, value string) any {
	if name == "email_verified" || name == "phone_number_verified" {
		return value == "true"
	}
	return value
}
