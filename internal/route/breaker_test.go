package route

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

var epoch = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func newBreaker(c BreakerConfig) *breaker {
	c = c.withDefaults()
	return &breaker{config: &c}
}

// end makes one call that ends in e, and reports whether it was admitted.
func (b *breaker) end(e ending, now time.Time) bool {
	a, ok := b.admit(now)
	if ok {
		b.settle(a, e, now)
	}
	return ok
}

func TestBreakerOpensOnFailuresInARow(t *testing.T) {
	b := newBreaker(BreakerConfig{Failures: 3})
	for _, e := range []ending{failed, failed, succeeded, failed, untold, failed} {
		b.end(e, epoch)
	}
	if got := b.state(epoch); got != Closed {
		t.Fatalf("state after two failures in a row = %s, want closed", got)
	}
	b.end(failed, epoch)
	if got := b.state(epoch); got != Open {
		t.Fatalf("state after three failures in a row = %s, want open", got)
	}
	if b.end(succeeded, epoch) {
		t.Error("an open breaker admitted a call")
	}
}

func TestBreakerOpensOnFailureRate(t *testing.T) {
	b := newBreaker(BreakerConfig{Failures: 100, MinCalls: 10, FailureRate: 0.5, Window: time.Minute})
	for range 8 {
		b.end(failed, epoch)
	}
	later := epoch.Add(time.Minute)
	for i := range 9 {
		b.end([]ending{succeeded, failed}[i%2], later)
	}
	if got := b.state(later); got != Closed {
		t.Fatalf("state after nine calls in the window = %s, want closed: the window before is over", got)
	}
	b.end(failed, later)
	if got := b.state(later); got != Open {
		t.Errorf("state after 5 of 10 calls failed = %s, want open", got)
	}
}

func TestBreakerHold(t *testing.T) {
	b := newBreaker(BreakerConfig{Failures: 1, OpenFor: time.Second, MaxOpenFor: 3 * time.Second})
	now := epoch
	holds := func() time.Duration { return b.openUntil.Sub(now) }
	b.end(failed, now)
	for _, want := range []time.Duration{time.Second, 2 * time.Second, 3 * time.Second, 3 * time.Second} {
		if got := holds(); got != want {
			t.Fatalf("hold = %s, want %s", got, want)
		}
		now = b.openUntil
		b.end(failed, now)
	}
	now = b.openUntil
	b.end(succeeded, now)
	now = now.Add(time.Second)
	b.end(failed, now)
	if got := holds(); got != 3*time.Second {
		t.Errorf("hold of a flapping target = %s, want the longest, 3s", got)
	}
	now = b.openUntil
	b.end(succeeded, now)
	now = now.Add(time.Minute)
	b.end(failed, now)
	if got := holds(); got != time.Second {
		t.Errorf("hold after a long health = %s, want the first again, 1s", got)
	}
}

func TestBreakerHalfOpenAdmitsOne(t *testing.T) {
	for _, test := range []struct {
		ends ending
		want State
	}{{untold, HalfOpen}, {succeeded, Closed}, {failed, Open}} {
		b := newBreaker(BreakerConfig{Failures: 1})
		b.end(failed, epoch)
		now := b.openUntil
		probe, ok := b.admit(now)
		if !ok {
			t.Fatal("a half-open breaker refused the first call")
		}
		if _, ok := b.admit(now); ok {
			t.Fatal("a half-open breaker admitted a second call beside its probe")
		}
		b.settle(probe, test.ends, now)
		if got := b.state(now); got != test.want {
			t.Errorf("state after the probe ended in %d = %s, want %s", test.ends, got, test.want)
		}
		if _, ok := b.admit(now); ok != (test.want != Open) {
			t.Errorf("admit after the probe ended in %d = %t", test.ends, ok)
		}
	}
}

func TestBreakerForced(t *testing.T) {
	b := newBreaker(BreakerConfig{Failures: 1})
	b.end(failed, epoch)
	until := b.openUntil
	b.settle(b.force(), failed, epoch)
	if b.openUntil != until {
		t.Errorf("hold after a forced call failed ends %s, want unchanged %s", b.openUntil, until)
	}
	b.settle(b.force(), succeeded, epoch)
	if got := b.state(epoch); got != Closed {
		t.Errorf("state after a forced call succeeded = %s, want closed", got)
	}
}

func TestBreakerIgnoresLateNews(t *testing.T) {
	b := newBreaker(BreakerConfig{Failures: 1})
	slow, _ := b.admit(epoch)
	b.end(failed, epoch)
	b.settle(slow, succeeded, epoch)
	if got := b.state(epoch); got != Open {
		t.Errorf("state after a call from before it opened succeeded = %s, want open", got)
	}
}

// Whatever happens in whatever order: at most one probe is out, an open breaker
// admits nothing, and a hold stays within its bounds.
func TestBreakerProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBreaker(BreakerConfig{OpenFor: time.Second, MaxOpenFor: 10 * time.Second})
		now := epoch
		var out []admission
		probes := func() (n int) {
			for _, a := range out {
				if a.probe && a.epoch == b.epoch {
					n++
				}
			}
			return n
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0:
				now = now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
			case 1:
				before := b.state(now)
				a, ok := b.admit(now)
				if ok && before == Open || !ok && before == Closed {
					t.Fatalf("admit in state %s = %t", before, ok)
				}
				if ok {
					out = append(out, a)
				}
			case 2:
				out = append(out, b.force())
			case 3:
				if len(out) == 0 {
					continue
				}
				i := rapid.IntRange(0, len(out)-1).Draw(t, "which")
				a := out[i]
				out = append(out[:i], out[i+1:]...)
				b.settle(a, ending(rapid.IntRange(0, 2).Draw(t, "ending")), now)
			}
			if n := probes(); n > 1 {
				t.Fatalf("%d probes are out, want at most one", n)
			}
			if b.hold != 0 && (b.hold < time.Second || b.hold > 10*time.Second) {
				t.Fatalf("hold = %s, want 1s to 10s", b.hold)
			}
		}
	})
}
