package userpool

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// TestStrangersAreTreatedAsUsers goes through what somebody who guesses can do, once
// with a user and once with nobody.
func TestStrangersAreTreatedAsUsers(t *testing.T) {
	both := []string{"email", "phone_number"}
	for _, s := range []Settings{
		seedSettings, {AutoVerify: []string{"email"}}, {SignInBy: both, AutoVerify: []string{"email"}},
		{SignInBy: both, AutoVerify: both}, {AutoVerify: both}, {SignInBy: both, AutoVerify: both, Recovery: []string{"phone_number", "email"}},
	} {
		atDesk(t, s, func(d *desk) {
			addAna(d.T, d.pool, func(u *user) { u.Attributes["phone_number"], u.Attributes["phone_number_verified"] = anaPhone, "true" })
			edit(d.T, d.pool, d.find(), func(u *user) { u.Sent = map[purpose][]time.Time{toReset: {d.at.now(), d.at.now(), d.at.now()}} })
			known, stranger := d.guess(ana), d.guess("eve@example.com")
			for i := range known {
				if known[i] != stranger[i] {
					d.Errorf("step %d: a user gets %s, somebody unknown %s", i, known[i], stranger[i])
				}
			}
		})
	}
}

// guess is the answers to a long attack on one name.
func (d *desk) guess(name string) []string {
	var answers []string
	note := func(what string, details CodeDeliveryDetails, err error) {
		e, _ := errors.AsType[*Error](err)
		if e != nil {
			err = &Error{Kind: e.Kind, Message: e.Message}
		}
		answers = append(answers, fmt.Sprint(what, " ", details.AttributeName, details.DeliveryMedium, " ", err))
	}
	for range 2 {
		note("reset without a code", CodeDeliveryDetails{}, d.reset(name, "x", anaPassword))
		note("confirm without a code", CodeDeliveryDetails{}, d.confirm(name, "x"))
		for range maxSent + 1 {
			details, err := d.forgot(name)
			note("forgot", details, err)
		}
		for range maxTries + 2 {
			note("reset", CodeDeliveryDetails{}, d.reset(name, "x", anaPassword))
		}
		details, err := d.resend(name)
		note("resend after that", details, err)
		note("a weak password", CodeDeliveryDetails{}, d.reset(name, "x", "x"))
		d.at.advance(time.Hour)
		note("reset later", CodeDeliveryDetails{}, d.reset(name, "x", anaPassword))
		details, err = d.resend(name)
		note("resend", details, err)
		d.at.advance(time.Hour)
	}
	return answers
}

// TestAnswersTakeTheSameTime looks at the clock on the wall.
func TestAnswersTakeTheSameTime(t *testing.T) {
	atDesk(t, seedSettings, func(d *desk) {
		addAna(d.T, d.pool, nil)
		for _, name := range []string{ana, "eve@example.com"} {
			for what, do := range map[string]func(){
				"ForgotPassword":         func() { d.forgot(name) },
				"ConfirmForgotPassword":  func() { d.reset(name, "x", anaPassword) },
				"ResendConfirmationCode": func() { d.resend(name) },
				"ConfirmSignUp":          func() { d.confirm(name, "x") },
			} {
				begun := time.Now()
				do()
				if took := time.Since(begun); took != evenTime {
					d.Errorf("%s(%s) took %v, want %v", what, name, took, evenTime)
				}
			}
		}
	})
}

