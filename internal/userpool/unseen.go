package userpool

import (
	"context"
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
	u, ok, err := p.find(ctx, name)
	if err != nil {
		return user{}, address{}, err
	}
	if !ok {
		return p.stranger(name), p.madeUp(name), nil
	}
	to, ok := p.settings.Load().destination(u, what)
	if to.value == "" {
		to = p.madeUp(name)
	}
	if !ok || u.Disabled {
		u = p.stranger(name)
	}
	return u, to, nil
}

// destination is where a code for u would go, and whether u may have one.
func (s *Settings) destination(u user, what purpose) (address, bool) {
	to, ok := s.confirmation(u)
	if what == toConfirm {
		return to, ok && u.Status == unconfirmed
	}
	for _, name := range []string{"email", "phone_number"} { // Amplify's order of recovery
		if u.Attributes[name+"_verified"] == "true" {
			return address{name, u.Attributes[name]}, u.Status == confirmed || u.Status == resetRequired
		}
	}
	return to, false
}

// madeUp is where a code for somebody unknown would go: the address that they are
// named by, else one that is always the same for that name.
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

// sendUnseen sends a code to whom it is for, and says where it went to anybody. Nobody
// is told whether it could be delivered, for that would say that there is such a user:
// only the log knows.
func (p *Pool) sendUnseen(ctx context.Context, clientID, username string, what purpose) (CodeDeliveryDetails, error) {
	err := p.checkAsker(clientID, username)
	if err == nil {
		err = p.canDeliver()
	}
	if err != nil {
		return CodeDeliveryDetails{}, err
	}
	var details CodeDeliveryDetails
	err = evenly(ctx, func() (err error) {
		details, err = p.sendBehind(ctx, username, what)
		return err
	})
	return details, err
}

// sendBehind makes the code and has it delivered in the background.
func (p *Pool) sendBehind(ctx context.Context, username string, what purpose) (CodeDeliveryDetails, error) {
	u, to, err := p.recipient(ctx, username, what)
	if err != nil {
		return CodeDeliveryDetails{}, err
	}
	var text string
	err = p.alter(ctx, u, func(u *user) (err error) {
		text, err = p.newCode(u, what, to.value)
		return err
	})
	if err != nil {
		return CodeDeliveryDetails{}, err
	}
	if u.known() {
		p.running.Go(func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deliverWithin)
			defer cancel()
			p.deliver(ctx, u, to, what, text) // its failure is in the log
		})
	}
	return to.details(), nil
}
