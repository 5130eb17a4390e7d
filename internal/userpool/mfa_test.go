package userpool

import (
	"context"
	"encoding/base32"
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	"fairway/internal/mail"
)

// post is a courier that keeps what it is given.
type post struct {
	mu   sync.Mutex
	sent []mail.Message
}

func (p *post) Deliver(_ context.Context, m mail.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, m)
	return nil
}

var withMFA = Settings{SignInBy: []string{"email"}, MFA: MFAOptional, MFAMethods: []string{"TOTP", "SMS"}}

// hasTOTP gives u an authenticator app, whose codes it returns.
func hasTOTP(t testing.TB, p *Pool, u user) func() string {
	t.Helper()
	var secret []byte
	edit(t, p, u, func(u *user) {
		text, err := u.startTOTP(p)
		if err != nil {
			t.Fatal(err)
		}
		if secret, err = base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text); err != nil {
			t.Fatal(err)
		}
		u.TOTP, u.PendingTOTP = u.PendingTOTP, ""
		u.MFA = append(u.MFA, softwareTokenMFA)
	})
	return func() string { return hotp(secret, p.now().Unix()/int64(totpStep/time.Second)) }
}

// asked signs in as far as a challenge.
func asked(t testing.TB, p *Pool, challenge string) InitiateAuthOutput {
	t.Helper()
	out, err := srpSignIn(t, p, ana, anaPassword)
	if err != nil || out.ChallengeName != challenge || out.Session == "" || out.AuthenticationResult != nil {
		t.Fatalf("sign-in = %+v, %v, want %s", out, err, challenge)
	}
	return out
}

func answer(t testing.TB, p *Pool, to InitiateAuthOutput, key, value string) (InitiateAuthOutput, error) {
	t.Helper()
	return respond(t, p, to.ChallengeName, to.Session, map[string]string{"USERNAME": to.ChallengeParameters["USER_ID_FOR_SRP"], key: value})
}

func wantTokens(t testing.TB, out InitiateAuthOutput, err error) {
	t.Helper()
	if err != nil || out.AuthenticationResult == nil {
		t.Errorf("RespondToAuthChallenge() = %+v, %v, want tokens", out, err)
	}
}

func TestTOTP(t *testing.T) {
	w := newPlace(t)
	p := w.server(t, withMFA)
	u := addAna(t, p, nil)
	code := hasTOTP(t, p, u)
	const key = "SOFTWARE_TOKEN_MFA_CODE"

	challenge := asked(t, p, softwareTokenMFA)
	_, err := answer(t, p, challenge, key, "000000")
	wantError(t, "a wrong code", err, CodeMismatch, "Invalid code received for user")
	_, err = answer(t, p, challenge, key, "")
	wantError(t, "no code", err, InvalidParameter, "Missing required parameter "+key)
	right := code()
	out, err := answer(t, p, challenge, key, right)
	wantTokens(t, out, err)
	_, err = answer(t, p, asked(t, p, softwareTokenMFA), key, right)
	wantError(t, "the same code again", err, CodeMismatch, "Invalid code received for user")
	w.advance(totpStep)
	_, err = answer(t, p, challenge, key, code())
	wantError(t, "the same challenge again", err, NotAuthorized, "Invalid session for the user.")
	w.advance(totpStep)
	out, err = answer(t, p, asked(t, p, softwareTokenMFA), key, code())
	wantTokens(t, out, err)

	setup := asked(t, p, softwareTokenMFA)
	setup.ChallengeName = setupMFA
	_, err = answer(t, p, setup, key, code())
	wantError(t, "another challenge's session", err, NotAuthorized, "Invalid session for the user.")

	late := asked(t, p, softwareTokenMFA)
	w.advance(stepLife)
	_, err = answer(t, p, late, key, code())
	wantError(t, "an answer that comes late", err, NotAuthorized, "Invalid session for the user, session is expired.")
}

// TestFactorLockout: who knows the password may not go through the codes, and signing
// in anew does not help.
func TestFactorLockout(t *testing.T) {
	p := newPlace(t).server(t, withMFA)
	hasTOTP(t, p, addAna(t, p, nil))
	for range p.settings.Load().Lockout.Failures {
		_, err := answer(t, p, asked(t, p, softwareTokenMFA), "SOFTWARE_TOKEN_MFA_CODE", "000000")
		wantError(t, "a wrong code", err, CodeMismatch, "Invalid code received for user")
	}
	_, err := srpSignIn(t, p, ana, anaPassword)
	wantError(t, "the right password", err, NotAuthorized, "Password attempts exceeded")
}

