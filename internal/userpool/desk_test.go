package userpool

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"fairway/internal/mail"
)

// outbox is a courier that keeps what it is given.
type outbox struct {
	mu   sync.Mutex
	sent []mail.Message
	fail error
}

func (b *outbox) Deliver(_ context.Context, m mail.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return b.fail
	}
	b.sent = append(b.sent, m)
	return nil
}

func (b *outbox) refuse(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail = err
}

// take empties the box.
func (b *outbox) take() []mail.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	sent := b.sent
	b.sent = nil
	return sent
}

// seedSettings are those of the seed's pool.
var seedSettings = Settings{
	SignInBy: []string{"email"}, AutoVerify: []string{"email"}, Required: []string{"email"},
	Password:   PasswordPolicy{MinLength: 8, Lower: true, Upper: true, Digit: true, Symbol: true},
	Attributes: []AttributeSchema{{Name: "custom:diet", Mutable: true}},
}

// desk is a pool whose codes can be read.
type desk struct {
	*testing.T
	at   *place
	pool *Pool
	box  *outbox
}

// atDesk runs a test in time of its own, for answers that take their time.
func atDesk(t *testing.T, s Settings, test func(d *desk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(newDesk(t, s)) })
}

func newDesk(t *testing.T, s Settings) *desk {
	t.Helper()
	d := &desk{T: t, at: newPlace(t), box: &outbox{}}
	d.pool = d.server(s)
	return d
}

// server is one more pool on the desk's store.
func (d *desk) server(s Settings) *Pool {
	return openPool(d.T, Options{Region: "ap-southeast-1", Store: d.at.store, Settings: s, Courier: d.box, Now: d.at.now})
}

// code is that of the one message sent since the box was emptied.
func (d *desk) code() string {
	d.Helper()
	sent := d.box.take()
	if len(sent) != 1 || len(sent[0].Code) != codeSize {
		d.Fatalf("messages = %+v, want one with a code", sent)
	}
	return sent[0].Code
}

// settle returns once all failures are counted.
func settle(p *Pool) {
	for range maxStrikes {
		p.strikes.begin()
	}
	for range maxStrikes {
		p.strikes.end()
	}
}

func (d *desk) nothingSent(after string) {
	d.Helper()
	if sent := d.box.take(); len(sent) != 0 {
		d.Errorf("messages after %s = %+v, want none", after, sent)
	}
}

func (d *desk) signUp(username string, attributes ...Attribute) (SignUpOutput, error) {
	return d.pool.SignUp(d.Context(), SignUpInput{
		ClientID: d.pool.ClientID(), Username: username, Password: anaPassword, UserAttributes: attributes,
	})
}

func (d *desk) confirm(username, code string) error {
	_, err := d.pool.ConfirmSignUp(d.Context(), ConfirmSignUpInput{d.pool.ClientID(), username, code})
	return err
}

func (d *desk) resend(username string) (CodeDeliveryDetails, error) {
	out, err := d.pool.ResendConfirmationCode(d.Context(), ResendConfirmationCodeInput{d.pool.ClientID(), username})
	return out.CodeDeliveryDetails, err
}

func (d *desk) forgot(username string) (CodeDeliveryDetails, error) {
	out, err := d.pool.ForgotPassword(d.Context(), ForgotPasswordInput{d.pool.ClientID(), username})
	return out.CodeDeliveryDetails, err
}

func (d *desk) reset(username, code, password string) error {
	_, err := d.pool.ConfirmForgotPassword(d.Context(), ConfirmForgotPasswordInput{d.pool.ClientID(), username, code, password})
	return err
}

// signedUp is a user who waits for confirmation, and their code.
func (d *desk) signedUp() string {
	d.Helper()
	if _, err := d.signUp(ana); err != nil {
		d.Fatal(err)
	}
	return d.code()
}

// signIn is an access token of ana's.
func (d *desk) signIn() string {
	d.Helper()
	return mustSignIn(d.T, d.pool).AccessToken
}

// wrong is a code that is not this one.
func wrong(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

var (
	emailDetails = CodeDeliveryDetails{AttributeName: "email", DeliveryMedium: "EMAIL", Destination: "a***@e***"}
	phoneDetails = CodeDeliveryDetails{AttributeName: "phone_number", DeliveryMedium: "SMS", Destination: "+******4567"}
)

const anaPhone = "+6591234567"

func wantNil(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s = %v, want nil", what, err)
	}
}

func wantMismatch(t testing.TB, what string, err error) {
	t.Helper()
	wantError(t, what, err, CodeMismatch, "Invalid verification code provided, please try again.")
}

func wantExpired(t testing.TB, what string, err error) {
	t.Helper()
	wantError(t, what, err, ExpiredCode, "Invalid code provided, please request a code again.")
}

func wantLimit(t testing.TB, what string, err error) {
	t.Helper()
	wantError(t, what, err, LimitExceeded, "Attempt limit exceeded, please try after some time.")
}

// find is ana as the store has her.
func (d *desk) find() user {
	d.Helper()
	return find(d.T, d.pool)
}

// value is what a user has for an attribute.
func value(list []Attribute, name string) string {
	if i := slices.IndexFunc(list, func(a Attribute) bool { return a.Name == name }); i >= 0 {
		return list[i].Value
	}
	return ""
}
