package userpool

import (
	"context"
	"encoding/json"
	"time"

	"fairway/internal/wire/uuid"
)

// Challenges that a sign-in may meet, by Cognito's names.
const (
	passwordVerifier    = "PASSWORD_VERIFIER"
	newPasswordRequired = "NEW_PASSWORD_REQUIRED"
	softwareTokenMFA    = "SOFTWARE_TOKEN_MFA"
	smsMFA              = "SMS_MFA"
	selectMFA           = "SELECT_MFA_TYPE"
	setupMFA            = "MFA_SETUP"
)

var challenges = []string{smsMFA, softwareTokenMFA, selectMFA, setupMFA, passwordVerifier, newPasswordRequired}

// stepLife is how long a client may take for one step, Cognito's default.
const stepLife = 3 * time.Minute

// step is how far a sign-in has come. The client carries it, sealed, as SECRET_BLOCK
// or Session, so that any server takes the next one.
type step struct {
	Challenge string    `json:"challenge"` // that it waits for the answer to
	Session   string    `json:"session"`   // id of the session that it becomes: of steps that come twice only one does
	Name      string    `json:"name"`      // as the client gave it
	Username  string    `json:"username"`
	Sub       string    `json:"sub"`  // strangers have one too, so that no length tells who they are
	Salt      string    `json:"salt"` // of the password: another password ends the sign-in
	Expires   time.Time `json:"expires"`

	SRP      *exchange `json:"srp,omitempty"`      // PASSWORD_VERIFIER
	Enrolled bool      `json:"enrolled,omitempty"` // MFA_SETUP: a second factor was set up in this sign-in
}

// begin is the first step of u's sign-in by that name.
func begin(name string, u user) step {
	return step{Session: uuid.New(), Name: name, Username: u.Username, Sub: u.Sub, Salt: u.Salt}
}

// carry seals s for a challenge.
func (p *Pool) carry(s step, challenge string) (string, error) {
	s.Challenge, s.Expires = challenge, p.now().Add(stepLife)
	return p.secrets.seal("step", s)
}

// ask is the answer that sets a client a challenge.
func (p *Pool) ask(s step, challenge string, parameters map[string]string) (InitiateAuthOutput, error) {
	session, err := p.carry(s, challenge)
	if err != nil {
		return InitiateAuthOutput{}, err
	}
	parameters["USER_ID_FOR_SRP"] = s.Username
	return InitiateAuthOutput{ChallengeName: challenge, ChallengeParameters: parameters, Session: session}, nil
}

// jsonList and jsonText are JSON within JSON, as challenge parameters have it.
func jsonList(list []string) string { return jsonText(append([]string{}, list...)) }

func jsonText(v any) string {
	text, _ := json.Marshal(v) // texts, and lists and maps of them, always have a JSON
	return string(text)
}

var (
	errSession        = refuse(NotAuthorized, "Invalid session for the user.")
	errSessionExpired = refuse(NotAuthorized, "Invalid session for the user, session is expired.")
	errWrong          = refuse(NotAuthorized, "Incorrect username or password.")
	errDisabled       = refuse(NotAuthorized, "User is disabled.")
)

// maxSession is the longest Session or SECRET_BLOCK that is looked at; ours have
// three thousand characters, and with the oddest of names not twice as many.
const maxSession = 8192

// resume opens what carry sealed for a challenge, and reads its user again.
func (p *Pool) resume(ctx context.Context, sealed, challenge string) (step, user, error) {
	var s step
	if len(sealed) > maxSession || p.secrets.open("step", sealed, &s) != nil || s.Challenge != challenge {
		return step{}, user{}, errSession
	}
	if !p.now().Before(s.Expires) {
		return step{}, user{}, errSessionExpired
	}
	u, err := p.bySubOrStranger(ctx, s)
	if err != nil {
		return step{}, user{}, err
	}
	if u.Salt != s.Salt {
		return step{}, user{}, errSession
	}
	return s, u, nil
}

func (p *Pool) bySubOrStranger(ctx context.Context, s step) (user, error) {
	u, ok, err := p.bySub(ctx, s.Sub)
	if err != nil {
		return user{}, err
	}
	if !ok {
		u = p.stranger(s.Name)
	}
	if u.Sub != s.Sub {
		return user{}, errSession // the user is gone
	}
	return p.challengeable(u), nil
}

// resumeSetup is resume for the operations that set up a second factor in the middle
// of a sign-in, which must not replace one that is there.
func (p *Pool) resumeSetup(ctx context.Context, session string) (step, user, error) {
	s, u, err := p.resume(ctx, session, setupMFA)
	if err == nil && u.TOTP != "" {
		err = errSession
	}
	return s, u, err
}

// carryEnrolled is the Session of a sign-in in which u set up a second factor.
func (p *Pool) carryEnrolled(s step) (string, error) {
	s.Enrolled = true
	return p.carry(s, setupMFA)
}
