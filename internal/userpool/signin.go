package userpool

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"fairway/internal/inference"
	"fairway/internal/store"
)

// InitiateAuthInput is InitiateAuth's request.
type InitiateAuthInput struct {
	AuthFlow       string
	AuthParameters map[string]string
	ClientID       string
}

// InitiateAuthOutput is the answer of InitiateAuth and of RespondToAuthChallenge: a
// challenge, or else a result.
type InitiateAuthOutput struct {
	ChallengeName        string                `json:",omitempty"`
	ChallengeParameters  map[string]string     // never nil
	Session              string                `json:",omitempty"`
	AuthenticationResult *AuthenticationResult `json:",omitempty"`
}

// InitiateAuth begins a sign-in, or refreshes the tokens of one.
func (p *Pool) InitiateAuth(ctx context.Context, in InitiateAuthInput) (InitiateAuthOutput, error) {
	if err := p.ours(in.ClientID); err != nil {
		return InitiateAuthOutput{}, err
	}
	switch in.AuthFlow {
	case "USER_SRP_AUTH":
		return p.startSRP(ctx, in.AuthParameters)
	case "USER_PASSWORD_AUTH":
		if !p.settings.Load().PasswordAuth {
			return InitiateAuthOutput{}, refuse(InvalidParameter, "USER_PASSWORD_AUTH flow not enabled for this client")
		}
		return p.startPassword(ctx, in.AuthParameters)
	case "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN":
		return p.startRefresh(ctx, in.AuthParameters)
	case "CUSTOM_AUTH", "USER_AUTH", "ADMIN_NO_SRP_AUTH", "ADMIN_USER_PASSWORD_AUTH":
		return InitiateAuthOutput{}, refuse(InvalidParameter, in.AuthFlow+" flow not enabled for this client")
	}
	return InitiateAuthOutput{}, refuse(InvalidParameter, "1 validation error detected: Value '"+clip(in.AuthFlow, 64)+
		"' at 'authFlow' failed to satisfy constraint: Member must satisfy enum value set: [USER_SRP_AUTH, ADMIN_USER_PASSWORD_AUTH, "+
		"USER_AUTH, CUSTOM_AUTH, USER_PASSWORD_AUTH, ADMIN_NO_SRP_AUTH, REFRESH_TOKEN_AUTH, REFRESH_TOKEN]")
}

// startPassword takes the password itself.
func (p *Pool) startPassword(ctx context.Context, parameters map[string]string) (InitiateAuthOutput, error) {
	name, err := username(parameters)
	if err != nil {
		return InitiateAuthOutput{}, err
	}
	password := parameters["PASSWORD"]
	if password == "" {
		return InitiateAuthOutput{}, missing("PASSWORD")
	}
	return p.tryPassword(ctx, name, password)
}

func (p *Pool) tryPassword(ctx context.Context, name, password string) (InitiateAuthOutput, error) {
	u, err := p.byNameOrStranger(ctx, name)
	if err != nil {
		return InitiateAuthOutput{}, err
	}
	if err := p.mayTry(u); err != nil {
		return InitiateAuthOutput{}, err
	}
	return p.afterPassword(ctx, u, begin(name, u), p.hasPassword(u, password))
}

// RespondToAuthChallengeInput is RespondToAuthChallenge's request.
type RespondToAuthChallengeInput struct {
	ChallengeName      string
	ChallengeResponses map[string]string
	ClientID           string
	Session            string
}

// RespondToAuthChallengeOutput is RespondToAuthChallenge's answer.
type RespondToAuthChallengeOutput = InitiateAuthOutput

// RespondToAuthChallenge takes a sign-in one step on.
func (p *Pool) RespondToAuthChallenge(ctx context.Context, in RespondToAuthChallengeInput) (RespondToAuthChallengeOutput, error) {
	if err := p.ours(in.ClientID); err != nil {
		return RespondToAuthChallengeOutput{}, err
	}
	if !slices.Contains(challenges, in.ChallengeName) {
		return RespondToAuthChallengeOutput{}, refuse(InvalidParameter, "1 validation error detected: Value '"+clip(in.ChallengeName, 64)+
			"' at 'challengeName' failed to satisfy constraint: Member must satisfy enum value set: ["+strings.Join(challenges, ", ")+"]")
	}
	name, err := username(in.ChallengeResponses)
	if err != nil {
		return RespondToAuthChallengeOutput{}, err
	}
	carried := in.Session
	if in.ChallengeName == passwordVerifier {
		carried = in.ChallengeResponses["PASSWORD_CLAIM_SECRET_BLOCK"]
	}
	s, u, err := p.resume(ctx, carried, in.ChallengeName)
	if err != nil {
		return RespondToAuthChallengeOutput{}, err
	}
	if !strings.EqualFold(name, s.Username) && !strings.EqualFold(name, s.Name) {
		return RespondToAuthChallengeOutput{}, errSession
	}
	if err := p.mayTry(u); err != nil {
		return RespondToAuthChallengeOutput{}, err
	}
	return p.answer(ctx, s, u, in)
}

