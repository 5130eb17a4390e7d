package userpool

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"fairway/internal/store"
	"fairway/internal/wire/uuid"
)

// SignUpInput is SignUp's request.
type SignUpInput struct {
	ClientID, Username, Password string
	UserAttributes               []Attribute
}

// SignUpOutput is SignUp's answer. CodeDeliveryDetails is nil when the pool verifies
// nothing that the user gave: then an operator confirms them.
type SignUpOutput struct {
	CodeDeliveryDetails *CodeDeliveryDetails `json:",omitempty"`
	UserConfirmed       bool
	UserSub             string
}

// SignUp adds an unconfirmed user and sends the code that confirms them.
func (p *Pool) SignUp(ctx context.Context, in SignUpInput) (SignUpOutput, error) {
	if err := p.ours(in.ClientID); err != nil {
		return SignUpOutput{}, err
	}
	s := p.settings.Load()
	if s.AdminOnly {
		return SignUpOutput{}, refuse(NotAuthorized, "SignUp is not permitted for this user pool")
	}
	attributes, err := s.parseAttributes(in.UserAttributes)
	if err == nil {
		err = checkWritable(attributes)
	}
	if err != nil {
		return SignUpOutput{}, err
	}
	u, err := s.draft(in.Username, attributes)
	if err == nil {
		err = s.checkPassword("password", in.Password)
	}
	if err != nil {
		return SignUpOutput{}, err
	}
	p.setPassword(&u, in.Password)
	return p.admit(ctx, u, s)
}

// admit keeps a new user and sends their code.
func (p *Pool) admit(ctx context.Context, u user, s *Settings) (SignUpOutput, error) {
	out := SignUpOutput{UserSub: u.Sub}
	u.Pool = p.ID()
	to, ok := s.confirmation(u)
	if !ok {
		return out, p.insert(ctx, u)
	}
	text, err := p.newCode(&u, toConfirm, to.value)
	if err == nil {
		err = p.insert(ctx, u)
	}
	if err == nil {
		err = p.deliver(ctx, u, to, toConfirm, text)
	}
	if err != nil {
		return SignUpOutput{}, err
	}
	details := to.details()
	out.CodeDeliveryDetails = &details
	return out, nil
}

// draft is a new user of that name, which no store has yet. Where users sign in by an
// address it names them, and the user name is the sub; their other addresses name them
// once they are verified. A user name is kept in lower case: a challenge shows it to
// whoever asks, and in the case of the sign-up it would tell a user from a stranger.
func (s *Settings) draft(name string, attributes map[string]string) (user, error) {
	if err := checkName("username", name); err != nil {
		return user{}, err
	}
	by, err := s.named(name)
	if err != nil {
		return user{}, err
	}
	sub, own := uuid.New(), maps.Clone(attributes)
	maps.DeleteFunc(own, func(_, value string) bool { return value == "" })
	u := user{User: store.User{Sub: sub, Username: strings.ToLower(name)}, account: account{Attributes: own, Status: unconfirmed}}
	if by != "" {
		if given := own[by]; given != "" && !strings.EqualFold(given, name) {
			return user{}, refuse(InvalidParameter, "Username and "+by+" do not match")
		}
		own[by] = cmp.Or(own[by], name)
		u.Username, u.Aliases = sub, []string{strings.ToLower(name)}
	}
	for _, attribute := range []string{"email", "phone_number"} {
		if own[attribute] != "" && own[attribute+"_verified"] == "" {
			own[attribute+"_verified"] = "false"
		}
	}
	return u, s.checkWhole(u)
}

// named is the attribute that a user of that name signs in by, "" where it is a user
// name.
func (s *Settings) named(name string) (attribute string, err error) {
	email, phone := slices.Contains(s.SignInBy, "email"), slices.Contains(s.SignInBy, "phone_number")
	switch {
	case !email && !phone:
		return "", nil
	case email && isEmail(name):
		return "email", nil
	case phone && isPhone(name):
		return "phone_number", nil
	case email && phone:
		return "", refuse(InvalidParameter, "Username should be either an email or a phone number.")
	case email:
		return "", refuse(InvalidParameter, "Username should be an email.")
	}
	return "", refuse(InvalidParameter, "Username should be a phone number.")
}

// confirmation is where the code of a sign-up goes: of two places that the pool
// verifies to the one that names the user, so that nobody signs in by an address that
// they have not, else to the phone, as Cognito has it.
func (s *Settings) confirmation(u user) (to address, ok bool) {
	for _, name := range []string{"phone_number", "email"} {
		value := u.Attributes[name]
		if value == "" || !slices.Contains(s.AutoVerify, name) {
			continue
		}
		if slices.Contains(u.Aliases, strings.ToLower(value)) {
			return address{name, value}, true
		}
		if !ok {
			to, ok = address{name, value}, true
		}
	}
	return to, ok
}

// ConfirmSignUpInput is ConfirmSignUp's request.
type ConfirmSignUpInput struct{ ClientID, Username, ConfirmationCode string }

// ConfirmSignUpOutput is ConfirmSignUp's answer, which says nothing.
type ConfirmSignUpOutput struct{}

// ConfirmSignUp confirms a user by the code of their sign-up, and with them the
// address that it went to. Somebody unknown, and who is confirmed already, has no code
// that could be right. A wrong one is CodeMismatch only where a code was sent, and tells
// a sign-up that waits from no user at all; so it does in Cognito, where SignUp's
// UsernameExists tells the same.
func (p *Pool) ConfirmSignUp(ctx context.Context, in ConfirmSignUpInput) (ConfirmSignUpOutput, error) {
	err := p.checkAsker(in.ClientID, in.Username)
	if err == nil {
		err = checkCode("confirmationCode", in.ConfirmationCode)
	}
	if err != nil {
		return ConfirmSignUpOutput{}, err
	}
	return ConfirmSignUpOutput{}, evenly(ctx, func() error {
		u, _, err := p.recipient(ctx, in.Username, toConfirm)
		if err != nil {
			return err
		}
		return p.useCode(ctx, u, toConfirm, in.ConfirmationCode, func(u *user, c code) {
			u.Status = confirmed
			for _, name := range []string{"email", "phone_number"} {
				if u.Attributes[name] == c.To {
					u.Attributes[name+"_verified"] = "true"
				}
			}
			p.settings.Load().nameBy(u)
		})
	})
}

// ResendConfirmationCodeInput is ResendConfirmationCode's request.
type ResendConfirmationCodeInput struct{ ClientID, Username string }

// ResendConfirmationCodeOutput is ResendConfirmationCode's answer.
type ResendConfirmationCodeOutput struct{ CodeDeliveryDetails CodeDeliveryDetails }

// ResendConfirmationCode sends another code for a sign-up. The answer is the same for
// somebody unknown and who is confirmed already, to whom nothing goes.
func (p *Pool) ResendConfirmationCode(ctx context.Context, in ResendConfirmationCodeInput) (ResendConfirmationCodeOutput, error) {
	details, err := p.sendUnseen(ctx, in.ClientID, in.Username, toConfirm)
	return ResendConfirmationCodeOutput{details}, err
}