// TestWhoGetsNoCode asks for codes for users who are to have none.
func TestWhoGetsNoCode(t *testing.T) {
	for name, c := range map[string]struct {
		edit   func(*user)
		resend bool // of the sign-up's code
		forgot bool
	}{
		"confirmed":         {func(*user) {}, false, true},
		"reset required":    {func(u *user) { u.Status = resetRequired }, false, true},
		"unconfirmed":       {func(u *user) { u.Status = unconfirmed }, true, true},
		"not verified":      {func(u *user) { u.Attributes["email_verified"] = "false" }, false, false},
		"added":             {func(u *user) { u.Status = forceChange }, false, false},
		"disabled":          {func(u *user) { u.Disabled = true }, false, false},
		"disabled and new":  {func(u *user) { u.Disabled, u.Status = true, unconfirmed }, false, false},
		"without addresses": {func(u *user) { u.Attributes = nil }, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			atDesk(t, seedSettings, func(d *desk) {
				addAna(d.T, d.pool, c.edit)
				for what, op := range map[string]struct {
					do   func(string) (CodeDeliveryDetails, error)
					sent bool
				}{
					"ResendConfirmationCode": {d.resend, c.resend},
					"ForgotPassword":         {d.forgot, c.forgot && name != "unconfirmed"},
				} {
					details, err := op.do(ana)
					wantNil(d, what, err)
					if details != emailDetails {
						d.Errorf("%s = %+v, want %+v", what, details, emailDetails)
					}
					if sent := d.box.take(); (len(sent) == 1) != op.sent {
						d.Errorf("messages after %s = %+v, want one: %t", what, sent, op.sent)
					}
				}
			})
		})
	}
}

// TestAnswerIsOfTheName wants whoever asks about a sign-up not to learn that it named a
// phone, which is where the code goes.
func TestAnswerIsOfTheName(t *testing.T) {
	both := []string{"email", "phone_number"}
	atDesk(t, Settings{SignInBy: both, AutoVerify: both[1:]}, func(d *desk) {
		_, err := d.signUp(ana, Attribute{"phone_number", anaPhone})
		wantNil(d, "SignUp", err)
		d.box.take()
		details, err := d.resend(ana)
		wantNil(d, "ResendConfirmationCode", err)
		if details != emailDetails {
			d.Errorf("ResendConfirmationCode = %+v, want %+v", details, emailDetails)
		}
		sent := d.box.take()
		if len(sent) != 1 || sent[0].To != anaPhone {
			d.Fatalf("messages = %+v, want one to %s", sent, anaPhone)
		}
		wantNil(d, "ConfirmSignUp", d.confirm(ana, sent[0].Code))
		if has := d.find().Attributes; has["phone_number_verified"] != "true" || has["email_verified"] != "false" {
			d.Errorf("attributes = %v, want the phone verified", has)
		}
	})
}

func TestMadeUp(t *testing.T) {
	for name, c := range map[string]struct {
		settings Settings
		name     string
		want     string // "" any
	}{
		"by address":   {seedSettings, "Eve@Example.com", "email EMAIL e***@e***"},
		"by phone":     {Settings{SignInBy: []string{"phone_number"}}, anaPhone, "phone_number SMS +******4567"},
		"by user name": {Settings{}, "eve", ""},
		"phone users":  {Settings{AutoVerify: []string{"phone_number"}}, "eve", ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, c.settings)
			show := func(p *Pool, name string) string {
				to := p.madeUp(name).details()
				return to.AttributeName + " " + to.DeliveryMedium + " " + to.Destination
			}
			got := show(d.pool, c.name)
			if c.want != "" && got != c.want {
				t.Errorf("madeUp(%s) = %s, want %s", c.name, got, c.want)
			}
			if again := show(d.server(c.settings), c.name); again != got {
				t.Errorf("madeUp(%s) elsewhere = %s, want %s", c.name, again, got)
			}
		})
	}
	d := newDesk(t, Settings{})
	if a, b := d.pool.madeUp("eve"), d.pool.madeUp("EVE"); a != b {
		t.Errorf("madeUp(eve) = %v, madeUp(EVE) = %v", a, b)
	}
	all := map[address]bool{}
	for i := range 20 {
		all[d.pool.madeUp(fmt.Sprint("eve", i))] = true
	}
	if len(all) < 10 {
		t.Errorf("20 names have %d made-up addresses", len(all))
	}
}

// TestUndeliveredUnseen wants a delivery that fails to be the operator's to know.
func TestUndeliveredUnseen(t *testing.T) {
	atDesk(t, seedSettings, func(d *desk) {
		addAna(d.T, d.pool, nil)
		d.box.refuse(errors.New("550 no such mailbox"))
		details, err := d.forgot(ana)
		wantNil(d, "ForgotPassword", err)
		if details != emailDetails {
			d.Errorf("ForgotPassword = %+v, want %+v", details, emailDetails)
		}
	})
}
