package userpool

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPasswordPolicy(t *testing.T) {
	all := PasswordPolicy{MinLength: 8, Lower: true, Upper: true, Digit: true, Symbol: true}
	for _, c := range []struct {
		policy   PasswordPolicy
		password string
		want     string
	}{
		{all, "Passw0rd!", ""},
		{all, "Passw0r d", ""}, // a space is a symbol
		{all, "Pässw0rd!", ""},
		{all, "Pa0!", "Password not long enough"},
		{PasswordPolicy{MinLength: 4}, "äöü", "Password not long enough"},
		{PasswordPolicy{MinLength: 3}, "äöü", ""},
		{all, "passw0rd!", "Password must have uppercase characters"},
		{all, "Äassw0rd!", "Password must have uppercase characters"},
		{all, "PASSW0RD!", "Password must have lowercase characters"},
		{all, "Password!", "Password must have numeric characters"},
		{all, "Password\u0663!", "Password must have numeric characters"},
		{all, "Passw0rdx", "Password must have symbol characters"},
		{all, "Passw0rd§", "Password must have symbol characters"},
		{PasswordPolicy{}, "x", ""},
	} {
		err := c.policy.check(c.password)
		if c.want == "" {
			if err != nil {
				t.Errorf("check(%q) = %v, want nil", c.password, err)
			}
			continue
		}
		wantError(t, "check("+c.password+")", err, InvalidPassword, "Password did not conform with policy: "+c.want)
	}
}

func TestNewPasswordKeepsThePolicy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := PasswordPolicy{rapid.IntRange(0, 99).Draw(t, "minLength"), true, true, true, true}
		password := newPassword(policy.MinLength)
		if len(password) < 20 || password[0] == '-' {
			t.Fatalf("newPassword(%d) has %d characters", policy.MinLength, len(password))
		}
		if err := policy.check(password); err != nil {
			t.Fatalf("newPassword(%d): %v", policy.MinLength, err)
		}
	})
}

func (d *desk) changePassword(token, previous, proposed string) error {
	_, err := d.pool.ChangePassword(d.Context(), ChangePasswordInput{token, previous, proposed})
	return err
}

func TestChangePassword(t *testing.T) {
	const next = "N3w-password"
	atDesk(t, seedSettings, func(d *desk) {
		addAna(d.T, d.pool, nil)
		token := d.signIn()
		wantError(d, "a wrong password", d.changePassword(token, next, next), NotAuthorized, "Incorrect username or password.")
		wantError(d, "no password", d.changePassword(token, "", next), InvalidParameter,
			`1 validation error detected: Value at 'previousPassword' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[\S]+.*[\S]+$`)
		wantError(d, "a long one", d.changePassword(token, anaPassword, strings.Repeat("x", 257)), InvalidParameter,
			"1 validation error detected: Value at 'proposedPassword' failed to satisfy constraint: Member must have length less than or equal to 256")
		wantError(d, "a weak one", d.changePassword(token, anaPassword, "x1"), InvalidPassword,
			"Password did not conform with policy: Password not long enough")
		_, err := d.forgot(ana)
		wantNil(d, "ForgotPassword", err)
		code := d.code()
		wantNil(d, "ChangePassword", d.changePassword(token, anaPassword, next))
		wantExpired(d, "a code from before for another password", d.reset(ana, code, anaPassword))
		if u := d.find(); !d.pool.hasPassword(u, next) || d.pool.hasPassword(u, anaPassword) || u.Failures != 0 {
			d.Errorf("user = %+v, want the new password", u)
		}
		d.getUser(token) // the session goes on
	})
}

// TestChangePasswordLocksOut guesses the previous password with a stolen token.
func TestChangePasswordLocksOut(t *testing.T) {
	s := seedSettings
	s.Lockout = Lockout{Failures: 3, For: time.Minute}
	d := newDesk(t, s)
	addAna(t, d.pool, nil)
	token := d.signIn()
	for range 3 {
		wantError(t, "a wrong password", d.changePassword(token, "wrong", anaPassword), NotAuthorized, "Incorrect username or password.")
	}
	wantLimit(t, "the right one", d.changePassword(token, anaPassword, anaPassword))
	_, err := srpSignIn(t, d.pool, ana, anaPassword)
	wantError(t, "sign-in", err, NotAuthorized, "Password attempts exceeded")
	d.at.advance(time.Minute)
	wantNil(t, "the right one later", d.changePassword(token, anaPassword, anaPassword))
}
