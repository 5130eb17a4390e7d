package userpool

import (
	"fmt"
	"regexp"
	"unicode"
	"unicode/utf8"
)

// constraint is Cognito's refusal of a member of the request that breaks its model.
func constraint(member, rule string) error {
	return refuse(InvalidParameter, fmt.Sprintf("1 validation error detected: Value at '%s' failed to satisfy constraint: %s", member, rule))
}

func tooLong(member string, limit int) error {
	return constraint(member, fmt.Sprintf("Member must have length less than or equal to %d", limit))
}

// The constraints of UsernameType and of GroupNameType, of ConfirmationCodeType, and
// of SoftwareTokenMFAUserCodeType.
const (
	maxName     = 128 // characters
	maxCode     = 2048
	namePattern = `[\p{L}\p{M}\p{S}\p{N}\p{P}]+`
)

var totpForm = regexp.MustCompile(`^[0-9]{6}$`)

func checkName(member, name string) error {
	if name == "" {
		return constraint(member, "Member must have length greater than or equal to 1")
	}
	if utf8.RuneCountInString(name) > maxName {
		return tooLong(member, maxName)
	}
	for _, r := range name {
		if !unicode.In(r, unicode.L, unicode.M, unicode.S, unicode.N, unicode.P) || r == utf8.RuneError {
			return constraint(member, "Member must satisfy regular expression pattern: "+namePattern)
		}
	}
	return nil
}

func checkCode(member, text string) error {
	if text == "" {
		return constraint(member, "Member must have length greater than or equal to 1")
	}
	if len(text) > maxCode {
		return tooLong(member, maxCode)
	}
	return nil
}

func checkTOTP(text string) error {
	if !totpForm.MatchString(text) {
		return constraint("userCode", "Member must satisfy regular expression pattern: [0-9]+")
	}
	return nil
}
