package route

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

// hedging is a Router that hedges after a second, as long as no target has been seen
// to take longer.
func hedging(w *world) *Router {
	r := New(Config{Upstream: w, Hedge: Hedge{Budget: 1, Least: time.Second}})
	for _, t := range targets("a", "b", "c") {
		for range enough {
			r.health.guard(t).load.seen(true, 100*time.Millisecond, time.Now())
			r.health.guard(t).load.seen(false, 100*time.Millisecond, time.Now())
		}
	}
	return r
}

// lately answers with a verdict on the request after d.
func lately(d time.Duration) behaviour {
	return func(ctx context.Context) (inference.Stream, error) {
		select {
		case <-time.After(d):
			return invalid(ctx)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// A call that waits for its first content is sent to a second target. Who has content
// first answers; the other one is left, and what it used is recorded.
func TestHedge(t *testing.T) {
	usage := &inference.Usage{InputTokens: 7}
	begun := inference.Event{Raw: []byte("start"), Usage: usage}
	const ms = time.Millisecond
	for _, test := range []struct {
		name     string
		regions  map[inference.Region]behaviour
		answers  inference.Region
		waited   time.Duration
		attempts []inference.Attempt
		wasted   inference.Usage
		failures int // of a
	}{
		{"the first is in time", map[inference.Region]behaviour{"a": after(900 * ms), "b": sends(whole)}, "a", 900 * ms,
			[]inference.Attempt{{Region: "a", Outcome: inference.OK, Status: 200, MS: 900}}, inference.Usage{}, 0},
		{"the first hangs", map[inference.Region]behaviour{"a": hangs, "b": after(200 * ms)}, "b", 1200 * ms,
			[]inference.Attempt{
				{Region: "a", Outcome: inference.Failed, Kind: inference.Canceled, MS: 1200, Usage: &inference.Usage{InputTokens: 50}},
				{Region: "b", Outcome: inference.OK, Status: 200, MS: 200, Hedge: true},
			}, inference.Usage{InputTokens: 50}, 1},
		{"the first had begun", map[inference.Region]behaviour{"a": stalls(begun), "b": after(200 * ms)}, "b", 1200 * ms,
			[]inference.Attempt{
				{Region: "a", Outcome: inference.Failed, Kind: inference.Canceled, MS: 1200, Usage: usage},
				{Region: "b", Outcome: inference.OK, Status: 200, MS: 200, Hedge: true},
			}, *usage, 0},
		{"the first is faster in the end", map[inference.Region]behaviour{"a": after(1100 * ms), "b": after(200 * ms)}, "a", 1100 * ms,
			[]inference.Attempt{
				{Region: "a", Outcome: inference.OK, Status: 200, MS: 1100},
				{Region: "b", Outcome: inference.Failed, Kind: inference.Canceled, MS: 100, Hedge: true},
			}, inference.Usage{}, 0},
		{"the hedge fails", map[inference.Region]behaviour{"a": after(1500 * ms), "b": unavail}, "a", 1500 * ms,
			[]inference.Attempt{
				{Region: "a", Outcome: inference.OK, Status: 200, MS: 1500},
				{Region: "b", Outcome: inference.Failed, Kind: inference.ServiceUnavailable, Status: 503, Hedge: true},
			}, inference.Usage{}, 0},
		{"the hedge refuses the request", map[inference.Region]behaviour{"a": hangs, "b": invalid, "c": sends(whole)}, "", 1000 * ms,
			[]inference.Attempt{
				{Region: "a", Outcome: inference.Failed, Kind: inference.Canceled, MS: 1000, Usage: &inference.Usage{InputTokens: 50}},
				{Region: "b", Outcome: inference.Failed, Kind: inference.Validation, Status: 400, Hedge: true},
			}, inference.Usage{InputTokens: 50}, 1},
		{"the first refuses the request", map[inference.Region]behaviour{"a": lately(1100 * ms), "b": hangs}, "", 1100 * ms,
			[]inference.Attempt{
				{Region: "a", Outcome: inference.Failed, Kind: inference.Validation, Status: 400, MS: 1100},
				{Region: "b", Outcome: inference.Failed, Kind: inference.Canceled, Hedge: true, MS: 100},
			}, inference.Usage{}, 0},
		{"the first fails meanwhile", map[inference.Region]behaviour{"a": paces(step{1100 * ms, start}), "b": hangs, "c": after(300 * ms)}, "c", 1400 * ms,
			[]inference.Attempt{
				{Region: "a", Outcome: inference.Failed, Kind: inference.ServiceUnavailable, MS: 1100},
				{Region: "b", Outcome: inference.Failed, Kind: inference.Canceled, MS: 400, Hedge: true, Usage: &inference.Usage{InputTokens: 50}},
				{Region: "c", Outcome: inference.OK, Status: 200, MS: 300},
			}, inference.Usage{InputTokens: 50}, 1},
		{"both fail", map[inference.Region]behaviour{"a": paces(step{1500 * ms, start}), "b": paces(step{1000 * ms, start})}, "", 2000 * ms,
			[]inference.Attempt{
				{Region: "a", Outcome: inference.Failed, Kind: inference.ServiceUnavailable, MS: 1500},
				{Region: "b", Outcome: inference.Failed, Kind: inference.ServiceUnavailable, MS: 1000, Hedge: true},
			}, inference.Usage{}, 1},
		{"the upstream of the hedge panics", map[inference.Region]behaviour{"a": after(1500 * ms), "b": func(context.Context) (inference.Stream, error) { panic("broken") }}, "a", 1500 * ms,
			[]inference.Attempt{
				{Region: "a", Outcome: inference.OK, Status: 200, MS: 1500},
				{Region: "b", Outcome: inference.Failed, Kind: inference.InternalServer, Status: 500, Hedge: true},
			}, inference.Usage{}, 0},
	} {
		for _, req := range []*inference.Request{request, streamed} {
			t.Run(test.name+"/"+string(req.Operation), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := &world{regions: test.regions}
					var seen []string
					r := hedging(w)
					var mu sync.Mutex
					r.observe = func(tg inference.Target, a inference.Attempt, _ *inference.Error) {
						mu.Lock()
						defer mu.Unlock()
						seen = append(seen, fmt.Sprint(tg.Region, " ", a.Outcome))
					}
					call := callOf(req)
					call.Outline = func() inference.Outline { return inference.Outline{InputTokens: 50} }
					regions := []inference.Region{"a", "b", "c"}[:len(test.regions)]
					began := time.Now()
					got, err := r.Run(t.Context(), req, call, choose(targets(regions...)...))
					if e := inference.AsError(err); err != nil && test.attempts[len(test.attempts)-1].Kind == inference.Validation && e.Kind != inference.Validation {
						t.Errorf("Run() = %v, want the verdict on the request", err)
					}
					if waited := time.Since(began); waited != test.waited || got.Target.Region != test.answers || (err == nil) != (test.answers != "") {
						t.Errorf("Run() = %q, %v after %s, want %q after %s", got.Target.Region, err, waited, test.answers, test.waited)
					}
					if err == nil {
						if texts, err := read(t, got.Stream); err != io.EOF || !slices.Equal(texts, []string{"whole"}) {
							t.Errorf("stream = %v, %v, want [whole], EOF", texts, err)
						}
					}
					for i := range test.attempts {
						test.attempts[i].Model = model
					}
					if diff := cmp.Diff(test.attempts, got.Attempts()); diff != "" {
						t.Errorf("Attempts() (-want +got):\n%s", diff)
					}
					if wasted, guessed := got.Wasted(); wasted != test.wasted || guessed != (wasted.InputTokens == 50) {
						t.Errorf("Wasted() = %+v, guessed %t, want %+v, guessed where it is 50", wasted, guessed, test.wasted)
					}
					for _, s := range r.States(time.Now()) {
						if s.InFlight != 0 || s.Region == "a" && s.Failures != test.failures {
							t.Errorf("state of %s: %d in flight, %d failures, want 0 and of a %d", s.Region, s.InFlight, s.Failures, test.failures)
						}
					}
				})
			})
		}
	}
}

