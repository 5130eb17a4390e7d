package budget

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairway/internal/inference"
)

// servers are books over one bank.
func servers(n int, bank Bank, c Config) []*Book {
	books := make([]*Book, n)
	for i := range books {
		c.Server, c.Bank, c.Shared = fmt.Sprint("server-", i), bank, true
		books[i] = New(c)
		books[i].patience = time.Minute // however slow the machine is
	}
	return books
}

// a thousand calls of 7 tokens and 3 billionths.
var thousand = []Budget{
	{DollarsPerMonth: 3000}, {DollarsPerDay: 3000}, {TokensPerMinute: 7000}, {RequestsPerMinute: 1000}, {Streams: 1000},
}

// TestThreeServers has three servers take what there is: never more, and all of it once
// they gave back what they leased and did not use.
func TestThreeServers(t *testing.T) {
	for _, limit := range thousand {
		limit.Name, limit.Principals = "all", []string{"*"}
		c := newClock()
		books := servers(3, newFakeBank(), Config{Budgets: []Budget{limit}, Now: c.now})
		got := storm(t.Context(), books...)
		if got > 1000 || got < 1000-3*75 {
			t.Errorf("three servers reserved %d of 1000, want all but a block and a half each", got)
		}
		for _, b := range books {
			if err := b.giveBack(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
		}
		c.forward(2 * dryFor)
		if got += storm(t.Context(), books[1]); got != 1000 {
			t.Errorf("three servers reserved %d in all, want 1000", got)
		}
	}
}

func TestBankAway(t *testing.T) {
	for _, test := range []struct {
		away Away
		want int64 // of each server beyond what it has leased
	}{{Allow, 50}, {Refuse, 0}} {
		t.Run(string(test.away), func(t *testing.T) {
			bank, c, log := newFakeBank(), newClock(), &bytes.Buffer{}
			books := servers(3, bank, Config{
				Budgets: []Budget{{Name: "all", Principals: []string{"*"}, RequestsPerMinute: 1000}},
				Away:    test.away, Now: c.now, Log: slog.New(slog.NewTextHandler(log, nil)),
			})
			for _, b := range books {
				reserve(t, b, call(sonnet, 0, 0))
				b.errands.Wait()
			}
			leased := bank.total(inference.RequestsPerMinute)
			bank.goes(true)
			for i, b := range books {
				before := leased / 3
				if got := 1 + storm(t.Context(), b); got != before+test.want {
					t.Errorf("server %d reserved %d, want %d leased and %d more", i, got, before, test.want)
				}
				e, _ := refused(t, b, call(sonnet, 0, 0), inference.ServiceUnavailable)
				if !errors.Is(e, errNoLease) || e.RetryAfter == 0 {
					t.Errorf("Reserve = %v after %v, want %v", e, e.RetryAfter, errNoLease)
				}
				b.errands.Wait()
			}
			bank.goes(false)
			c.forward(2 * retryEvery)
			for _, b := range books {
				b.Reserve(t.Context(), call(sonnet, 0, 0)) // has the bank asked again
				b.errands.Wait()
			}
			c.forward(2 * dryFor)
			storm(t.Context(), books...)
			var used int64
			for _, b := range books {
				used += b.byName["all"].pots[""].cells[3].used
			}
			if used > 1000 {
				t.Errorf("%d reserved of 1000, once the bank was back", used)
			}
			for _, line := range []string{"store does not answer for budgets", "store answers for budgets again"} {
				if got := strings.Count(log.String(), line); got != 3 {
					t.Errorf("%q was logged %d times, want once by each server:\n%s", line, got, log)
				}
			}
		})
	}
}

func TestWorstOvershoot(t *testing.T) {
	bank, c := newFakeBank(), newClock()
	books := servers(3, bank, Config{Budgets: []Budget{{Name: "all", Principals: []string{"*"}, RequestsPerMinute: 1000}}, Now: c.now})
	got := storm(t.Context(), books[0])
	bank.goes(true)
	for range 3 { // as often as the bank fails
		got += storm(t.Context(), books...)
		c.forward(2 * time.Second)
	}
	if got > 1000+3*50 {
		t.Errorf("%d reserved of 1000, want at most three blocks more", got)
	}
	if got == 1000 {
		t.Errorf("no overshoot: the test shows nothing")
	}
}

func TestSlowBank(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bank := newFakeBank()
		bank.hangs = make(chan struct{})
		b := servers(1, bank, Config{Budgets: []Budget{{Name: "all", Principals: []string{"*"}, Streams: 40}}})[0]
		b.patience = patience
		stream := func() *Ask {
			a := call(sonnet, 0, 0)
			a.Stream = true
			return a
		}
		start := time.Now()
		reserve(t, b, stream())
		if took := time.Since(start); took != patience {
			t.Errorf("Reserve took %v, want %v", took, patience)
		}
		reserve(t, b, stream())
		refused(t, b, stream(), inference.ServiceUnavailable)
		if took := time.Since(start); took != patience {
			t.Errorf("further calls took %v, want none", took-patience)
		}
		close(bank.hangs)
		synctest.Wait()
		for range 38 {
			reserve(t, b, stream())
		}
		refused(t, b, stream(), inference.Throttling)
		synctest.Wait()
	})
}

