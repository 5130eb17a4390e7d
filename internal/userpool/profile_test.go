package userpool

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func (d *desk) update(token string, attributes ...Attribute) ([]CodeDeliveryDetails, error) {
	out, err := d.pool.UpdateUserAttributes(d.Context(), UpdateUserAttributesInput{token, attributes})
	return out.CodeDeliveryDetailsList, err
}

func (d *desk) verify(token, name, code string) error {
	_, err := d.pool.VerifyUserAttribute(d.Context(), VerifyUserAttributeInput{token, name, code})
	return err
}

func (d *desk) codeFor(token, name string) (CodeDeliveryDetails, error) {
	out, err := d.pool.GetUserAttributeVerificationCode(d.Context(), GetUserAttributeVerificationCodeInput{token, name})
	return out.CodeDeliveryDetails, err
}

func (d *desk) getUser(token string) GetUserOutput {
	d.Helper()
	out, err := d.pool.GetUser(d.Context(), GetUserInput{token})
	wantNil(d, "GetUser", err)
	return out
}

func TestGetUser(t *testing.T) {
	d := newDesk(t, seedSettings)
	u := addAna(t, d.pool, func(u *user) { u.MFA, u.PreferredMFA = []string{softwareTokenMFA}, softwareTokenMFA })
	want := GetUserOutput{
		Username:           u.Sub,
		UserAttributes:     []Attribute{{"sub", u.Sub}, {"email", ana}, {"email_verified", "true"}},
		UserMFASettingList: []string{"SOFTWARE_TOKEN_MFA"}, PreferredMfaSetting: "SOFTWARE_TOKEN_MFA",
	}
	if diff := cmp.Diff(want, d.getUser(d.signIn())); diff != "" {
		t.Errorf("GetUser (-want +got):\n%s", diff)
	}
}

func TestUpdateUserAttributes(t *testing.T) {
	d := newDesk(t, seedSettings)
	addAna(t, d.pool, nil)
	token := d.signIn()
	list, err := d.update(token, Attribute{"name", "Ana"}, Attribute{"custom:diet", "vegan"}, Attribute{"email", ana})
	wantNil(t, "UpdateUserAttributes", err)
	if list == nil || len(list) != 0 {
		t.Errorf("CodeDeliveryDetailsList = %v, want an empty one", list)
	}
	d.nothingSent("it")
	_, err = d.update(token, Attribute{"custom:diet", ""}, Attribute{"phone_number", anaPhone})
	wantNil(t, "UpdateUserAttributes", err)
	u := find(t, d.pool)
	want := []Attribute{{"sub", u.Sub}, {"email", ana}, {"email_verified", "true"}, {"name", "Ana"}, {"phone_number", anaPhone}, {"phone_number_verified", "false"}}
	if diff := cmp.Diff(want, d.getUser(token).UserAttributes); diff != "" {
		t.Errorf("UserAttributes (-want +got):\n%s", diff)
	}
}

func TestUpdateUserAttributesRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		attribute Attribute
		kind      Kind
		message   string
	}{
		"sub":       {Attribute{"sub", "x"}, InvalidParameter, "Cannot modify the non-mutable attribute sub"},
		"verified":  {Attribute{"email_verified", "true"}, NotAuthorized, "A client attempted to write unauthorized attribute"},
		"phone":     {Attribute{"phone_number_verified", "true"}, NotAuthorized, "A client attempted to write unauthorized attribute"},
		"unknown":   {Attribute{"identities", "x"}, InvalidParameter, "Attributes did not conform to the schema: Type for attribute {identities} could not be determined"},
		"required":  {Attribute{"email", ""}, InvalidParameter, "Attributes did not conform to the schema: email: The attribute is required"},
		"malformed": {Attribute{"email", "ana@"}, InvalidParameter, "Invalid email address format."},
		"long": {Attribute{"name", strings.Repeat("x", 2049)}, InvalidParameter,
			"1 validation error detected: Value at 'userAttributes.1.member.value' failed to satisfy constraint: Member must have length less than or equal to 2048"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, seedSettings)
			before := addAna(t, d.pool, nil)
			_, err := d.update(d.signIn(), c.attribute)
			wantError(t, "UpdateUserAttributes", err, c.kind, c.message)
			if diff := cmp.Diff(before.Attributes, find(t, d.pool).Attributes); diff != "" {
				t.Errorf("attributes changed (-before +after):\n%s", diff)
			}
		})
	}
}