func TestSelectFactor(t *testing.T) {
	w := newPlace(t)
	mails := &post{}
	p := openPool(t, Options{Region: "ap-southeast-1", Store: w.store, Settings: withMFA, Now: w.now, Courier: mails})
	u := addAna(t, p, func(u *user) {
		u.Attributes["phone_number"], u.Attributes["phone_number_verified"] = "+15550100", "true"
		u.MFA = []string{smsMFA}
	})
	hasTOTP(t, p, u)
	challenge := asked(t, p, selectMFA)
	if got := challenge.ChallengeParameters["MFAS_CAN_CHOOSE"]; got != `["SOFTWARE_TOKEN_MFA","SMS_MFA"]` {
		t.Errorf("MFAS_CAN_CHOOSE = %s", got)
	}
	_, err := answer(t, p, challenge, "ANSWER", "EMAIL_OTP")
	wantError(t, "a factor that is not there", err, InvalidParameter, "Invalid MFA type selected.")
	out, err := answer(t, p, challenge, "ANSWER", smsMFA)
	if err != nil || out.ChallengeName != smsMFA || out.ChallengeParameters["CODE_DELIVERY_DESTINATION"] != "+****0100" || out.ChallengeParameters["CODE_DELIVERY_DELIVERY_MEDIUM"] != "SMS" {
		t.Fatalf("RespondToAuthChallenge() = %+v, %v", out, err)
	}
	if len(mails.sent) != 1 || mails.sent[0].To != "+15550100" || mails.sent[0].Medium != mail.SMS {
		t.Fatalf("sent = %+v", mails.sent)
	}
	_, err = answer(t, p, out, "SMS_MFA_CODE", "x")
	wantError(t, "a wrong code", err, CodeMismatch, "Invalid code received for user")
	done, err := answer(t, p, out, "SMS_MFA_CODE", mails.sent[0].Code)
	wantTokens(t, done, err)
	edit(t, p, u, func(u *user) { u.PreferredMFA = softwareTokenMFA })
	asked(t, p, softwareTokenMFA)
}

// TestFactorHasItsOwnCodes: whoever asks for codes without a password does not keep a
// user from theirs.
func TestFactorHasItsOwnCodes(t *testing.T) {
	atDesk(t, withMFA, func(d *desk) {
		addAna(d.T, d.pool, func(u *user) {
			u.Attributes["phone_number"], u.Attributes["phone_number_verified"] = anaPhone, "true"
			u.MFA = []string{smsMFA}
		})
		for range maxSent {
			_, err := d.forgot(ana)
			wantNil(d, "ForgotPassword", err)
		}
		_, err := d.forgot(ana)
		wantLimit(d, "ForgotPassword once more", err)
		d.box.take()
		out, err := answer(d.T, d.pool, asked(d.T, d.pool, smsMFA), "SMS_MFA_CODE", d.code())
		wantTokens(d.T, out, err)
	})
}

func TestNoCourier(t *testing.T) {
	p := newPlace(t).server(t, withMFA)
	addAna(t, p, func(u *user) {
		u.Attributes["phone_number"], u.Attributes["phone_number_verified"] = "+15550100", "true"
		u.MFA = []string{smsMFA}
	})
	out, err := srpSignIn(t, p, ana, anaPassword)
	if e, ok := err.(*Error); !ok || e.Kind != CodeDeliveryFailure || out.ChallengeName != "" {
		t.Errorf("sign-in without a courier = %+v, %v, want CodeDeliveryFailure", out, err)
	}
}

