package route

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fairway/internal/inference"
)

var request = &inference.Request{ID: "1", Operation: inference.InvokeModel, SourceRegion: "a"}

// run runs a call of req over a plan of targets.
func run(ctx context.Context, r *Router, req *inference.Request, plan []inference.Target) (*Answer, error) {
	return r.Run(ctx, req, callOf(req), choose(plan...))
}

// callOf is the call of a request with nothing asked for.
func callOf(req *inference.Request) *Call {
	return &Call{Grant: &inference.Grant{}, Route: &Route{}, Streams: req.Operation.Streams(), Size: len(req.Body)}
}

// choose is a plan of targets that all run the same profile.
func choose(plan ...inference.Target) []Choice {
	choices, profile := make([]Choice, len(plan)), &inference.Profile{Model: model}
	for i := range plan {
		choices[i] = Choice{Target: &plan[i], Profile: profile}
	}
	return choices
}

func TestRunFailsOver(t *testing.T) {
	type answered struct {
		kind  inference.Kind
		after time.Duration
	}
	for _, test := range []struct {
		name    string
		regions map[inference.Region]behaviour
		called  []inference.Region
		answer  []string // events
		failure answered
	}{
		{"first answers", map[inference.Region]behaviour{"a": sends(whole), "b": invalid},
			[]inference.Region{"a"}, []string{"whole"}, answered{}},
		{"refused connection", map[inference.Region]behaviour{"a": refused, "b": sends(start, content, final)},
			[]inference.Region{"a", "b"}, []string{"start", "content", "final"}, answered{}},
		{"cut before content", map[inference.Region]behaviour{"a": sends(start), "b": sends(whole)},
			[]inference.Region{"a", "b"}, []string{"whole"}, answered{}},
		{"exception frame before content", map[inference.Region]behaviour{"a": breaks(&inference.Error{Kind: inference.Throttling}, start), "b": sends(whole)},
			[]inference.Region{"a", "b"}, []string{"whole"}, answered{}},
		{"complete without content", map[inference.Region]behaviour{"a": sends(start, final), "b": invalid},
			[]inference.Region{"a"}, []string{"start", "final"}, answered{}},
		{"validation stops", map[inference.Region]behaviour{"a": invalid, "b": sends(whole)},
			[]inference.Region{"a"}, nil, answered{kind: inference.Validation}},
		{"model error moves on once", map[inference.Region]behaviour{"a": modelFailed, "b": modelFailed, "c": sends(whole)},
			[]inference.Region{"a", "b"}, nil, answered{kind: inference.ModelError}},
		{"model error then another region", map[inference.Region]behaviour{"a": modelFailed, "b": unavail, "c": sends(whole)},
			[]inference.Region{"a", "b", "c"}, []string{"whole"}, answered{}},
		{"all refuse connections", map[inference.Region]behaviour{"a": refused, "b": refused},
			[]inference.Region{"a", "b"}, nil, answered{kind: inference.ServiceUnavailable}},
		{"all throttle", map[inference.Region]behaviour{"a": throttles(5 * time.Second), "b": throttles(2 * time.Second), "c": throttles(0)},
			[]inference.Region{"a", "b", "c"}, nil, answered{inference.Throttling, 2 * time.Second}},
		{"the shortest wait is neither first nor last", map[inference.Region]behaviour{"a": throttles(5 * time.Second), "b": throttles(2 * time.Second), "c": throttles(9 * time.Second)},
			[]inference.Region{"a", "b", "c"}, nil, answered{inference.Throttling, 2 * time.Second}},
		{"what waiting may cure is answered", map[inference.Region]behaviour{"a": throttles(time.Second), "b": missing},
			[]inference.Region{"a", "b"}, nil, answered{inference.Throttling, time.Second}},
		{"nobody has the model", map[inference.Region]behaviour{"a": missing, "b": missing},
			[]inference.Region{"a", "b"}, nil, answered{kind: inference.ResourceNotFound}},
		{"our credential is not the caller's", map[inference.Region]behaviour{"a": fails(inference.Error{Kind: inference.InvalidSignature})},
			[]inference.Region{"a"}, nil, answered{kind: inference.ServiceUnavailable}},
		{"neither stream nor error", map[inference.Region]behaviour{"a": func(context.Context) (inference.Stream, error) { return nil, nil }, "b": sends(whole)},
			[]inference.Region{"a", "b"}, []string{"whole"}, answered{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := &world{regions: test.regions}
			plan := targets([]inference.Region{"a", "b", "c"}[:len(test.regions)]...)
			got, err := run(t.Context(), New(Config{Upstream: w}), request, plan)
			if !slices.Equal(w.called, test.called) {
				t.Errorf("called %v, want %v", w.called, test.called)
			}
			if len(got.Attempts()) != len(test.called) {
				t.Errorf("len(Attempts) = %d, want %d", len(got.Attempts()), len(test.called))
			}
			if test.answer != nil {
				if err != nil {
					t.Fatalf("Run() error = %v", err)
				}
				texts, err := read(t, got.Stream)
				if err != io.EOF || !slices.Equal(texts, test.answer) {
					t.Errorf("stream = %v, %v, want %v, EOF", texts, err, test.answer)
				}
				if last := test.called[len(test.called)-1]; got.Target.Region != last {
					t.Errorf("Target.Region = %s, want %s", got.Target.Region, last)
				}
				return
			}
			e, ok := errors.AsType[*inference.Error](err)
			if !ok || got.Stream != nil {
				t.Fatalf("Run() = %v, %v, want no stream and an *inference.Error", got.Stream, err)
			}
			if e.Kind != test.failure.kind || e.RetryAfter != test.failure.after || e.Status() == 0 || e.Region == "" {
				t.Errorf("Run() error = %s status %d region %q retry after %s, want %s after %s", e.Kind, e.Status(), e.Region, e.RetryAfter, test.failure.kind, test.failure.after)
			}
		})
	}
}

func TestRunAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := func(ctx context.Context) (inference.Stream, error) {
			time.Sleep(40 * time.Millisecond)
			return sends(whole)(ctx)
		}
		w := &world{regions: map[inference.Region]behaviour{"a": hangs, "b": throttles(0), "c": stalls(start), "d": late}}
		var observed []string
		r := New(Config{Upstream: w, AttemptTimeout: time.Second, StallTimeout: 3 * time.Second, Observe: func(tg inference.Target, a inference.Attempt, e *inference.Error) {
			observed = append(observed, fmt.Sprintf("%s %s %t", tg.Region, a.Outcome, e != nil))
		}})
		got, err := run(t.Context(), r, request, targets("a", "b", "c", "d"))
		if err != nil {
			t.Fatalf("Run() error = %v", err)
		}
		defer got.Stream.Close()
		want := []inference.Attempt{
			{Region: "a", Model: model, Outcome: inference.Failed, Kind: inference.ServiceUnavailable, Status: 0, MS: 1000},
			{Region: "b", Model: model, Outcome: inference.Failed, Kind: inference.Throttling, Status: 429},
			{Region: "c", Model: model, Outcome: inference.Failed, Kind: inference.ServiceUnavailable, Status: 0, MS: 3000},
			{Region: "d", Model: model, Outcome: inference.OK, Status: 200, MS: 40},
		}
		if diff := cmp.Diff(want, got.Attempts()); diff != "" {
			t.Errorf("Attempts (-want +got):\n%s", diff)
		}
		if want := []string{"a failed true", "b failed true", "c failed true", "d ok false"}; !slices.Equal(observed, want) {
			t.Errorf("observed %v, want %v", observed, want)
		}
	})
}

// The timeouts end with the first content: a long answer is not cut.
func TestRunTimeoutsAreUpToContentOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{regions: map[inference.Region]behaviour{"a": stalls(start, content)}}
		r := New(Config{Upstream: w, AttemptTimeout: time.Second, StallTimeout: time.Second, ChunkTimeout: time.Hour})
		got, err := run(t.Context(), r, request, targets("a"))
		if err != nil {
			t.Fatalf("Run() error = %v", err)
		}
		defer got.Stream.Close()
		for range 2 {
			if _, err := got.Stream.Next(t.Context()); err != nil {
				t.Fatalf("Next() error = %v", err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		_, err = got.Stream.Next(ctx)
		if waited := time.Since(began); waited != time.Minute || inference.AsError(err).Kind != inference.ServiceUnavailable {
			t.Errorf("Next() = %v after %s, want ServiceUnavailableException after 1m0s", err, waited)
		}
	})
}

