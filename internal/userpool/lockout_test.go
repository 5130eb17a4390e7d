package userpool

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestStrikesWait fills all places where failures are counted behind answers. Users and
// strangers wait for one, and who does not wait for the answer is counted too.
func TestStrikesWait(t *testing.T) {
	atDesk(t, byEmail, func(d *desk) {
		addAna(d.T, d.pool, nil)
		for range maxStrikes {
			d.pool.strikes.begin()
		}
		ctx, giveUp := context.WithCancel(d.Context())
		giveUp()
		var answered atomic.Int32
		guess := []user{d.find(), d.pool.stranger("eve@example.com")}
		for _, u := range guess {
			go func() {
				d.pool.strikeBehind(ctx, u)
				answered.Add(1)
			}()
		}
		synctest.Wait()
		if n := answered.Load(); n != 0 {
			d.Errorf("%d of a user and a stranger were answered while no place was free", n)
		}
		for range maxStrikes {
			d.pool.strikes.end()
		}
		synctest.Wait()
		settle(d.pool)
		if n := answered.Load(); n != 2 {
			d.Errorf("%d of two were answered once places were free", n)
		}
		if known, stranger := d.find(), d.pool.stranger("eve@example.com"); known.Failures != 1 || stranger.Failures != 1 {
			d.Errorf("Failures = %d of the user, %d of the stranger, want 1", known.Failures, stranger.Failures)
		}
	})
}

// TestLockoutAtOnce tries prepared proofs while the store has counted none of the
// failures: a user is locked out as soon as a stranger is.
func TestLockoutAtOnce(t *testing.T) {
	p := newPlace(t).server(t, byEmail)
	u := addAna(t, p, nil)
	turn := p.strikes.turn(u.Sub)
	turn.Lock() // the store counts nothing
	for _, name := range []string{ana, "eve@example.com"} {
		for i := range 10 {
			want := "Incorrect username or password."
			if i >= p.settings.Load().Lockout.Failures {
				want = "Password attempts exceeded"
			}
			_, err := p.SignIn(t.Context(), name, "wrong")
			if e, ok := errors.AsType[*Error](err); !ok || e.Message != want {
				t.Errorf("try %d of %s = %v, want %s", i+1, name, err, want)
			}
		}
	}
	if got := find(t, p).Failures; got != 0 {
		t.Errorf("the store has %d failures, want none yet", got)
	}
	turn.Unlock()
	settle(p)
	if got, want := find(t, p).Failures, p.settings.Load().Lockout.Failures; got != want {
		t.Errorf("the store has %d failures, want %d", got, want)
	}
}

// TestLockoutCalmsDown lets time pass after failures, those of a user and of a stranger.
func TestLockoutCalmsDown(t *testing.T) {
	for _, name := range []string{ana, "eve@example.com"} {
		w := newPlace(t)
		p := w.server(t, byEmail)
		addAna(t, p, nil)
		failures := func() int {
			if name == ana {
				return find(t, p).Failures
			}
			return p.stranger(name).Failures
		}
		try := func() {
			p.SignIn(t.Context(), name, "wrong")
			settle(p)
		}
		for range 8 {
			try()
			w.advance(8 * time.Second)
		}
		if got := failures(); got != 8 {
			t.Fatalf("failures of %s = %d, want 8", name, got)
		}
		w.advance(quiet - 2*time.Second)
		try()
		if got := failures(); got != 9 {
			t.Errorf("failures of %s a little before it was quiet = %d, want 9", name, got)
		}
		w.advance(quiet + 16*time.Second)
		try()
		try()
		if got := failures(); got != 2 {
			t.Errorf("failures of %s after it was quiet = %d, want 2", name, got)
		}
	}
}
