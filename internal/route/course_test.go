package route

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairway/internal/inference"
)

// fate is what becomes of a leg: content after some time, or a failure, or nothing
// ever. A leg that answers may break off.
type fate struct {
	after time.Duration
	fails *inference.Error
	hangs bool
	cut   bool
}

// giveUp is when the driver leaves a leg that hangs.
const giveUp = 5 * time.Second

// voyage drives a course in virtual time: the least driver that there can be.
type voyage struct {
	course *Course
	now    time.Time
	fate   func(Leg) fate
	legs   []Leg // in the order of their start
	free   bool  // its hedge is beside a target that was out of use
	waited time.Duration
	most   time.Duration // waited before the answer, or since it last broke off
}

// sail goes on until the course stops. It reports whether the call was answered in
// full.
func (v *voyage) sail() (answered bool) {
	type flight struct {
		Leg
		fate
		due time.Time
	}
	var flying []flight
	waited := time.Duration(0)
	depart := func(l Leg) {
		f := flight{l, v.fate(l), v.now}
		if f.hangs {
			f.after, f.fails = giveUp, unanswered(l.Target.Region, errSilent)
		}
		f.due = v.now.Add(f.after)
		flying, v.legs = append(flying, f), append(v.legs, l)
	}
	for {
		hedgeAt := time.Time{}
		switch step := v.course.Next(v.now); step.Do {
		case Stop:
			for _, f := range flying {
				v.course.Lost(f.Leg, nil, v.now)
			}
			return false
		case Wait:
			waited += step.For
			v.now, v.waited, v.most = v.now.Add(step.For), v.waited+step.For, max(v.most, waited)
			continue
		case Try:
			depart(step.Leg)
			if after, ok := v.course.HedgeAfter(v.now); ok {
				hedgeAt = v.now.Add(after)
			}
		}
		first := 0
		for i := range flying {
			if flying[i].due.Before(flying[first].due) {
				first = i
			}
		}
		for !hedgeAt.IsZero() && hedgeAt.Before(flying[first].due) {
			v.now, hedgeAt = hedgeAt, time.Time{}
			beside := v.course.guard(v.course.legs[len(v.course.legs)-1].place)
			if l, ok := v.course.Hedge(v.now); ok {
				v.free = beside.outOfUse(v.now.UnixNano())
				depart(l)
				if last := len(flying) - 1; flying[last].due.Before(flying[first].due) {
					first = last
				}
			} else if after, ok := v.course.HedgeAfter(v.now); ok {
				hedgeAt = v.now.Add(after)
			}
		}
		f := flying[first]
		flying = append(flying[:first], flying[first+1:]...)
		v.now = f.due
		switch {
		case f.hangs:
			v.course.GivenUp(f.Leg, f.fails, nil, v.now)
			continue
		case f.fails != nil:
			v.course.Failed(f.Leg, f.fails, v.now)
			continue
		}
		v.course.Answered(f.Leg, v.now)
		for _, other := range flying {
			v.course.Lost(other.Leg, nil, v.now)
		}
		flying, waited = nil, 0
		if !f.cut {
			v.course.Ended(f.Leg, inference.Usage{OutputTokens: 1}, v.now)
			return true
		}
		v.course.Cut(f.Leg, unanswered(f.Target.Region, errCut), inference.Usage{OutputTokens: 1}, v.now)
	}
}

var (
	errUnavail  = &inference.Error{Kind: inference.ServiceUnavailable, Message: unavailable}
	errMissing  = &inference.Error{Kind: inference.ResourceNotFound, Message: "no such model here"}
	errDenied   = &inference.Error{Kind: inference.AccessDenied, Message: "You don't have access to the model with the specified model ID."}
	errInvalid  = &inference.Error{Kind: inference.Validation, Message: "messages: Field required"}
	errThrottle = &inference.Error{Kind: inference.Throttling, Message: "Too many tokens, please wait before trying again."}
)

func drawFate(t *rapid.T) fate {
	after := time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond
	switch rapid.SampledFrom([]string{"answers", "answers", "breaks off", "hangs", "unavailable", "throttles", "throttles for long", "missing", "denied", "invalid"}).Draw(t, "fate") {
	case "answers":
		return fate{after: after}
	case "breaks off":
		return fate{after: after, cut: true}
	case "hangs":
		return fate{hangs: true}
	case "throttles":
		return fate{fails: errThrottle}
	case "throttles for long":
		return fate{fails: &inference.Error{Kind: inference.Throttling, RetryAfter: after}}
	case "missing":
		return fate{fails: errMissing}
	case "denied":
		return fate{fails: errDenied}
	case "invalid":
		return fate{fails: errInvalid}
	}
	return fate{after: after, fails: errUnavail}
}