// Content that comes when its attempt is already given up is too late, even from
// an upstream that does not heed its context: the region was about to be left.
func TestRunLateContent(t *testing.T) {
	clock := &steppedClock{now: epoch}
	late := func(context.Context) (inference.Stream, error) {
		clock.advance(time.Second)
		return wholeAnswer{}, nil
	}
	w := &world{regions: map[inference.Region]behaviour{"a": late, "b": sends(whole)}}
	got, err := run(t.Context(), New(Config{Upstream: w, Clock: clock, AttemptTimeout: time.Second}), request, targets("a", "b"))
	if err != nil || got.Target.Region != "b" {
		t.Fatalf("Run() answers from %q with error %v, want b", got.Target.Region, err)
	}
	got.Stream.Close()
	if a := got.Attempts()[0]; a.Kind != inference.ServiceUnavailable || a.Status != 0 {
		t.Errorf("Attempts[0] = %s with status %d, want ServiceUnavailableException, 0", a.Kind, a.Status)
	}
}

// abandonments are the two ways in which a caller stops to wait after a second,
// and the kind that the attempt and the call then have.
var abandonments = []struct {
	kind inference.Kind
	wait func(context.Context) (context.Context, context.CancelFunc)
}{
	{inference.Canceled, func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, leave := context.WithCancel(ctx)
		time.AfterFunc(time.Second, leave)
		return ctx, leave
	}},
	{inference.ServiceUnavailable, func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, time.Second)
	}},
}

// A caller that does not wait any longer ends the call at once, blames nobody,
// and frees a probe.
func TestRunAbandoned(t *testing.T) {
	for _, test := range abandonments {
		synctest.Test(t, func(t *testing.T) {
			w := &world{regions: map[inference.Region]behaviour{"a": hangs, "b": sends(whole)}}
			r := New(Config{Upstream: w, Breaker: BreakerConfig{Failures: 1}})
			trip(r, "a", time.Now())
			time.Sleep(time.Minute)
			for range 3 {
				ctx, cancel := test.wait(t.Context())
				began := time.Now()
				got, err := run(ctx, r, request, targets("a", "b"))
				e := inference.AsError(err)
				if e.Kind != test.kind || e.Status() != test.kind.Status() || time.Since(began) != time.Second {
					t.Fatalf("Run() error = %v with status %d after %s, want %s, %d, 1s", err, e.Status(), time.Since(began), test.kind, test.kind.Status())
				}
				want := []inference.Attempt{{Region: "a", Model: model, Outcome: inference.Failed, Kind: test.kind, Status: 0, MS: 1000}}
				if diff := cmp.Diff(want, got.Attempts()); diff != "" {
					t.Fatalf("Attempts (-want +got):\n%s", diff)
				}
				if s := r.States(time.Now())[0]; s.State != HalfOpen {
					t.Fatalf("State(a) = %s, want half-open: the probe told nothing", s.State)
				}
				if got, err := run(ctx, r, request, targets("b")); len(got.Attempts()) != 0 || inference.AsError(err).Kind != test.kind {
					t.Errorf("Run(abandoned) = %v, %v, want no attempt and %s", got.Attempts(), err, test.kind)
				}
				cancel()
			}
		})
	}
}

// The stream lives as long as the call's context, whatever the reader's: a call
// that is abandoned after content blames nobody either.
func TestStreamAbandoned(t *testing.T) {
	for _, test := range abandonments {
		synctest.Test(t, func(t *testing.T) {
			w := &world{regions: map[inference.Region]behaviour{"a": func(ctx context.Context) (inference.Stream, error) {
				return &bound{call: ctx, stalled: stalled{script{events: []inference.Event{content}}}}, nil
			}}}
			r := New(Config{Upstream: w, Breaker: BreakerConfig{Failures: 1}})
			ctx, cancel := test.wait(t.Context())
			defer cancel()
			got, err := run(ctx, r, request, targets("a"))
			if err != nil {
				t.Fatalf("Run() error = %v", err)
			}
			if _, err := read(t, got.Stream); inference.AsError(err).Kind != test.kind {
				t.Errorf("stream error = %v, want %s", err, test.kind)
			}
			if s := r.States(time.Now())[0]; s.State != Closed {
				t.Errorf("State(a) = %s, want closed", s.State)
			}
		})
	}
}

