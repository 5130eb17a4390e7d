package userpool

import (
	"encoding/base32"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestHOTP has the values of RFC 4226, appendix D, and of RFC 6238, appendix B, cut to
// six digits.
func TestHOTP(t *testing.T) {
	secret := []byte("12345678901234567890")
	for counter, want := range map[int64]string{
		0: "755224", 1: "287082", 2: "359152", 3: "969429", 4: "338314", 5: "254676", 6: "287922", 7: "162583", 8: "399871", 9: "520489",
		1111111109 / 30: "081804", 1111111111 / 30: "050471", 1234567890 / 30: "005924", 2000000000 / 30: "279037", 20000000000 / 30: "353130",
	} {
		if got := hotp(secret, counter); got != want {
			t.Errorf("hotp(%d) = %s, want %s", counter, got, want)
		}
	}
}

func TestTOTPStepOf(t *testing.T) {
	secret := []byte("12345678901234567890")
	now := time.Unix(1111111109, 0)
	current := now.Unix() / 30
	for _, c := range []struct {
		step, last int64
		want       bool
	}{
		{current, 0, true},
		{current - 1, 0, true},
		{current + 1, 0, true},
		{current - 2, 0, false},
		{current + 2, 0, false},
		{current, current - 1, true},
		{current, current, false},
		{current - 1, current, false},
		{current + 1, current, true},
		{current + 1, current + 1, false},
	} {
		got, ok := totpStepOf(secret, hotp(secret, c.step), now, c.last)
		if ok != c.want || ok && got != c.step {
			t.Errorf("totpStepOf(code of %+d, last %+d) = %d, %t, want %t", c.step-current, c.last-current, got, ok, c.want)
		}
	}
	for _, code := range []string{"", "0", "0818040", " 81804"} {
		if _, ok := totpStepOf(secret, code, now, 0); ok {
			t.Errorf("totpStepOf(%q) = true, want false", code)
		}
	}
}

func (d *desk) prefer(token string, totp, sms *MFASettings) error {
	_, err := d.pool.SetUserMFAPreference(d.Context(), SetUserMFAPreferenceInput{AccessToken: token, SoftwareTokenMfaSettings: totp, SMSMfaSettings: sms})
	return err
}

// associate is the secret for an authenticator app.
func (d *desk) associate(token string) []byte {
	d.Helper()
	out, err := d.pool.AssociateSoftwareToken(d.Context(), AssociateSoftwareTokenInput{AccessToken: token})
	wantNil(d, "AssociateSoftwareToken", err)
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(out.SecretCode)
	if err != nil || len(out.SecretCode) != 52 || out.Session != "" {
		d.Fatalf("AssociateSoftwareToken = %+v (%v)", out, err)
	}
	return secret
}

func (d *desk) shown(secret []byte, steps int64) string {
	return hotp(secret, d.at.now().Unix()/30+steps)
}

func (d *desk) verifyToken(token, code string) error {
	out, err := d.pool.VerifySoftwareToken(d.Context(), VerifySoftwareTokenInput{AccessToken: token, UserCode: code})
	if err == nil && out != (VerifySoftwareTokenOutput{Status: "SUCCESS"}) {
		d.Errorf("VerifySoftwareToken = %+v", out)
	}
	return err
}

func withTOTP() Settings {
	s := seedSettings
	s.MFA, s.MFAMethods = MFAOptional, []string{"TOTP"}
	return s
}

func TestSoftwareToken(t *testing.T) {
	d := newDesk(t, withTOTP())
	addAna(t, d.pool, nil)
	token := d.signIn()
	on := &MFASettings{Enabled: true, PreferredMfa: true}
	wantError(t, "a preference without a token", d.prefer(token, on, nil), InvalidParameter, "User has not verified software token mfa")
	wantError(t, "a code without a secret", d.verifyToken(token, "123456"), InvalidParameter, "Software token has not been associated")

	first, secret := d.associate(token), d.associate(token)
	wantError(t, "a code of an earlier secret", d.verifyToken(token, d.shown(first, 0)), EnableSoftwareToken, "Code mismatch")
	wantError(t, "what is no code", d.verifyToken(token, "12345a"), InvalidParameter,
		"1 validation error detected: Value at 'userCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [0-9]+")
	wantNil(t, "VerifySoftwareToken", d.verifyToken(token, d.shown(secret, 0)))
	wantError(t, "the code once more", d.verifyToken(token, d.shown(secret, 0)), InvalidParameter, "Software token has not been associated")
	if got := d.getUser(token); got.UserMFASettingList != nil || got.PreferredMfaSetting != "" {
		t.Errorf("GetUser = %+v, want no second factor before it is asked for", got)
	}
	if out, err := srpSignIn(t, d.pool, ana, anaPassword); err != nil || out.AuthenticationResult == nil {
		t.Errorf("sign-in before it is asked for = %+v, %v", out, err)
	}

	wantNil(t, "SetUserMFAPreference", d.prefer(token, on, nil))
	got := d.getUser(token)
	if want := []string{softwareTokenMFA}; !cmp.Equal(got.UserMFASettingList, want) || got.PreferredMfaSetting != softwareTokenMFA {
		t.Errorf("GetUser = %+v, want %q preferred", got, want)
	}
	if out, err := srpSignIn(t, d.pool, ana, anaPassword); err != nil || out.ChallengeName != softwareTokenMFA {
		t.Errorf("sign-in = %+v, %v, want the challenge %s", out, err, softwareTokenMFA)
	}
	wantNil(t, "SetUserMFAPreference of nothing", d.prefer(token, nil, nil))
	wantNil(t, "SetUserMFAPreference off", d.prefer(token, &MFASettings{}, nil))
	if got := d.getUser(token); got.UserMFASettingList != nil || got.PreferredMfaSetting != "" {
		t.Errorf("GetUser = %+v, want no second factor", got)
	}
}

// TestNewSecretWaits keeps the old secret until there was a code of the new one.
func TestNewSecretWaits(t *testing.T) {
	d := newDesk(t, withTOTP())
	addAna(t, d.pool, nil)
	token := d.signIn()
	old := d.associate(token)
	wantNil(t, "VerifySoftwareToken", d.verifyToken(token, d.shown(old, -1)))
	next := d.associate(token)
	u := find(t, d.pool)
	if u.acceptTOTP(d.pool, d.shown(next, 0), d.at.now()) {
		t.Error("a code of the new secret is taken before it is verified")
	}
	if !u.acceptTOTP(d.pool, d.shown(old, 0), d.at.now()) {
		t.Error("a code of the old secret is refused before the new one is verified")
	}
}

func TestAcceptTOTP(t *testing.T) {
	d := newDesk(t, withTOTP())
	u := addAna(t, d.pool, nil)
	if u.acceptTOTP(d.pool, "123456", d.at.now()) {
		t.Error("a code is taken of who has no secret")
	}
	token := d.signIn()
	secret := d.associate(token)
	wantNil(t, "VerifySoftwareToken", d.verifyToken(token, d.shown(secret, 0)))
	code := d.shown(secret, 1)
	var taken atomic.Int32
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			_, err := d.pool.change(t.Context(), u.Sub, func(u *user) error {
				if !u.acceptTOTP(d.pool, code, d.at.now()) {
					return errMismatch
				}
				return nil
			})
			if err == nil {
				taken.Add(1)
			}
		})
	}
	all.Wait()
	if got := taken.Load(); got != 1 {
		t.Errorf("one code was taken %d times, want once", got)
	}
	u = find(t, d.pool)
	u.Sub = "another"
	if u.TOTPStep = 0; u.acceptTOTP(d.pool, code, d.at.now()) != plain(u.TOTP) {
		t.Error("a sealed secret is good for another user")
	}
	u.TOTP = "sealed:x"
	if u.acceptTOTP(d.pool, code, d.at.now()) {
		t.Error("a code is taken of a secret that cannot be read")
	}
}

