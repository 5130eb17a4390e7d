package userpool

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// errLocked answers whoever tries while they are locked out, right or wrong.
var errLocked = refuse(NotAuthorized, "Password attempts exceeded")

// mayTry refuses a user who is locked out. It comes before each look at a password
// or a code.
func (p *Pool) mayTry(u user) error {
	now := p.now()
	if now.Before(u.LockedUntil) || now.Before(p.strikes.recent(u, now).LockedUntil) {
		return errLocked
	}
	return nil
}

const (
	maxStrikes    = 64 // that are counted behind answers at once
	strikeStripes = 64
	maxStruck     = 4096 // users whose failures are remembered until the store has them
)

// strikes has the failures of one user counted in turn: guesses come in numbers, and
// so none of them is lost to the others.
type strikes struct {
	seed   maphash.Seed
	turns  [strikeStripes]sync.Mutex
	behind chan struct{} // has one of each that is counted behind an answer

	mu     sync.Mutex
	struck *lru.Cache[string, account] // by sub: the failures that this server knows of
}

func newStrikes() *strikes {
	struck, err := lru.New[string, account](maxStruck)
	if err != nil {
		panic(err) // the size is a positive constant
	}
	return &strikes{seed: maphash.MakeSeed(), behind: make(chan struct{}, maxStrikes), struck: struck}
}

// recent is u's failures with those of late that the store need not have yet.
func (s *strikes) recent(u user, now time.Time) account {
	here, ok := s.struck.Get(u.Sub)
	if ok && !here.FailedAt.Before(u.FailedAt) && now.Sub(here.FailedAt) < strikeWithin {
		return here
	}
	return account{Failures: u.Failures, FailedAt: u.FailedAt, LockedUntil: u.LockedUntil}
}

// note has hit count a failure of u at once, before the store does.
func (s *strikes) note(u user, now time.Time, hit func(*account)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.recent(u, now)
	hit(&a)
	s.struck.Add(u.Sub, a)
}

// forget is for who has shown to be the user of that sub.
func (s *strikes) forget(sub string) { s.struck.Remove(sub) }

// turn is held while a failure of that user is counted.
func (s *strikes) turn(sub string) *sync.Mutex {
	return &s.turns[maphash.String(s.seed, sub)%strikeStripes]
}

func (s *strikes) begin() { s.behind <- struct{}{} }
func (s *strikes) end()   { <-s.behind }

// strike counts a wrong password or code of u, and locks them out when it is one
// too many. Somebody unknown is counted as well, so that they are not told apart.
func (p *Pool) strike(ctx context.Context, u user) error {
	return p.keepStrike(ctx, u, p.noteStrike(u))
}

// noteStrike counts a failure in memory, and returns the count for the store.
func (p *Pool) noteStrike(u user) (hit func(*account)) {
	now := p.now()
	hit = func(a *account) { p.hit(a, now) }
	if u.known() {
		p.strikes.note(u, now, hit)
	} else {
		p.strangers.strike(u.Username, hit)
	}
	return hit
}

// keepStrike has the store count a failure of somebody it knows.
func (p *Pool) keepStrike(ctx context.Context, u user, hit func(*account)) error {
	if !u.known() {
		return nil
	}
	turn := p.strikes.turn(u.Sub)
	turn.Lock()
	defer turn.Unlock()
	_, err := p.change(ctx, u.Sub, func(u *user) error {
		hit(&u.account)
		return nil
	})
	return err
}

// strikeWithin is how long the store may take to count a failure.
const strikeWithin = 10 * time.Second

// strikeBehind is strike with the store behind the answer: the time that it takes for
// those whom it knows must not tell them from strangers. This server knows of the
// failure at once, of a user and of a stranger. While too many are being stored
// everybody waits, users and strangers, and whoever gives up is counted all the same.
func (p *Pool) strikeBehind(ctx context.Context, u user) {
	hit := p.noteStrike(u)
	p.strikes.begin()
	p.running.Go(func() {
		defer p.strikes.end()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), strikeWithin)
		defer cancel()
		if err := p.keepStrike(ctx, u, hit); err != nil {
			p.log.WarnContext(ctx, "user pool could not count a failed sign-in", "sub", u.Sub, "error", err)
		}
	})
}

// quiet is how long after the last failure, or the lockout that it led to, all are
// forgotten; a longer Lockout.MaxFor takes its place.
const quiet = 15 * time.Minute

// hit is one failure more. Those beyond the limit double the time of the one before
// (Amazon Cognito Developer Guide, "Lockout behavior for failed sign-in attempts").
func (p *Pool) hit(a *account, now time.Time) {
	l := p.settings.Load().Lockout
	over := a.FailedAt
	if a.LockedUntil.After(over) {
		over = a.LockedUntil
	}
	if now.Sub(over) >= max(quiet, l.MaxFor) {
		a.forgiven()
	}
	a.Failures++
	a.FailedAt = now
	if times := a.Failures - l.Failures; times >= 0 {
		a.LockedUntil = now.Add(doubled(l.For, times, l.MaxFor))
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
	if !u.known() {
		return nil
	}
	p.strikes.forget(u.Sub)
	if u.Failures == 0 {
		return nil
	}
	_, err := p.change(ctx, u.Sub, func(u *user) error {
		u.forgiven()
		return nil
	})
	return err
}
