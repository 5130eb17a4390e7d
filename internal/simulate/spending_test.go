package simulate

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairway/internal/inference"
)

// TestBudgetOfRequests: of a budget for 60 requests a minute exactly those get in.
func TestBudgetOfRequests(t *testing.T) {
	s := parsed(t, least+"duration: 5m\nbudgets:\n  - {name: all, requests_per_minute: 60}\n")
	for p, r := range simulated(t, s, Options{}) {
		if got := r.Calls - r.Refused; got != 300 {
			t.Errorf("%s: %d of %d calls are let in within five minutes, want 300", p, got, r.Calls)
		}
		if r.Failed > 0 || r.Refusals["all requests_per_minute"] != r.Refused {
			t.Errorf("%s: %d failed, refusals %v of %d", p, r.Failed, r.Refusals, r.Refused)
		}
	}
}

// TestBudgetOfDollars: what calls cost together stays below the day's dollars, and comes
// near them.
func TestBudgetOfDollars(t *testing.T) {
	s := parsed(t, least+"duration: 10m\nbudgets:\n  - {name: all, dollars_per_day: 2}\n")
	for p, r := range simulated(t, s, Options{}) {
		if r.Cost > 2*inference.Dollar || r.Cost < 19*inference.Dollar/10 || r.Refused == 0 {
			t.Errorf("%s: calls cost %v of 2 dollars, %d of %d refused", p, r.Cost, r.Refused, r.Calls)
		}
	}
}

// TestBudgetOfEachUser: the heavy user is held back, the others are not.
func TestBudgetOfEachUser(t *testing.T) {
	s := parsed(t, least+"duration: 10m\nusers: {count: 20, heavy: 0.5}\nbudgets:\n  - {name: each, per: user, requests_per_minute: 20}\n")
	for p, r := range simulated(t, s, Options{}) {
		if r.Refused < r.Calls/4 || r.RefusedHeavy != r.Refused {
			t.Errorf("%s: %d of %d calls refused, %d of the heavy user", p, r.Refused, r.Calls, r.RefusedHeavy)
		}
	}
}

// TestShippedBudgets makes sure that the scenario shows what it says.
func TestShippedBudgets(t *testing.T) {
	for p, r := range simulated(t, shipped(t, "budgets"), Options{}) {
		if r.Refusals["each tokens_per_minute"] == 0 || r.Refusals["everyone dollars_per_day"] == 0 {
			t.Errorf("%s: refusals %v, want some by each limit", p, r.Refusals)
		}
		if r.Refusals["each tokens_per_minute"] > r.RefusedHeavy {
			t.Errorf("%s: %d refused by the minute, of the heavy user %d in all", p, r.Refusals["each tokens_per_minute"], r.RefusedHeavy)
		}
		if r.Cost > 40*inference.Dollar {
			t.Errorf("%s: calls cost %v of 40 dollars", p, r.Cost)
		}
	}
}

// TestBudgetsThatAreLarge change nothing.
func TestBudgetsThatAreLarge(t *testing.T) {
	free := parsed(t, least+"duration: 2m\n")
	bound := parsed(t, least+"duration: 2m\nbudgets:\n  - {name: all, dollars_per_month: 1000000, streams: 10000}\n")
	without, with := simulated(t, free, Options{}), simulated(t, bound, Options{})
	for p, r := range with {
		if r.Refused > 0 || r.Cost != without[p].Cost || r.Good != without[p].Good {
			t.Errorf("%s: %d refused, %v dollars and %d good; without %v and %d", p, r.Refused, r.Cost, r.Good, without[p].Cost, without[p].Good)
		}
	}
}

// TestStreamsAtATime never has more calls under way than the budget's streams.
func TestStreamsAtATime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Defaults()
		s.Name, s.Model, s.Duration = "drawn", "apac.anthropic.claude-sonnet-4-20250514-v1:0", time.Minute
		s.Traffic = []Traffic{{Sources: []inference.Region{"ap-southeast-1"}, Rate: rapid.Float64Range(1, 20).Draw(t, "rate")}}
		s.Budgets = []Budget{{Name: "all", Streams: rapid.IntRange(1, 20).Draw(t, "streams")}}
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
		w := newWorld(s, inference.Adaptive)
		for _, source := range w.sources {
			w.expect(source)
		}
		for {
			e, ok := w.events.next()
			if !ok {
				break
			}
			w.at = e.at
			e.actor.happen(w, e.turn)
			if w.inFlight > s.Budgets[0].Streams {
				t.Fatalf("%d calls are under way with %d streams", w.inFlight, s.Budgets[0].Streams)
			}
		}
		if w.inFlight != 0 || w.spending.book == nil {
			t.Fatalf("%d calls are left", w.inFlight)
		}
	})
}

func TestBudgetsRefuse(t *testing.T) {
	for text, want := range map[string]string{
		"budgets:\n  - {per: user, streams: 1}\n":                          "s.yaml:8: budgets[0].name: want a name of its own",
		"budgets:\n  - {name: a, streams: 1}\n  - {name: a, streams: 1}\n": `s.yaml:9: budgets[1].name: want a name of its own, got "a"`,
		"budgets:\n  - {name: a}\n":                                        "s.yaml:8: budgets[0]: want one limit at least",
		"budgets:\n  - {name: a, per: team, streams: 1}\n":                 `budgets[0].per: want user, or nothing, got "team"`,
		"budgets:\n  - {name: a, dollars_per_day: -1}\n":                   "budgets[0].dollars_per_day: want an amount of 0 to 1000000000 dollars",
		"budgets:\n  - {name: a, tokens_per_minute: -1}\n":                 "budgets[0].tokens_per_minute: want 0 to",
		"users: {count: 0}\n":                                              "users.count: want 1 to",
		"users: {heavy: 2}\n":                                              "users.heavy: want 0 to 1",
	} {
		_, err := Parse("s.yaml", []byte(least+text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%s) fails with %v, want %s", text, err, want)
		}
	}
}
