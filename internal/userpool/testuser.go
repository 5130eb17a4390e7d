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

// testUsername is an e-mail address whatever users sign in by.
const testUsername = "developer@example.com"

// TestUser is a confirmed user for development, and how they sign in: as kept, which an
// earlier start gave, else as a new login that the caller is to keep. Whatever became
// of the user meanwhile, the login is good.
func (p *Pool) TestUser(ctx context.Context, kept Login) (Login, error) {
	login := kept
	if s := p.settings.Load(); login.Username != testUsername || s.checkPassword("password", login.Password) != nil {
		login = Login{testUsername, p.NewPassword()}
	}
	return login, p.admitTester(ctx, login)
}

// admitTester adds the test user, or makes them as they were added.
func (p *Pool) admitTester(ctx context.Context, login Login) error {
	u, ok, err := p.byName(ctx, login.Username)
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
	return p.insert(ctx, u)
}
