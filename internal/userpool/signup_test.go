package userpool

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"fairway/internal/mail"
)

func TestSignUp(t *testing.T) {
	atDesk(t, seedSettings, func(d *desk) {
		out, err := d.signUp("Ana@example.com", Attribute{"email", "ana@example.com"}, Attribute{"custom:diet", "vegan"})
		wantNil(t, "SignUp", err)
		if out.CodeDeliveryDetails == nil || *out.CodeDeliveryDetails != emailDetails || out.UserConfirmed {
			t.Errorf("SignUp = %+v, want %+v", out, emailDetails)
		}
		sent := d.box.take()
		if len(sent) != 1 {
			t.Fatalf("messages = %+v, want one", sent)
		}
		want := mail.Message{
			Medium: mail.Email, To: ana, Subject: "Your verification code",
			Body: "Your confirmation code is " + sent[0].Code, Code: sent[0].Code, Username: out.UserSub,
		}
		if sent[0] != want {
			t.Errorf("message = %+v, want %+v", sent[0], want)
		}
		u := d.find()
		if u.Sub != out.UserSub || u.Username != u.Sub || u.Status != unconfirmed ||
			u.Attributes["email_verified"] != "false" || u.Attributes["custom:diet"] != "vegan" {
			t.Errorf("user = %+v", u)
		}
		for _, secret := range []string{sent[0].Code, anaPassword} {
			if strings.Contains(string(u.Profile), `"`+secret) || strings.Contains(string(u.Profile), secret+`"`) {
				t.Errorf("profile holds %q: %s", secret, u.Profile)
			}
		}
		_, err = srpSignIn(d.T, d.pool, ana, anaPassword)
		wantError(t, "sign-in before the code", err, UserNotConfirmed, "User is not confirmed.")

		wantNil(t, "ConfirmSignUp", d.confirm(ana, want.Code))
		if u := d.find(); u.Status != confirmed || u.Attributes["email_verified"] != "true" {
			t.Errorf("user = %+v, want confirmed and verified", u)
		}
		d.signIn()
		wantExpired(t, "ConfirmSignUp once more", d.confirm(ana, want.Code))
	})
}