// Whatever becomes of the attempts, of however many calls: a call makes no more than
// its most, waits no longer than it may, and ends; the calls together make no more
// retries and no more hedges than their budgets have, but for hedges that are failover,
// and leave nothing in flight.
func TestCourseBudgets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		config := Config{
			MaxAttempts: rapid.SampledFrom([]int{0, 1, 3, 100}).Draw(t, "most attempts"),
			Retry: Retry{
				Budget:  rapid.SampledFrom([]float64{0.01, 0.2, 1}).Draw(t, "retries"),
				Reserve: rapid.SampledFrom([]float64{0, 0.1, 5}).Draw(t, "reserve"),
				Wait:    time.Duration(rapid.IntRange(0, 8).Draw(t, "wait s")) * time.Second,
			},
			Hedge: Hedge{Budget: rapid.SampledFrom([]float64{0, 0.05, 1}).Draw(t, "hedges"), Least: 100 * time.Millisecond},
		}
		r := New(config)
		var plan []inference.Target
		for i := range rapid.IntRange(1, 10).Draw(t, "targets") {
			plan = append(plan, bare(inference.Region(rune('a'+i))))
			for range enough { // hedges are due soon
				r.health.guard(plan[i]).load.seen(true, time.Millisecond, epoch)
			}
		}
		most := mostAttempts
		if config.MaxAttempts > 0 {
			most = min(most, config.MaxAttempts)
		}
		now, calls, hedges, retries := epoch, rapid.IntRange(1, 60).Draw(t, "calls"), 0, 0
		for n := range calls {
			call := callOf(streamed)
			call.Seed, call.OnCut = uint64(n), rapid.SampledFrom([]inference.OnCut{"", inference.ContinueOnCut}).Draw(t, "on cut")
			v, pressed := voyage{course: r.Start(call, choose(plan...), now), now: now}, 0
			tried, own := map[inference.Region]bool{}, 0
			v.fate = func(l Leg) fate {
				switch b := &r.health.guard(*l.Target).bucket; {
				case tried[l.Target.Region] || b.held(v.now) > 0:
					retries++
				case b.isRefusing(v.now):
					pressed++
				}
				tried[l.Target.Region] = true
				return drawFate(t)
			}
			v.sail()
			retries += max(0, pressed-1) // one is free
			if len(v.legs) > most || v.most > config.Retry.Wait {
				t.Fatalf("a call made %d attempts and waited %s, want at most %d and %s", len(v.legs), v.most, most, config.Retry.Wait)
			}
			for _, l := range v.legs {
				if l.Hedge {
					own++
				}
			}
			if !v.free {
				hedges += own
			}
			if own > 1 {
				t.Fatalf("a call made %d hedges, want one at most", own)
			}
			if rows := v.course.Attempts(); len(rows) != len(v.legs) {
				t.Fatalf("%d attempts have a row of %d", len(rows), len(v.legs))
			}
			now = v.now.Add(time.Duration(rapid.IntRange(0, 1000).Draw(t, "pause ms")) * time.Millisecond)
		}
		passed := now.Sub(epoch).Seconds()
		if most := config.Retry.Budget*float64(calls) + config.Retry.Reserve*passed + burst; float64(retries) > most {
			t.Fatalf("%d calls in %.1f s made %d retries, want at most %.1f", calls, passed, retries, most)
		}
		if most := config.Hedge.Budget*float64(calls) + hedgesASecond*passed + burst; float64(hedges) > most || config.Hedge.Budget == 0 && hedges > 0 {
			t.Fatalf("%d calls in %.1f s made %d hedges, want at most %.1f", calls, passed, hedges, most)
		}
		for _, s := range r.States(now) {
			if s.InFlight != 0 {
				t.Fatalf("%d calls are in flight at %s, want none", s.InFlight, s.Region)
			}
		}
	})
}

// Where calls may wait, and the budget is never out, a call is answered as long as a
// target comes back in time.
func TestCourseOutlivesAnOutage(t *testing.T) {
	back := epoch.Add(3 * time.Second)
	for n := range 20 {
		r := New(Config{Retry: Retry{Budget: 1, Reserve: 100, Wait: 10 * time.Second}})
		call := callOf(request)
		call.Seed = uint64(n)
		v := &voyage{course: r.Start(call, choose(targets("a", "b")...), epoch), now: epoch}
		v.fate = func(Leg) fate {
			if v.now.Before(back) {
				return fate{fails: errUnavail}
			}
			return fate{}
		}
		if !v.sail() || v.now.Before(back) || len(v.legs) < 3 {
			t.Errorf("call %d with an outage of 3s: answered after %s and %d attempts", n, v.now.Sub(epoch), len(v.legs))
		}
	}
}

