package userpool

import (
	"context"
	"errors"
	"strings"

	"fairway/internal/mail"
)

// Courier takes a message to a user, once the pool has kept what the message is
// about. An error says to the operator why it could not. It must be safe for
// concurrent use.
type Courier interface {
	Deliver(ctx context.Context, m mail.Message) error
}

// CodeDeliveryDetails say where a code went, so that only its owner recognizes it.
type CodeDeliveryDetails struct {
	AttributeName  string
	DeliveryMedium string // "EMAIL" or "SMS"
	Destination    string // "a***@e***", "+*******1234"
}

// address is an attribute that messages go to, "email" or "phone_number", and its
// value.
type address struct{ attribute, value string }

func (a address) medium() mail.Medium {
	if a.attribute == "phone_number" {
		return mail.SMS
	}
	return mail.Email
}

func (a address) details() CodeDeliveryDetails {
	return CodeDeliveryDetails{AttributeName: a.attribute, DeliveryMedium: string(a.medium()), Destination: mask(a)}
}

// mask hides an address as Cognito does: of an e-mail address the first letters of
// its halves are shown, of a phone number the last four digits.
func mask(a address) string {
	if a.medium() == mail.SMS {
		hidden := max(0, len(a.value)-5) // without "+" and the last four
		return "+" + strings.Repeat("*", hidden) + a.value[min(len(a.value), 1+hidden):]
	}
	name, domain, _ := strings.Cut(strings.ToLower(a.value), "@")
	return first(name) + "***@" + first(domain) + "***"
}

func first(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}

// Cognito's own texts.
const (
	defaultSubject = "Your verification code"
	defaultBody    = "Your confirmation code is " + placeholder
	defaultReset   = "Your password reset code is " + placeholder
	placeholder    = "{####}"
)

// message puts a code into the pool's text for it.
func (s *Settings) message(u user, to address, what purpose, code string) mail.Message {
	text := s.Verification
	if to.medium() == mail.SMS {
		text = s.SMS
	}
	if text.Subject == "" {
		text.Subject = defaultSubject
	}
	if text.Body == "" && what == toReset {
		text.Body = defaultReset
	}
	if text.Body == "" {
		text.Body = defaultBody
	}
	if !strings.Contains(text.Body, placeholder) {
		text.Body += " " + placeholder
	}
	return mail.Message{
		Medium:   to.medium(),
		To:       to.value,
		Subject:  text.Subject,
		Body:     strings.ReplaceAll(text.Body, placeholder, code),
		Code:     code,
		Username: u.Username,
	}
}

// deliver sends a code. It is CodeDeliveryFailure with the operator's cause in Err;
// the code is good all the same, and another may be asked for.
func (p *Pool) deliver(ctx context.Context, u user, to address, what purpose, code string) error {
	if err := p.canDeliver(); err != nil {
		return err
	}
	if err := p.courier.Deliver(ctx, p.settings.Load().message(u, to, what, code)); err != nil {
		p.log.WarnContext(ctx, "verification code not delivered", "sub", u.Sub, "medium", string(to.medium()), "error", err)
		return &Error{Kind: CodeDeliveryFailure, Message: undelivered(to), Err: err}
	}
	return nil
}

var errNoCourier = errors.New("the pool has no courier: configure mail")

// canDeliver refuses to make codes that nobody would carry.
func (p *Pool) canDeliver() error {
	if p.courier == nil {
		return &Error{Kind: CodeDeliveryFailure, Message: "Codes cannot be sent.", Err: errNoCourier}
	}
	return nil
}

func undelivered(to address) string {
	if to.medium() == mail.SMS {
		return "The text message could not be sent."
	}
	return "The e-mail could not be sent."
}
