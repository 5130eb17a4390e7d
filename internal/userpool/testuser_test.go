package userpool

import "testing"

func (d *desk) testUser(kept Login) Login {
	d.Helper()
	login, err := d.pool.TestUser(d.Context(), kept)
	wantNil(d, "TestUser", err)
	if login.Username != "developer@example.com" {
		d.Errorf("TestUser = %s", login.Username)
	}
	out, err := srpSignIn(d.T, d.pool, login.Username, login.Password)
	if err != nil || out.AuthenticationResult == nil {
		d.Fatalf("sign-in of the test user = %+v, %v", out, err)
	}
	return login
}

func TestTestUser(t *testing.T) {
	strict := seedSettings
	strict.Required = []string{"email", "birthdate", "phone_number"}
	strict.Password.MinLength = 40
	for name, s := range map[string]Settings{
		"by e-mail":  seedSettings,
		"by phone":   {SignInBy: []string{"phone_number"}, AutoVerify: []string{"phone_number"}},
		"by name":    {},
		"strict":     strict,
		"admin only": {AdminOnly: true, Groups: []string{"Admins"}},
		"by factors": {SignInBy: []string{"email"}, MFA: MFARequired, MFAMethods: []string{"TOTP"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, s)
			login := d.testUser(Login{})
			if again := d.testUser(login); again != login {
				t.Error("TestUser is another at the next start")
			}
			other := newDesk(t, s)
			if again := other.testUser(login); again != login {
				t.Error("TestUser is another in an empty store")
			}
			d.nothingSent("TestUser")
			if p, err := d.pool.Person(t.Context(), login.Username); err != nil || p.Attributes["email"] != login.Username || p.Attributes["email_verified"] != "true" {
				t.Errorf("Person = %+v, %v", p, err)
			}
		})
	}
}

// TestTestUserIsAnother wants a login that is none, or another user's, not to be taken.
func TestTestUserIsAnother(t *testing.T) {
	d := newDesk(t, seedSettings)
	addAna(t, d.pool, nil)
	first := d.testUser(Login{})
	for _, kept := range []Login{{}, {ana, first.Password}, {first.Username, "short"}, {first.Username, ""}} {
		if login := d.testUser(kept); login.Password == first.Password || login.Password == kept.Password {
			t.Errorf("TestUser(%v) has the password of before", kept)
		}
	}
	if !d.pool.hasPassword(d.find(), anaPassword) {
		t.Error("TestUser changed another user")
	}
}

// TestTestUserIsRepaired wants the login to be good whatever happened to the user.
func TestTestUserIsRepaired(t *testing.T) {
	d := newDesk(t, seedSettings)
	login := d.testUser(Login{})
	ctx := t.Context()
	for name, spoil := range map[string]func() error{
		"disabled":         func() error { return d.pool.Disable(ctx, login.Username, true) },
		"another password": func() error { return d.pool.SetPassword(ctx, login.Username, anaPassword, false) },
		"removed":          func() error { return d.pool.Remove(ctx, login.Username) },
	} {
		wantNil(t, name, spoil())
		if again := d.testUser(login); again != login {
			t.Errorf("TestUser after %s is another", name)
		}
	}
	strict := seedSettings
	strict.Password.MinLength = 50
	d.pool.Configure(strict)
	if again := d.testUser(login); len(again.Password) < 50 {
		t.Errorf("TestUser under a stricter policy has a password of %d characters", len(again.Password))
	}
}