// A Retry-After is obeyed where the call may wait as long, and passed on where not.
func TestCourseRetryAfter(t *testing.T) {
	for _, test := range []struct {
		after, wait, deadline time.Duration
		legs                  int
		waited                time.Duration
	}{
		{2 * time.Second, 5 * time.Second, 0, 2, 2 * time.Second},
		{6 * time.Second, 5 * time.Second, 0, 1, 0},
		{2 * time.Second, 5 * time.Second, 2 * time.Second, 1, 0},
		{2 * time.Second, 0, 0, 1, 0},
	} {
		r := New(Config{Retry: Retry{Budget: 1, Wait: test.wait}})
		v := &voyage{course: r.Start(callOf(request), choose(targets("a")...), epoch), now: epoch}
		if test.deadline > 0 {
			v.course.Until(epoch.Add(test.deadline))
		}
		v.fate = func(Leg) fate {
			if v.now.Before(epoch.Add(test.after)) {
				return fate{fails: &inference.Error{Kind: inference.Throttling, RetryAfter: test.after}}
			}
			return fate{}
		}
		answered := v.sail()
		if answered != (test.legs == 2) || len(v.legs) != test.legs || v.waited != test.waited {
			t.Errorf("%+v: answered %t after %d attempts and a wait of %s", test, answered, len(v.legs), v.waited)
		}
		if !answered && v.course.Failure().RetryAfter != test.after {
			t.Errorf("%+v: Failure().RetryAfter = %s", test, v.course.Failure().RetryAfter)
		}
	}
}

// Calls within the hold of all targets ask none of them and are told the shortest time
// that is left, unless they may wait as long, or a fallback answers.
func TestCourseRetryAfterOfOtherCalls(t *testing.T) {
	for _, retry := range []Retry{{}, {Budget: 0.2, Reserve: 10, Wait: 2 * time.Second}} {
		r, own := New(Config{Retry: retry}), targets("a", "b", "c", "d", "e", "f", "g", "h")
		plan := func() []Choice { return choose(own...) }
		v := &voyage{course: r.Start(callOf(request), plan(), epoch), now: epoch}
		v.fate = func(l Leg) fate {
			after := 18 * time.Second
			if l.Target.Region == "c" {
				after = 17 * time.Second
			}
			return fate{fails: &inference.Error{Kind: inference.Throttling, RetryAfter: after}}
		}
		if v.sail() || len(v.legs) != len(own) || v.waited > 0 {
			t.Fatalf("%+v: the first call made %d attempts and waited %s, want one at each target", retry, len(v.legs), v.waited)
		}
		for n := range 140 {
			now := epoch.Add(time.Duration(n) * 100 * time.Millisecond)
			v := &voyage{course: r.Start(callOf(request), plan(), now), now: now}
			if v.sail() || len(v.legs) != 0 || v.waited > 0 {
				t.Fatalf("%+v: a call after %s made %d attempts and waited %s, want none", retry, now.Sub(epoch), len(v.legs), v.waited)
			}
			if e, left := v.course.Failure(), epoch.Add(17*time.Second).Sub(now); e.Kind != inference.Throttling || e.Status() != 429 || e.RetryAfter != left || e.Region != "c" {
				t.Fatalf("%+v: a call after %s fails with %v after %s, want Throttling of c after %s", retry, now.Sub(epoch), e, e.RetryAfter, left)
			}
		}
		now := epoch.Add(15500 * time.Millisecond)
		v = &voyage{course: r.Start(callOf(request), append(plan(), choose(targets("z")...)...), now), now: now, fate: func(Leg) fate { return fate{} }}
		if waits := retry.Wait > 0; !v.sail() || len(v.legs) != 1 || (v.legs[0].Target.Region == "c") != waits || (v.waited > 0) != waits {
			t.Errorf("%+v: a call that is to be answered in 1.5s, or by a fallback: %+v after %s", retry, v.legs, v.waited)
		}
	}
}

