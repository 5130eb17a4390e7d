package userpool

import (
	"testing"

	"fairway/internal/mail"
)

func TestForgotPassword(t *testing.T) {
	atDesk(t, seedSettings, func(d *desk) {
		addAna(d.T, d.pool, func(u *user) { u.Status = resetRequired })
		edit(d.T, d.pool, d.find(), func(u *user) { u.Status = confirmed })
		session := mustSignIn(d.T, d.pool)
		edit(d.T, d.pool, d.find(), func(u *user) { u.Status, u.Failures = resetRequired, 3 })

		details, err := d.forgot("ANA@example.com")
		wantNil(d, "ForgotPassword", err)
		if details != emailDetails {
			d.Errorf("ForgotPassword = %+v, want %+v", details, emailDetails)
		}
		sent := d.box.take()
		want := mail.Message{Medium: mail.Email, To: ana, Subject: "Your verification code", Username: d.find().Username}
		if len(sent) == 1 {
			want.Code, want.Body = sent[0].Code, "Your password reset code is "+sent[0].Code
		}
		if len(sent) != 1 || sent[0] != want {
			d.Fatalf("messages = %+v, want %+v", sent, want)
		}
		code, next := want.Code, "N3w-password"
		wantError(d, "a weak password", d.reset(ana, code, "new-password"), InvalidPassword,
			"Password did not conform with policy: Password must have uppercase characters")
		wantMismatch(d, "a wrong code", d.reset(ana, wrong(code), next))
		wantExpired(d, "the code for a sign-up", d.confirm(ana, code))
		wantExpired(d, "somebody else's", d.reset("eve@example.com", code, next))
		wantNil(d, "ConfirmForgotPassword", d.reset(ana, code, next))
		wantExpired(d, "the code once more", d.reset(ana, code, next))

		if u := d.find(); u.Status != confirmed || u.Failures != 0 || !d.pool.hasPassword(u, next) || d.pool.hasPassword(u, anaPassword) {
			d.Errorf("user = %+v, want confirmed with the new password", u)
		}
		_, err = d.pool.GetUser(d.Context(), GetUserInput{session.AccessToken})
		wantError(d, "a token of before", err, NotAuthorized, "Access Token has been revoked")
		if _, err := srpSignIn(d.T, d.pool, ana, next); err != nil {
			d.Errorf("sign-in with the new password = %v", err)
		}
	})
}

// TestForgotPasswordByPhone wants the verified one of two addresses.
func TestForgotPasswordByPhone(t *testing.T) {
	atDesk(t, seedSettings, func(d *desk) {
		addAna(d.T, d.pool, func(u *user) {
			u.Attributes = map[string]string{"email": ana, "email_verified": "false", "phone_number": anaPhone, "phone_number_verified": "true"}
		})
		details, err := d.forgot(ana)
		wantNil(d, "ForgotPassword", err)
		if details != emailDetails {
			d.Errorf("ForgotPassword = %+v, want %+v, as of anybody of that name", details, emailDetails)
		}
		if sent := d.box.take(); len(sent) != 1 || sent[0].Medium != mail.SMS || sent[0].To != anaPhone {
			d.Errorf("messages = %+v, want one to %s", sent, anaPhone)
		}
	})
}

// TestRecovery wants codes for a new password to go where the settings say.
func TestRecovery(t *testing.T) {
	email, phone := []string{"email"}, []string{"phone_number"}
	for name, c := range map[string]struct {
		settings func(*Settings)
		edit     func(*user)
		want     string // "" to nobody
	}{
		"by default":                  {func(*Settings) {}, func(*user) {}, ana},
		"phone first":                 {func(s *Settings) { s.Recovery = append(phone, email...) }, func(*user) {}, anaPhone},
		"email first":                 {func(s *Settings) { s.Recovery = append(email, phone...) }, func(*user) {}, ana},
		"phone that is not verified":  {func(s *Settings) { s.Recovery = append(phone, email...) }, func(u *user) { u.Attributes["phone_number_verified"] = "false" }, ana},
		"email that is not verified":  {func(s *Settings) { s.Recovery = email }, func(u *user) { u.Attributes["email_verified"] = "false" }, ""},
		"phone alone":                 {func(s *Settings) { s.Recovery = phone }, func(*user) {}, anaPhone},
		"phone is the second factor":  {func(s *Settings) { s.Recovery = append(phone, email...) }, func(u *user) { u.MFA = []string{smsMFA} }, ana},
		"nothing but a second factor": {func(s *Settings) { s.Recovery = phone }, func(u *user) { u.MFA = []string{smsMFA} }, ""},
		"administrators alone":        {func(s *Settings) { s.Recovery = []string{} }, func(*user) {}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := Settings{SignInBy: []string{"email", "phone_number"}, MFA: MFAOptional, MFAMethods: []string{"SMS"}}
			c.settings(&s)
			atDesk(t, s, func(d *desk) {
				addAna(d.T, d.pool, func(u *user) {
					u.Attributes["phone_number"], u.Attributes["phone_number_verified"] = anaPhone, "true"
					c.edit(u)
				})
				details, err := d.forgot(ana)
				wantNil(d, "ForgotPassword", err)
				if details != emailDetails {
					d.Errorf("ForgotPassword = %+v, want %+v", details, emailDetails)
				}
				if c.want == "" {
					d.nothingSent("ForgotPassword")
					wantMismatch(d, "ConfirmForgotPassword", d.reset(ana, "123456", anaPassword))
					return
				}
				sent := d.box.take()
				if len(sent) != 1 || sent[0].To != c.want {
					d.Fatalf("messages = %+v, want one to %s", sent, c.want)
				}
				wantNil(d, "ConfirmForgotPassword", d.reset(ana, sent[0].Code, anaPassword))
			})
		})
	}
}

// TestRecoveryIsClosed wants codes of before to be void once nobody recovers.
func TestRecoveryIsClosed(t *testing.T) {
	atDesk(t, seedSettings, func(d *desk) {
		addAna(d.T, d.pool, nil)
		_, err := d.forgot(ana)
		wantNil(d, "ForgotPassword", err)
		code, s := d.code(), seedSettings
		s.Recovery = []string{}
		d.pool.Configure(s)
		wantMismatch(d, "ConfirmForgotPassword", d.reset(ana, code, anaPassword))
	})
}

// TestResetCodeDiesWithItsAddress wants who reads a user's old mail to be out.
func TestResetCodeDiesWithItsAddress(t *testing.T) {
	atDesk(t, seedSettings, func(d *desk) {
		addAna(d.T, d.pool, nil)
		token := d.signIn()
		_, err := d.forgot(ana)
		wantNil(d, "ForgotPassword", err)
		old := d.code()
		_, err = d.pool.UpdateUserAttributes(d.Context(), UpdateUserAttributesInput{token, []Attribute{{"email", "new@example.com"}}})
		wantNil(d, "UpdateUserAttributes", err)
		_, err = d.pool.VerifyUserAttribute(d.Context(), VerifyUserAttributeInput{token, "email", d.code()})
		wantNil(d, "VerifyUserAttribute", err)
		wantExpired(d, "the code that went to the old address", d.reset("new@example.com", old, anaPassword))
	})
}
