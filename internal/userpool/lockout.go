package userpool

import (
	"context"
	"time"
)

// errLocked answers whoever tries while they are locked out, right or wrong.
var errLocked = refuse(NotAuthorized, "Password attempts exceeded")

// mayTry refuses a user who is locked out. It comes before each look at a password
// or a code.
func (p *Pool) mayTry(u user) error {
	if p.now().Before(u.LockedUntil) {
		return errLocked
	}
	return nil
}

// strike counts a wrong password or code of u, and locks them out when it is one
// too many. Somebody unknown is counted as well, so that they are not told apart.
func (p *Pool) strike(ctx context.Context, u user) error {
	if !u.known() {
		p.strangers.strike(u.Username, p.hit)
		return nil
	}
	// Guesses at one user come in numbers; in turn none of them is lost.
	p.striking.Lock()
	defer p.striking.Unlock()
	_, err := p.change(ctx, u.Sub, func(u *user) error {
		p.hit(&u.account)
		return nil
	})
	return err
}

// strikeWithin is how long the store may take to count a failure.
const strikeWithin = 10 * time.Second

// strikeBehind is strike behind the answer: the time that the store takes for those
// whom it knows must not tell them from strangers.
func (p *Pool) strikeBehind(ctx context.Context, u user) {
	if !u.known() {
		p.strangers.strike(u.Username, p.hit)
		return
	}
	p.strikes.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), strikeWithin)
		defer cancel()
		if err := p.strike(ctx, u); err != nil {
			p.log.WarnContext(ctx, "user pool could not count a failed sign-in", "sub", u.Sub, "error", err)
		}
	})
}

// hit is one failure more. Those beyond the limit double the time of the one before
// (Amazon Cognito Developer Guide, "Lockout behavior for failed sign-in attempts").
func (p *Pool) hit(a *account) {
	l := p.settings.Load().Lockout
	a.Failures++
	if over := a.Failures - l.Failures; over >= 0 {
		a.LockedUntil = p.now().Add(doubled(l.For, over, l.MaxFor))
	}
}

// doubled is d doubled n times, at most limit.
func doubled(d time.Duration, n int, limit time.Duration) time.Duration {
	for range n {
		if d >= limit {
			break
		}
		d *= 2
	}
	return min(d, limit)
}

// forgive forgets the failures of u, who has signed in or entered the right code.
func (p *Pool) forgive(ctx context.Context, u user) error {
	if u.Failures == 0 || !u.known() {
		return nil
	}
	_, err := p.change(ctx, u.Sub, func(u *user) error {
		u.forgiven()
		return nil
	})
	return err
}