// A target in its hold is asked only where another one may answer and does not, and as
// far as the budget goes; the hold is waited for where it just ends in time.
func TestCourseBesideAHold(t *testing.T) {
	const held = 17 * time.Second
	for _, test := range []struct {
		name   string
		hold   time.Duration
		plan   []inference.Region
		b      *inference.Error
		barred bool
		spent  bool // the budget is
		called string
		kind   inference.Kind
		waited time.Duration
	}{
		{"another fails", held, []inference.Region{"a", "b"}, errMissing, false, false, "[b]", inference.Throttling, 0},
		{"another breaks on it", held, []inference.Region{"a", "b"}, &inference.Error{Kind: inference.InternalServer}, false, false, "[b]", inference.InternalServer, 0},
		{"no budget", held, []inference.Region{"a", "b"}, errUnavail, false, true, "[b]", inference.ServiceUnavailable, 0},
		{"not entitled to another", held, []inference.Region{"a", "b"}, errDenied, true, false, "[b]", inference.Throttling, 0},
		{"just in time", 1950 * time.Millisecond, []inference.Region{"a"}, nil, false, false, "[a]", "", 1950 * time.Millisecond},
	} {
		r := New(Config{Retry: Retry{Budget: 1e-9, Wait: 2 * time.Second}})
		r.health.guard(targets("a")[0]).throttled(test.hold, epoch)
		if b := r.health.guard(targets("b")[0]); test.barred {
			b.refuse(b.force(), errDenied, epoch)
		}
		if test.spent {
			for r.retry.Wait = 0; r.health.retries.spend(0, 0, epoch); {
			}
		}
		v := &voyage{course: r.Start(callOf(request), choose(targets(test.plan...)...), epoch), now: epoch}
		v.fate = func(l Leg) fate {
			if l.Target.Region == "b" {
				return fate{fails: test.b}
			}
			return fate{}
		}
		answered := v.sail()
		if got := fmt.Sprint(called(v.legs)); got != test.called || answered != (test.kind == "") || v.waited != test.waited {
			t.Errorf("%s: called %s and waited %s, answered %t, want %s, %s", test.name, got, v.waited, answered, test.called, test.waited)
		} else if !answered && v.course.Failure().Kind != test.kind {
			t.Errorf("%s: Failure() = %v, want %s", test.name, v.course.Failure(), test.kind)
		}
	}
}

// Calls make one attempt where all targets throttle and do not say for how long, and
// those that the budget has; one that answers is used by all calls from then on.
func TestCourseThrottledEverywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		retry := Retry{
			Budget:  rapid.SampledFrom([]float64{0.01, 0.2, 1}).Draw(t, "retries"),
			Reserve: rapid.SampledFrom([]float64{0, 1, 10}).Draw(t, "reserve"),
			Wait:    time.Duration(rapid.IntRange(0, 10).Draw(t, "wait s")) * time.Second,
		}
		r, plan := New(Config{Retry: retry}), targets("a", "b", "c", "d", "e", "f", "g", "h", "i", "j")[:rapid.IntRange(1, 10).Draw(t, "targets")]
		now, last, legs, calls := epoch, epoch, 0, rapid.IntRange(1, 100).Draw(t, "calls")
		for n := range calls {
			call := callOf(request)
			call.Seed = uint64(n)
			v := &voyage{course: r.Start(call, choose(plan...), now), now: now, fate: func(Leg) fate { return fate{fails: errThrottle} }}
			v.sail()
			if e := v.course.Failure(); len(v.legs) == 0 || e.Kind != inference.Throttling {
				t.Fatalf("call %d made %d attempts and fails with %v", n, len(v.legs), e)
			}
			legs, last = legs+len(v.legs), v.now
			now = v.now.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "pause ms")) * time.Millisecond)
		}
		passed := last.Sub(epoch)
		free := calls + len(plan)*(1+int(passed/time.Minute))
		if most := float64(free) + burst + retry.Budget*float64(calls) + retry.Reserve*passed.Seconds(); float64(legs) > most {
			t.Fatalf("%d calls of %d targets that throttle made %d attempts in %s, want at most %.0f", calls, len(plan), legs, passed, most)
		}
		for answered := 0; answered < 20; now = now.Add(time.Second) { // the last of the plan answers again
			v := &voyage{course: r.Start(callOf(request), choose(plan...), now), now: now}
			v.fate = func(l Leg) fate {
				if l.Target.Region == plan[len(plan)-1].Region {
					return fate{}
				}
				return fate{fails: errThrottle}
			}
			switch ok := v.sail(); {
			case ok:
				answered++
			case answered > 0 || now.Sub(last) > 2*time.Minute:
				t.Fatalf("%d calls were answered when one is not, %s after a target came back", answered, now.Sub(last))
			}
			now = v.now
		}
	})
}

// No target of a call is passed over for another, and each is tried once at least
// however many there are.
func TestCourseTriesAllInOrder(t *testing.T) {
	var plan []inference.Target
	var want []inference.Region
	for i := range mostAttempts + 8 {
		plan, want = append(plan, bare(inference.Region(rune('A'+i)))), append(want, inference.Region(rune('A'+i)))
	}
	for _, retry := range []Retry{{}, {Budget: 0.2, Reserve: 10, Wait: 2 * time.Second}} {
		v := &voyage{course: New(Config{Retry: retry}).Start(callOf(request), choose(plan...), epoch), now: epoch, fate: func(Leg) fate { return fate{fails: errUnavail} }}
		v.sail()
		if got := called(v.legs); !slices.Equal(got, want) {
			t.Errorf("%+v: called %v, want %v", retry, got, want)
		}
	}
}

// called is where legs went.
func called(legs []Leg) (regions []inference.Region) {
	for _, l := range legs {
		regions = append(regions, l.Target.Region)
	}
	return regions
}

