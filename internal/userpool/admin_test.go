package userpool

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAdd(t *testing.T) {
	s := seedSettings
	s.AdminOnly = true
	d := newDesk(t, s)
	got, err := d.pool.Add(t.Context(), NewPerson{
		Username: ana, Password: anaPassword, Attributes: map[string]string{"name": "Ana"}, Groups: []string{"Cooks", "Admins", "Cooks"}, Confirmed: true,
	})
	wantNil(t, "Add", err)
	want := Person{
		Sub: got.Sub, Username: got.Sub, Status: "CONFIRMED", Enabled: true, Groups: []string{"Admins", "Cooks"}, MFA: []string{},
		Attributes: map[string]string{"email": ana, "email_verified": "true", "name": "Ana"}, Created: got.Created, Updated: got.Updated,
	}
	if diff := cmp.Diff(want, got); diff != "" || got.Created.IsZero() {
		t.Errorf("Add (-want +got):\n%s", diff)
	}
	for _, name := range []string{ana, "ANA@example.com", got.Sub} {
		if again, err := d.pool.Person(t.Context(), name); err != nil || !cmp.Equal(again, got) {
			t.Errorf("Person(%s) = %+v, %v", name, again, err)
		}
	}
	d.signIn()
	d.nothingSent("Add")
}

func TestAddUnconfirmed(t *testing.T) {
	d := newDesk(t, seedSettings)
	got, err := d.pool.Add(t.Context(), NewPerson{Username: ana, Password: anaPassword, Attributes: map[string]string{"email_verified": "true"}})
	wantNil(t, "Add", err)
	if got.Status != "FORCE_CHANGE_PASSWORD" || got.Attributes["email_verified"] != "true" {
		t.Errorf("Add = %+v", got)
	}
	if out, err := srpSignIn(t, d.pool, ana, anaPassword); err != nil || out.ChallengeName != newPasswordRequired {
		t.Errorf("sign-in = %+v, %v, want %s", out, err, newPasswordRequired)
	}
	bob, err := d.pool.Add(t.Context(), NewPerson{Username: "bob@example.com"})
	wantNil(t, "Add without a password", err)
	if bob.Attributes["email_verified"] != "false" {
		t.Errorf("Add = %+v, want an address that is not verified", bob)
	}
	_, err = srpSignIn(t, d.pool, "bob@example.com", "")
	wantError(t, "sign-in without a password", err, NotAuthorized, "Incorrect username or password.")
}

// TestEmail: the address that a user is known by, whatever they write into their own.
func TestEmail(t *testing.T) {
	byEmail, byName := newDesk(t, seedSettings), newDesk(t, Settings{})
	for _, c := range []struct {
		d        *desk
		name     string
		verified string
		want     string
	}{
		{byEmail, "bob@example.com", "false", "bob@example.com"},
		{byEmail, "Eve@Example.com", "true", "eve@example.com"},
		{byName, "bob", "false", ""},
		{byName, "eve", "true", "eve@example.com"},
	} {
		n := NewPerson{Username: c.name, Attributes: map[string]string{"email_verified": c.verified}}
		if c.d == byName {
			n.Attributes["email"] = c.name + "@example.com"
		}
		added, err := c.d.pool.Add(t.Context(), n)
		wantNil(t, "Add", err)
		if got, err := c.d.pool.Email(t.Context(), added.Sub); err != nil || got != c.want {
			t.Errorf("Email() of %s, verified: %s = %q, %v, want %q", c.name, c.verified, got, err, c.want)
		}
	}
	if got, err := byName.pool.Email(t.Context(), "nobody"); err != nil || got != "" {
		t.Errorf("Email() of nobody = %q, %v, want none", got, err)
	}
}

func TestAddRefuses(t *testing.T) {
	s := seedSettings
	s.Groups = []string{"Admins"}
	d := newDesk(t, s)
	addAna(t, d.pool, nil)
	for name, c := range map[string]struct {
		person  NewPerson
		kind    Kind
		message string
	}{
		"name":      {NewPerson{Username: "bob"}, InvalidParameter, "Username should be an email."},
		"taken":     {NewPerson{Username: ana}, UsernameExists, "An account with the given email already exists."},
		"password":  {NewPerson{Username: "b@example.com", Password: "weak"}, InvalidPassword, "Password did not conform with policy: Password not long enough"},
		"group":     {NewPerson{Username: "b@example.com", Groups: []string{"Cooks"}}, ResourceNotFound, "Group not found."},
		"verified":  {NewPerson{Username: "b@example.com", Attributes: map[string]string{"email_verified": "yes"}}, InvalidParameter, "Attributes did not conform to the schema: email_verified: The value must be true or false"},
		"attribute": {NewPerson{Username: "b@example.com", Attributes: map[string]string{"sub": "x"}}, InvalidParameter, "Cannot modify the non-mutable attribute sub"},
	} {
		_, err := d.pool.Add(t.Context(), c.person)
		wantError(t, name, err, c.kind, c.message)
	}
}

