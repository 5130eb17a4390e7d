package userpool

import (
	"context"
	"encoding/base64"
	"strings"
	"time"

	"fairway/internal/store"
)

// refreshGrace is how long a refresh token that was replaced may come once more: of
// two tabs that refresh at once, one is late.
const refreshGrace = 10 * time.Second

// GetTokensFromRefreshTokenInput is GetTokensFromRefreshToken's request.
type GetTokensFromRefreshTokenInput struct {
	ClientID, RefreshToken string
}

// GetTokensFromRefreshTokenOutput is GetTokensFromRefreshToken's answer.
type GetTokensFromRefreshTokenOutput struct {
	AuthenticationResult AuthenticationResult
}

// GetTokensFromRefreshToken gives new tokens, and unless the settings keep refresh
// tokens another one of these. Whoever shows a token that was replaced ends the
// session, for one of two who have it must have stolen it.
func (p *Pool) GetTokensFromRefreshToken(ctx context.Context, in GetTokensFromRefreshTokenInput) (GetTokensFromRefreshTokenOutput, error) {
	if err := p.ours(in.ClientID); err != nil {
		return GetTokensFromRefreshTokenOutput{}, err
	}
	result, err := p.refresh(ctx, in.RefreshToken)
	return GetTokensFromRefreshTokenOutput{result}, err
}

// startRefresh is InitiateAuth's refresh. Cognito refuses it where refresh tokens are
// replaced (NotAuthorizedException). Here it replaces them too: of its clients those
// that keep a token they are given, such as amazon-cognito-identity-js, go on, and
// nobody has a way around the replacement.
func (p *Pool) startRefresh(ctx context.Context, parameters map[string]string) (InitiateAuthOutput, error) {
	result, err := p.refresh(ctx, parameters["REFRESH_TOKEN"])
	if err != nil {
		return InitiateAuthOutput{}, err
	}
	return InitiateAuthOutput{ChallengeParameters: map[string]string{}, AuthenticationResult: &result}, nil
}

func (p *Pool) refresh(ctx context.Context, token string) (AuthenticationResult, error) {
	session, u, err := p.sessionOf(ctx, token)
	if err != nil {
		return AuthenticationResult{}, err
	}
	result, err := p.issue(ctx, u, session)
	if err != nil || p.settings.Load().KeepRefreshToken {
		return result, err
	}
	if result.RefreshToken, err = p.replace(ctx, session, token); err != nil {
		return AuthenticationResult{}, err
	}
	return result, nil
}

var (
	errRefresh        = refuse(NotAuthorized, "Invalid Refresh Token")
	errRefreshExpired = refuse(NotAuthorized, "Refresh Token has expired")
	errRefreshRevoked = refuse(NotAuthorized, "Refresh Token has been revoked")
	errReuse          = refuse(RefreshTokenReuse, "Refresh token has been reused")
)

// sessionOf is the session that a refresh token goes on with, and its user.
func (p *Pool) sessionOf(ctx context.Context, token string) (store.UserSession, user, error) {
	session, err := p.keptSession(ctx, token)
	if err != nil {
		return store.UserSession{}, user{}, err
	}
	u, ok, err := p.bySub(ctx, session.Sub)
	switch {
	case err != nil:
		return store.UserSession{}, user{}, err
	case !ok:
		return store.UserSession{}, user{}, errRefresh
	case u.Disabled:
		return store.UserSession{}, user{}, errDisabled
	}
	return session, u, nil
}

// keptSession is the session that a refresh token is good for. A token that was
// replaced too long ago revokes it.
func (p *Pool) keptSession(ctx context.Context, token string) (store.UserSession, error) {
	if token == "" {
		return store.UserSession{}, missing("REFRESH_TOKEN")
	}
	hash, now := digest(token), p.now()
	session, ok, err := p.store.UserSessionOf(ctx, hash)
	switch {
	case err != nil:
		return store.UserSession{}, failed(err)
	case !ok || session.Pool != p.ID():
		return store.UserSession{}, errRefresh
	case !session.Revoked.IsZero():
		return store.UserSession{}, errRefreshRevoked
	case !now.Before(session.Expires):
		return store.UserSession{}, errRefreshExpired
	case same(hash, session.Token), same(hash, session.Before) && now.Before(session.BeforeUntil):
		return session, nil
	}
	p.log.WarnContext(ctx, "refresh token came again after it was replaced, its session is revoked", "sub", session.Sub, "session", session.ID)
	if err := p.revokeSession(ctx, session.ID); err != nil {
		return store.UserSession{}, err
	}
	return store.UserSession{}, errReuse
}

// replace gives the refresh token that follows token. It is a function of it, so that
// whoever comes late with the same gets the same.
func (p *Pool) replace(ctx context.Context, session store.UserSession, token string) (string, error) {
	next := base64.RawURLEncoding.EncodeToString(p.secrets.derive("refresh token", session.ID+" "+token, 32))
	if same(session.Token, digest(next)) {
		return next, nil
	}
	replaced, err := p.store.ReplaceRefreshToken(ctx, session.ID, digest(token), digest(next), p.now().Add(refreshGrace))
	if err != nil {
		return "", failed(err)
	}
	if replaced {
		return next, nil
	}
	// Another request was faster, with this token or with the end of the session.
	session, err = p.keptSession(ctx, token)
	if err != nil {
		return "", err
	}
	if !same(session.Token, digest(next)) {
		return "", errRefresh
	}
	return next, nil
}

// RevokeTokenInput is RevokeToken's request.
type RevokeTokenInput struct {
	ClientID, Token string
}

// RevokeTokenOutput is RevokeToken's answer, which says nothing.
type RevokeTokenOutput struct{}

// RevokeToken ends the session of a refresh token. One that nobody knows is revoked
// already (RFC 7009, section 2.2); an access or id token is UnsupportedTokenType.
func (p *Pool) RevokeToken(ctx context.Context, in RevokeTokenInput) (RevokeTokenOutput, error) {
	if err := p.ours(in.ClientID); err != nil {
		return RevokeTokenOutput{}, err
	}
	if in.Token == "" {
		return RevokeTokenOutput{}, missing("Token")
	}
	session, ok, err := p.store.UserSessionOf(ctx, digest(in.Token))
	if err != nil {
		return RevokeTokenOutput{}, failed(err)
	}
	if !ok && isJWT(in.Token) {
		return RevokeTokenOutput{}, refuse(UnsupportedTokenType, "Unsupported token type")
	}
	if !ok || session.Pool != p.ID() {
		return RevokeTokenOutput{}, nil
	}
	return RevokeTokenOutput{}, p.revokeSession(ctx, session.ID)
}

// isJWT tells an access or id token from a refresh token, which has no dots.
func isJWT(token string) bool { return strings.Count(token, ".") == 2 }

// GlobalSignOutInput is GlobalSignOut's request.
type GlobalSignOutInput struct {
	AccessToken string
}

// GlobalSignOutOutput is GlobalSignOut's answer, which says nothing.
type GlobalSignOutOutput struct{}

// GlobalSignOut ends every session of the user who asks.
func (p *Pool) GlobalSignOut(ctx context.Context, in GlobalSignOutInput) (GlobalSignOutOutput, error) {
	u, _, err := p.authorize(ctx, in.AccessToken)
	if err != nil {
		return GlobalSignOutOutput{}, err
	}
	return GlobalSignOutOutput{}, p.revokeAll(ctx, u.Sub)
}
