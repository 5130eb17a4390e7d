package route

import (
	"cmp"
	"math"
	"time"

	"fairway/internal/inference"
)

// choose is the next step of this round: the first target that is usable, those of the
// called model before any other. Where all that are left of a model have no quota for
// the call just now, it waits for the first that will, if it may.
func (c *Course) choose(now time.Time) (Step, bool) {
	for from, to := 0, 0; from < len(c.plan); from = to {
		for to = from; to < len(c.plan) && c.plan[to].Profile == c.plan[from].Profile; to++ {
		}
		if !c.mayRun(from) {
			continue
		}
		if step, ok := c.among(from, to, now); ok {
			return step, true
		}
	}
	return Step{}, false
}

// among chooses among the targets of one model.
func (c *Course) among(from, to int, now time.Time) (Step, bool) {
	l, short, ok := c.first(from, to, false, now)
	if !ok && short > 0 {
		if c.flying > 0 {
			return Step{Do: Await}, true
		}
		if step, ok := c.wait(short+short/8, now); ok {
			return step, true
		}
		if step, ok := c.wait(short, now); ok {
			return step, true
		}
		if !c.areHeld(from, to, now) {
			l, _, ok = c.first(from, to, true, now)
		}
	}
	return Step{Do: Try, Leg: l}, ok
}

// first begins a leg at the first target that admits it. Unless anyway, it passes over
// those that have no quota for the call, short is until the first of them has some.
func (c *Course) first(from, to int, anyway bool, now time.Time) (l Leg, short time.Duration, ok bool) {
	behind := c.putsBehind(from, to, now)
	for sort := fresh; sort <= broken; sort++ {
		next := none
		for i := from; i < to; i++ {
			if !c.isDue(i, now) || c.sort(i, behind, now) != sort {
				continue
			}
			if wait := c.short(i, now); wait > 0 && !anyway {
				short = min(wait, cmp.Or(short, wait))
			} else if sort != refusing {
				if l, ok := c.try(i, now); ok {
					return l, 0, true
				}
			} else if next == none || c.guard(i).used.Load() < c.guard(next).used.Load() {
				next = i
			}
		}
		if next != none {
			if l, ok := c.try(next, now); ok {
				return l, 0, true
			}
		}
	}
	return Leg{}, short, false
}

// The sorts of targets, in the order to try them in a round.
const (
	fresh    = iota // not tried by this call
	refusing        // nor that, and throttled just now: the one that was tried the longest ago first
	again           // tried
	broken          // whose answer broke off last
)

// putsBehind reports whether targets that throttled just now go behind the others, and
// are tried in turn: when one has throttled this very call, and when all do. So calls that
// find nothing else look for what has quota again.
func (c *Course) putsBehind(from, to int, now time.Time) bool {
	switch {
	case !c.isBounded():
		return false
	case c.pressed:
		return true
	}
	for i := from; i < to; i++ {
		if c.isDue(i, now) && !c.guard(i).bucket.isRefusing(now) {
			return false
		}
	}
	return true
}

func (c *Course) sort(place int, behind bool, now time.Time) int {
	switch {
	case behind && c.turns[place].round == 0 && c.guard(place).bucket.isRefusing(now):
		return refusing
	case c.turns[place].round == 0:
		return fresh
	case place == c.broken:
		return broken
	}
	return again
}

// isDue reports whether a target is to be tried in this round: once, and again where it
// was out of use then and has come back while the call waits.
func (c *Course) isDue(place int, now time.Time) bool {
	t := &c.turns[place]
	return !t.spent && now.UnixNano() >= t.until &&
		(t.round < c.round || t.forced && !c.resume.IsZero() && c.guard(place).usable(now))
}

// mayRun reports whether the call may run on a target: an answer that broke off is gone
// on with by its model only.
func (c *Course) mayRun(place int) bool {
	return c.broken == none || c.plan[place].Profile == c.plan[c.broken].Profile
}

// short is how long the target is not to be asked, as it said itself or as its quota is
// configured, that 0 where the call could not wait for it. What was learned from
// throttles orders plans, and may be wrong: nothing waits for it.
func (c *Course) short(place int, now time.Time) time.Duration {
	g := c.guard(place)
	if hold := g.bucket.held(now); hold > 0 {
		return hold
	}
	if c.router.retry.Wait == 0 || !g.bucket.inForce(now) || g.bucket.isLearned(now.UnixNano()) {
		return 0
	}
	return g.bucket.wait(c.reserve(g, now), now)
}

// areHeld reports whether all targets of a model that could answer have asked to be left
// alone: there is no use in asking any of them.
func (c *Course) areHeld(from, to int, now time.Time) bool {
	for i := from; i < to; i++ {
		if g := c.guard(i); !c.turns[i].spent && !g.notEntitled(now.UnixNano()) && g.bucket.held(now) == 0 {
			return false
		}
	}
	return true
}

// takeHolds takes in what targets of the called model said to other calls, as this one
// ends: that they throttle, where waiting would cure nothing else that it met, and the
// shortest time until one is to be asked again.
func (c *Course) takeHolds(now time.Time) {
	shortest, place := time.Duration(0), none
	for i := range c.plan {
		hold := c.guard(i).bucket.held(now)
		if c.own(i) && c.turns[i].round == 0 && hold > 0 && (place == none || hold < shortest) {
			shortest, place = hold, i
		}
	}
	if place == none {
		return
	}
	c.retryAfter = min(shortest, cmp.Or(c.retryAfter, shortest))
	if c.failure == nil || !c.ours || !passing(c.failure) {
		c.take(&inference.Error{Kind: inference.Throttling, Op: op, Region: c.plan[place].Target.Region, Message: busy}, true, false)
	}
}