// A call that has waited tries nothing again once attempts have taken what it may wait,
// and an attempt timeout: it does not end its round.
func TestCourseIsLate(t *testing.T) {
	r := New(Config{AttemptTimeout: 2 * time.Second, Retry: Retry{Budget: 1, Reserve: 100, Wait: time.Second}, Breaker: BreakerConfig{Failures: 100}})
	v := &voyage{course: r.Start(callOf(request), choose(targets("a", "b")...), epoch), now: epoch}
	v.fate = func(Leg) fate { return fate{after: 3 * time.Second, fails: errUnavail} }
	v.sail()
	if got := called(v.legs); fmt.Sprint(got) != "[a b a]" {
		t.Errorf("called %v with 1s to wait and attempts of 3s, want a, b, and a once more", got)
	}
}

// drawBounds is what bounds calls: nothing, as shipped, or anything.
func drawBounds(t *rapid.T) Config {
	return Config{
		Retry: rapid.OneOf(rapid.SampledFrom([]Retry{{}, {Budget: 0.2, Reserve: 10, Wait: 2 * time.Second}}), rapid.Custom(func(t *rapid.T) Retry {
			return Retry{
				Budget: rapid.Float64Range(0, 1).Draw(t, "retries"), Reserve: rapid.Float64Range(0, 10).Draw(t, "reserve"),
				Wait: time.Duration(rapid.IntRange(0, 5000).Draw(t, "wait ms")) * time.Millisecond,
			}
		})).Draw(t, "retry"),
		Hedge: rapid.OneOf(rapid.SampledFrom([]Hedge{{}, {Budget: 0.05, Least: 100 * time.Millisecond}}), rapid.Custom(func(t *rapid.T) Hedge {
			return Hedge{Budget: rapid.Float64Range(0, 1).Draw(t, "hedges"), Least: time.Duration(rapid.IntRange(0, 3000).Draw(t, "least ms")) * time.Millisecond}
		})).Draw(t, "hedge"),
	}
}

// drawPlan is a plan of up to ten targets, some of which have a quota.
func drawPlan(t *rapid.T, r *Router) []Choice {
	all := targets("a", "b", "c", "d", "e", "f", "g", "h", "i", "j")
	plan := choose(all[:rapid.IntRange(1, len(all)).Draw(t, "targets")]...)
	for i := range plan {
		plan[i].guard = r.health.guard(*plan[i].Target)
		plan[i].guard.bucket.configure(Quota{RequestsPerMinute: rapid.SampledFrom([]int{0, 0, 6, 600}).Draw(t, "requests a minute")}, Whole, epoch)
	}
	return plan
}

// However calls are bounded: a target that answers, and that nothing was said against
// of late, answers each call unless the request itself is at fault.
func TestCourseProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := New(drawBounds(t))
		plan, now := drawPlan(t, r), epoch
		for n := range rapid.IntRange(1, 12).Draw(t, "calls") {
			fates, healthy, faulty := map[inference.Region]fate{}, false, false
			for _, c := range plan {
				f := drawFate(t)
				fates[c.Target.Region] = f
				well := f.fails == nil && !f.hangs && !f.cut
				healthy = healthy || well && c.guard.usable(now) && c.guard.bucket.held(now) == 0 && !c.guard.bucket.isRefusing(now)
				faulty = faulty || f.fails == errInvalid
			}
			call := callOf(streamed)
			call.Seed, call.OnCut = uint64(n), inference.ContinueOnCut
			v := &voyage{course: r.Start(call, slices.Clone(plan), now), now: now, fate: func(l Leg) fate { return fates[l.Target.Region] }}
			if answered := v.sail(); healthy && !faulty && !answered {
				t.Fatalf("call %d fails with %v after %v, though a target is well: %v", n, v.course.Failure(), called(v.legs), fates)
			}
			now = v.now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "pause ms")) * time.Millisecond)
		}
	})
}

// However a call is bounded, one more target that answers never turns success into
// failure.
func TestCourseOneMoreHealthyTarget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		config := drawBounds(t)
		plan := drawPlan(t, New(config))
		fates := map[inference.Region]fate{"z": {}}
		var open []inference.Region
		for _, c := range plan {
			fates[c.Target.Region] = drawFate(t)
			if rapid.Bool().Draw(t, "open") {
				open = append(open, c.Target.Region)
			}
		}
		answered := func(targets []Choice) bool {
			r := New(config)
			for _, region := range open {
				trip(r, region, epoch)
			}
			for i := range targets {
				targets[i].guard = nil
			}
			call := callOf(streamed)
			call.OnCut = inference.ContinueOnCut
			v := &voyage{course: r.Start(call, targets, epoch), now: epoch, fate: func(l Leg) fate { return fates[l.Target.Region] }}
			return v.sail()
		}
		more := choose(targets("z")...)[0]
		more.Profile = plan[0].Profile
		at := rapid.IntRange(0, len(plan)).Draw(t, "at")
		if answered(slices.Clone(plan)) && !answered(slices.Insert(slices.Clone(plan), at, more)) {
			t.Fatalf("%v, %v open: one more target that is well, at %d, fails the call", fates, open, at)
		}
	})
}