// plain reports whether a secret was kept without a master key, and so is bound to
// nobody.
func plain(kept string) bool { return strings.HasPrefix(kept, "plain:") }

func TestSoftwareTokenOff(t *testing.T) {
	for name, s := range map[string]Settings{
		"no second factor": {MFA: MFAOff, MFAMethods: []string{"TOTP"}},
		"text messages":    {MFA: MFAOptional, MFAMethods: []string{"SMS"}},
	} {
		s.SignInBy = []string{"email"}
		d := newDesk(t, s)
		addAna(t, d.pool, nil)
		token := d.signIn()
		_, err := d.pool.AssociateSoftwareToken(t.Context(), AssociateSoftwareTokenInput{AccessToken: token})
		wantError(t, name, err, SoftwareTokenNotFound, "Software Token MFA has not been enabled by the userPool")
		wantError(t, name, d.verifyToken(token, "123456"), SoftwareTokenNotFound, "Software Token MFA has not been enabled by the userPool")
	}
}

func TestPreferSMS(t *testing.T) {
	s := withTOTP()
	s.MFAMethods = []string{"TOTP", "SMS"}
	d := newDesk(t, s)
	addAna(t, d.pool, nil)
	token, on := d.signIn(), &MFASettings{Enabled: true}
	wantError(t, "without a phone", d.prefer(token, nil, on), InvalidParameter, "User does not have delivery config set to turn on SMS_MFA")
	edit(t, d.pool, find(t, d.pool), func(u *user) { u.Attributes["phone_number"], u.Attributes["phone_number_verified"] = anaPhone, "true" })
	wantNil(t, "with one", d.prefer(token, nil, on))
	if got := d.getUser(token).UserMFASettingList; !cmp.Equal(got, []string{smsMFA}) {
		t.Errorf("UserMFASettingList = %q", got)
	}
	_, err := d.pool.SetUserMFAPreference(t.Context(), SetUserMFAPreferenceInput{AccessToken: token, EmailMfaSettings: on})
	wantError(t, "e-mail as a factor", err, InvalidParameter, "User does not have delivery config set to turn on EMAIL_OTP")
	edit(t, d.pool, find(t, d.pool), func(u *user) { u.TOTP = "plain:" })
	preferred := &MFASettings{Enabled: true, PreferredMfa: true}
	wantError(t, "two preferred", d.prefer(token, preferred, preferred), InvalidParameter, "Only one MFA method can be preferred")
}

