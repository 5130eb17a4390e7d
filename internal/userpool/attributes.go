package userpool

import (
	"fmt"
	"maps"
	netmail "net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Attribute is one attribute of a user.
type Attribute struct{ Name, Value string }

// standard is the attributes that every pool has (Amazon Cognito Developer Guide,
// "Working with user attributes"). Others have the prefix "custom:".
var standard = []string{
	"address", "birthdate", "email", "email_verified", "family_name", "gender", "given_name", "locale", "middle_name", "name",
	"nickname", "phone_number", "phone_number_verified", "picture", "preferred_username", "profile", "sub", "updated_at", "website", "zoneinfo",
}

const (
	maxAttributes     = 50
	maxAttributeValue = 2048     // characters
	maxAttributeBytes = 16 << 10 // of all names and values: they go into tokens
)

var (
	customForm = regexp.MustCompile(`^custom:[a-zA-Z0-9_-]{1,20}$`)
	emailForm  = regexp.MustCompile(`^[^\s"<>()\[\],;:\\@]{1,64}@[^\s"<>()\[\],;:\\@]+\.[^\s"<>()\[\],;:\\@.]+$`)
	phoneForm  = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
)

func isEmail(s string) bool {
	a, err := netmail.ParseAddress(s)
	return err == nil && a.Address == s && len(s) <= 254 && emailForm.MatchString(s)
}

func isPhone(s string) bool { return phoneForm.MatchString(s) }

// reachable reports whether messages go to an attribute.
func reachable(name string) bool { return name == "email" || name == "phone_number" }

// schema refuses attributes with Cognito's words.
func schema(complaint string) error {
	return refuse(InvalidParameter, "Attributes did not conform to the schema: "+complaint)
}

// gather checks attributes one by one.
func gather(list []Attribute) (map[string]string, error) {
	if len(list) > maxAttributes {
		return nil, constraint("userAttributes", fmt.Sprintf("Member must have length less than or equal to %d", maxAttributes))
	}
	all := make(map[string]string, len(list))
	for i, a := range list {
		if utf8.RuneCountInString(a.Value) > maxAttributeValue {
			return nil, tooLong(fmt.Sprintf("userAttributes.%d.member.value", i+1), maxAttributeValue)
		}
		if _, twice := all[a.Name]; twice {
			return nil, schema(a.Name + ": The attribute is given twice")
		}
		if err := checkAttribute(a); err != nil {
			return nil, err
		}
		all[a.Name] = a.Value
	}
	return all, nil
}

func checkAttribute(a Attribute) error {
	switch {
	case !slices.Contains(standard, a.Name) && !customForm.MatchString(a.Name):
		return schema("Type for attribute {" + clip(a.Name, 64) + "} could not be determined")
	case !utf8.ValidString(a.Value) || strings.ContainsRune(a.Value, 0):
		return schema(a.Name + ": The value holds a character that is not allowed")
	case a.Name == "sub":
		return refuse(InvalidParameter, "Cannot modify the non-mutable attribute sub")
	case a.Value == "":
		return nil
	case strings.HasSuffix(a.Name, "_verified") && !strings.HasPrefix(a.Name, "custom:") && a.Value != "true" && a.Value != "false":
		return schema(a.Name + ": The value must be true or false")
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

// checkWhole refuses attributes that lack one that is required, or are too many
// together.
func (s *Settings) checkWhole(attributes map[string]string) error {
	var missing []string
	for _, name := range s.Required {
		if attributes[name] == "" {
			missing = append(missing, name+": The attribute is required")
		}
	}
	if missing != nil {
		return schema(strings.Join(missing, "\n"))
	}
	size := 0
	for name, value := range attributes {
		size += len(name) + len(value)
	}
	if size > maxAttributeBytes || len(attributes) > maxAttributes {
		return schema("The attributes are too many or too long together")
	}
	return nil
}

// aliases is the values by which a user with these attributes signs in.
func (s *Settings) aliases(attributes map[string]string) []string {
	var all []string
	for _, name := range s.SignInBy {
		if value := attributes[name]; value != "" {
			all = append(all, strings.ToLower(value))
		}
	}
	return all
}

// verifies reports whether a new value of an attribute waits until a code from there
// has come back. Those that a user signs in by do so even where nothing is verified at
// sign-up: nobody takes another's address for a name.
func (s *Settings) verifies(name string) bool {
	return reachable(name) && (slices.Contains(s.AutoVerify, name) || slices.Contains(s.SignInBy, name))
}

// set gives u another value of an attribute; an empty one removes it. What was said of
// the old value does not hold for the new one.
func (u *user) set(name, value string, s *Settings) {
	if slices.Contains(s.SignInBy, name) {
		old := strings.ToLower(u.Attributes[name])
		u.Aliases = slices.DeleteFunc(slices.Clone(u.Aliases), func(alias string) bool { return alias == old })
		if value != "" {
			u.Aliases = append(u.Aliases, strings.ToLower(value))
		}
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
func (p *Pool) supply(u *user, name, value string) error {
	if value == "" {
		return schema(name + ": The attribute is required")
	}
	given, err := gather([]Attribute{{name, value}})
	if err == nil {
		err = checkWritable(given)
	}
	if err == nil {
		u.set(name, value, p.settings.Load())
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