func TestRunMaxAttempts(t *testing.T) {
	w := &world{regions: map[inference.Region]behaviour{"a": refused, "b": refused, "c": sends(whole)}}
	got, err := run(t.Context(), New(Config{Upstream: w, MaxAttempts: 2}), request, targets("a", "b", "c"))
	if err == nil || len(got.Attempts()) != 2 {
		t.Errorf("Run() made %d attempts with error %v, want 2 and an error", len(got.Attempts()), err)
	}
}

func TestRunEmptyPlan(t *testing.T) {
	_, err := run(t.Context(), New(Config{Upstream: &world{}}), request, nil)
	if e := inference.AsError(err); e.Kind != inference.InternalServer {
		t.Errorf("Run(no targets) error = %v, want InternalServerException", err)
	}
}

// After content nothing is tried again: the caller gets the failure, and the
// target's breaker hears of it.
func TestRunAfterContent(t *testing.T) {
	for _, test := range []struct {
		name string
		a    behaviour
		kind inference.Kind
	}{
		{"cut", sends(start, content), inference.ServiceUnavailable},
		{"exception frame", breaks(&inference.Error{Kind: inference.ModelStreamError}, content), inference.ModelStreamError},
		{"odd error", breaks(errors.New("odd"), content), inference.InternalServer},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := &world{regions: map[inference.Region]behaviour{"a": test.a, "b": sends(whole)}}
			r := New(Config{Upstream: w, Breaker: BreakerConfig{Failures: 1}})
			got, err := run(t.Context(), r, request, targets("a", "b"))
			if err != nil {
				t.Fatalf("Run() error = %v", err)
			}
			_, err = read(t, got.Stream)
			e, ok := errors.AsType[*inference.Error](err)
			if !ok || e.Kind != test.kind || e.Region != "a" || e.Status() == 0 {
				t.Errorf("stream error = %v, want %s from a", err, test.kind)
			}
			if !slices.Equal(w.called, []inference.Region{"a"}) {
				t.Errorf("called %v, want only a", w.called)
			}
			if s := r.States(time.Now())[0]; s.State != Open {
				t.Errorf("State(a) = %s, want open", s.State)
			}
		})
	}
}

func TestRunThrottlingKeepsBreakerClosed(t *testing.T) {
	w := &world{regions: map[inference.Region]behaviour{"a": throttles(0)}}
	r := New(Config{Upstream: w, Breaker: BreakerConfig{Failures: 1}})
	for range 5 {
		run(t.Context(), r, request, targets("a"))
	}
	if states := r.States(time.Now()); len(states) != 1 || states[0].State != Closed || states[0].Failures != 0 {
		t.Errorf("States() = %+v, want a alone, closed, without failures", states)
	}
}

// A panic of the upstream leaves no probe behind.
func TestRunReleasesProbeOnPanic(t *testing.T) {
	clock := &steppedClock{now: epoch}
	w := &world{regions: map[inference.Region]behaviour{"a": func(context.Context) (inference.Stream, error) { panic("broken") }}}
	r := New(Config{Upstream: w, Clock: clock})
	trip(r, "a", epoch)
	clock.now = epoch.Add(time.Hour)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("Run() did not panic")
			}
		}()
		run(t.Context(), r, request, targets("a"))
	}()
	w.set("a", sends(whole))
	got, err := run(t.Context(), r, request, targets("a"))
	if err != nil {
		t.Fatalf("Run() error = %v", err)
	}
	got.Stream.Close()
	if s := r.States(clock.now)[0].State; s != Closed {
		t.Errorf("State(a) = %s, want closed by its second probe", s)
	}
}