// TestSetup: where a pool insists on a second factor, one is set up in the sign-in,
// and only there.
func TestSetup(t *testing.T) {
	w := newPlace(t)
	settings := withMFA
	settings.MFA = MFARequired
	p := w.server(t, settings)
	u := addAna(t, p, nil)
	challenge := asked(t, p, setupMFA)
	if got := challenge.ChallengeParameters["MFAS_CAN_SETUP"]; got != `["SOFTWARE_TOKEN_MFA"]` {
		t.Errorf("MFAS_CAN_SETUP = %s", got)
	}
	_, err := answer(t, p, challenge, "", "")
	wantError(t, "MFA_SETUP with nothing set up", err, NotAuthorized, "Invalid session for the user.")

	associated, err := p.AssociateSoftwareToken(t.Context(), AssociateSoftwareTokenInput{Session: challenge.Session})
	if err != nil {
		t.Fatal(err)
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(associated.SecretCode)
	if err != nil {
		t.Fatal(err)
	}
	code := func() string { return hotp(secret, w.now().Unix()/int64(totpStep/time.Second)) }
	verified, err := p.VerifySoftwareToken(t.Context(), VerifySoftwareTokenInput{Session: associated.Session, UserCode: code()})
	if err != nil {
		t.Fatal(err)
	}
	_, err = answer(t, p, challenge, "", "")
	wantError(t, "MFA_SETUP with the session of before", err, NotAuthorized, "Invalid session for the user.")
	_, err = p.AssociateSoftwareToken(t.Context(), AssociateSoftwareTokenInput{Session: challenge.Session})
	wantError(t, "AssociateSoftwareToken() in place of a factor", err, NotAuthorized, "Invalid session for the user.")
	challenge.Session = verified.Session
	out, err := answer(t, p, challenge, "", "")
	wantTokens(t, out, err)
	w.advance(totpStep)
	out, err = answer(t, p, asked(t, p, softwareTokenMFA), "SOFTWARE_TOKEN_MFA_CODE", code())
	wantTokens(t, out, err)

	settings.MFAMethods = []string{"SMS"}
	p.Configure(settings)
	_, err = srpSignIn(t, p, ana, anaPassword)
	wantError(t, "a user with no phone", err, InvalidParameter, "User does not have delivery config set to turn on SMS_MFA")
	settings.MFA = MFAOff
	p.Configure(settings)
	if got := p.settings.Load().factors(u); len(got) != 0 {
		t.Errorf("factors() where MFA is off = %q", got)
	}
	mustSignIn(t, p)
}

func TestNewPassword(t *testing.T) {
	settings := byEmail
	settings.Required = []string{"email", "name", "phone_number"}
	settings.SignInBy = []string{"email", "phone_number"}
	settings.Password = PasswordPolicy{MinLength: 10}
	w := newPlace(t)
	p := w.server(t, settings)
	addAna(t, p, func(u *user) { u.Status = forceChange })
	challenge := asked(t, p, newPasswordRequired)
	var attributes map[string]string
	if err := json.Unmarshal([]byte(challenge.ChallengeParameters["userAttributes"]), &attributes); err != nil || attributes["email"] != ana {
		t.Errorf("userAttributes = %v, %v", attributes, err)
	}
	if got := challenge.ChallengeParameters["requiredAttributes"]; got != `["userAttributes.name","userAttributes.phone_number"]` {
		t.Errorf("requiredAttributes = %s", got)
	}
	try := func(password, name string) (InitiateAuthOutput, error) {
		return respond(t, p, newPasswordRequired, challenge.Session, map[string]string{
			"USERNAME": ana, "NEW_PASSWORD": password, "userAttributes.name": name, "userAttributes.phone_number": anaPhone,
		})
	}
	_, err := try("", "Ana")
	wantError(t, "no password", err, InvalidParameter, "Missing required parameter NEW_PASSWORD")
	_, err = try("short", "Ana")
	wantError(t, "a short password", err, InvalidPassword, "Password did not conform with policy: Password not long enough")
	if _, err := try("longer-than-ten", ""); err == nil {
		t.Error("without the name = nil, want an error")
	}
	out, err := try("longer-than-ten", "Ana")
	wantTokens(t, out, err)
	_, err = try("longer-than-twenty", "Ana")
	wantError(t, "the same challenge again", err, NotAuthorized, "Invalid session for the user.")
	if _, ok, _ := p.byName(t.Context(), anaPhone); ok {
		t.Error("a phone that nobody verified names the user")
	}
	if u := find(t, p); u.Status != confirmed || u.Attributes["name"] != "Ana" {
		t.Errorf("user = %s, %v", u.Status, u.Attributes)
	}
	out, err = srpSignIn(t, p, ana, "longer-than-ten")
	wantTokens(t, out, err)
}

func TestDoubled(t *testing.T) {
	var got []time.Duration
	for n := range 6 {
		got = append(got, doubled(time.Second, n, 9*time.Second))
	}
	if want := []time.Duration{1e9, 2e9, 4e9, 8e9, 9e9, 9e9}; !slices.Equal(got, want) {
		t.Errorf("doubled() = %v, want %v", got, want)
	}
	if got := doubled(time.Second, 1<<30, 15*time.Minute); got != 15*time.Minute {
		t.Errorf("doubled() many times = %v, want the limit", got)
	}
}