// answer has the answer to s's challenge looked at.
func (p *Pool) answer(ctx context.Context, s step, u user, in RespondToAuthChallengeInput) (InitiateAuthOutput, error) {
	switch in.ChallengeName {
	case passwordVerifier:
		return p.provePassword(ctx, s, u, in.ChallengeResponses)
	case newPasswordRequired:
		return p.takeNewPassword(ctx, s, u, in.ChallengeResponses)
	case softwareTokenMFA:
		return p.takeTOTP(ctx, s, u, in.ChallengeResponses)
	case smsMFA:
		return p.takeSMS(ctx, s, u, in.ChallengeResponses)
	case selectMFA:
		return p.chooseFactor(ctx, s, u, in.ChallengeResponses)
	case setupMFA:
		return p.endSetup(ctx, s, u)
	}
	return InitiateAuthOutput{}, errSession // no step waits for anything else
}

// afterPassword goes on with who knew the password, and counts a failure of who did not.
func (p *Pool) afterPassword(ctx context.Context, u user, s step, right bool) (InitiateAuthOutput, error) {
	if !right || !u.known() {
		p.strikeBehind(ctx, u)
		return InitiateAuthOutput{}, errWrong
	}
	return p.nextStep(ctx, u, s)
}

// nextStep goes on with a user whose password was right, and who may now learn how
// their account stands.
func (p *Pool) nextStep(ctx context.Context, u user, s step) (InitiateAuthOutput, error) {
	if u.Disabled {
		return InitiateAuthOutput{}, errDisabled
	}
	switch u.Status {
	case unconfirmed:
		return InitiateAuthOutput{}, refuse(UserNotConfirmed, "User is not confirmed.")
	case resetRequired:
		return InitiateAuthOutput{}, refuse(PasswordResetRequired, "Password reset required for the user")
	case forceChange:
		return p.askNewPassword(u, s)
	}
	return p.askFactor(ctx, u, s)
}

// finish makes the session that the sign-in was for. One that comes to its end twice
// is refused, on whichever servers.
func (p *Pool) finish(ctx context.Context, u user, s step) (InitiateAuthOutput, error) {
	if u.Disabled {
		return InitiateAuthOutput{}, errDisabled
	}
	if err := p.forgive(ctx, u); err != nil {
		return InitiateAuthOutput{}, err
	}
	now := p.now()
	token := newToken()
	session := store.UserSession{
		ID: s.Session, Pool: p.ID(), Sub: u.Sub, Token: digest(token),
		Begun: now, Expires: now.Add(p.settings.Load().RefreshLife), AuthTime: now,
	}
	if err := p.store.AddUserSession(ctx, session); err != nil {
		return InitiateAuthOutput{}, notBegun(err)
	}
	result, err := p.issue(ctx, u, session)
	if err != nil {
		return InitiateAuthOutput{}, err
	}
	result.RefreshToken = token
	return InitiateAuthOutput{ChallengeParameters: map[string]string{}, AuthenticationResult: &result}, nil
}

// notBegun is why the store takes no session.
func notBegun(err error) error {
	if e, ok := errors.AsType[*inference.Error](err); ok && (e.Kind == inference.Conflict || e.Kind == inference.ResourceNotFound) {
		return errSession // it was ended before, or the user is gone
	}
	return failed(err)
}

// Tokens are what a user gets at sign-in.
type Tokens struct {
	Access, ID, Refresh string
	ExpiresIn           time.Duration // of the first two
}

// SignIn checks a user's password in process and gives them tokens. It is an error of
// kind UnsupportedOperation when Cognito would ask for more than the password.
func (p *Pool) SignIn(ctx context.Context, username, password string) (Tokens, error) {
	out, err := p.tryPassword(ctx, username, password)
	if err != nil {
		return Tokens{}, err
	}
	r := out.AuthenticationResult
	if r == nil {
		return Tokens{}, refuse(UnsupportedOperation, "sign in: the user must answer "+out.ChallengeName+" too: use a client that can")
	}
	return Tokens{r.AccessToken, r.IdToken, r.RefreshToken, time.Duration(r.ExpiresIn) * time.Second}, nil
}

// username is USERNAME of what a client sent.
func username(parameters map[string]string) (string, error) {
	name := parameters["USERNAME"]
	if name == "" {
		return "", missing("USERNAME")
	}
	return name, checkName("userName", name)
}

func missing(parameter string) error {
	return refuse(InvalidParameter, "Missing required parameter "+parameter)
}