func TestSignUpRefuses(t *testing.T) {
	long := strings.Repeat("x", maxAttributeValue+1)
	many := make([]Attribute, maxAttributes+1)
	big, declared := []Attribute{{"email", ana}}, []AttributeSchema{}
	for i := range 9 {
		name := "custom:a" + strconv.Itoa(i)
		big, declared = append(big, Attribute{name, long[1:]}), append(declared, AttributeSchema{Name: name})
	}
	for name, c := range map[string]struct {
		edit    func(*Settings, *SignUpInput)
		kind    Kind
		message string
	}{
		"client": {func(_ *Settings, in *SignUpInput) { in.ClientID = "other" }, ResourceNotFound, "User pool client other does not exist."},
		"admin only": {func(s *Settings, _ *SignUpInput) { s.AdminOnly = true }, NotAuthorized,
			"SignUp is not permitted for this user pool"},
		"no name": {func(_ *Settings, in *SignUpInput) { in.Username = "" }, InvalidParameter,
			"1 validation error detected: Value at 'username' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		"long name": {func(_ *Settings, in *SignUpInput) { in.Username = strings.Repeat("x", 129) }, InvalidParameter,
			"1 validation error detected: Value at 'username' failed to satisfy constraint: Member must have length less than or equal to 128"},
		"name with a space": {func(_ *Settings, in *SignUpInput) { in.Username = "a b@example.com" }, InvalidParameter,
			`1 validation error detected: Value at 'username' failed to satisfy constraint: Member must satisfy regular expression pattern: [\p{L}\p{M}\p{S}\p{N}\p{P}]+`},
		"name that is no UTF-8": {func(_ *Settings, in *SignUpInput) { in.Username = "a\xff@example.com" }, InvalidParameter,
			`1 validation error detected: Value at 'username' failed to satisfy constraint: Member must satisfy regular expression pattern: [\p{L}\p{M}\p{S}\p{N}\p{P}]+`},
		"no address":  {func(_ *Settings, in *SignUpInput) { in.Username = "ana" }, InvalidParameter, "Username should be an email."},
		"no domain":   {func(_ *Settings, in *SignUpInput) { in.Username = "ana@localhost" }, InvalidParameter, "Username should be an email."},
		"a named one": {func(_ *Settings, in *SignUpInput) { in.Username = "<ana@example.com>" }, InvalidParameter, "Username should be an email."},
		"no phone": {func(s *Settings, in *SignUpInput) { s.SignInBy = []string{"phone_number"} }, InvalidParameter,
			"Username should be a phone number."},
		"neither": {func(s *Settings, in *SignUpInput) { s.SignInBy, in.Username = []string{"email", "phone_number"}, "ana" }, InvalidParameter,
			"Username should be either an email or a phone number."},
		"another's address": {func(_ *Settings, in *SignUpInput) { in.UserAttributes = []Attribute{{"email", "bob@example.com"}} }, InvalidParameter,
			"Username and email do not match"},
		"required": {func(s *Settings, _ *SignUpInput) { s.Required = []string{"email", "given_name", "name"} }, InvalidParameter,
			"Attributes did not conform to the schema: given_name: The attribute is required\nname: The attribute is required"},
		"required but empty": {func(s *Settings, in *SignUpInput) {
			s.SignInBy, s.Required, in.UserAttributes = nil, []string{"email"}, []Attribute{{"email", ""}}
		}, InvalidParameter, "Attributes did not conform to the schema: email: The attribute is required"},
		"unknown attribute": {func(_ *Settings, in *SignUpInput) { in.UserAttributes = []Attribute{{"mail", "x"}} }, InvalidParameter,
			"Attributes did not conform to the schema: Type for attribute {mail} could not be determined"},
		"developer attribute": {func(_ *Settings, in *SignUpInput) { in.UserAttributes = []Attribute{{"dev:custom:x", "x"}} }, InvalidParameter,
			"Attributes did not conform to the schema: Type for attribute {dev:custom:x} could not be determined"},
		"twice": {func(_ *Settings, in *SignUpInput) { in.UserAttributes = []Attribute{{"name", "a"}, {"name", "b"}} }, InvalidParameter,
			"Attributes did not conform to the schema: name: The attribute is given twice"},
		"zero byte": {func(_ *Settings, in *SignUpInput) { in.UserAttributes = []Attribute{{"name", "a\x00"}} }, InvalidParameter,
			"Attributes did not conform to the schema: name: The value holds a character that is not allowed"},
		"bad address": {func(_ *Settings, in *SignUpInput) { in.UserAttributes = []Attribute{{"email", "ana"}} }, InvalidParameter,
			"Invalid email address format."},
		"bad phone": {func(_ *Settings, in *SignUpInput) { in.UserAttributes = []Attribute{{"phone_number", "91234567"}} }, InvalidParameter,
			"Invalid phone number format."},
		"own sub": {func(_ *Settings, in *SignUpInput) { in.UserAttributes = []Attribute{{"sub", "x"}} }, InvalidParameter,
			"Cannot modify the non-mutable attribute sub"},
		"verified by itself": {func(_ *Settings, in *SignUpInput) { in.UserAttributes = []Attribute{{"email_verified", "true"}} }, NotAuthorized,
			"A client attempted to write unauthorized attribute"},
		"long value": {func(_ *Settings, in *SignUpInput) { in.UserAttributes = []Attribute{{"name", long}} }, InvalidParameter,
			"1 validation error detected: Value at 'userAttributes.1.member.value' failed to satisfy constraint: Member must have length less than or equal to 2048"},
		"many": {func(_ *Settings, in *SignUpInput) { in.UserAttributes = many }, InvalidParameter,
			"1 validation error detected: Value at 'userAttributes' failed to satisfy constraint: Member must have length less than or equal to 50"},
		"much": {func(s *Settings, in *SignUpInput) { s.Attributes, in.UserAttributes = declared, big }, InvalidParameter,
			"Attributes did not conform to the schema: The attributes are too many or too long together"},
		"no password": {func(_ *Settings, in *SignUpInput) { in.Password = "" }, InvalidParameter,
			`1 validation error detected: Value at 'password' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[\S]+.*[\S]+$`},
		"long password": {func(_ *Settings, in *SignUpInput) { in.Password = strings.Repeat("x", 257) }, InvalidParameter,
			"1 validation error detected: Value at 'password' failed to satisfy constraint: Member must have length less than or equal to 256"},
		"weak password": {func(_ *Settings, in *SignUpInput) { in.Password = "Passw0rd" }, InvalidPassword,
			"Password did not conform with policy: Password must have symbol characters"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, seedSettings)
			s, in := seedSettings, SignUpInput{ClientID: d.pool.ClientID(), Username: ana, Password: anaPassword}
			c.edit(&s, &in)
			d.pool.Configure(s)
			out, err := d.pool.SignUp(t.Context(), in)
			wantError(t, "SignUp", err, c.kind, c.message)
			if out != (SignUpOutput{}) {
				t.Errorf("SignUp gave %+v beside its error", out)
			}
			if people, err := d.pool.People(t.Context(), "", 1); len(people) != 0 || err != nil {
				t.Errorf("People = %v, %v, want none", people, err)
			}
			d.nothingSent("SignUp")
		})
	}
}