// A call has one hedge, no more than the budget lets all of them have, and none where
// its route says so, nor at a target that is out of use. A part of the budget is for
// calls that are late by twice as much.
func TestHedgeBounds(t *testing.T) {
	for _, test := range []struct {
		name   string
		budget float64
		route  Route
		broken bool
		takes  time.Duration // the first target
		calls  int
		want   int // hedges
	}{
		{"budget", 1e-9, Route{}, false, 4900 * time.Millisecond, 30, burst}, // asked for at 1 and 2 s
		{"the budget less what is spared", 1e-9, Route{}, false, 1500 * time.Millisecond, 30, burst - spare},
		{"no hedge on this route", 1, Route{NoHedge: true}, false, 5 * time.Second, 5, 0},
		{"nothing to hedge at", 1, Route{}, true, 1500 * time.Millisecond, 3, 0},
		{"one a call", 1, Route{}, false, 5 * time.Second, 5, 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := hedging(&world{regions: map[inference.Region]behaviour{"a": paces(step{0, start}, step{test.takes, whole}), "b": sends(whole), "c": sends(whole)}})
				r.hedge.Budget = test.budget
				if test.broken {
					trip(r, "b", time.Now())
					trip(r, "c", time.Now())
				}
				var calls sync.WaitGroup
				var hedges atomic.Int32
				for range test.calls {
					calls.Go(func() {
						call := callOf(streamed)
						call.Route = &test.route
						got, err := r.Run(t.Context(), streamed, call, choose(targets("a", "b", "c")...))
						if err != nil {
							t.Error(err)
							return
						}
						got.Stream.Close()
						for _, a := range got.Attempts() {
							if a.Hedge {
								hedges.Add(1)
							}
						}
					})
				}
				calls.Wait()
				if int(hedges.Load()) != test.want {
					t.Errorf("%d calls made %d hedges, want %d", test.calls, hedges.Load(), test.want)
				}
			})
		})
	}
}