// TestAddressChangesWhenVerified follows a new address from its first mention on.
func TestAddressChangesWhenVerified(t *testing.T) {
	const next = "New@example.com"
	atDesk(t, seedSettings, func(d *desk) {
		addAna(d.T, d.pool, nil)
		token := d.signIn()
		list, err := d.update(token, Attribute{"email", next})
		wantNil(d, "UpdateUserAttributes", err)
		if want := []CodeDeliveryDetails{{"email", "EMAIL", "n***@e***"}}; !cmp.Equal(list, want) {
			d.Errorf("CodeDeliveryDetailsList = %v, want %v", list, want)
		}
		sent := d.box.take()
		if len(sent) != 1 || sent[0].To != next {
			d.Fatalf("messages = %+v, want one to %s", sent, next)
		}
		if now := d.getUser(token).UserAttributes; value(now, "email") != ana || value(now, "email_verified") != "true" {
			d.Errorf("attributes before the code = %v, want the old address", now)
		}
		wantMismatch(d, "a wrong code", d.verify(token, "email", wrong(sent[0].Code)))

		details, err := d.codeFor(token, "email")
		wantNil(d, "GetUserAttributeVerificationCode", err)
		if details.Destination != "n***@e***" {
			d.Errorf("another code went to %s, want the new address", details.Destination)
		}
		wantNil(d, "VerifyUserAttribute", d.verify(token, "email", d.code()))
		if now := d.getUser(token).UserAttributes; value(now, "email") != next || value(now, "email_verified") != "true" {
			d.Errorf("attributes after the code = %v, want the new address", now)
		}
		if _, ok, _ := d.pool.byName(d.Context(), ana); ok {
			d.Error("the old address names the user still")
		}
		if _, err := srpSignIn(d.T, d.pool, "new@example.com", anaPassword); err != nil {
			d.Errorf("sign-in by the new address = %v", err)
		}
	})
}

func TestSecondThoughts(t *testing.T) {
	d := newDesk(t, seedSettings)
	addAna(t, d.pool, nil)
	token := d.signIn()
	_, err := d.update(token, Attribute{"email", "typo@example.com"})
	wantNil(t, "UpdateUserAttributes", err)
	code := d.code()
	_, err = d.update(token, Attribute{"email", ana})
	wantNil(t, "UpdateUserAttributes back", err)
	wantExpired(t, "the code of the change that was taken back", d.verify(token, "email", code))
}

func TestAddressOfAnother(t *testing.T) {
	d := newDesk(t, seedSettings)
	addAna(t, d.pool, nil)
	token := d.signIn()
	_, err := d.update(token, Attribute{"email", "bob@example.com"})
	wantNil(t, "UpdateUserAttributes", err)
	code := d.code()
	_, err = d.pool.Add(t.Context(), NewPerson{Username: "bob@example.com"})
	wantNil(t, "Add", err)
	wantError(t, "VerifyUserAttribute", d.verify(token, "email", code), AliasExists, "An account with the given email or phone number already exists.")
	if got := find(t, d.pool).Attributes["email"]; got != ana {
		t.Errorf("email = %s, want %s", got, ana)
	}
}

func TestVerifyWhatIsThere(t *testing.T) {
	d := newDesk(t, Settings{SignInBy: []string{"email"}, AutoVerify: []string{"email"}})
	addAna(t, d.pool, func(u *user) { u.Attributes["phone_number"] = anaPhone })
	token := d.signIn()
	details, err := d.codeFor(token, "phone_number")
	wantNil(t, "GetUserAttributeVerificationCode", err)
	if details != phoneDetails {
		t.Errorf("it = %+v, want %+v", details, phoneDetails)
	}
	code := d.code()
	wantExpired(t, "the code for another attribute", d.verify(token, "email", code))
	d.at.advance(30 * time.Minute)
	wantNil(t, "VerifyUserAttribute", d.verify(token, "phone_number", code))
	if got := value(d.getUser(token).UserAttributes, "phone_number_verified"); got != "true" {
		t.Errorf("phone_number_verified = %s, want true", got)
	}
}

