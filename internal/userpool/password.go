package userpool

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const symbols = "-_.=+@%" // those of Cognito's that need no quoting in a shell

// NewPassword is a random password that the pool's policy admits.
func (p *Pool) NewPassword() string { return newPassword(p.settings.Load().Password.MinLength) }

// newPassword is a random password of at least 20 characters that has one of
// each class that a pool's policy can ask for.
func newPassword(minLength int) string {
	password := []byte(newID(1, lower) + newID(1, upper) + newID(1, digits) + newID(1, symbols))
	for len(password) < max(20, minLength) {
		password = append(password, newID(1, lower+upper+digits)...)
	}
	for i := range password {
		j := i + below(len(password)-i)
		password[i], password[j] = password[j], password[i]
	}
	// A leading dash would read as a flag.
	if password[0] == '-' {
		slices.Reverse(password)
	}
	return string(password)
}

const (
	maxPassword   = 256 // characters
	policySymbols = "^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+= "
)

// passwordForm is the constraint of every password member.
var passwordForm = regexp.MustCompile(`^[\S]+.*[\S]+$`)

// checkPasswordMember refuses what is no password under any policy; member is the input's
// name for it.
func checkPasswordMember(member, password string) error {
	if utf8.RuneCountInString(password) > maxPassword {
		return tooLong(member, maxPassword)
	}
	if !passwordForm.MatchString(password) {
		return constraint(member, "Member must satisfy regular expression pattern: "+passwordForm.String())
	}
	return nil
}

// check refuses a password that the policy does not admit, by the first rule that it
// breaks. Letters are those of basic Latin.
func (policy PasswordPolicy) check(password string) error {
	for _, rule := range []struct {
		broken    bool
		complaint string
	}{
		{utf8.RuneCountInString(password) < policy.MinLength, "Password not long enough"},
		{policy.Upper && !strings.ContainsAny(password, upper), "Password must have uppercase characters"},
		{policy.Lower && !strings.ContainsAny(password, lower), "Password must have lowercase characters"},
		{policy.Digit && !strings.ContainsAny(password, digits), "Password must have numeric characters"},
		{policy.Symbol && !strings.ContainsAny(password, policySymbols), "Password must have symbol characters"},
	} {
		if rule.broken {
			return refuse(InvalidPassword, "Password did not conform with policy: "+rule.complaint)
		}
	}
	return nil
}

// checkPassword refuses what may not become a user's password.
func (s *Settings) checkPassword(member, password string) error {
	if err := checkPasswordMember(member, password); err != nil {
		return err
	}
	return s.Password.check(password)
}

// ChangePasswordInput is ChangePassword's request.
type ChangePasswordInput struct {
	AccessToken, PreviousPassword, ProposedPassword string
}

// ChangePasswordOutput is ChangePassword's answer, which says nothing.
type ChangePasswordOutput struct{}

// ChangePassword gives a signed-in user another password. Wrong previous ones count
// towards the lockout. The user's sessions go on, as Cognito has it.
func (p *Pool) ChangePassword(ctx context.Context, in ChangePasswordInput) (ChangePasswordOutput, error) {
	if err := checkPasswordMember("previousPassword", in.PreviousPassword); err != nil {
		return ChangePasswordOutput{}, err
	}
	if err := checkPasswordMember("proposedPassword", in.ProposedPassword); err != nil {
		return ChangePasswordOutput{}, err
	}
	u, _, err := p.authorize(ctx, in.AccessToken)
	if err != nil {
		return ChangePasswordOutput{}, err
	}
	if p.mayTry(u) != nil {
		return ChangePasswordOutput{}, errLimit
	}
	if !p.hasPassword(u, in.PreviousPassword) {
		if err := p.strike(ctx, u); err != nil {
			return ChangePasswordOutput{}, err
		}
		return ChangePasswordOutput{}, refuse(NotAuthorized, "Incorrect username or password.")
	}
	if err := p.settings.Load().Password.check(in.ProposedPassword); err != nil {
		return ChangePasswordOutput{}, err
	}
	_, err = p.change(ctx, u.Sub, func(u *user) error {
		p.setPassword(u, in.ProposedPassword)
		return nil
	})
	return ChangePasswordOutput{}, err
}

// forgiven forgets the failures of who has shown to be the user.
func (a *account) forgiven() { a.Failures, a.FailedAt, a.LockedUntil = 0, time.Time{}, time.Time{} }
