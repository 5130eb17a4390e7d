package route

import "time"

// HedgeAfter is how long the leg that Next gave last may still take to its first
// content before Hedge is asked for another beside it: as long as 95 of 100 calls of
// its target, or of its peers, have taken; where Hedge has refused, as long again. It
// reports false where none would be given.
func (c *Course) HedgeAfter(now time.Time) (time.Duration, bool) {
	if c.router.hedge.Budget == 0 || c.hedged || c.stopped || c.broken != none || c.flying != 1 ||
		len(c.plan) == 1 || c.call.Route.NoHedge {
		return 0, false
	}
	leg := &c.legs[len(c.legs)-1]
	if c.asked == 0 {
		usual, ok := c.guard(leg.place).load.p95(c.call.Streams)
		if !ok {
			usual = leastPatience
			if !c.call.Streams { // its first content is all of it
				usual *= 2
			}
		}
		c.usual = max(c.router.hedge.Least, usual+reading(c.call.Size))
	}
	c.asked++
	c.hedgeAt = leg.began.Add(time.Duration(c.asked) * c.usual)
	return c.hedgeAt.Sub(now), true
}

// Hedge is a leg to begin beside the one that is under way, where that is still due
// and the budget lets. A call has one hedge at most.
func (c *Course) Hedge(now time.Time) (Leg, bool) {
	if c.stopped || c.hedged || c.flying != 1 || c.hedgeAt.IsZero() || now.Before(c.hedgeAt) {
		return Leg{}, false
	}
	place, ok := c.second(&c.legs[len(c.legs)-1], now)
	if !ok || !c.mayHedge(&c.legs[len(c.legs)-1], now) {
		return Leg{}, false
	}
	l, ok := c.try(place, now)
	if !ok {
		return Leg{}, false
	}
	c.hedged, l.Hedge = true, true
	c.legs[l.number].row.Hedge = true
	return l, true
}

// hedgesASecond are there in any case: where few calls come they earn none, and those
// that hang would for as long as they may.
const hedgesASecond = 0.1

// mayHedge takes a hedge from the budget: five of a hundred calls are due though all is
// well, and may not leave nothing to those that are due for the second time. Beside a
// leg whose target was taken out of use meanwhile it is failover, and free.
func (c *Course) mayHedge(beside *leg, now time.Time) bool {
	if c.router.hedge.Budget >= 1 || c.guard(beside.place).outOfUse(now.UnixNano()) {
		return true
	}
	leave := float64(spare)
	if c.asked > 1 {
		leave = 0
	}
	return c.router.health.hedges.spend(hedgesASecond, leave, now)
}

// second is the place of the target to hedge a leg at: the next one of the same model
// that was not tried and can be used just now.
func (c *Course) second(leg *leg, now time.Time) (int, bool) {
	if len(c.legs) >= c.limit() {
		return 0, false
	}
	for i := range c.plan {
		if c.plan[i].Profile != c.plan[leg.place].Profile || c.turns[i].round > 0 || c.turns[i].spent {
			continue
		}
		g := c.guard(i)
		if g.usable(now) && (!g.bucket.inForce(now) || g.bucket.fits(c.reserve(g, now), now)) {
			return i, true
		}
	}
	return 0, false
}
