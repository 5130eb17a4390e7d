package userpool

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// Whoever is not signed in may ask for codes and try them under any name. They get the
// same answers, after the same time, whether there is such a user or not (Amazon
// Cognito Developer Guide, "Managing user existence error responses").

// evenTime is how long an answer takes that must not tell who is known: longer than
// the store takes, and than a user minds.
const evenTime = 200 * time.Millisecond

// evenly does it, and returns no earlier than evenTime after it began.
func evenly(ctx context.Context, do func() error) error {
	over := time.NewTimer(evenTime)
	defer over.Stop()
	err := do()
	select {
	case <-over.C:
	case <-ctx.Done():
	}
	return err
}

// checkAsker refuses what nobody may ask.
func (p *Pool) checkAsker(clientID, username string) error {
	if err := p.ours(clientID); err != nil {
		return err
	}
	return checkName("username", username)
}

// recipient is whom a code is for and where it goes. A user who is to have none is
// treated as a stranger.
func (p *Pool) recipient(ctx context.Context, name string, what purpose) (user, address, error) {
	u, ok, err := p.byName(ctx, name)
	if err != nil {
		return user{}, address{}, err
	}
	var to address
	if ok && !u.Disabled {
		to, ok = p.settings.Load().destination(u, what)
	}
	if !ok || u.Disabled {
		return p.stranger(name), p.madeUp(name), nil
	}
	return u, to, nil
}

// destination is where a code for u goes, if u may have one.
func (s *Settings) destination(u user, what purpose) (address, bool) {
	if what == toConfirm {
		to, ok := s.confirmation(u)
		return to, ok && u.Status == unconfirmed
	}
	if u.Status != confirmed && u.Status != resetRequired {
		return address{}, false
	}
	return s.recovery(u)
}

// recovery is the first of the addresses that a code for a new password may go to
// which u has verified. Where the settings name them, a phone that is the second factor
// is not the way to a new password as well (Amplify's "WITHOUT_MFA").
func (s *Settings) recovery(u user) (address, bool) {
	order := s.Recovery
	if order == nil {
		order = []string{"email", "phone_number"}
	}
	for _, name := range order {
		factor := s.Recovery != nil && name == "phone_number" && slices.Contains(s.factors(u), smsMFA)
		if u.Attributes[name+"_verified"] == "true" && !factor {
			return address{name, u.Attributes[name]}, true
		}
	}
	return address{}, false
}

// madeUp is where anybody of that name is told that a code went, known or not: the
// address that they are named by, else one that is always the same for that name. A
// user's own would say that there is one, and which of two addresses it is as well.
func (p *Pool) madeUp(name string) address {
	name = strings.ToLower(name)
	s := p.settings.Load()
	if by, err := s.named(name); err == nil && by != "" {
		return address{by, name}
	}
	b := p.secrets.derive("stranger's address", name, 4)
	if slices.Contains(s.AutoVerify, "phone_number") {
		number := []byte("+10000000000")
		for i, n := range b {
			number[len(number)-4+i] = digits[int(n)%len(digits)]
		}
		return address{"phone_number", string(number)}
	}
	letter := func(n byte) string { return string(lower[int(n)%len(lower)]) }
	return address{"email", letter(b[0]) + "@" + letter(b[1])}
}

// deliverWithin bounds a delivery that nobody waits for.
const deliverWithin = time.Minute

// sendUnseen sends a code to whom it is for. Its answer says of everybody the same:
// not where it went, nor whether it could be delivered, which only the log knows.
func (p *Pool) sendUnseen(ctx context.Context, clientID, username string, what purpose) (CodeDeliveryDetails, error) {
	err := p.checkAsker(clientID, username)
	if err == nil {
		err = p.canDeliver()
	}
	if err != nil {
		return CodeDeliveryDetails{}, err
	}
	err = evenly(ctx, func() error { return p.sendBehind(ctx, username, what) })
	if err != nil {
		return CodeDeliveryDetails{}, err
	}
	return p.madeUp(username).details(), nil
}

// sendBehind makes the code and has it delivered in the background. Requests are
// limited by the name that they give, as a stranger's are. A user who had too many
// codes of late gets none, and nobody is told.
func (p *Pool) sendBehind(ctx context.Context, username string, what purpose) error {
	if _, err := p.renewCode(ctx, p.stranger(username), p.madeUp(username), what); err != nil {
		return err
	}
	u, to, err := p.recipient(ctx, username, what)
	if err != nil || !u.known() {
		return err
	}
	text, err := p.renewCode(ctx, u, to, what)
	if e, ok := errors.AsType[*Error](err); ok && e.Kind == LimitExceeded {
		return nil
	}
	if err != nil {
		return err
	}
	p.running.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deliverWithin)
		defer cancel()
		p.deliver(ctx, u, to, what, text) // its failure is in the log
	})
	return nil
}

// renewCode is newCode, kept.
func (p *Pool) renewCode(ctx context.Context, u user, to address, what purpose) (text string, err error) {
	err = p.changeAnyone(ctx, u, func(u *user) (err error) {
		text, err = p.newCode(u, what, to.value)
		return err
	})
	return text, err
}