func TestSignUpNames(t *testing.T) {
	email, phone := Attribute{"email", ana}, Attribute{"phone_number", anaPhone}
	both := []string{"email", "phone_number"}
	for name, c := range map[string]struct {
		settings   Settings
		username   string
		attributes []Attribute
		details    *CodeDeliveryDetails
		names      []string // that sign the user in, beside the user name
		isSub      bool     // the user name is the sub
	}{
		"user name":         {Settings{AutoVerify: both[:1]}, "Ana", []Attribute{email}, &emailDetails, []string{"ana", "ANA"}, false},
		"address unchecked": {Settings{}, "Ana", []Attribute{email}, nil, []string{"ana"}, false},
		"nothing to verify": {Settings{AutoVerify: both}, "Ana", nil, nil, []string{"ana"}, false},
		"phone":             {Settings{SignInBy: both[1:], AutoVerify: both[1:]}, anaPhone, nil, &phoneDetails, []string{anaPhone}, true},
		"either":            {Settings{SignInBy: both, AutoVerify: both}, ana, nil, &emailDetails, []string{ana, "ANA@example.com"}, true},
		"both, the name":    {Settings{SignInBy: both, AutoVerify: both}, ana, []Attribute{phone}, &emailDetails, []string{ana}, true},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, c.settings)
			out, err := d.signUp(c.username, c.attributes...)
			wantNil(t, "SignUp", err)
			if (out.CodeDeliveryDetails == nil) != (c.details == nil) || c.details != nil && *out.CodeDeliveryDetails != *c.details {
				t.Errorf("SignUp = %+v, want %+v", out.CodeDeliveryDetails, c.details)
			}
			if c.details == nil {
				d.nothingSent("SignUp")
			}
			for _, name := range c.names {
				u, ok, err := d.pool.byName(t.Context(), name)
				if !ok || err != nil || u.Sub != out.UserSub || (u.Username == u.Sub) != c.isSub {
					t.Errorf("find(%s) = %+v, %v, %v", name, u.User, ok, err)
				}
			}
		})
	}
}

func TestSignUpTaken(t *testing.T) {
	both := Settings{SignInBy: []string{"email", "phone_number"}}
	for name, c := range map[string]struct {
		settings   Settings
		first      string
		second     string
		attributes []Attribute
		message    string
	}{
		"email":       {seedSettings, ana, "ANA@Example.com", nil, "An account with the given email already exists."},
		"phone":       {both, anaPhone, anaPhone, nil, "An account with the given phone_number already exists."},
		"and a phone": {both, ana, ana, []Attribute{{"phone_number", anaPhone}}, "An account with the given email already exists."},
		"user name":   {Settings{}, "ana", "Ana", nil, "User already exists"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, c.settings)
			_, err := d.signUp(c.first)
			wantNil(t, "SignUp", err)
			d.box.take()
			_, err = d.signUp(c.second, c.attributes...)
			wantError(t, "SignUp of a name that is taken", err, UsernameExists, c.message)
			d.nothingSent("it")
		})
	}
}

// TestAddressNamesOnceVerified has somebody sign up by another's address, with a phone
// of their own and with one that is another's.
func TestAddressNamesOnceVerified(t *testing.T) {
	both := []string{"email", "phone_number"}
	atDesk(t, Settings{SignInBy: both, AutoVerify: both}, func(d *desk) {
		_, err := d.signUp(ana, Attribute{"phone_number", anaPhone})
		wantNil(d, "SignUp", err)
		sent := d.box.take()
		if len(sent) != 1 || sent[0].To != ana {
			d.Fatalf("messages = %+v, want one to %s, which is the name", sent, ana)
		}
		if _, ok, _ := d.pool.byName(d.Context(), anaPhone); ok {
			d.Error("a phone that nobody verified names a user")
		}
		_, err = d.signUp(anaPhone)
		wantNil(d, "SignUp of whose phone it is", err)
		owner := d.code()
		wantNil(d, "ConfirmSignUp", d.confirm(ana, sent[0].Code))
		token := d.signIn()
		_, err = d.codeFor(token, "phone_number")
		wantNil(d, "GetUserAttributeVerificationCode", err)
		wantError(d, "VerifyUserAttribute of a phone that names another", d.verify(token, "phone_number", d.code()), AliasExists,
			"An account with the given email or phone number already exists.")
		wantNil(d, "ConfirmSignUp of the other", d.confirm(anaPhone, owner))

		_, err = d.update(token, Attribute{"phone_number", "+6598765432"})
		wantNil(d, "UpdateUserAttributes", err)
		wantNil(d, "VerifyUserAttribute", d.verify(token, "phone_number", d.code()))
		if u, _, _ := d.pool.byName(d.Context(), "+6598765432"); u.Sub != d.find().Sub {
			d.Error("a verified phone names nobody")
		}
		if u, ok, _ := d.pool.byName(d.Context(), anaPhone); !ok || u.Sub == d.find().Sub {
			d.Error("the phone of the other does not name them any more")
		}
	})
}