// A lone target that is dead is waited for as long as it is out no longer than a call
// may wait. After that calls fail at once, but for those that are there when it is to be
// probed: each has made the one attempt that adds nothing to the load, unless it would
// have to wait for the failure. Then they make as few as the budget lets.
func TestCourseLoneTargetFailsFast(t *testing.T) {
	for _, hangs := range []bool{false, true} {
		r := New(Config{Retry: Retry{Budget: 0.1, Wait: time.Second}})
		legs, calls := 0, 0
		for now := epoch; now.Before(epoch.Add(14 * time.Second)); calls++ {
			v := &voyage{course: r.Start(callOf(request), choose(targets("a")...), now), now: now}
			v.fate = func(Leg) fate {
				if hangs {
					return fate{after: 2 * quick, fails: errUnavail}
				}
				return fate{fails: errUnavail}
			}
			v.sail()
			if e := v.course.Failure(); e.Kind != inference.ServiceUnavailable {
				t.Fatalf("call %d: Failure() = %v, want ServiceUnavailableException", calls, e)
			}
			at := now.Sub(epoch)
			probed := at > 4*time.Second && at < 6*time.Second
			if !hangs && at > 3*time.Second && !probed && (v.waited > 0 || len(v.legs) > 1) {
				t.Errorf("a call %s after the outage began waited %s and made %d attempts, want one at once", at, v.waited, len(v.legs))
			}
			legs += len(v.legs)
			now = v.now.Add(10 * time.Millisecond)
		}
		if most := 3 + burst + calls/10 + 2; hangs && legs > most {
			t.Errorf("%d calls made %d attempts at a target that hangs, want at most %d", calls, legs, most)
		}
	}
}

// down opens the breakers of targets, which hang, and leaves nothing of the retry budget to force
// them with.
func down(r *Router, now time.Time, regions ...inference.Region) {
	for _, region := range regions {
		trip(r, region, now)
		g := r.health.guard(targets(region)[0])
		g.used.Store(now.UnixNano())
		g.hangs.Store(true)
	}
	for r.health.retries.spend(0, spare, now) {
	}
}

// Calls that find every target out of use look for one that is back in turn, whatever
// their plan: each call here may force one.
func TestCourseForcesInTurn(t *testing.T) {
	r := New(Config{Retry: Retry{Budget: 1}, Breaker: BreakerConfig{OpenFor: time.Hour}})
	down(r, epoch, "a", "b", "c", "d")
	var called []inference.Region
	for n := range 6 {
		now := epoch.Add(time.Duration(n+1) * time.Second)
		v := &voyage{course: r.Start(callOf(request), choose(targets("a", "b", "c", "d")...), now), now: now}
		v.fate = func(Leg) fate { return fate{after: 2 * quick, fails: errUnavail} }
		v.sail()
		for _, l := range v.legs {
			called = append(called, l.Target.Region)
		}
	}
	if fmt.Sprint(called) != "[a b c d a b]" {
		t.Errorf("six calls with a token each forced %v, want each target in turn", called)
	}
}

// A call that can force none of its targets waits for the first that may be probed, and
// no longer: also when it is the last of the plan.
func TestCourseWaitsForAProbe(t *testing.T) {
	for seed := range uint64(50) {
		r := New(Config{Retry: Retry{Budget: 1e-9, Wait: 2 * time.Second}, Breaker: BreakerConfig{OpenFor: 900 * time.Millisecond}})
		down(r, epoch, "c")
		down(r, epoch.Add(time.Second), "a", "b")
		r.health.guard(targets("c")[0]).breaker.openUntil = epoch.Add(1100 * time.Millisecond)
		now := epoch.Add(time.Second)
		r.health.guard(targets("c")[0]).publish()
		call := callOf(request)
		call.Seed = seed
		v := &voyage{course: r.Start(call, choose(targets("a", "b", "c")...), now), now: now}
		v.fate = func(l Leg) fate {
			if l.Target.Region != "c" {
				return fate{fails: errUnavail}
			}
			return fate{}
		}
		if !v.sail() || len(v.legs) != 1 || v.waited < 100*time.Millisecond || v.waited > 201*time.Millisecond {
			t.Errorf("call %d: %d attempts after a wait of %s, want one at c within 100 ms of the end of its hold", seed, len(v.legs), v.waited)
		}
	}
}

