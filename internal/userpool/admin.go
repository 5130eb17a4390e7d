package userpool

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"
)

// Person is a user as an operator sees them.
type Person struct {
	Sub        string            `json:"sub"`
	Username   string            `json:"username"` // the sub, where users sign in by an address
	Status     string            `json:"status"`   // Cognito's UserStatus: "CONFIRMED", ...
	Enabled    bool              `json:"enabled"`
	Attributes map[string]string `json:"attributes"`
	Groups     []string          `json:"groups"`
	MFA        []string          `json:"mfa"` // "SOFTWARE_TOKEN_MFA", "SMS_MFA"
	Created    time.Time         `json:"created"`
	Updated    time.Time         `json:"updated"`
}

// person is u with no nil in it.
func (u user) person() Person {
	attributes := maps.Clone(u.Attributes)
	if attributes == nil {
		attributes = map[string]string{}
	}
	return Person{
		Sub: u.Sub, Username: u.Username, Status: string(u.Status), Enabled: !u.Disabled, Attributes: attributes,
		Groups: append([]string{}, u.Groups...), MFA: append([]string{}, u.MFA...), Created: u.Created, Updated: u.Updated,
	}
}

// NewPerson is a user whom an operator adds. Username is what they sign in by.
type NewPerson struct {
	Username   string
	Password   string            // empty: they have none until they get one
	Attributes map[string]string // also "email_verified" and "phone_number_verified"
	Groups     []string
	Confirmed  bool // the password is theirs, and their addresses too; else they must choose another at once
}

// Add adds a user, whatever the pool says of sign-up.
func (p *Pool) Add(ctx context.Context, n NewPerson) (Person, error) {
	s := p.settings.Load()
	attributes, err := s.parseAttributes(listed(n.Attributes))
	if err != nil {
		return Person{}, err
	}
	u, err := s.draft(n.Username, attributes)
	if err == nil {
		u.Groups, err = s.checkGroups(n.Groups)
	}
	if err == nil && n.Password != "" {
		err = s.checkPassword("password", n.Password)
	}
	if err != nil {
		return Person{}, err
	}
	if u.Status = forceChange; n.Confirmed {
		u.vouch(n.Attributes)
	}
	s.nameBy(&u)
	if err := u.checkClaims(); err != nil {
		return Person{}, err
	}
	if n.Password != "" {
		p.setPassword(&u, n.Password)
	}
	if err := p.insert(ctx, u); err != nil {
		return Person{}, err
	}
	return p.Person(ctx, u.Sub)
}

// vouch confirms u, and their addresses unless the operator said otherwise of one.
func (u *user) vouch(said map[string]string) {
	u.Status = confirmed
	for _, name := range []string{"email", "phone_number"} {
		if u.Attributes[name] != "" {
			u.Attributes[name+"_verified"] = cmp.Or(said[name+"_verified"], "true")
		}
	}
}

func listed(attributes map[string]string) []Attribute {
	var all []Attribute
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		all = append(all, Attribute{name, attributes[name]})
	}
	return all
}

// People is up to limit users in the order of their names, those after the given user
// name; the empty name begins.
func (p *Pool) People(ctx context.Context, after string, limit int) ([]Person, error) {
	users, err := p.store.Users(ctx, p.ID(), after, limit)
	if err != nil {
		return nil, failed(err)
	}
	people := make([]Person, 0, len(users))
	for _, kept := range users {
		u, _, err := read(kept, true, nil)
		if err != nil {
			return nil, err
		}
		people = append(people, u.person())
	}
	return people, nil
}

// Person is the user of that sub, name or alias. It is UserNotFound when there is
// none, as with all that follow.
func (p *Pool) Person(ctx context.Context, name string) (Person, error) {
	u, err := p.bySubOrName(ctx, name)
	if err != nil {
		return Person{}, err
	}
	return u.person(), nil
}

// Email is the e-mail address that the user of that sub signs in by or, where that is
// another name, has verified; empty for none.
func (p *Pool) Email(ctx context.Context, sub string) (string, error) {
	u, ok, err := p.bySub(ctx, sub)
	if err != nil || !ok {
		return "", err
	}
	for _, alias := range u.Aliases {
		if strings.Contains(alias, "@") {
			return alias, nil
		}
	}
	if u.Attributes["email_verified"] == "true" {
		return u.Attributes["email"], nil
	}
	return "", nil
}

