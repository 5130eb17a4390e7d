package userpool

import (
	"fmt"
	"maps"
	netmail "net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Attribute is one attribute of a user.
type Attribute struct{ Name, Value string }

const (
	maxAttributes     = 50
	maxAttributeValue = 2048     // characters
	maxClaimBytes     = 10 << 10 // of all attributes and groups as JSON: a token with them stays below maxToken
)

var (
	emailForm = regexp.MustCompile(`^[^\s"<>()\[\],;:\\@]{1,64}@[^\s"<>()\[\],;:\\@]+\.[^\s"<>()\[\],;:\\@.]+$`)
	phoneForm = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
)

func isEmail(s string) bool {
	a, err := netmail.ParseAddress(s)
	return err == nil && a.Address == s && len(s) <= 254 && emailForm.MatchString(s)
}

func isPhone(s string) bool { return phoneForm.MatchString(s) }

// reachable reports whether messages go to an attribute.
func reachable(name string) bool { return name == "email" || name == "phone_number" }

// parseAttributes is the attributes by name, each of them as the pool has it.
func (s *Settings) parseAttributes(list []Attribute) (map[string]string, error) {
	if len(list) > maxAttributes {
		return nil, constraint("userAttributes", fmt.Sprintf("Member must have length less than or equal to %d", maxAttributes))
	}
	all := make(map[string]string, len(list))
	for i, a := range list {
		if utf8.RuneCountInString(a.Value) > maxAttributeValue {
			return nil, tooLong(fmt.Sprintf("userAttributes.%d.member.value", i+1), maxAttributeValue)
		}
		if _, twice := all[a.Name]; twice {
			return nil, nonconforming(a.Name + ": The attribute is given twice")
		}
		if err := s.checkAttribute(a); err != nil {
			return nil, err
		}
		all[a.Name] = a.Value
	}
	return all, nil
}

// checkAttribute refuses what no user may have; the empty value removes an attribute.
func (s *Settings) checkAttribute(a Attribute) error {
	if err := s.checkSchema(a); err != nil {
		return err
	}
	switch {
	case !utf8.ValidString(a.Value) || strings.ContainsFunc(a.Value, unicode.IsControl):
		return nonconforming(a.Name + ": The value holds a character that is not allowed")
	case a.Name == "sub":
		return refuse(InvalidParameter, "Cannot modify the non-mutable attribute sub")
	case a.Value == "":
		return nil
	case strings.HasSuffix(a.Name, "_verified") && !strings.HasPrefix(a.Name, "custom:") && a.Value != "true" && a.Value != "false":
		return nonconforming(a.Name + ": The value must be true or false")
	case a.Name == "birthdate" && !isDate(a.Value):
		return nonconforming(a.Name + ": The value must be a date, YYYY-MM-DD")
	case a.Name == "updated_at" && !epochForm.MatchString(a.Value):
		return nonconforming(a.Name + ": The value must be a time in seconds since 1970")
	case a.Name == "email" && !isEmail(a.Value):
		return refuse(InvalidParameter, "Invalid email address format.")
	case a.Name == "phone_number" && !isPhone(a.Value):
		return refuse(InvalidParameter, "Invalid phone number format.")
	}
	return nil
}

// checkWritable refuses what only the pool itself says of a user.
func checkWritable(attributes map[string]string) error {
	for _, name := range []string{"email_verified", "phone_number_verified"} {
		if _, ok := attributes[name]; ok {
			return refuse(NotAuthorized, "A client attempted to write unauthorized attribute")
		}
	}
	return nil
}

// checkWhole refuses a user who lacks an attribute that is required, or has too many
// together.
func (s *Settings) checkWhole(u user) error {
	var missing []string
	for _, name := range s.Required {
		if u.Attributes[name] == "" {
			missing = append(missing, name+": The attribute is required")
		}
	}
	if missing != nil {
		return nonconforming(strings.Join(missing, "\n"))
	}
	return u.checkClaims()
}

// checkClaims refuses what would make tokens too long to be taken.
func (u user) checkClaims() error {
	if len(u.Attributes) > maxAttributes || len(jsonText(u.Attributes))+len(jsonText(u.Groups)) > maxClaimBytes {
		return nonconforming("The attributes are too many or too long together")
	}
	return nil
}

// nameBy has u sign in by those of their addresses that are verified.
func (s *Settings) nameBy(u *user) {
	for _, name := range s.SignInBy {
		alias := strings.ToLower(u.Attributes[name])
		if alias != "" && u.Attributes[name+"_verified"] == "true" && !slices.Contains(u.Aliases, alias) {
			u.Aliases = append(slices.Clip(u.Aliases), alias)
		}
	}
}

// verifies reports whether a new value of an attribute waits until a code from there
// has come back. Those that a user signs in by do so even where nothing is verified at
// sign-up: nobody takes another's address for a name.
func (s *Settings) verifies(name string) bool {
	return reachable(name) && (slices.Contains(s.AutoVerify, name) || slices.Contains(s.SignInBy, name))
}

// set gives u another value of an attribute; an empty one removes it. What was said of
// the old value does not hold for the new one, which names them once it is verified.
func (u *user) set(name, value string) {
	if reachable(name) {
		old := strings.ToLower(u.Attributes[name])
		u.Aliases = slices.DeleteFunc(slices.Clone(u.Aliases), func(alias string) bool { return alias == old })
	}
	if u.Attributes == nil {
		u.Attributes = map[string]string{}
	}
	u.Attributes[name] = value
	if value == "" {
		delete(u.Attributes, name)
	}
	if reachable(name) {
		delete(u.Attributes, name+"_verified")
		delete(u.Codes, toReset)
		if value != "" {
			u.Attributes[name+"_verified"] = "false"
		}
	}
}

// supply gives u an attribute that the pool requires and they lack.
func (s *Settings) supply(u *user, name, value string) error {
	if value == "" {
		return nonconforming(name + ": The attribute is required")
	}
	given, err := s.parseAttributes([]Attribute{{name, value}})
	if err == nil {
		err = checkWritable(given)
	}
	if err == nil {
		u.set(name, value)
	}
	return err
}

// list is the attributes of u as Cognito lists them, the sub first.
func (u user) list() []Attribute {
	all := []Attribute{{"sub", u.Sub}}
	for _, name := range slices.Sorted(maps.Keys(u.Attributes)) {
		all = append(all, Attribute{name, u.Attributes[name]})
	}
	return all
}
