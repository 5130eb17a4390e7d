package route

import (
	"context"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"fairway/internal/inference"
)

func TestPatience(t *testing.T) {
	const s = time.Second
	for _, test := range []struct {
		remaining time.Duration // to the deadline, 0 without one
		left      int           // targets
		body      int           // bytes
		want      time.Duration
	}{
		{remaining: 0, left: 8, want: 12 * s},
		{remaining: 30 * s, left: 1, want: 12 * s},
		{remaining: 30 * s, left: 2, want: 10 * s},
		{remaining: 36 * s, left: 2, want: 12 * s},
		{remaining: 30 * s, left: 4, want: 6 * s},
		{remaining: 27 * s, left: 8, want: 3 * s},
		{remaining: 30 * s, left: 30, want: 3 * s},
		{remaining: 1 * s, left: 1, want: 12 * s}, // the deadline comes first
		{remaining: 30 * s, left: 8, body: 100_000, want: 5 * s},
		{remaining: 30 * s, left: 8, body: 25_000_000, want: 12 * s},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx := t.Context()
			if test.remaining > 0 {
				deadline, cancel := context.WithTimeout(ctx, test.remaining)
				defer cancel()
				ctx = deadline
			}
			deadline, _ := ctx.Deadline()
			req := &inference.Request{Body: make([]byte, test.body)}
			if got := New(Config{}).patience(req, test.left, deadline, time.Now()); got != test.want {
				t.Errorf("patience(%s left, %d targets, %d bytes) = %s, want %s", test.remaining, test.left, test.body, got, test.want)
			}
		})
	}
}

// TestPatienceWithSilentRegions: where regions show no life before a unary answer,
// that is waited for, unless time presses.
func TestPatienceWithSilentRegions(t *testing.T) {
	r := New(Config{AnswerTimeout: time.Minute})
	for _, op := range []inference.Operation{inference.InvokeModel, inference.ConverseStream} {
		req, now := &inference.Request{Operation: op}, time.Now()
		want := time.Minute
		if op.Streams() {
			want = DefaultAttemptTimeout
		}
		if got, hurried := r.patience(req, 1, time.Time{}, now), r.patience(req, 1, now.Add(appsync), now); got != want || hurried != DefaultAttemptTimeout {
			t.Errorf("patience(%s) = %s, with a deadline %s, want %s and %s", op, got, hurried, want, DefaultAttemptTimeout)
		}
	}
}

// appsync is how long an AppSync request may take.
const appsync = 30 * time.Second

// ask runs a call with AppSync's deadline in virtual time, reads the answer and
// gives its attempts.
func ask(t *testing.T, r *Router, req *inference.Request, regions []inference.Region) (attempts []inference.Attempt, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), appsync)
	defer cancel()
	got, err := run(ctx, r, req, targets(regions...))
	if err != nil {
		return got.Attempts(), err
	}
	if texts, err := read(t, got.Stream); err != io.EOF || !slices.Equal(texts, []string{"whole"}) {
		t.Errorf("stream = %v, %v, want [whole], EOF: no signs of life", texts, err)
	}
	return got.Attempts(), nil
}

// after answers in full once d has passed, with the first event.
func after(d time.Duration) behaviour { return paces(step{d, whole}) }

// Regions that hang do not keep a call from the one that is well, wherever it
// stands in the plan.
func TestRunOutlivesHangingTargets(t *testing.T) {
	well := paces(step{2 * time.Second, inference.Event{}}, step{4 * time.Second, whole})
	for n := 1; n <= 8; n++ {
		for at := range n {
			synctest.Test(t, func(t *testing.T) {
				w := &world{regions: map[inference.Region]behaviour{}}
				var regions []inference.Region
				for i := range n {
					regions = append(regions, inference.Region(rune('a'+i)))
					w.regions[regions[i]] = hangs
				}
				w.regions[regions[at]] = well
				if attempts, err := ask(t, New(Config{Upstream: w}), request, regions); err != nil || len(attempts) != at+1 {
					t.Errorf("%d regions of which %d is well: %d attempts with error %v, want %d and none", n, at+1, len(attempts), err, at+1)
				}
			})
		}
	}
}

// A long answer is not a silent one.
func TestRunWaitsWhileTheRegionShowsLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		life := step{5 * time.Second, inference.Event{}}
		w := &world{regions: map[inference.Region]behaviour{"a": paces(life, life, life, life, step{9 * time.Second, whole})}}
		r := New(Config{Upstream: w})
		attempts, err := ask(t, r, request, []inference.Region{"a", "b", "c"})
		if err != nil || len(attempts) != 1 || attempts[0].MS != 29_000 {
			t.Errorf("Run() = %v, %v, want one attempt of 29000 ms", attempts, err)
		}
		if s := r.States(time.Now())[0]; s.State != Closed || s.Failures != 0 {
			t.Errorf("state = %+v, want closed without failures", s)
		}
	})
}

// Many targets leave each of them less time. A long prompt takes some of that
// back: no region shows life before it has read it.
func TestRunWithALongPrompt(t *testing.T) {
	regions := []inference.Region{"a", "b", "c", "d", "e", "f", "g", "h"}
	w := &world{regions: map[inference.Region]behaviour{}}
	for _, region := range regions {
		w.regions[region] = after(6 * time.Second)
	}
	synctest.Test(t, func(t *testing.T) {
		long := &inference.Request{Operation: inference.InvokeModel, Body: make([]byte, 400_000)}
		if attempts, err := ask(t, New(Config{Upstream: w}), long, regions); err != nil || len(attempts) != 1 {
			t.Errorf("Run(a long prompt) = %v, %v, want one attempt", attempts, err)
		}
	})
}

// Under a deadline too, one more region that is well never turns success into
// failure: slow ones have less time for its sake, but then it answers.
func TestRunOneMoreHealthyRegionUnderADeadline(t *testing.T) {
	duration := func(longest time.Duration) *rapid.Generator[time.Duration] {
		return rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(rapid.IntRange(0, int(longest/time.Millisecond)).Draw(t, "ms")) * time.Millisecond
		})
	}
	broken := map[string]behaviour{"hangs": hangs, "refused": refused, "throttled": throttles(time.Second), "cut": paces(step{time.Second, inference.Event{}})}
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{regions: map[inference.Region]behaviour{"z": after(duration(leastPatience-time.Millisecond).Draw(rt, "z"))}}
		var regions []inference.Region
		for i := range rapid.IntRange(1, 7).Draw(rt, "regions") {
			region := inference.Region(rune('a' + i))
			regions = append(regions, region)
			if kind := rapid.SampledFrom([]string{"well", "well", "hangs", "refused", "throttled", "cut"}).Draw(rt, string(region)); kind == "well" {
				w.regions[region] = after(duration(15*time.Second).Draw(rt, "answers after"))
			} else {
				w.regions[region] = broken[kind]
			}
		}
		at := rapid.IntRange(0, len(regions)).Draw(rt, "at")
		succeeds := func(regions []inference.Region) (ok bool) {
			synctest.Test(t, func(t *testing.T) {
				_, err := ask(t, New(Config{Upstream: w}), request, regions)
				ok = err == nil
			})
			return ok
		}
		if succeeds(regions) && !succeeds(slices.Insert(slices.Clone(regions), at, "z")) {
			rt.Fatalf("one more healthy region at %d fails the call", at)
		}
	})
}
