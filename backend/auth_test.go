package backend

import (
	"slices"
	"testing"
)

func TestPasswordPolicy(t *testing.T) {
	if got := new(Auth).PasswordPolicy(); got != DefaultPasswordPolicy() {
		t.Errorf("PasswordPolicy() of nothing = %+v, want the default", got)
	}
	own := PasswordPolicy{MinLength: 12}
	if got := (&Auth{Password: own}).PasswordPolicy(); got != own {
		t.Errorf("PasswordPolicy() = %+v, want %+v", got, own)
	}
}

func TestAllows(t *testing.T) {
	a := Authorization{Default: APIKey, Additional: []Mode{UserPool}}
	for mode, want := range map[Mode]bool{APIKey: true, UserPool: true, IAM: false} {
		if got := a.Allows(mode); got != want {
			t.Errorf("Allows(%s) = %t, want %t", mode, got, want)
		}
	}
}

func TestMessages(t *testing.T) {
	const standard = "The verification code to your new account is {####}"
	a := &Auth{Verification: Text{Subject: "Welcome"}}
	if got, want := a.VerificationText(), (Text{Subject: "Welcome", Body: standard}); got != want {
		t.Errorf("VerificationText() = %+v, want %+v", got, want)
	}
	if got := a.SMSText(); got != standard {
		t.Errorf("SMSText() = %q, want %q", got, standard)
	}
	a = &Auth{Verification: Text{Body: "{####}!"}, SMS: "{####}?"}
	if got, want := a.VerificationText(), (Text{Subject: "Verify your new account", Body: "{####}!"}); got != want || a.SMSText() != "{####}?" {
		t.Errorf("VerificationText() = %+v and %q, want the own ones", got, a.SMSText())
	}
}

func TestRecoveryAttributes(t *testing.T) {
	for _, test := range []struct{ recovery, want []string }{
		{nil, nil},
		{[]string{"admin_only"}, []string{}},
		{[]string{"verified_phone_number", "verified_email"}, []string{"phone_number", "email"}},
	} {
		got := (&Auth{Recovery: test.recovery}).RecoveryAttributes()
		if !slices.Equal(got, test.want) || (got == nil) != (test.want == nil) {
			t.Errorf("RecoveryAttributes() of %q = %#v, want %#v", test.recovery, got, test.want)
		}
	}
}