func TestCallerLeavesTheBank(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bank := newFakeBank()
		bank.hangs = make(chan struct{})
		b := servers(1, bank, Config{Budgets: []Budget{{Name: "all", Principals: []string{"*"}, DollarsPerDay: 40}}})[0]
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		a := call(sonnet, 0, 5)
		_, err := b.Reserve(ctx, a)
		if inference.AsError(err).Kind != inference.Canceled {
			t.Errorf("Reserve = %v, want %s", err, inference.Canceled)
		}
		close(bank.hangs)
		synctest.Wait()
		reserve(t, b, a)
		synctest.Wait()
	})
}

// TestIdleLeases go back while the book runs, and at its close.
func TestIdleLeases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bank := newFakeBank()
		books := servers(2, bank, Config{Budgets: []Budget{{Name: "all", Principals: []string{"*"}, DollarsPerMonth: 1e6, Streams: 100}}})
		ctx, cancel := context.WithCancel(t.Context())
		for _, b := range books {
			go b.Run(ctx)
		}
		a := call(sonnet, 0, 1000)
		a.Stream = true
		r := reserve(t, books[0], a)
		reserve(t, books[1], call(sonnet, 0, 2000))
		synctest.Wait()
		if got := bank.total(inference.DollarsPerMonth); got < 2*50_000 {
			t.Fatalf("%d leased, want a block each", got)
		}
		time.Sleep(idleAfter + 2*upkeepEvery)
		if got := bank.total(inference.DollarsPerMonth); got != 3000 {
			t.Errorf("%d dollars are held after a while, want the 3000 reserved", got)
		}
		if got := bank.total(inference.Streams); got != 1 {
			t.Errorf("%d streams are held after a while, want the one that runs", got)
		}
		books[0].Settle(ended(a, r, 0, 400))
		cancel()
		synctest.Wait()
		for _, b := range books {
			if err := b.Close(t.Context()); err != nil {
				t.Errorf("Close() = %v", err)
			}
		}
		if dollars, streams := bank.total(inference.DollarsPerMonth), bank.total(inference.Streams); dollars != 2400 || streams != 0 {
			t.Errorf("%d dollars and %d streams are held in the end, want 2400 and none", dollars, streams)
		}
	})
}

// TestHoard gives back what a call that was refused had leased.
func TestHoard(t *testing.T) {
	bank, c := newFakeBank(), newClock()
	books := servers(2, bank, Config{Budgets: []Budget{{Name: "all", Principals: []string{"*"}, TokensPerMinute: 1000}}, Now: c.now})
	reserve(t, books[0], call(sonnet, 500, 0))
	books[0].errands.Wait() // has a block more
	refused(t, books[1], call(sonnet, 900, 0), inference.Throttling)
	if _, cause := refused(t, books[0], call(sonnet, 100, 0), inference.Throttling); cause.Left != 50 {
		t.Fatalf("left %d, want its own block of 50, and the rest with the other server", cause.Left)
	}
	if err := books[1].giveBack(t.Context(), idleAfter); err != nil {
		t.Fatal(err)
	}
	c.forward(2 * dryFor)
	reserve(t, books[0], call(sonnet, 400, 0))
	books[0].errands.Wait()
}