// A call waits for as long as it may before it gives up, however long its backoff, and
// for as long again where its answer breaks off.
func TestCourseUsesItsWait(t *testing.T) {
	for seed := range uint64(50) {
		r := New(Config{AttemptTimeout: 2 * time.Second, Retry: Retry{Budget: 1, Reserve: 100, Wait: time.Second}, Breaker: BreakerConfig{Failures: 100}})
		call := callOf(streamed)
		call.Seed, call.OnCut = seed, inference.ContinueOnCut
		v := &voyage{course: r.Start(call, choose(targets("a")...), epoch), now: epoch}
		back, cuts := epoch.Add(990*time.Millisecond), 0
		v.fate = func(Leg) fate {
			switch {
			case v.now.Before(back):
				return fate{fails: errUnavail}
			case cuts < 3:
				cuts++
				back = v.now.Add(990 * time.Millisecond)
				return fate{cut: true}
			}
			return fate{}
		}
		if !v.sail() || v.most > time.Second || v.waited < 3900*time.Millisecond {
			t.Errorf("call %d: answered after %d cuts and %s, of which %s at a time, want 3 and four times up to 1s", seed, cuts, v.waited, v.most)
		}
	}
}

// A verdict on the request stays the answer, whatever becomes of the leg beside it.
func TestCourseVerdictStays(t *testing.T) {
	for name, then := range map[string]func(c *Course, first Leg, now time.Time){
		"fails": func(c *Course, first Leg, now time.Time) { c.Failed(first, errUnavail, now) },
		"lost":  func(c *Course, first Leg, now time.Time) { c.Lost(first, nil, now) },
		"gone": func(c *Course, first Leg, now time.Time) {
			c.Gone(&inference.Error{Kind: inference.Canceled})
			c.Failed(first, &inference.Error{Kind: inference.Canceled}, now)
		},
	} {
		r := New(Config{Hedge: Hedge{Budget: 1, Least: time.Second}, Retry: Retry{Budget: 1, Wait: time.Second}})
		c := r.Start(callOf(streamed), choose(targets("a", "b", "c")...), epoch)
		first := c.Next(epoch).Leg
		after, _ := c.HedgeAfter(epoch)
		now := epoch.Add(after)
		hedge, ok := c.Hedge(now)
		if !ok {
			t.Fatal("Hedge() gives none")
		}
		c.Failed(hedge, errInvalid, now)
		if step := c.Next(now); step.Do != Stop {
			t.Errorf("%s: Next() = %+v after a verdict, want Stop", name, step)
		}
		then(c, first, now)
		if e := c.Failure(); e.Kind != inference.Validation || c.Next(now).Do != Stop || len(c.Attempts()) != 2 {
			t.Errorf("%s: Failure() = %v with %d attempts, want the verdict with two", name, e, len(c.Attempts()))
		}
	}
}

// What waiting does not cure is not tried again.
func TestCourseTriesAgainWhatMayHelp(t *testing.T) {
	r := New(Config{Retry: Retry{Budget: 1, Reserve: 10, Wait: 5 * time.Second}})
	v := &voyage{course: r.Start(callOf(request), choose(targets("a", "b")...), epoch), now: epoch}
	tried := map[inference.Region]int{}
	v.fate = func(l Leg) fate {
		tried[l.Target.Region]++
		return map[inference.Region]fate{"a": {fails: errMissing}, "b": {fails: errThrottle}}[l.Target.Region]
	}
	if v.sail() || tried["a"] != 1 || tried["b"] < 2 {
		t.Errorf("a lacks the model and b throttles: tried %v, want a once and b again", tried)
	}
}

// A call has one hedge, also when neither that nor the other answers.
func TestCourseHedgesOnce(t *testing.T) {
	r, hedges := New(Config{Hedge: Hedge{Budget: 1, Least: 100 * time.Millisecond}}), 0
	for range enough {
		r.health.guard(targets("a")[0]).load.seen(true, time.Millisecond, epoch)
	}
	v := &voyage{course: r.Start(callOf(streamed), choose(targets("a", "b", "c", "d", "e", "f")...), epoch), now: epoch}
	v.fate = func(Leg) fate { return fate{after: time.Second, fails: errUnavail} }
	v.sail()
	for _, row := range v.course.Attempts() {
		if row.Hedge {
			hedges++
		}
	}
	if hedges != 1 || len(v.legs) != 6 {
		t.Errorf("six targets fail a second after they are asked: %d attempts of which %d are hedges, want 6 and 1", len(v.legs), hedges)
	}
}

// Nobody is to blame for a leg that is left since the caller has gone.
func TestCourseGone(t *testing.T) {
	r := New(Config{Breaker: BreakerConfig{Failures: 1}})
	c := r.Start(callOf(streamed), choose(targets("a")...), epoch)
	l := c.Next(epoch).Leg
	c.Gone(&inference.Error{Kind: inference.Canceled})
	c.Lost(l, nil, epoch.Add(time.Minute))
	if s := r.States(epoch)[0]; s.State != Closed || s.InFlight != 0 || c.Next(epoch).Do != Stop || c.Failure().Kind != inference.Canceled {
		t.Errorf("state of a = %+v, the course does %d and fails with %v", s, c.Next(epoch).Do, c.Failure())
	}
}