// busy is the service's text for a target that throttles.
const busy = "Too many requests, please wait before trying again."

// isRetry reports whether an attempt takes from the retry budget: one that is not the
// call's first at its target, one at a target that asked to be left alone, and all but
// one at targets that throttled just now.
func (c *Course) isRetry(place int, now time.Time) bool {
	b := &c.guard(place).bucket
	return c.turns[place].round > 0 || b.held(now) > 0 || c.pressed && b.isRefusing(now)
}

// try begins a leg where the target admits it, and the budget if it is a retry.
func (c *Course) try(place int, now time.Time) (Leg, bool) {
	g := c.guard(place)
	a, ok := g.admit(now)
	if !ok {
		return Leg{}, false
	}
	if c.turns[place].round > 0 && c.isLate(now) || c.isRetry(place, now) && !c.afford(0, now) {
		g.settle(a, untold, now)
		return Leg{}, false
	}
	return c.begin(place, a, now), true
}

// force begins a leg at a target that is out of use: of the called model before others,
// not entitled ones last, and of the rest the one that was tried the longest ago, by
// whatever call. So calls that find nothing usable look for what has come back in turn.
// A call that may force them all does so in the order of its plan.
func (c *Course) force(now time.Time) (Leg, bool) {
	place := none
	for i := range c.plan {
		switch {
		case !c.mayRun(i) || !c.isDue(i, now) || c.guard(i).bucket.held(now) > 0 || c.turns[i].round > 0 && c.isLate(now):
		case place == none,
			c.isBounded() && c.plan[i].Profile == c.plan[place].Profile && c.guard(i).isBefore(c.guard(place), now):
			place = i
		}
	}
	if place == none || !c.isFree(place, now) && !c.afford(spare, now) {
		return Leg{}, false
	}
	l := c.begin(place, c.guard(place).force(), now)
	c.turns[place].forced = true
	return l, true
}

// isFree reports whether forcing a target adds nothing to the load: the call's first
// attempt, where it does not have to wait for the failure, and the first at a target
// that will only say that the account is not entitled.
func (c *Course) isFree(place int, now time.Time) bool {
	g := c.guard(place)
	return !c.isRetry(place, now) && (!g.outOfUse(now.UnixNano()) || len(c.legs) == 0 && !g.hangs.Load())
}

// isBounded reports whether there is a retry budget.
func (c *Course) isBounded() bool { return c.router.retry.Budget > 0 || c.router.retry.Reserve > 0 }

// afford takes one attempt from the retry budget, which is to leave some.
func (c *Course) afford(leave float64, now time.Time) bool {
	return !c.isBounded() || c.router.health.retries.spend(c.router.retry.Reserve, leave, now)
}

// rest is the wait for the next round, or for a target that comes back before that. It
// is none where no target is worth it.
func (c *Course) rest(now time.Time) Step {
	if c.resume.IsZero() {
		pause := backoff(c.round-c.opening+2, c.call.Seed+uint64(len(c.legs)))
		c.resume = now.Add(min(pause, c.longest(now)))
	}
	pause, worth := time.Duration(math.MaxInt64), false
	for i := range c.plan {
		if !c.mayRun(i) || c.turns[i].spent {
			continue
		}
		if due, ok := c.due(i, now); ok {
			pause, worth = min(pause, due), true
		}
	}
	if !worth {
		return Step{}
	}
	step, _ := c.wait(pause, now)
	return step
}

// due is how long to wait for a target: for the next round, or less where it comes back
// into use before. It reports false where the call may not wait as long as it asked for,
// and where it has been out of use for longer than a call may wait and will be, though
// it was tried meanwhile.
func (c *Course) due(place int, now time.Time) (time.Duration, bool) {
	next, at, g := c.resume.Sub(now), now.UnixNano(), c.guard(place)
	if held := max(time.Duration(c.turns[place].until-at), g.bucket.held(now)); held > 0 {
		return max(held, next), c.may(held, now)
	}
	soon := backoff(2, c.call.Seed+uint64(now.UnixNano())) // not all calls at once
	switch back := g.back(); {
	case back <= at:
		return next, true
	case back == never:
		return min(next, soon), true
	case c.may(time.Duration(back-at), now):
		return min(next, time.Duration(back-at)+soon), true
	}
	return next, !g.isDead(c.router.retry.Wait, now)
}

// longest is how long the call may wait: half of the time to its deadline at most, so
// that there is some for an answer.
func (c *Course) longest(now time.Time) time.Duration {
	left := c.router.retry.Wait - c.waited
	if !c.deadline.IsZero() {
		left = min(left, c.deadline.Sub(now)/2)
	}
	return left
}

// may reports whether the call may wait for d, and has time left after it.
func (c *Course) may(d time.Duration, now time.Time) bool {
	until := now.Add(d)
	return c.waited+d <= c.router.retry.Wait &&
		(c.late.IsZero() || !until.After(c.late)) && (c.deadline.IsZero() || until.Before(c.deadline))
}

// isLate reports whether too much time has passed since the call first waited, in
// attempts too, for it to try a target again.
func (c *Course) isLate(now time.Time) bool { return !c.late.IsZero() && now.After(c.late) }

// wait is a step of d, where the call may wait as long.
func (c *Course) wait(d time.Duration, now time.Time) (Step, bool) {
	d = max(d, time.Millisecond)
	if !c.may(d, now) {
		return Step{}, false
	}
	if c.late.IsZero() { // some regions may hang before one is found that is well
		c.late = now.Add(c.router.retry.Wait + c.router.timeout)
	}
	c.waited += d
	return Step{Do: Wait, For: d}, true
}