// TestAddNamesByVerified has an operator vouch for one of two addresses.
func TestAddNamesByVerified(t *testing.T) {
	d := newDesk(t, Settings{SignInBy: []string{"email", "phone_number"}})
	for verified, want := range map[string]bool{"true": true, "false": false} {
		p, err := d.pool.Add(t.Context(), NewPerson{Username: ana, Confirmed: true, Attributes: map[string]string{"phone_number": anaPhone, "phone_number_verified": verified}})
		wantNil(t, "Add", err)
		if _, ok, _ := d.pool.byName(t.Context(), anaPhone); ok != want {
			t.Errorf("a phone with verified %s names its user: %t, want %t", verified, ok, want)
		}
		wantNil(t, "Remove", d.pool.Remove(t.Context(), p.Sub))
	}
}

// TestSubComesFirst has a user whose name is another's sub.
func TestSubComesFirst(t *testing.T) {
	d := newDesk(t, Settings{})
	victim, err := d.pool.Add(t.Context(), NewPerson{Username: "ana"})
	wantNil(t, "Add", err)
	_, err = d.pool.Add(t.Context(), NewPerson{Username: victim.Sub})
	wantNil(t, "Add", err)
	if got, err := d.pool.Person(t.Context(), victim.Sub); err != nil || got.Username != "ana" {
		t.Errorf("Person(%s) = %+v, %v, want ana", victim.Sub, got, err)
	}
}

func TestPeople(t *testing.T) {
	d := newDesk(t, Settings{})
	for _, name := range []string{"Bob", "ana", "carl"} {
		_, err := d.pool.Add(t.Context(), NewPerson{Username: name})
		wantNil(t, "Add", err)
	}
	var names []string
	for after := ""; ; {
		people, err := d.pool.People(t.Context(), after, 2)
		wantNil(t, "People", err)
		for _, p := range people {
			names = append(names, p.Username)
		}
		if len(people) < 2 {
			break
		}
		after = people[1].Username
	}
	if want := []string{"ana", "bob", "carl"}; !cmp.Equal(names, want) {
		t.Errorf("People = %q, want %q", names, want)
	}
	if people, err := d.pool.People(t.Context(), "zoe", 2); err != nil || people == nil || len(people) != 0 {
		t.Errorf("People after the last = %v, %v, want an empty list", people, err)
	}
}

func TestConfirm(t *testing.T) {
	d := newDesk(t, seedSettings)
	d.signedUp()
	wantNil(t, "Confirm", d.pool.Confirm(t.Context(), ana))
	d.signIn()
	if u := find(t, d.pool); u.Attributes["email_verified"] != "false" || len(u.Codes) != 0 {
		t.Errorf("user = %+v, want an address that is not verified and no code", u)
	}
	wantError(t, "Confirm once more", d.pool.Confirm(t.Context(), ana), NotAuthorized, "User cannot be confirmed. Current status is CONFIRMED")
}

func TestDisable(t *testing.T) {
	d := newDesk(t, seedSettings)
	addAna(t, d.pool, nil)
	session := mustSignIn(t, d.pool)
	wantNil(t, "Disable", d.pool.Disable(t.Context(), ana, true))
	if jti := claimsOf(t, d.pool, session.AccessToken)["origin_jti"].(string); !d.pool.Revoked(jti) {
		t.Error("the tokens of who is disabled are good still")
	}
	_, err := srpSignIn(t, d.pool, ana, anaPassword)
	wantError(t, "sign-in", err, NotAuthorized, "User is disabled.")
	if p, err := d.pool.Person(t.Context(), ana); err != nil || p.Enabled {
		t.Errorf("Person = %+v, %v, want one that is disabled", p, err)
	}
	wantNil(t, "Disable off", d.pool.Disable(t.Context(), ana, false))
	d.signIn()
}

