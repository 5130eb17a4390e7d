package userpool

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// standard is the attributes that every pool has (Amazon Cognito Developer Guide,
// "Working with user attributes"). Others have the prefix "custom:" and are declared.
var standard = []string{
	"address", "birthdate", "email", "email_verified", "family_name", "gender", "given_name", "locale", "middle_name", "name",
	"nickname", "phone_number", "phone_number_verified", "picture", "preferred_username", "profile", "sub", "updated_at", "website", "zoneinfo",
}

// nonconforming refuses attributes with Cognito's words.
func nonconforming(complaint string) error {
	return refuse(InvalidParameter, "Attributes did not conform to the schema: "+complaint)
}

// declared is what the settings say of an attribute.
func (s *Settings) declared(name string) (AttributeSchema, bool) {
	i := slices.IndexFunc(s.Attributes, func(a AttributeSchema) bool { return a.Name == name })
	if i < 0 {
		return AttributeSchema{}, false
	}
	return s.Attributes[i], true
}

// checkSchema refuses an attribute that the pool has not, and a value that is not one
// of it. The empty value is none.
func (s *Settings) checkSchema(a Attribute) error {
	schema, declared := s.declared(a.Name)
	custom := strings.HasPrefix(a.Name, "custom:")
	if custom && !declared || !custom && !slices.Contains(standard, a.Name) {
		return nonconforming("Type for attribute {" + clip(a.Name, 64) + "} could not be determined")
	}
	if !custom || a.Value == "" {
		return nil
	}
	if complaint := schema.complaint(a.Value); complaint != "" {
		return nonconforming(a.Name + ": " + complaint)
	}
	return nil
}

// complaint is what is wrong with a value, "" when nothing is.
func (a AttributeSchema) complaint(value string) string {
	switch a.Type {
	case Number:
		return a.complaintOfNumber(value)
	case DateTime:
		if !isDateTime(value) {
			return "The value must be a date and time"
		}
		return ""
	case Boolean:
		if value != "true" && value != "false" {
			return "The value must be true or false"
		}
		return ""
	}
	n := float64(utf8.RuneCountInString(value))
	switch {
	case a.Min != nil && n < *a.Min:
		return fmt.Sprintf("String must be no shorter than %v characters", *a.Min)
	case a.Max != nil && n > *a.Max:
		return fmt.Sprintf("String must be no longer than %v characters", *a.Max)
	}
	return ""
}

var numberForm = regexp.MustCompile(`^-?[0-9]{1,38}(\.[0-9]{1,38})?$`)

func (a AttributeSchema) complaintOfNumber(value string) string {
	n, err := strconv.ParseFloat(value, 64)
	switch {
	case err != nil || !numberForm.MatchString(value):
		return "The value must be a number"
	case a.Min != nil && n < *a.Min:
		return fmt.Sprintf("Number must be no less than %v", *a.Min)
	case a.Max != nil && n > *a.Max:
		return fmt.Sprintf("Number must be no greater than %v", *a.Max)
	}
	return ""
}

var epochForm = regexp.MustCompile(`^[0-9]{1,13}$`)

// isDateTime takes the forms in use, for Cognito documents none: RFC 3339, the date of
// it, seconds or milliseconds since 1970.
func isDateTime(value string) bool {
	_, notTime := time.Parse(time.RFC3339, value)
	return notTime == nil || isDate(value) || epochForm.MatchString(value)
}

func isDate(value string) bool {
	_, err := time.Parse(time.DateOnly, value)
	return err == nil
}

// checkChangeable refuses to change attributes that a user cannot, once they are one.
func (s *Settings) checkChangeable(attributes map[string]string) error {
	for _, a := range s.Attributes {
		if _, given := attributes[a.Name]; given && !a.Mutable {
			return refuse(InvalidParameter, "user."+a.Name+": Attribute cannot be updated.")
		}
	}
	return nil
}

// checkRemovals refuses to take away what users sign in by.
func (s *Settings) checkRemovals(attributes map[string]string) error {
	for _, name := range s.SignInBy {
		if value, given := attributes[name]; given && value == "" {
			return refuse(InvalidParameter, "Cannot remove "+name+", which users sign in by")
		}
	}
	return nil
}