// A hedge that the budget refuses may be had at twice the time, three times, and so on;
// at once where the target was taken out of use meanwhile.
func TestCourseAsksForAHedgeAgain(t *testing.T) {
	r := New(Config{Hedge: Hedge{Budget: 1e-9, Least: time.Second}})
	c := r.Start(callOf(streamed), choose(targets("a", "b")...), epoch)
	empty := func(now time.Time) {
		for r.health.hedges.spend(0, 0, now) {
		}
	}
	c.Next(epoch)
	now, due := epoch, []time.Duration{}
	for range 4 {
		after, ok := c.HedgeAfter(now)
		now = now.Add(after)
		due = append(due, now.Sub(epoch))
		empty(now)
		if _, hedged := c.Hedge(now); !ok || hedged {
			t.Fatalf("after %s: HedgeAfter() = %s, %t, Hedge() = %t with an empty budget", now.Sub(epoch), after, ok, hedged)
		}
	}
	if want := []time.Duration{1, 2, 3, 4}; fmt.Sprint(due) != fmt.Sprint([]time.Duration{want[0] * leastPatience, want[1] * leastPatience, want[2] * leastPatience, want[3] * leastPatience}) {
		t.Errorf("hedges are due after %v, want after %v times %s", due, want, leastPatience)
	}
	after, _ := c.HedgeAfter(now)
	empty(now.Add(after))
	trip(r, "a", now)
	if l, ok := c.Hedge(now.Add(after)); !ok || l.Target.Region != "b" {
		t.Errorf("Hedge() = %v, %t beside a target that is out of use", l.Target, ok)
	}
	if after, ok := c.HedgeAfter(now); ok {
		t.Errorf("HedgeAfter() = %s beside a hedge, want none", after)
	}
}

// A hedge is of the same model: a fallback is no second target.
func TestCourseHedgesAtTheSameModel(t *testing.T) {
	r := New(Config{Hedge: Hedge{Budget: 1, Least: time.Second}})
	c := r.Start(callOf(streamed), append(choose(targets("a")...), choose(targets("b", "c")...)...), epoch)
	c.Next(epoch)
	after, due := c.HedgeAfter(epoch)
	if l, ok := c.Hedge(epoch.Add(after)); !due || ok {
		t.Errorf("Hedge() beside the only target of a model = %v, %t, due %t, want none", l.Target, ok, due)
	}
}

// A caller that leaves while a hedge is under way leaves nothing behind, and blames
// neither target.
func TestHedgeAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := hedging(&world{regions: map[inference.Region]behaviour{"a": hangs, "b": hangs}})
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		got, err := run(ctx, r, streamed, targets("a", "b"))
		if inference.AsError(err).Kind != inference.ServiceUnavailable || len(got.Attempts()) != 2 {
			t.Errorf("Run() = %v with %d attempts, want ServiceUnavailableException with 2", err, len(got.Attempts()))
		}
		for _, s := range r.States(time.Now()) {
			if s.InFlight != 0 || s.Failures != 0 {
				t.Errorf("state of %s = %+v, want nothing in flight and no failure", s.Region, s)
			}
		}
	})
}

// The reader may come and go while the loser is still being left.
func TestHedgeManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := hedging(&world{regions: map[inference.Region]behaviour{"a": after(time.Second), "b": after(time.Millisecond)}})
		var calls sync.WaitGroup
		for range 100 {
			calls.Go(func() {
				got, err := run(t.Context(), r, request, targets("a", "b"))
				if err != nil {
					t.Errorf("Run() error = %v", err)
					return
				}
				got.Stream.Next(t.Context())
				got.Stream.Close()
				for _, a := range got.Attempts() {
					if a.Outcome == "" {
						t.Errorf("an attempt has no outcome after Close: %+v", a)
					}
				}
			})
		}
		calls.Wait()
	})
}
