package userpool

import (
	"context"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fairway/internal/mail"
	"fairway/internal/store"
)

// Both ways that mail goes are couriers.
var _, _ Courier = (*mail.SMTP)(nil), (*mail.Log)(nil)

func TestMask(t *testing.T) {
	for a, want := range map[address]string{
		{"email", "ana@example.com"}:       "a***@e***",
		{"email", "Ana@Example.com"}:       "a***@e***",
		{"email", "a@b.de"}:                "a***@b***",
		{"email", "ärger@übung.de"}:        "ä***@ü***",
		{"phone_number", "+15555551234"}:   "+*******1234",
		{"phone_number", "+6591234567"}:    "+******4567",
		{"phone_number", "+1234567"}:       "+***4567",
		{"phone_number", "+1234"}:          "+1234",
		{"phone_number", ""}:               "+",
		{"email", ""}:                      "***@***",
		{"phone_number", "+1234567890123"}: "+*********0123",
	} {
		if got := mask(a); got != want {
			t.Errorf("mask(%s) = %s, want %s", a.value, got, want)
		}
	}
}

// TestMaskHides wants no more than a letter of each half, or four digits.
func TestMaskHides(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name, domain := rapid.StringMatching(`[a-z]{2,20}`).Draw(t, "name"), rapid.StringMatching(`[a-z]{2,20}\.com`).Draw(t, "domain")
		if got := mask(address{"email", name + "@" + domain}); got != name[:1]+"***@"+domain[:1]+"***" {
			t.Fatalf("mask(%s@%s) = %s", name, domain, got)
		}
		phone := rapid.StringMatching(`\+[1-9][0-9]{6,14}`).Draw(t, "phone")
		got := mask(address{"phone_number", phone})
		if strings.Trim(got, "*+") != phone[len(phone)-4:] && len(strings.Trim(got, "*+")) != 4 || len(got) != len(phone) {
			t.Fatalf("mask(%s) = %s", phone, got)
		}
	})
}

func TestMessage(t *testing.T) {
	email, phone := address{"email", ana}, address{"phone_number", anaPhone}
	own := Settings{
		Verification: Text{"Verify your new account", "The verification code to your new account is {####}. Again: {####}"},
		SMS:          Text{"unused", "Your code: {####}"},
	}
	for name, c := range map[string]struct {
		settings      Settings
		to            address
		what          purpose
		subject, body string
	}{
		"own":          {own, email, toConfirm, "Verify your new account", "The verification code to your new account is 123456. Again: 123456"},
		"own, a reset": {own, email, toReset, "Verify your new account", "The verification code to your new account is 123456. Again: 123456"},
		"own text":     {own, phone, toConfirm, "unused", "Your code: 123456"},
		"cognito's":    {Settings{}, email, toConfirm, "Your verification code", "Your confirmation code is 123456"},
		"an attribute": {Settings{}, email, toVerify("email"), "Your verification code", "Your confirmation code is 123456"},
		"a reset":      {Settings{}, phone, toReset, "Your verification code", "Your password reset code is 123456"},
		"no place":     {Settings{Verification: Text{"", "Welcome"}}, email, toConfirm, "Your verification code", "Welcome 123456"},
	} {
		medium := mail.Email
		if c.to == phone {
			medium = mail.SMS
		}
		u := user{User: store.User{Username: "ana"}}
		want := mail.Message{Medium: medium, To: c.to.value, Subject: c.subject, Body: c.body, Code: "123456", Username: "ana"}
		if got := c.settings.message(u, c.to, c.what, "123456"); got != want {
			t.Errorf("%s: message = %+v, want %+v", name, got, want)
		}
	}
}

// TestTextMessageByMail has a phone's code go to a courier for e-mail only.
func TestTextMessageByMail(t *testing.T) {
	w := newPlace(t)
	smtp, err := mail.NewSMTP(mail.Options{Address: "127.0.0.1:1", From: "a@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	s := Settings{SignInBy: []string{"phone_number"}, AutoVerify: []string{"phone_number"}}
	p := openPool(t, Options{Region: "ap-southeast-1", Store: w.store, Settings: s, Courier: smtp, Now: w.now})
	_, err = p.SignUp(context.Background(), SignUpInput{ClientID: p.ClientID(), Username: anaPhone, Password: anaPassword})
	wantError(t, "SignUp", err, CodeDeliveryFailure, "The text message could not be sent.")
	if !strings.Contains(err.Error(), "e-mail only") {
		t.Errorf("SignUp = %v, want the cause", err)
	}
}
