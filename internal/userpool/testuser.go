package userpool

import (
	"context"

	"fairway/internal/store"
	"fairway/internal/wire/uuid"
)

// Login is what a user signs in with.
type Login struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// The test user's name, which is an e-mail address whatever users sign in by, and
// where their password is kept in the clear: it is a development credential, which
// fairway_outputs.json holds anyway.
const (
	testUsername = "developer@example.com"
	testFile     = "test-user.json"
)

// TestUser is a confirmed user for development, with the password that dir keeps from
// one start to the next; without a dir they get a new one. Whatever became of the user
// meanwhile, the login is good.
func (p *Pool) TestUser(ctx context.Context, dir string) (Login, error) {
	d, err := openDir(dir)
	if err != nil {
		return Login{}, err
	}
	var login Login
	if _, err := d.readJSON(testFile, &login); err != nil {
		return Login{}, err
	}
	if login.Username != testUsername || p.checkPassword("password", login.Password) != nil {
		login = Login{testUsername, p.NewPassword()}
		if err := d.writeJSON(testFile, login); err != nil {
			return Login{}, err
		}
	}
	return login, p.admitTester(ctx, login)
}

// admitTester adds the test user, or makes them as they were added.
func (p *Pool) admitTester(ctx context.Context, login Login) error {
	u, ok, err := p.find(ctx, login.Username)
	if err != nil {
		return err
	}
	if !ok {
		return p.addTester(ctx, login)
	}
	if u.Status == confirmed && !u.Disabled && u.Tester && p.hasPassword(u, login.Password) {
		return nil
	}
	_, err = p.change(ctx, u.Sub, func(u *user) error {
		p.setPassword(u, login.Password)
		u.forgiven()
		u.Status, u.Disabled, u.Tester = confirmed, false, true
		return nil
	})
	return err
}

// addTester adds the test user, without what the pool requires of others.
func (p *Pool) addTester(ctx context.Context, login Login) error {
	u := user{
		User: store.User{Sub: uuid.New(), Username: login.Username},
		account: account{
			Attributes: map[string]string{"email": login.Username, "email_verified": "true"},
			Status:     confirmed,
			Tester:     true,
		},
	}
	if len(p.settings.Load().SignInBy) > 0 {
		u.Username, u.Aliases = u.Sub, []string{login.Username}
	}
	p.setPassword(&u, login.Password)
	return p.add(ctx, u)
}