// TestEnrolInSignIn sets up an authenticator app where the pool insists on one.
func TestEnrolInSignIn(t *testing.T) {
	s := withTOTP()
	s.MFA = MFARequired
	d := newDesk(t, s)
	addAna(t, d.pool, nil)
	out, err := srpSignIn(t, d.pool, ana, anaPassword)
	if err != nil || out.ChallengeName != setupMFA {
		t.Fatalf("sign-in = %+v, %v, want %s", out, err, setupMFA)
	}
	associated, err := d.pool.AssociateSoftwareToken(t.Context(), AssociateSoftwareTokenInput{Session: out.Session})
	wantNil(t, "AssociateSoftwareToken", err)
	secret, _ := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(associated.SecretCode)
	input := VerifySoftwareTokenInput{Session: associated.Session, UserCode: d.shown(secret, 0)}
	verified, err := d.pool.VerifySoftwareToken(t.Context(), input)
	wantNil(t, "VerifySoftwareToken", err)
	_, err = d.pool.VerifySoftwareToken(t.Context(), input)
	wantError(t, "VerifySoftwareToken once more", err, NotAuthorized, errSession.Message)
	end, err := respond(t, d.pool, setupMFA, verified.Session, map[string]string{"USERNAME": ana})
	if err != nil || end.AuthenticationResult == nil {
		t.Fatalf("sign-in = %+v, %v, want tokens", end, err)
	}
	if got := d.getUser(end.AuthenticationResult.AccessToken); got.PreferredMfaSetting != softwareTokenMFA {
		t.Errorf("GetUser = %+v, want %s preferred", got, softwareTokenMFA)
	}
	if _, err := d.pool.AssociateSoftwareToken(t.Context(), AssociateSoftwareTokenInput{Session: out.Session}); !errors.Is(err, errSession) {
		t.Errorf("AssociateSoftwareToken by an old sign-in = %v, want %v", err, errSession)
	}
}