// bySubOrName is the user whom an operator names. A sub comes first: nobody passes for
// another by taking theirs for a name.
func (p *Pool) bySubOrName(ctx context.Context, name string) (user, error) {
	u, ok, err := p.bySub(ctx, name)
	if err == nil && !ok {
		u, ok, err = p.byName(ctx, name)
	}
	if err == nil && !ok {
		err = refuse(UserNotFound, "User does not exist.")
	}
	return u, err
}

// changeNamed is change of the user whom an operator names.
func (p *Pool) changeNamed(ctx context.Context, name string, edit func(*user) error) (user, error) {
	u, err := p.bySubOrName(ctx, name)
	if err != nil {
		return user{}, err
	}
	return p.change(ctx, u.Sub, edit)
}

// Confirm confirms a sign-up without its code. The user's address stays unverified.
func (p *Pool) Confirm(ctx context.Context, name string) error {
	_, err := p.changeNamed(ctx, name, func(u *user) error {
		if u.Status != unconfirmed {
			return refuse(NotAuthorized, "User cannot be confirmed. Current status is "+string(u.Status))
		}
		u.Status = confirmed
		delete(u.Codes, toConfirm)
		return nil
	})
	return err
}

// Disable keeps a user from signing in and ends their sessions, or lets them sign in
// again.
func (p *Pool) Disable(ctx context.Context, name string, disabled bool) error {
	u, err := p.changeNamed(ctx, name, func(u *user) error {
		u.Disabled = disabled
		return nil
	})
	if err != nil || !disabled {
		return err
	}
	return p.revokeAll(ctx, u.Sub)
}

// SetPassword gives a user another password and ends their sessions. Unless it is
// permanent, they must choose another at their next sign-in.
func (p *Pool) SetPassword(ctx context.Context, name, password string, permanent bool) error {
	if err := p.settings.Load().checkPassword("password", password); err != nil {
		return err
	}
	u, err := p.changeNamed(ctx, name, func(u *user) error {
		p.setPassword(u, password)
		if u.Status = forceChange; permanent {
			u.Status = confirmed
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.revokeAll(ctx, u.Sub)
}

// Remove forgets a user and ends their sessions.
func (p *Pool) Remove(ctx context.Context, name string) error {
	u, err := p.bySubOrName(ctx, name)
	if err != nil {
		return err
	}
	return p.remove(ctx, u.Sub)
}

// AddToGroup puts a user into one group more. It is ResourceNotFound for one that the
// pool has not; a pool that names none has any. Tokens tell from the next sign-in or
// refresh on.
func (p *Pool) AddToGroup(ctx context.Context, name, group string) error {
	if _, err := p.settings.Load().checkGroups([]string{group}); err != nil {
		return err
	}
	_, err := p.changeNamed(ctx, name, func(u *user) error {
		u.Groups = each(append(u.Groups, group))
		if len(u.Groups) > maxGroups || u.checkClaims() != nil {
			return refuse(LimitExceeded, "A user cannot be in more groups.")
		}
		return nil
	})
	return err
}

// RemoveFromGroup takes a user out of a group.
func (p *Pool) RemoveFromGroup(ctx context.Context, name, group string) error {
	_, err := p.changeNamed(ctx, name, func(u *user) error {
		u.Groups = slices.DeleteFunc(u.Groups, func(g string) bool { return g == group })
		return nil
	})
	return err
}

const maxGroups = 100 // of a user, Cognito's quota

// each is the groups once each, in order.
func each(groups []string) []string { return slices.Compact(slices.Sorted(slices.Values(groups))) }

// checkGroups is the groups, each once and in order.
func (s *Settings) checkGroups(groups []string) ([]string, error) {
	all := each(groups)
	if len(all) > maxGroups {
		return nil, refuse(LimitExceeded, "A user cannot be in more groups.")
	}
	for _, g := range all {
		if err := checkName("groupName", g); err != nil {
			return nil, err
		}
		if len(s.Groups) > 0 && !slices.Contains(s.Groups, g) {
			return nil, refuse(ResourceNotFound, "Group not found.")
		}
	}
	return all, nil
}
