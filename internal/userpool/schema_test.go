package userpool

import (
	"slices"
	"strings"
	"testing"
)

// schooled are the settings of a pool that says something of its attributes.
var schooled = Settings{
	SignInBy: []string{"email"}, AutoVerify: []string{"email"}, Required: []string{"email", "name"},
	Attributes: []AttributeSchema{
		{Name: "name", Type: String, Mutable: true},
		{Name: "birthdate", Type: String},
		{Name: "custom:motto", Type: String, Mutable: true, Min: new(2.0), Max: new(5.0)},
		{Name: "custom:free", Mutable: true},
		{Name: "custom:team", Type: Number, Mutable: true, Min: new(1.0), Max: new(99.5)},
		{Name: "custom:since", Type: DateTime, Mutable: true},
		{Name: "custom:fan", Type: Boolean, Mutable: true},
		{Name: "custom:badge", Type: Number},
	},
}

func TestSchema(t *testing.T) {
	const conform = "Attributes did not conform to the schema: "
	for _, c := range []struct{ name, value, complaint string }{
		{"custom:motto", "äöüäö", ""},
		{"custom:motto", "ä", "String must be no shorter than 2 characters"},
		{"custom:motto", "äöüäöü", "String must be no longer than 5 characters"},
		{"custom:motto", "", ""},
		{"custom:free", strings.Repeat("x", maxAttributeValue), ""},
		{"custom:team", "1", ""},
		{"custom:team", "99.5", ""},
		{"custom:team", "0.9", "Number must be no less than 1"},
		{"custom:team", "99.6", "Number must be no greater than 99.5"},
		{"custom:team", "0x10", "The value must be a number"},
		{"custom:team", "1e1", "The value must be a number"},
		{"custom:team", "NaN", "The value must be a number"},
		{"custom:team", strings.Repeat("9", 400), "The value must be a number"},
		{"custom:since", "2026-11-23T09:00:00Z", ""},
		{"custom:since", "2026-11-23", ""},
		{"custom:since", "1795424400", ""},
		{"custom:since", "2026-13-23", "The value must be a date and time"},
		{"custom:fan", "true", ""},
		{"custom:fan", "yes", "The value must be true or false"},
		{"birthdate", "2000-01-01", ""},
		{"birthdate", "2000-13-01", "The value must be a date, YYYY-MM-DD"},
		{"birthdate", "2000", "The value must be a date, YYYY-MM-DD"},
		{"birthdate", "", ""},
		{"updated_at", "1795424400", ""},
		{"updated_at", "-1", "The value must be a time in seconds since 1970"},
		{"updated_at", "today", "The value must be a time in seconds since 1970"},
		{"name", "a\nb", "The value holds a character that is not allowed"},
		{"name", "a\x7f", "The value holds a character that is not allowed"},
	} {
		got, err := schooled.parseAttributes([]Attribute{{c.name, c.value}})
		if c.complaint == "" {
			if err != nil || got[c.name] != c.value {
				t.Errorf("parseAttributes(%s=%.20q) = %v, %v", c.name, c.value, got, err)
			}
			continue
		}
		wantError(t, "parseAttributes("+c.name+")", err, InvalidParameter, conform+c.name+": "+c.complaint)
	}
	for _, name := range []string{"custom:other", "custom:", "mail", "dev:custom:team"} {
		for _, value := range []string{"x", ""} {
			_, err := schooled.parseAttributes([]Attribute{{name, value}})
			wantError(t, "parseAttributes of "+name, err, InvalidParameter, conform+"Type for attribute {"+name+"} could not be determined")
		}
	}
}

