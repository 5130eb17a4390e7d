package simulate

import (
	"cmp"
	"time"

	"fairway/internal/inference"
	"fairway/internal/route"
)

// call is a call under way. Route decides about it; here its attempts are made and
// its time passes.
type call struct {
	route.Call
	source    *source
	number    uint64
	life      uint32 // how many calls this memory was before
	arrived   int64
	session   session
	input     int // tokens beside the session's prefix
	output    int // tokens still to come
	maxTokens int
	user      int
	isHeavy   bool               // the user is the one that makes more calls than others
	id        string             // in the budgets' book
	charges   []inference.Charge // to it

	plan    []route.Choice
	course  *route.Course
	flying  []*attempt
	waiting bool   // for the next round; else the timer is the hedge's
	turn    uint32 // of the timer
	legs    int
	spoken  bool             // the caller has content
	broke   *inference.Error // what the answer broke off with
	story   story
}

// story is what the tally wants to know of a call.
type story struct {
	first     int64 // nanoseconds to the first content
	answering int   // index of the region
	failovers int
	hedges    int
	throttled int
	usage     inference.Usage // of all attempts
	prefix    int             // tokens that might have been read from a cache by the attempt that answered
	read      int             // that were
}

// newCall draws the next call of a source.
func (w *world) newCall(s *source) *call {
	var c *call
	if n := len(w.calls); n > 0 {
		c = w.calls[n-1]
		w.calls = w.calls[:n-1]
	} else {
		c = new(call)
		c.Outline = c.outline
	}
	of := &w.scenario.Tokens
	*c = call{
		Call:    route.Call{Outline: c.Outline, Streams: true},
		source:  s,
		number:  w.begun,
		life:    c.life + 1,
		arrived: w.at,
		turn:    c.turn + 1,
		plan:    c.plan[:0],
		flying:  c.flying[:0],
		session: s.session(&w.scenario.Sessions),
		input:   s.dice.count(of.Input, maxPrompt),
		output:  s.dice.count(of.Output, of.Max),
		user:    w.spending.user(s.dice, w.scenario.Users.Heavy),
	}
	c.isHeavy = c.user == 0 && w.scenario.Users.Heavy > 0
	c.Grant, c.Route = s.grant, s.route
	c.Size = bytesPerToken * (c.input + c.session.prefix)
	c.Seed = mix(w.seed ^ c.number)
	c.maxTokens = of.Max
	w.begun++
	w.inFlight++
	return c
}

// bytesPerToken is about what prompts have.
const bytesPerToken = 4

// outline is what a gateway reads out of the body.
func (c *call) outline() inference.Outline {
	return inference.Outline{
		InputTokens:  c.input + c.session.prefix,
		MaxTokens:    c.maxTokens,
		Prefix:       c.session.id,
		PrefixTokens: c.session.prefix,
	}
}

func (c *call) begin(w *world) {
	if !w.spending.admit(c, w) {
		c.leave(w)
		return
	}
	now := w.now()
	c.plan = c.source.router.Plan(c.plan, &c.Call, now)
	c.course = c.source.router.Start(&c.Call, c.plan, now)
	if d := w.scenario.Route.CallTimeout; d > 0 {
		w.events.add(w.at+int64(d), (*deadline)(c), c.life)
	}
	c.proceed(w)
}

// proceed does what the course says next.
func (c *call) proceed(w *world) {
	now := w.now()
	switch step := c.course.Next(now); step.Do {
	case route.Try:
		if c.legs > 0 {
			c.story.failovers++
		}
		c.try(w, step.Leg)
		if after, ok := c.course.HedgeAfter(now); ok {
			c.wake(w, after, false)
		}
	case route.Wait:
		c.wake(w, step.For, true)
	case route.Stop:
		c.end(w, cmp.Or(c.broke, c.course.Failure()))
	}
}

// wake sets the call's one timer.
func (c *call) wake(w *world, after time.Duration, waiting bool) {
	c.turn++
	c.waiting = waiting
	w.events.add(w.at+int64(after), c, c.turn)
}

// happen is the timer.
func (c *call) happen(w *world, turn uint32) {
	switch {
	case turn != c.turn:
	case c.waiting:
		c.turn++
		c.proceed(w)
	default:
		c.turn++
		if leg, ok := c.course.Hedge(w.now()); ok {
			c.story.hedges++
			c.try(w, leg)
		} else if after, ok := c.course.HedgeAfter(w.now()); ok {
			c.wake(w, after, false)
		}
	}
}

// answered takes in the first content of an attempt, which the others have lost
// against.
func (c *call) answered(w *world, a *attempt) {
	now := w.now()
	c.turn++
	c.course.Answered(a.leg, now)
	for len(c.flying) > 1 {
		other := c.flying[0]
		if other == a {
			other = c.flying[1]
		}
		u := other.spent(w)
		c.story.usage = c.story.usage.Plus(u)
		if other.alive(w) {
			c.course.Lost(other.leg, &u, now)
		} else {
			c.course.Lost(other.leg, nil, now)
		}
		other.leave(w, u)
	}
	if !c.spoken {
		c.spoken = true
		c.story.first = w.at - c.arrived + int64(c.source.way)
		c.story.answering = w.byName[a.region.name]
		c.story.prefix, c.story.read = c.session.prefix, a.usage.CacheReadTokens
	}
}

// deadline is the end of the time that the caller gives a call.
type deadline call

func (d *deadline) happen(w *world, life uint32) {
	c := (*call)(d)
	if c.life != life || c.course == nil {
		return
	}
	late := &inference.Error{Kind: inference.ServiceUnavailable, Op: op, Transport: true, Message: unavailable}
	c.course.Gone(late)
	for len(c.flying) > 0 {
		c.flying[0].abandon(w, late)
	}
	c.end(w, late)
}

// end counts the call, which is over: nil is a complete answer.
func (c *call) end(w *world, failure *inference.Error) {
	w.spending.settle(c, w)
	w.tally.add(c, w, failure)
	c.leave(w)
}

// leave makes the call's memory free for another.
func (c *call) leave(w *world) {
	w.inFlight--
	c.course = nil
	c.turn++
	c.life++
	w.calls = append(w.calls, c)
}