// Of many calls at once, one probes the half-open target; the others go on.
func TestRunHalfOpenAdmitsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(ctx context.Context) (inference.Stream, error) {
			time.Sleep(time.Second)
			return sends(whole)(ctx)
		}
		w := &world{regions: map[inference.Region]behaviour{"a": slow, "b": sends(whole)}}
		r := New(Config{Upstream: w})
		trip(r, "a", time.Now())
		time.Sleep(time.Hour)
		var calls sync.WaitGroup
		for range 50 {
			calls.Go(func() {
				got, err := run(t.Context(), r, request, targets("a", "b"))
				if err != nil {
					t.Errorf("Run() error = %v", err)
					return
				}
				got.Stream.Close()
			})
		}
		calls.Wait()
		probes := 0
		for _, region := range w.called {
			if region == "a" {
				probes++
			}
		}
		if probes != 1 {
			t.Errorf("%d calls reached the half-open region, want 1", probes)
		}
		if s := r.States(time.Now())[0].State; s != Closed {
			t.Errorf("State(a) = %s, want closed", s)
		}
	})
}

// With every breaker open the targets are tried all the same, in order.
func TestRunLastResort(t *testing.T) {
	w := &world{regions: map[inference.Region]behaviour{"a": refused, "b": sends(whole)}}
	r := New(Config{Upstream: w})
	trip(r, "a", time.Now())
	trip(r, "b", time.Now())
	got, err := run(t.Context(), r, request, targets("a", "b"))
	if err != nil {
		t.Fatalf("Run() error = %v", err)
	}
	got.Stream.Close()
	if want := []inference.Region{"a", "b"}; !slices.Equal(w.called, want) {
		t.Errorf("called %v, want %v", w.called, want)
	}
}

// behaviours are all the ways in which a region answers.
var behaviours = map[string]behaviour{
	"ok": sends(start, content, final), "unary": sends(whole), "slow": paces(step{700 * time.Millisecond, content}, step{0, final}), "cut late": sends(content),
	"refused": refused, "unavailable": unavail, "throttled": throttles(time.Second), "busy": throttles(0), "missing": missing,
	"cut early": sends(start), "hangs": hangs, "stalls": stalls(start),
	"invalid": invalid, "model error": modelFailed,
}

// drawRegions scripts up to ten regions and names their behaviours.
func drawRegions(t *rapid.T, w *world) (regions []inference.Region, drawn map[inference.Region]string) {
	w.regions, w.called, drawn = map[inference.Region]behaviour{}, nil, map[inference.Region]string{}
	for i := range rapid.IntRange(1, 10).Draw(t, "regions") {
		region := inference.Region(rune('a' + i))
		kind := rapid.SampledFrom(slices.Sorted(maps.Keys(behaviours))).Draw(t, string(region))
		w.regions[region], drawn[region] = behaviours[kind], kind
		regions = append(regions, region)
	}
	return regions, drawn
}

// drawRouter is a Router whose calls are bounded in any way.
func drawRouter(t *rapid.T, w *world, most int) Config {
	c := drawBounds(t)
	c.Upstream, c.MaxAttempts = w, most
	c.AttemptTimeout, c.StallTimeout = time.Second, time.Second
	c.Breaker = BreakerConfig{OpenFor: 2 * time.Second}
	return c
}

// drain reads the answer to its end.
func drain(s inference.Stream) error {
	defer s.Close()
	for {
		if _, err := s.Next(context.Background()); err != nil {
			return err
		}
	}
}

// checkInBubble checks a property in virtual time. A failure leaves the bubble before
// rapid sees it.
func checkInBubble(t *testing.T, property func(*rapid.T)) {
	rapid.Check(t, func(drawn *rapid.T) {
		var failure any
		synctest.Test(t, func(*testing.T) {
			defer func() { failure = recover() }()
			property(drawn)
		})
		if failure != nil {
			panic(failure)
		}
	})
}

