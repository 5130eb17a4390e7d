package route

import "time"

// HedgeAfter is how long the leg that Next gave last may take to its first content
// before Hedge is asked for another beside it: as long as 95 of 100 calls of its
// target, or of its peers, have taken. It reports false where none would be given.
func (c *Course) HedgeAfter(now time.Time) (time.Duration, bool) {
	if c.router.hedge.Budget == 0 || c.hedged || c.broken != none || c.call.Route.NoHedge || len(c.legs) == 0 {
		return 0, false
	}
	leg := &c.legs[len(c.legs)-1]
	if _, ok := c.second(leg, now); !ok {
		return 0, false
	}
	usual, ok := c.guard(leg.place).load.p95(c.call.Streams)
	if !ok {
		usual = leastPatience
	}
	after := max(c.router.hedge.Least, usual+reading(c.call.Size))
	c.hedgeAt = now.Add(after)
	return after, true
}

// Hedge is a leg to begin beside the one that is under way, where that is still due
// and the budget lets. A call has one hedge at most.
func (c *Course) Hedge(now time.Time) (Leg, bool) {
	if c.stopped || c.hedged || c.flying != 1 || c.hedgeAt.IsZero() || now.Before(c.hedgeAt) {
		return Leg{}, false
	}
	place, ok := c.second(&c.legs[len(c.legs)-1], now)
	if !ok || !c.router.health.hedges.spend(0, now) {
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