// TestNameInLowerCase: the case in which a user signed up tells that there is one.
func TestNameInLowerCase(t *testing.T) {
	d := newDesk(t, Settings{})
	_, err := d.signUp("Ana")
	wantNil(t, "SignUp", err)
	_, err = d.pool.Add(t.Context(), NewPerson{Username: "Bob"})
	wantNil(t, "Add", err)
	for given, want := range map[string]string{"ANA": "ana", "Bob": "bob", "Carol": "carol"} {
		for _, key := range []string{"USERNAME", "USER_ID_FOR_SRP"} {
			if got := begins(t, d.pool, given).challenge.ChallengeParameters[key]; got != want {
				t.Errorf("%s of %s = %q, want %q", key, given, got, want)
			}
		}
	}
}

func TestSignUpUndelivered(t *testing.T) {
	atDesk(t, seedSettings, func(d *desk) {
		cause := errors.New("550 no such mailbox")
		d.box.refuse(cause)
		_, err := d.signUp(ana)
		wantError(t, "SignUp", err, CodeDeliveryFailure, "The e-mail could not be sent.")
		if !errors.Is(err, cause) {
			t.Errorf("SignUp = %v, want %v in it", err, cause)
		}
		d.box.refuse(nil)
		_, err = d.resend(ana)
		wantNil(t, "ResendConfirmationCode", err)
		wantNil(t, "ConfirmSignUp", d.confirm(ana, d.code()))
	})
}

func TestWithoutCourier(t *testing.T) {
	w := newPlace(t)
	d := &desk{T: t, at: w, pool: w.server(t, seedSettings)}
	addAna(t, d.pool, nil)
	_, signUp := d.signUp("bob@example.com")
	_, resend := d.resend("bob@example.com")
	_, known := d.forgot(ana)
	_, stranger := d.forgot("eve@example.com")
	for _, err := range []error{signUp, resend, known, stranger} {
		wantError(t, "an operation that sends a code", err, CodeDeliveryFailure, "Codes cannot be sent.")
		if !errors.Is(err, errNoCourier) {
			t.Errorf("it = %v, want %v in it", err, errNoCourier)
		}
	}
}

// FuzzSignUp checks that a sign-up is refused in the client's words, or that the user
// is there as they said.
func FuzzSignUp(f *testing.F) {
	f.Add(ana, anaPassword, "email", ana)
	f.Add("ana", "", "custom:diet", "\x00")
	f.Add("+6591234567", "Passw0rd!x", "phone_number_verified", "true")
	f.Add("ａna@example.com", "Passw0rd!\x00", "name", "\xff")
	f.Add("İ@example.com", "P\u0661ssword!A1a", "sub", "")
	w := newPlace(f)
	box := &outbox{}
	pool := openPool(f, Options{Region: "ap-southeast-1", Store: w.store, Settings: seedSettings, Courier: box, Now: w.now})
	f.Fuzz(func(t *testing.T, username, password, name, value string) {
		out, err := pool.SignUp(t.Context(), SignUpInput{
			ClientID: pool.ClientID(), Username: username, Password: password, UserAttributes: []Attribute{{name, value}},
		})
		sent := box.take()
		if err != nil {
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Kind == InternalError || !utf8.ValidString(e.Message) || len(sent) > 0 {
				t.Fatalf("SignUp(%q, %q, %q=%q) = %v, %d messages", username, password, name, value, err, len(sent))
			}
			return
		}
		u, ok, err := pool.byName(t.Context(), username)
		if !ok || err != nil || u.Sub != out.UserSub || !pool.hasPassword(u, password) || value != "" && u.Attributes[name] != value {
			t.Fatalf("byName(%q) = %+v, %v, %v", username, u, ok, err)
		}
		if len(sent) != 1 || !strings.EqualFold(sent[0].To, username) {
			t.Errorf("messages = %+v, want one to %q", sent, username)
		}
		if slices.Contains([]string{"email_verified", "phone_number_verified", "sub"}, name) {
			t.Errorf("SignUp set %q", name)
		}
		wantNil(t, "Remove", pool.Remove(t.Context(), u.Sub))
	})
}

func BenchmarkSignUp(b *testing.B) {
	w := newPlace(b)
	p := openPool(b, Options{Region: "ap-southeast-1", Store: w.store, Settings: seedSettings, Courier: &outbox{}, Now: w.now})
	b.ReportAllocs()
	for b.Loop() {
		_, err := p.SignUp(b.Context(), SignUpInput{ClientID: p.ClientID(), Username: newID(16, lower) + "@example.com", Password: anaPassword})
		if err != nil {
			b.Fatal(err)
		}
	}
}