// Under any sequence of calls on regions that fail in any way: attempts stay in the
// plan and in their bounds, and at each target there is one, unless the call may wait;
// nothing is tried after content; and a region that is well, and that nothing was said
// against of late, answers unless the request itself is at fault.
func TestRunProperties(t *testing.T) {
	checkInBubble(t, func(t *rapid.T) {
		w, most := &world{}, rapid.IntRange(0, 4).Draw(t, "most attempts")
		config := drawRouter(t, w, most)
		r := New(config)
		for range rapid.IntRange(1, 8).Draw(t, "calls") {
			regions, drawn := drawRegions(t, w)
			healthy, faulty := false, false
			for region, kind := range drawn {
				g, now := r.health.guard(targets(region)[0]), time.Now()
				unspoken := (config.Retry == Retry{} || g.usable(now) && !g.bucket.isRefusing(now)) && g.bucket.held(now) == 0
				healthy = healthy || unspoken && (kind == "ok" || kind == "unary" || kind == "slow")
				faulty = faulty || kind == "invalid" || kind == "model error"
			}
			got, err := run(context.Background(), r, request, targets(regions...))
			if err == nil {
				if end := drain(got.Stream); (end == io.EOF) == (drawn[got.Target.Region] == "cut late") {
					t.Fatalf("the answer of %s, %s, ends with %v", got.Target.Region, drawn[got.Target.Region], end)
				}
			}
			attempts, answers := got.Attempts(), 0
			if len(w.called) != len(attempts) || most > 0 && len(attempts) > most {
				t.Fatalf("%d attempts, %d calls on %d regions with at most %d", len(attempts), len(w.called), len(regions), most)
			}
			for i, a := range attempts {
				if a.Region != w.called[i] || drawn[a.Region] == "" || config.Retry.Wait == 0 && slices.Contains(w.called[:i], a.Region) {
					t.Fatalf("attempts on %v of the plan %v", w.called, regions)
				}
				if a.Outcome == inference.OK || a.Cut {
					answers++
				}
			}
			if (answers == 1) != (err == nil) || answers > 1 {
				t.Fatalf("%d of the attempts %+v answer, Run error %v", answers, attempts, err)
			}
			if most == 0 && healthy && !faulty && err != nil {
				t.Fatalf("Run() error = %v with a healthy region among %v", err, drawn)
			}
			<-time.After(time.Duration(rapid.IntRange(0, 3000).Draw(t, "pause ms")) * time.Millisecond)
		}
	})
}

// From the same state of the breakers, one more healthy region anywhere in the
// plan never turns success into failure, however calls are bounded.
func TestRunOneMoreHealthyRegion(t *testing.T) {
	checkInBubble(t, func(t *rapid.T) {
		w := &world{}
		regions, drawn := drawRegions(t, w)
		w.regions["z"] = sends(whole)
		open := rapid.SliceOfDistinct(rapid.SampledFrom(regions), rapid.ID).Draw(t, "open")
		config := drawRouter(t, w, rapid.IntRange(0, 4).Draw(t, "most attempts"))
		succeeds := func(regions []inference.Region) bool {
			r := New(config)
			for _, region := range open {
				trip(r, region, time.Now())
			}
			got, err := run(context.Background(), r, request, targets(regions...))
			return err == nil && drain(got.Stream) == io.EOF
		}
		at := rapid.IntRange(0, len(regions)).Draw(t, "at")
		if succeeds(regions) && !succeeds(slices.Insert(slices.Clone(regions), at, "z")) {
			t.Fatalf("%v, %v open, %+v: one more healthy region at %d fails the call", drawn, open, config, at)
		}
	})
}

func BenchmarkRun(b *testing.B) {
	for _, failing := range []int{0, 1} {
		b.Run(fmt.Sprintf("failing=%d", failing), func(b *testing.B) {
			w := instant{failing: failing > 0}
			// Throttling: it never opens the breaker, so that the first target
			// fails in every call.
			r, call, plan := New(Config{Upstream: w}), callOf(request), choose(targets("a", "b")...)
			b.ReportAllocs()
			for b.Loop() {
				got, err := r.Run(b.Context(), request, call, plan)
				if err != nil {
					b.Fatal(err)
				}
				got.Stream.Next(b.Context())
				got.Stream.Close()
			}
		})
	}
}

// instant answers at once; region a throttles where failing.
type instant struct{ failing bool }

var throttled = &inference.Error{Kind: inference.Throttling, Region: "a"}

func (i instant) Invoke(_ context.Context, t inference.Target, _ *inference.Request) (inference.Stream, error) {
	if i.failing && t.Region == "a" {
		return nil, throttled
	}
	return wholeAnswer{}, nil
}

type wholeAnswer struct{}

func (wholeAnswer) Next(context.Context) (inference.Event, error) { return whole, nil }
func (wholeAnswer) Close() error                                  { return nil }
