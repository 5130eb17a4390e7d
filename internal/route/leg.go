package route

import (
	"time"

	"fairway/internal/inference"
)

// leg is what a course knows of one of its attempts.
type leg struct {
	row       inference.Attempt // without an outcome while it is under way
	place     int               // of its target in the plan
	admission admission
	began     time.Time
	reserved  int // tokens
}

// begin makes a leg at the target in a place, which admitted it.
func (c *Course) begin(place int, a admission, now time.Time) Leg {
	t, g := c.plan[place].Target, c.guard(place)
	l := Leg{Target: t, Left: c.left(), GoesOn: c.broken != none, number: len(c.legs)}
	reserved := c.reserve(g, now)
	g.enter(reserved, now)
	c.legs = append(c.legs, leg{
		row:   inference.Attempt{Region: t.Region, Model: t.Model, Account: t.Account},
		place: place, admission: a, began: now, reserved: reserved,
	})
	c.turns[place].round, c.turns[place].forced = c.round, false
	c.pressed = c.pressed || g.bucket.isRefusing(now)
	c.flying++
	c.resume, c.asked, c.hedgeAt = time.Time{}, 0, time.Time{}
	return l
}

// outcome ends the flight of a leg.
func (c *Course) outcome(l Leg, now time.Time) (*leg, *guard) {
	leg := &c.legs[l.number]
	leg.row.MS = now.Sub(leg.began).Milliseconds()
	c.flying--
	return leg, c.guard(leg.place)
}

// choice is what a leg tries.
func (c *Course) choice(l Leg) *Choice { return &c.plan[c.legs[l.number].place] }

// left is how many attempts there may still be in this round.
func (c *Course) left() int {
	return max(1, min(len(c.plan)*int(c.round), c.limit())-len(c.legs))
}

// limit is how many attempts the call may make: each target once in any case, where
// nothing else is configured.
func (c *Course) limit() int {
	most := max(mostAttempts, len(c.plan))
	if set := c.router.maxAttempts; set > 0 {
		return min(set, most)
	}
	return most
}

func (c *Course) guard(place int) *guard {
	choice := &c.plan[place]
	if choice.guard == nil {
		choice.guard = c.router.health.guard(*choice.Target)
	}
	return choice.guard
}

// settle takes in what a leg has shown of its target's health.
func (c *Course) settle(g *guard, a admission, shown ending, now time.Time) {
	if g.settle(a, shown, now) {
		c.router.health.compare(g, now)
	}
}

// reserve is how many tokens of quota a leg may use. Reading the request for it is
// worth the time where there is a limit; else it is an estimate, to learn one from.
func (c *Course) reserve(g *guard, now time.Time) int {
	if !g.bucket.inForce(now) {
		return c.call.Size / 4
	}
	outline := c.call.outline()
	return outline.InputTokens + outline.MaxTokens
}

// burnt is how many tokens of quota a usage takes, as the service counts them.
func (c *Course) burnt(place int, u inference.Usage) int {
	rate := 1
	if p := c.plan[place].Profile; p != nil && c.router.burndown != nil {
		rate = c.router.burndown(p.Model)
	}
	return u.InputTokens + u.CacheWriteTokens + rate*u.OutputTokens
}

// own reports whether a place is of the called model, and not of a fallback.
func (c *Course) own(place int) bool { return c.plan[place].Profile == c.plan[0].Profile }

// regional reports whether the target stands for a regional resource: what a region
// says of that is not said of the model.
func (c *Course) regional(place int) bool {
	p := c.plan[place].Profile
	return p != nil && p.IsRegional()
}

// judge takes in a failure: whether it ends the call, whether its target may be tried
// again, and whether it is the one to answer. A fallback that will not run the call
// ends nothing but its own use.
func (c *Course) judge(l *leg, e *inference.Error, now time.Time) verdict {
	v, own := judge(e), c.own(l.place)
	if v == nextOnce && own {
		if c.spentOnce {
			v = stop
		}
		c.spentOnce = true
	}
	if v == next && !mends(e) {
		if c.broke++; c.broke > mostBlamed {
			v = nextWithoutBlame
		}
	}
	c.take(e, own, own && v == stop)
	t := &c.turns[l.place]
	t.spent = !mends(e)
	if e.Kind == inference.Throttling && e.RetryAfter > 0 {
		t.until = now.Add(min(e.RetryAfter, longestHold)).UnixNano()
		if own && (c.retryAfter == 0 || e.RetryAfter < c.retryAfter) {
			c.retryAfter = e.RetryAfter
		}
	}
	switch {
	case v == stop && own:
		c.stopped = true
	case v == stop:
		for i := range c.plan {
			if c.plan[i].Profile == c.plan[l.place].Profile {
				c.turns[i].spent = true
			}
		}
	}
	return v
}

// mostBlamed is how many targets a call may break on before it is the request that is
// taken to be at fault: one that breaks every region is not to take them from others.
const mostBlamed = 2

// take makes e the failure to answer where it tells the caller more than the one that
// is. The one that broke off an answer stays, and so does a final one.
func (c *Course) take(e *inference.Error, own, final bool) {
	switch {
	case c.broken != none || c.stopped:
	case c.failure == nil, own && !c.ours:
		c.failure, c.ours = e, own
	case own == c.ours && (final || passing(e) || !passing(c.failure)):
		c.failure = e
	}
}
