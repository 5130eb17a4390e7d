package route

import (
	"cmp"
	"time"
)

// choose is the next step of this round: the first target that is usable, those of the
// called model before any other. Where all that are left of a model have no quota for
// the call just now, it waits for the first that will, if it may.
func (c *Course) choose(now time.Time) (Step, bool) {
	for from, to := 0, 0; from < len(c.plan); from = to {
		for to = from; to < len(c.plan) && c.plan[to].Profile == c.plan[from].Profile; to++ {
		}
		if c.broken != none && c.plan[from].Profile != c.plan[c.broken].Profile {
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
		l, _, ok = c.first(from, to, true, now)
	}
	return Step{Do: Try, Leg: l}, ok
}

// first begins a leg at the first target that admits it. Unless anyway, it passes over
// those that have no quota for the call, short is until the first of them has some.
func (c *Course) first(from, to int, anyway bool, now time.Time) (l Leg, short time.Duration, ok bool) {
	for sort := fresh; sort <= c.sorts(); sort++ {
		for i := from; i < to; i++ {
			if !c.isDue(i, now) || c.sort(i) != sort {
				continue
			}
			if wait := c.short(i, now); wait > 0 && !anyway {
				short = min(wait, cmp.Or(short, wait))
			} else if l, ok := c.try(i, now); ok {
				return l, 0, true
			}
		}
	}
	return Leg{}, short, false
}

// The sorts of targets, in the order to try them in a round.
const (
	fresh  = iota // not tried by this call
	again         // tried
	broken        // whose answer broke off last
)

func (c *Course) sort(place int) int {
	switch {
	case c.turns[place].round == 0:
		return fresh
	case place == c.broken:
		return broken
	}
	return again
}

// sorts is the last sort that there is.
func (c *Course) sorts() int {
	if c.round == 1 {
		return fresh
	}
	return broken
}

// isDue reports whether a target is to be tried in this round.
func (c *Course) isDue(place int, now time.Time) bool {
	t := &c.turns[place]
	return t.round < c.round && !t.spent && now.UnixNano() >= t.until
}

// short is how long the target is not to be asked, as it said itself or as its quota is
// configured, 0 where the call could not wait for that. What was learned from throttles
// orders plans, and may be wrong: nothing waits for it.
func (c *Course) short(place int, now time.Time) time.Duration {
	g := c.guard(place)
	if c.router.retry.Wait == 0 || !g.bucket.inForce(now) {
		return 0
	}
	if hold := g.bucket.hold.Load() - now.UnixNano(); hold > 0 || g.bucket.isLearned(now.UnixNano()) {
		return max(0, time.Duration(hold))
	}
	return g.bucket.wait(c.reserve(g, now), now)
}

// try begins a leg where the target admits it, and the budget if it is not the first.
func (c *Course) try(place int, now time.Time) (Leg, bool) {
	g := c.guard(place)
	a, ok := g.admit(now)
	if !ok {
		return Leg{}, false
	}
	if c.turns[place].round > 0 && !c.afford(now) {
		g.settle(a, untold, now)
		return Leg{}, false
	}
	return c.begin(place, a, now), true
}

// force begins a leg at a target that is out of use, the best first. It is the last
// resort of a round.
func (c *Course) force(now time.Time) (Leg, bool) {
	for i := range c.plan {
		switch {
		case !c.isDue(i, now), c.broken != none && c.plan[i].Profile != c.plan[c.broken].Profile:
		case !c.afford(now):
			return Leg{}, false
		default:
			return c.begin(i, c.guard(i).force(), now), true
		}
	}
	return Leg{}, false
}

// afford takes one attempt from the retry budget. Without one there is no bound.
func (c *Course) afford(now time.Time) bool {
	retry := &c.router.retry
	return retry.Budget == 0 && retry.Reserve == 0 || c.router.health.retries.spend(retry.Reserve, now)
}

// rest ends a round: the next one begins after a wait, where that may help and the
// call has the time. A lone target that is out of use is not waited for.
func (c *Course) rest(now time.Time) Step {
	pause := time.Duration(-1)
	for i := range c.plan {
		t := &c.turns[i]
		if t.spent || c.broken != none && c.plan[i].Profile != c.plan[c.broken].Profile {
			continue
		}
		due := max(backoff(c.round+1, c.call.Seed), time.Duration(t.until-now.UnixNano()))
		if pause < 0 || due < pause {
			pause = due
		}
	}
	lone := len(c.plan) == 1 && c.turns[0].round < c.round && !c.guard(0).usable(now)
	if pause < 0 || lone {
		return Step{}
	}
	step, ok := c.wait(pause, now)
	if ok {
		c.round++
	}
	return step
}

// wait is a step of d, where what the call may wait in all and its deadline let it.
func (c *Course) wait(d time.Duration, now time.Time) (Step, bool) {
	d = max(d, time.Millisecond)
	if c.waited+d > c.router.retry.Wait || !c.deadline.IsZero() && !now.Add(d).Before(c.deadline) {
		return Step{}, false
	}
	c.waited += d
	return Step{Do: Wait, For: d}, true
}