// lossy is a bank whose answers to Take get lost once it has granted.
type lossy struct {
	*fakeBank
	loses bool
}

func (l *lossy) Take(ctx context.Context, server string, slot inference.Slot, limit, want int64) (int64, int64, error) {
	granted, taken, err := l.fakeBank.Take(ctx, server, slot, limit, want)
	if l.loses && err == nil {
		return 0, 0, errGone
	}
	return granted, taken, err
}

// TestLostAnswer leaves no stream leased for ever that nobody knows of.
func TestLostAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bank := &lossy{newFakeBank(), true}
		b := servers(1, bank, Config{Away: Refuse, Budgets: []Budget{{Name: "all", Principals: []string{"*"}, Streams: 1}}})[0]
		a := call(sonnet, 0, 0)
		a.Stream = true
		refused(t, b, a, inference.ServiceUnavailable)
		bank.loses = false
		time.Sleep(2 * retryEvery)
		refused(t, b, a, inference.ServiceUnavailable) // has the bank asked, which knows of a lease
		synctest.Wait()
		if got := bank.total(inference.Streams); got != 1 {
			t.Fatalf("%d streams held, want the lost one", got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go b.Run(ctx)
		time.Sleep(idleAfter + 2*upkeepEvery)
		reserve(t, b, a)
		cancel()
		synctest.Wait()
	})
}

// TestRestart finds what was spent in an earlier life.
func TestRestart(t *testing.T) {
	bank, c := newFakeBank(), newClock()
	config := Config{Budgets: []Budget{{Name: "all", Principals: []string{"*"}, DollarsPerDay: 100}}, Now: c.now}
	b := servers(1, bank, config)[0]
	a := call(sonnet, 0, 70)
	b.Settle(ended(a, reserve(t, b, a), 0, 60))
	if err := b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	b = servers(1, bank, config)[0]
	if _, cause := refused(t, b, call(sonnet, 0, 41), inference.ServiceQuotaExceeded); cause.Left != 40 {
		t.Errorf("left %d, want 40", cause.Left)
	}
	c.forward(2 * dryFor)
	reserve(t, b, call(sonnet, 0, 40))
	want(t, "the book", taken(b), "dollars_per_day 100")
}

// TestOverrun counts what calls use beyond what they reserved.
func TestOverrun(t *testing.T) {
	for _, limit := range []Budget{{DollarsPerDay: 100}, {TokensPerMinute: 100}} {
		limit.Name, limit.Principals = "all", []string{"*"}
		b := servers(1, newFakeBank(), Config{Budgets: []Budget{limit}, Now: newClock().now})[0]
		for range 2 {
			a := call(sonnet, 5, 5)
			b.Settle(ended(a, reserve(t, b, a), 47, 47))
			b.errands.Wait()
		}
		reserve(t, b, call(sonnet, 6, 6))
		b.errands.Wait()
		_, err := b.Reserve(t.Context(), call(sonnet, 1, 1))
		if e, ok := errors.AsType[*Exceeded](err); !ok || e.Left != 0 {
			t.Errorf("Reserve = %v, want nothing left", err)
		}
	}
}

// TestSpentWhileAway: what is known to be spent is no matter of the store: the refusal
// is the limit's, with its time.
func TestSpentWhileAway(t *testing.T) {
	bank, c := newFakeBank(), newClock()
	books := servers(2, bank, Config{Budgets: []Budget{{Name: "all", Principals: []string{"*"}, RequestsPerMinute: 20}}, Away: Allow, Now: c.now})
	if got := storm(t.Context(), books...); got != 20 {
		t.Fatalf("%d reserved, want 20", got)
	}
	bank.goes(true)
	c.forward(2 * dryFor)
	for range 3 { // the first may be what finds the bank away
		for _, b := range books {
			b.Reserve(t.Context(), call(sonnet, 0, 0))
			b.errands.Wait()
		}
	}
	for _, b := range books {
		if e, _ := refused(t, b, call(sonnet, 0, 0), inference.Throttling); e.RetryAfter <= streamWait {
			t.Errorf("refused for %s, want the rest of the minute", e.RetryAfter)
		}
	}
}
