package route

import (
	"cmp"
	"time"
)

// BreakerConfig sets when a target is taken out of use, and for how long. Zero
// fields take the defaults.
type BreakerConfig struct {
	Failures    int           // in a row; default 3
	FailureRate float64       // of the calls in a window; default 0.5
	MinCalls    int           // in a window before the rate counts; default 20
	Window      time.Duration // default 30s
	OpenFor     time.Duration // the first hold; default 5s
	MaxOpenFor  time.Duration // the longest hold; default 2m
}

func (c BreakerConfig) withDefaults() BreakerConfig {
	c.Failures = cmp.Or(c.Failures, 3)
	c.FailureRate = cmp.Or(c.FailureRate, 0.5)
	c.MinCalls = cmp.Or(c.MinCalls, 20)
	c.Window = cmp.Or(c.Window, 30*time.Second)
	c.OpenFor = cmp.Or(c.OpenFor, 5*time.Second)
	c.MaxOpenFor = max(cmp.Or(c.MaxOpenFor, 2*time.Minute), c.OpenFor)
	return c
}

// State is what becomes of calls of a target.
type State string

// The states.
const (
	Closed   State = "closed"
	Open     State = "open"
	HalfOpen State = "half-open"

	// NotEntitled is no breaker's: the account may not use the target.
	NotEntitled State = "not-entitled"
)

// breaker keeps calls away from a target that fails. Time is an argument: it
// has no timers and starts nothing.
//
//	closed     admits every call and counts how they end
//	           -> open when Failures calls in a row failed, or broke off, or
//	              FailureRate of at least MinCalls calls in one Window
//	open       admits nothing for the hold
//	           -> half-open when the hold is over
//	half-open  admits one call at a time, the probe
//	           -> closed when the probe succeeds
//	           -> open when it fails; a probe that tells nothing (the caller
//	              left, the region throttled) makes room for another
//
// The hold is OpenFor and doubles up to MaxOpenFor each time a probe fails, and
// each time the breaker opens again within MaxOpenFor of having closed, so that
// a flapping target is left alone for longer. A call that nothing admitted may
// be forced when no other target is left: if it succeeds the breaker closes, if
// not nothing changes. What was admitted before the breaker last opened or
// closed says nothing about it now and is ignored.
//
// It is not safe for concurrent use.
type breaker struct {
	config *BreakerConfig

	openUntil time.Time // zero while closed
	since     time.Time // when it last opened from closed
	probing   bool
	epoch     int // how often it has opened or closed

	streak      int // failures in a row
	cuts        int // answers in a row that broke off
	windowStart time.Time
	calls       int // in the window
	failed      int // in the window

	hold     time.Duration // the last one
	closedAt time.Time     // zero until it has closed again for the first time
}

// admission is the leave to make one call. It is settled exactly once.
type admission struct {
	epoch int
	probe bool // of the breaker
	check bool // of the entitlement
}

// ending is what a call has shown of its target's health.
type ending int

const (
	untold ending = iota
	succeeded
	failed
)

func (b *breaker) state(now time.Time) State {
	switch {
	case b.openUntil.IsZero():
		return Closed
	case now.Before(b.openUntil):
		return Open
	default:
		return HalfOpen
	}
}

// admit lets a call through, or not.
func (b *breaker) admit(now time.Time) (admission, bool) {
	switch b.state(now) {
	case Closed:
		return admission{epoch: b.epoch}, true
	case HalfOpen:
		if b.probing {
			return admission{}, false
		}
		b.probing = true
		return admission{epoch: b.epoch, probe: true}, true
	default:
		return admission{}, false
	}
}

// force lets a call through in any state.
func (b *breaker) force() admission { return admission{epoch: b.epoch} }

// settle takes in how an admitted call ended.
func (b *breaker) settle(a admission, e ending, now time.Time) {
	switch {
	case a.epoch != b.epoch:
	case b.openUntil.IsZero():
		b.count(e, now)
	case e == succeeded:
		b.close(now)
	case a.probe && e == failed:
		b.open(now)
	case a.probe:
		b.probing = false
	}
}

func (b *breaker) count(e ending, now time.Time) {
	if e == untold {
		return
	}
	if now.Sub(b.windowStart) >= b.config.Window {
		b.windowStart, b.calls, b.failed = now, 0, 0
	}
	b.calls++
	if e == succeeded {
		b.streak = 0
		return
	}
	b.streak++
	b.failed++
	often := b.calls >= b.config.MinCalls && float64(b.failed) >= b.config.FailureRate*float64(b.calls)
	if often || b.streak >= b.config.Failures {
		b.open(now)
	}
}

// cut takes in an answer that broke off. Its beginning has ended the row of failures:
// answers that break off make a row of their own, which only a whole one ends.
func (b *breaker) cut(now time.Time) {
	if !b.openUntil.IsZero() {
		return
	}
	b.cuts++
	b.count(failed, now)
	if b.openUntil.IsZero() && b.cuts >= b.config.Failures {
		b.open(now)
	}
}

func (b *breaker) open(now time.Time) {
	if b.openUntil.IsZero() && now.Sub(b.closedAt) > b.config.MaxOpenFor {
		b.hold = 0
	}
	if b.openUntil.IsZero() {
		b.since = now
	}
	b.hold = min(max(2*b.hold, b.config.OpenFor), b.config.MaxOpenFor)
	b.openUntil = now.Add(b.hold)
	b.probing = false
	b.epoch++
}

func (b *breaker) close(now time.Time) {
	*b = breaker{config: b.config, epoch: b.epoch + 1, hold: b.hold, closedAt: now}
}