// A quota that is configured is waited for where no other target has any.
func TestCourseWaitsForQuota(t *testing.T) {
	r := New(Config{Retry: Retry{Budget: 1, Wait: 5 * time.Second}})
	plan := choose(targets("a", "b")...)
	for i := range plan {
		plan[i].guard = r.health.guard(*plan[i].Target)
		plan[i].guard.bucket.configure(Quota{RequestsPerMinute: 60}, Whole, epoch)
	}
	var v *voyage
	for range 121 {
		v = &voyage{course: r.Start(callOf(request), plan, epoch), now: epoch, fate: func(Leg) fate { return fate{} }}
		v.sail()
	}
	if v.waited < time.Second || v.waited > 2*time.Second || len(v.legs) != 1 {
		t.Errorf("call 121 at two targets of 60 a minute waited %s and made %d attempts, want about 1s and one", v.waited, len(v.legs))
	}
}

// A fallback is called when no target of the model answers, and its failure is not the
// caller's.
func TestCourseFallback(t *testing.T) {
	for _, test := range []struct {
		fates    map[inference.Region]fate
		called   string
		answered bool
		kind     inference.Kind
	}{
		{map[inference.Region]fate{"a": {fails: errUnavail}}, "[a b]", true, ""},
		{map[inference.Region]fate{"a": {fails: errUnavail}, "b": {fails: errInvalid}}, "[a b]", false, inference.ServiceUnavailable},
		{map[inference.Region]fate{"a": {fails: errMissing}, "b": {fails: errThrottle}, "c": {fails: errThrottle}}, "[a b c]", false, inference.ResourceNotFound},
		{map[inference.Region]fate{"a": {fails: errInvalid}}, "[a]", false, inference.Validation},
	} {
		plan := append(choose(targets("a")...), choose(targets("b", "c")...)...)
		v := &voyage{course: New(Config{}).Start(callOf(request), plan, epoch), now: epoch}
		v.fate = func(l Leg) fate { return test.fates[l.Target.Region] }
		answered := v.sail()
		var called []inference.Region
		for _, l := range v.legs {
			called = append(called, l.Target.Region)
		}
		if answered != test.answered || fmt.Sprint(called) != test.called {
			t.Errorf("%v: called %v, answered %t, want %s, %t", test.fates, called, answered, test.called, test.answered)
		}
		if !answered && v.course.Failure().Kind != test.kind {
			t.Errorf("%v: Failure() = %v, want %s", test.fates, v.course.Failure(), test.kind)
		}
	}
}

// An answer that breaks off is gone on with by the targets of its model that were not
// tried, then by those that were, the one that broke off last.
func TestCourseCut(t *testing.T) {
	for _, test := range []struct {
		onCut inference.OnCut
		want  string
	}{{"", "[a b]"}, {inference.FailOnCut, "[a b]"}, {inference.ContinueOnCut, "[a b c a b]"}} {
		call := callOf(streamed)
		call.OnCut = test.onCut
		plan := append(choose(targets("a", "b", "c")...), choose(targets("z")...)...)
		v := &voyage{course: New(Config{}).Start(call, plan, epoch), now: epoch}
		v.fate = func(l Leg) fate {
			if l.number == 1 {
				return fate{cut: true}
			}
			return fate{fails: errUnavail}
		}
		v.sail()
		var called []inference.Region
		for _, l := range v.legs {
			called = append(called, l.Target.Region)
		}
		if fmt.Sprint(called) != test.want {
			t.Errorf("on cut %q: called %v, want %s", test.onCut, called, test.want)
		}
		row := v.course.Attempts()[1]
		if on := test.onCut == inference.ContinueOnCut; !row.Cut || row.Outcome != inference.Failed || (row.Usage != nil) != on {
			t.Errorf("on cut %q: the row of b is %+v", test.onCut, row)
		}
	}
}

// BenchmarkCourse is what a call costs without its targets, as simulations pay it.
func BenchmarkCourse(b *testing.B) {
	for name, config := range map[string]Config{
		"plain": {}, "budgets": {Retry: Retry{Budget: 0.1, Reserve: 10, Wait: time.Second}, Hedge: Hedge{Budget: 0.05}},
	} {
		b.Run(name, func(b *testing.B) {
			r, call, plan := New(config), callOf(streamed), choose(targets("a", "b", "c", "d")...)
			b.ReportAllocs()
			for now := epoch; b.Loop(); now = now.Add(time.Millisecond) {
				course := r.Start(call, plan, now)
				l := course.Next(now).Leg
				course.HedgeAfter(now)
				course.Answered(l, now)
				course.Ended(l, inference.Usage{OutputTokens: 1}, now)
			}
		})
	}
}