// TestSchemaHolds goes with the schema through the operations that set attributes.
func TestSchemaHolds(t *testing.T) {
	d := newDesk(t, schooled)
	const unknown = "Attributes did not conform to the schema: Type for attribute {custom:other} could not be determined"
	_, err := d.signUp(ana, Attribute{"name", "Ana"}, Attribute{"custom:other", "x"})
	wantError(t, "SignUp", err, InvalidParameter, unknown)
	_, err = d.pool.Add(t.Context(), NewPerson{Username: ana, Attributes: map[string]string{"name": "Ana", "custom:other": "x"}})
	wantError(t, "Add", err, InvalidParameter, unknown)
	_, err = d.signUp(ana, Attribute{"name", "Ana"}, Attribute{"custom:badge", "7"}, Attribute{"birthdate", "2000-01-01"})
	wantNil(t, "SignUp with what can be given once", err)
	wantNil(t, "ConfirmSignUp", d.confirm(ana, d.code()))

	token := d.signIn()
	for _, a := range []Attribute{{"custom:badge", "8"}, {"custom:badge", "7"}, {"custom:badge", ""}, {"birthdate", "2000-01-02"}} {
		_, err = d.update(token, a)
		wantError(t, "UpdateUserAttributes", err, InvalidParameter, "user."+a.Name+": Attribute cannot be updated.")
	}
	_, err = d.update(token, Attribute{"custom:other", "x"})
	wantError(t, "UpdateUserAttributes", err, InvalidParameter, unknown)
	_, err = d.update(token, Attribute{"custom:team", "x"})
	wantError(t, "UpdateUserAttributes", err, InvalidParameter, "Attributes did not conform to the schema: custom:team: The value must be a number")
	_, err = d.update(token, Attribute{"custom:team", "12"})
	wantNil(t, "UpdateUserAttributes", err)
	if has := d.find().Attributes; has["custom:team"] != "12" || has["custom:badge"] != "7" || has["birthdate"] != "2000-01-01" {
		t.Errorf("attributes = %v", has)
	}
}

func (d *desk) removeAttributes(token string, names ...string) error {
	_, err := d.pool.DeleteUserAttributes(d.Context(), DeleteUserAttributesInput{token, names})
	return err
}

func TestDeleteUserAttributes(t *testing.T) {
	s := schooled
	s.SignInBy = []string{"email", "phone_number"}
	d := newDesk(t, s)
	given := map[string]string{"name": "Ana", "custom:team": "7", "custom:badge": "7", "gender": "f", "phone_number": anaPhone}
	addAna(t, d.pool, func(u *user) {
		for name, value := range given {
			u.Attributes[name] = value
		}
	})
	token := d.signIn()
	for name, message := range map[string]string{
		"email":        "Attributes did not conform to the schema: email: The attribute is required",
		"name":         "Attributes did not conform to the schema: name: The attribute is required",
		"phone_number": "Cannot remove phone_number, which users sign in by",
		"custom:badge": "user.custom:badge: Attribute cannot be updated.",
		"sub":          "Cannot modify the non-mutable attribute sub",
		"custom:other": "Attributes did not conform to the schema: Type for attribute {custom:other} could not be determined",
	} {
		wantError(t, "DeleteUserAttributes "+name, d.removeAttributes(token, "gender", name), InvalidParameter, message)
	}
	wantError(t, "DeleteUserAttributes email_verified", d.removeAttributes(token, "email_verified"), NotAuthorized,
		"A client attempted to write unauthorized attribute")
	wantError(t, "DeleteUserAttributes of too many", d.removeAttributes(token, make([]string, maxAttributes+1)...), InvalidParameter,
		"1 validation error detected: Value at 'userAttributes' failed to satisfy constraint: Member must have length less than or equal to 50")
	before := d.find().Attributes
	for name, value := range given {
		if before[name] != value {
			t.Errorf("%s after what was refused = %q, want %q", name, before[name], value)
		}
	}
	wantNil(t, "DeleteUserAttributes", d.removeAttributes(token, "gender", "custom:team", "locale"))
	left := d.getUser(token).UserAttributes
	if slices.ContainsFunc(left, func(a Attribute) bool { return a.Name == "gender" || a.Name == "custom:team" }) {
		t.Errorf("attributes = %v, want those deleted gone", left)
	}
	d.nothingSent("DeleteUserAttributes")
}
