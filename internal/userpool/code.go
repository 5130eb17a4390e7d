package userpool

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"
)

// What codes are for.
const (
	toConfirm purpose = "confirm" // a sign-up
	toReset   purpose = "reset"   // a password
)

// toVerify is the purpose of a code that verifies an attribute: a new value of it,
// which the user takes on with the code, or the one that they have.
func toVerify(attribute string) purpose { return purpose("verify " + attribute) }

// life is how long a code is good (Amazon Cognito Developer Guide, "Quotas").
func (what purpose) life() time.Duration {
	switch what {
	case toConfirm:
		return 24 * time.Hour
	case toSignIn:
		return stepLife
	}
	return time.Hour
}

const (
	codeSize   = 6 // digits
	maxTries   = 5 // wrong ones of one code
	maxSent    = 5 // codes of one purpose in sentWithin
	sentWithin = time.Hour
)

// What codes are refused with. A right code that was used is an expired one.
var (
	errMismatch = refuse(CodeMismatch, "Invalid verification code provided, please try again.")
	errExpired  = refuse(ExpiredCode, "Invalid code provided, please request a code again.")
	errLimit    = refuse(LimitExceeded, "Attempt limit exceeded, please try after some time.")
)

// hashCode is what is kept of a code. It is good for one user, purpose and address,
// and a stranger's for nobody.
func (p *Pool) hashCode(u *user, what purpose, to, text string) string {
	if !u.known() {
		return p.secrets.mac("code of nobody", newToken())
	}
	return p.secrets.mac("code", strings.Join([]string{u.Sub, string(what), to, text}, "\x00"))
}

// newCode gives u a code in place of any other of that purpose, and returns it. It is
// LimitExceeded when u had too many of late for it: whoever asks for codes without a
// password does not use up those of a sign-in. It is for use in Pool.changeAnyone.
func (p *Pool) newCode(u *user, what purpose, to string) (string, error) {
	now := p.now()
	sent := slices.DeleteFunc(slices.Clone(u.Sent[what]), func(at time.Time) bool { return !now.Before(at.Add(sentWithin)) })
	if len(sent) >= maxSent {
		return "", errLimit
	}
	text := newID(codeSize, digits)
	if u.Codes == nil {
		u.Codes = map[purpose]code{}
	}
	if u.Sent == nil {
		u.Sent = map[purpose][]time.Time{}
	}
	u.Sent[what] = append(sent, now)
	u.Codes[what] = code{Hash: p.hashCode(u, what, to, text), To: to, Expires: now.Add(what.life())}
	return text, nil
}

// tryCode compares text with u's code of that purpose, which is gone when it was the
// right one and counts a try when it was not. It is for use in Pool.changeAnyone.
func (p *Pool) tryCode(u *user, what purpose, text string) (code, error) {
	c, ok := u.Codes[what]
	if !ok || !p.now().Before(c.Expires) {
		return code{}, errExpired
	}
	if c.Tries >= maxTries {
		return code{}, errLimit
	}
	if !same(c.Hash, p.hashCode(u, what, c.To, text)) {
		c.Tries++
		u.Codes[what] = c
		return code{}, errMismatch
	}
	delete(u.Codes, what)
	return c, nil
}

// useCode tries text and, when it is right, keeps what edit makes of u; a wrong try is
// kept as well. Of several who show one right code at once, one succeeds.
func (p *Pool) useCode(ctx context.Context, u user, what purpose, text string, edit func(*user, code)) error {
	var wrong error
	try := func(u *user) error {
		var c code
		if c, wrong = p.tryCode(u, what, text); wrong == nil {
			edit(u, c)
		}
		return nil
	}
	if err := p.changeAnyone(ctx, u, try); err != nil {
		return err
	}
	return wrong
}

// changeAnyone is Pool.change for somebody who may be a stranger: this server remembers what
// it made of one, so that their codes expire and run out of tries as anyone's do.
func (p *Pool) changeAnyone(ctx context.Context, u user, edit func(*user) error) error {
	if u.known() {
		_, err := p.change(ctx, u.Sub, edit)
		return err
	}
	var err error
	p.strangers.strike(u.Username, func(a *account) {
		u.account = *a
		u.Codes, u.Sent = maps.Clone(a.Codes), maps.Clone(a.Sent)
		if err = edit(&u); err == nil {
			*a = u.account
		}
	})
	return err
}