func TestVerifyRefuses(t *testing.T) {
	d := newDesk(t, seedSettings)
	addAna(t, d.pool, nil)
	token := d.signIn()
	wantError(t, "VerifyUserAttribute of a name", d.verify(token, "name", "123456"), InvalidParameter, "Attribute is not verifiable: name")
	_, err := d.codeFor(token, "sub")
	wantError(t, "a code for the sub", err, InvalidParameter, "Attribute is not verifiable: sub")
	_, err = d.codeFor(token, "phone_number")
	wantError(t, "a code for no phone", err, InvalidParameter, "User has no attribute phone_number")
	wantExpired(t, "a code that nobody asked for", d.verify(token, "email", "123456"))
	for range maxSent {
		_, err = d.codeFor(token, "email")
		wantNil(t, "GetUserAttributeVerificationCode", err)
	}
	_, err = d.codeFor(token, "email")
	wantLimit(t, "one more", err)
	_, err = d.update(token, Attribute{"email", "new@example.com"})
	wantLimit(t, "UpdateUserAttributes after as many", err)
	d.at.advance(time.Hour - time.Second)
	d.box.refuse(errors.New("down"))
	d.at.advance(time.Second)
	_, err = d.codeFor(d.signIn(), "email")
	wantError(t, "GetUserAttributeVerificationCode", err, CodeDeliveryFailure, "The e-mail could not be sent.")
}

func TestDeleteUser(t *testing.T) {
	d := newDesk(t, seedSettings)
	addAna(t, d.pool, nil)
	session := mustSignIn(t, d.pool)
	_, err := d.pool.DeleteUser(t.Context(), DeleteUserInput{session.AccessToken})
	wantNil(t, "DeleteUser", err)
	if _, ok, _ := d.pool.byName(t.Context(), ana); ok {
		t.Error("the user is there still")
	}
	if jti := claimsOf(t, d.pool, session.AccessToken)["origin_jti"].(string); !d.pool.Revoked(jti) {
		t.Error("the user's tokens are good still")
	}
	_, err = d.pool.DeleteUser(t.Context(), DeleteUserInput{session.AccessToken})
	wantError(t, "DeleteUser once more", err, NotAuthorized, "Access Token has been revoked")
	_, err = d.signUp(ana)
	wantNil(t, "SignUp of who was deleted", err)
}

// TestTokenIsAskedFor shows every operation of a signed-in user a token that is none.
func TestTokenIsAskedFor(t *testing.T) {
	d := newDesk(t, Settings{MFA: MFAOptional, MFAMethods: []string{"TOTP"}})
	ctx := t.Context()
	for name, do := range map[string]func() error{
		"GetUser":              func() error { _, err := d.pool.GetUser(ctx, GetUserInput{"x"}); return err },
		"UpdateUserAttributes": func() error { _, err := d.update("x", Attribute{"name", "x"}); return err },
		"VerifyUserAttribute":  func() error { return d.verify("x", "email", "1") },
		"GetUserAttributeVerificationCode": func() error {
			_, err := d.codeFor("x", "email")
			return err
		},
		"ChangePassword":       func() error { return d.changePassword("x", anaPassword, anaPassword) },
		"DeleteUserAttributes": func() error { return d.removeAttributes("x", "name") },
		"DeleteUser":           func() error { _, err := d.pool.DeleteUser(ctx, DeleteUserInput{""}); return err },
		"SetUserMFAPreference": func() error { return d.prefer("x", nil, nil) },
		"AssociateSoftwareToken": func() error {
			_, err := d.pool.AssociateSoftwareToken(ctx, AssociateSoftwareTokenInput{AccessToken: "x"})
			return err
		},
		"VerifySoftwareToken": func() error {
			_, err := d.pool.VerifySoftwareToken(ctx, VerifySoftwareTokenInput{AccessToken: "x", UserCode: "123456"})
			return err
		},
	} {
		wantError(t, name, do(), NotAuthorized, "Invalid Access Token")
	}
}