func TestSetPassword(t *testing.T) {
	const next = "N3w-password"
	d := newDesk(t, seedSettings)
	addAna(t, d.pool, nil)
	session := mustSignIn(t, d.pool)
	wantError(t, "a weak password", d.pool.SetPassword(t.Context(), ana, "weak", true), InvalidPassword, "Password did not conform with policy: Password not long enough")
	wantNil(t, "SetPassword", d.pool.SetPassword(t.Context(), ana, next, false))
	_, err := d.pool.GetUser(t.Context(), GetUserInput{session.AccessToken})
	wantError(t, "a token of before", err, NotAuthorized, "Access Token has been revoked")
	if out, err := srpSignIn(t, d.pool, ana, next); err != nil || out.ChallengeName != newPasswordRequired {
		t.Errorf("sign-in = %+v, %v, want %s", out, err, newPasswordRequired)
	}
	wantNil(t, "SetPassword for good", d.pool.SetPassword(t.Context(), ana, anaPassword, true))
	d.signIn()
}

func TestGroups(t *testing.T) {
	d := newDesk(t, seedSettings)
	addAna(t, d.pool, nil)
	ctx := t.Context()
	steps := []struct {
		name string
		do   func() error
		want []string
	}{
		{"AddToGroup", func() error { return d.pool.AddToGroup(ctx, ana, "Cooks") }, []string{"Cooks"}},
		{"AddToGroup, one before it", func() error { return d.pool.AddToGroup(ctx, ana, "Admins") }, []string{"Admins", "Cooks"}},
		{"AddToGroup", func() error { return d.pool.AddToGroup(ctx, ana, "Bakers") }, []string{"Admins", "Bakers", "Cooks"}},
		{"AddToGroup twice", func() error { return d.pool.AddToGroup(ctx, ana, "Bakers") }, []string{"Admins", "Bakers", "Cooks"}},
		{"RemoveFromGroup", func() error { return d.pool.RemoveFromGroup(ctx, ana, "Admins") }, []string{"Bakers", "Cooks"}},
		{"RemoveFromGroup twice", func() error { return d.pool.RemoveFromGroup(ctx, ana, "Admins") }, []string{"Bakers", "Cooks"}},
	}
	for _, step := range steps {
		wantNil(t, step.name, step.do())
		if p, err := d.pool.Person(ctx, ana); err != nil || !cmp.Equal(p.Groups, step.want) {
			t.Errorf("groups after %s = %q, %v, want %q", step.name, p.Groups, err, step.want)
		}
	}
	wantError(t, "a group with a space", d.pool.AddToGroup(ctx, ana, "a b"), InvalidParameter,
		`1 validation error detected: Value at 'groupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\p{L}\p{M}\p{S}\p{N}\p{P}]+`)
	for n := range maxGroups - 2 {
		wantNil(t, "AddToGroup", d.pool.AddToGroup(ctx, ana, strings.Repeat("g", n+1)))
	}
	wantError(t, "a group too many", d.pool.AddToGroup(ctx, ana, "Admins"), LimitExceeded, "A user cannot be in more groups.")
	wantNil(t, "RemoveFromGroup", d.pool.RemoveFromGroup(ctx, ana, "Cooks"))
	s := seedSettings
	s.Groups = []string{"Admins"}
	d.pool.Configure(s)
	wantError(t, "a group that the pool has not", d.pool.AddToGroup(ctx, ana, "Cooks"), ResourceNotFound, "Group not found.")
	// That she is in groups which the pool has no more does not keep her from others.
	wantNil(t, "one that it has", d.pool.AddToGroup(ctx, ana, "Admins"))
	if got := claimsOf(t, d.pool, d.signIn())["cognito:groups"].([]any); !slices.Contains(got, any("Admins")) {
		t.Errorf("cognito:groups = %v, want Admins among them", got)
	}
}

func TestRemove(t *testing.T) {
	d := newDesk(t, seedSettings)
	addAna(t, d.pool, nil)
	session := mustSignIn(t, d.pool)
	wantNil(t, "Remove", d.pool.Remove(t.Context(), ana))
	if jti := claimsOf(t, d.pool, session.AccessToken)["origin_jti"].(string); !d.pool.Revoked(jti) {
		t.Error("the tokens of who was removed are good still")
	}
	wantError(t, "Remove once more", d.pool.Remove(t.Context(), ana), UserNotFound, "User does not exist.")
}

func TestOperatorNamesNobody(t *testing.T) {
	d := newDesk(t, seedSettings)
	ctx := t.Context()
	_, person := d.pool.Person(ctx, ana)
	for name, err := range map[string]error{
		"Person": person, "Confirm": d.pool.Confirm(ctx, ana), "Disable": d.pool.Disable(ctx, ana, true),
		"AddToGroup": d.pool.AddToGroup(ctx, ana, "g"), "RemoveFromGroup": d.pool.RemoveFromGroup(ctx, ana, "g"), "SetPassword": d.pool.SetPassword(ctx, ana, anaPassword, true),
	} {
		wantError(t, name, err, UserNotFound, "User does not exist.")
	}
}
