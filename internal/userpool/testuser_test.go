package userpool

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func (d *desk) testUser(dir string) Login {
	d.Helper()
	login, err := d.pool.TestUser(d.Context(), dir)
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
		"by factors": {SignInBy: []string{"email"}, MFA: Required, MFAMethods: []string{"TOTP"}},
	} {
		t.Run(name, func(t *testing.T) {
			d, dir := newDesk(t, s), filepath.Join(t.TempDir(), "pool")
			login := d.testUser(dir)
			if again := d.testUser(dir); again != login {
				t.Error("TestUser is another at the next start")
			}
			other := newDesk(t, s)
			if again := other.testUser(dir); again != login {
				t.Error("TestUser is another in an empty store")
			}
			d.nothingSent("TestUser")
			checkPrivate(t, filepath.Join(dir, "test-user.json"))
			if p, err := d.pool.Person(t.Context(), login.Username); err != nil || p.Attributes["email"] != login.Username || p.Attributes["email_verified"] != "true" {
				t.Errorf("Person = %+v, %v", p, err)
			}
		})
	}
}

func checkPrivate(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("%s has mode %o, want 600", path, got)
	}
}

func TestTestUserInMemory(t *testing.T) {
	d := newDesk(t, seedSettings)
	first, second := d.testUser(""), d.testUser("")
	if first == second {
		t.Error("TestUser without a directory has the password of before")
	}
}

// TestTestUserIsRepaired wants the login to be good whatever happened to the user.
func TestTestUserIsRepaired(t *testing.T) {
	d, dir := newDesk(t, seedSettings), t.TempDir()
	login := d.testUser(dir)
	ctx := t.Context()
	for name, spoil := range map[string]func() error{
		"disabled":         func() error { return d.pool.Disable(ctx, login.Username, true) },
		"another password": func() error { return d.pool.SetPassword(ctx, login.Username, anaPassword, false) },
		"removed":          func() error { return d.pool.Remove(ctx, login.Username) },
	} {
		wantNil(t, name, spoil())
		if again := d.testUser(dir); again != login {
			t.Errorf("TestUser after %s is another", name)
		}
	}
	strict := seedSettings
	strict.Password.MinLength = 50
	d.pool.Configure(strict)
	if again := d.testUser(dir); len(again.Password) < 50 {
		t.Errorf("TestUser under a stricter policy has a password of %d characters", len(again.Password))
	}
}

func TestTestUserDamaged(t *testing.T) {
	d, dir := newDesk(t, seedSettings), t.TempDir()
	path := filepath.Join(dir, "test-user.json")
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.pool.TestUser(t.Context(), dir); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("TestUser over a damaged file = %v, want an error that names %s", err, path)
	}
}
