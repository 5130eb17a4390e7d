package simulate

import (
	"slices"
	"time"

	"fairway/internal/inference"
	"fairway/internal/route"
)

// attempt is a leg of a call in its region.
type attempt struct {
	call   *call
	leg    route.Leg
	region *region
	nth    int    // of the call's attempts
	place  int    // among the region's visits
	turn   uint32 // of its event

	visiting bool             // it is in flight in the region
	reserved int              // tokens of its quota
	signs    int64            // when the region shows life; 0 is never
	failure  *inference.Error // what the event brings; nil is content, or then the end
	spoke    int64            // when the first content came, 0 before
	writing  time.Duration    // from then to the end
	breaks   bool             // it will break off half-way
	usage    inference.Usage  // of the whole answer
}

// try begins a leg: what becomes of it is known at once, and told when its time has
// come. The way to the region is part of that time; that the region is asked only
// after half of it is left out.
func (c *call) try(w *world, leg route.Leg) {
	at := w.byName[leg.Target.Region]
	a := w.newAttempt()
	c.legs++
	*a = attempt{call: c, leg: leg, region: w.regions[at], nth: c.legs, turn: a.turn + 1}
	c.flying = append(c.flying, a)
	w.dice.source.Seed(mix(w.seed^c.number), uint64(c.legs)<<32|uint64(at))

	trip := c.source.trips[at] + w.dice.spread(time.Millisecond, 0.5)
	if f := a.region.afflicts(w.dice); f != nil {
		a.suffer(w, f, trip)
	} else {
		a.run(w, trip, 1)
	}
}

func (w *world) newAttempt() *attempt {
	if n := len(w.attempts); n > 0 {
		a := w.attempts[n-1]
		w.attempts = w.attempts[:n-1]
		return a
	}
	return new(attempt)
}

// suffer is the attempt that meets a fault.
func (a *attempt) suffer(w *world, f *Fault, trip time.Duration) {
	switch timeouts := w.timeouts(); f.Kind {
	case Down:
		a.fail(w, trip, dropped(a.region.name))
	case Throttle:
		a.fail(w, trip+refusal, throttled(a.region.name))
	case ServerSide:
		a.fail(w, trip+refusal, broken(a.region.name))
	case Hang:
		a.enter()
		a.fail(w, timeouts.life, dropped(a.region.name))
	case Stall:
		a.enter()
		a.signs = w.at + int64(trip+refusal)
		a.fail(w, trip+refusal+timeouts.stall, dropped(a.region.name))
	case Slow:
		a.run(w, trip, f.slowness())
	case Cut:
		a.breaks = true
		a.run(w, trip, 1)
	}
}

// slowness is how many times longer a slow region takes.
func (f *Fault) slowness() float64 {
	if f.Times == 0 {
		return 10
	}
	return f.Times
}

// fail makes the attempt fail after a while, or earlier where content would have had
// to come before.
func (a *attempt) fail(w *world, after time.Duration, e *inference.Error) {
	a.failure = e
	if most := w.scenario.Route.FirstContent; most > 0 && after > most {
		after = most
	}
	w.events.add(w.at+int64(after), a, a.turn)
}

// run is the attempt in a region that answers, if its quota lets it.
func (a *attempt) run(w *world, trip time.Duration, slow float64) {
	c, r, s := a.call, a.region, w.scenario
	a.reserved = c.input + c.session.prefix + c.maxTokens
	if !r.reserve(a.reserved, w.at) {
		a.reserved = 0
		a.fail(w, trip+refusal, throttled(r.name))
		return
	}
	a.enter()
	a.signs = w.at + int64(trip+refusal)
	slow *= r.slowness(w.at)
	read := a.prompt(w)
	first := w.dice.spread(r.first, s.Latency.Sigma) + seconds(read/s.Latency.Read)
	first = trip + time.Duration(slow*float64(first))
	a.writing = time.Duration(slow * float64(seconds(float64(c.output)/s.Latency.Write)))
	if most := s.Route.FirstContent; most > 0 && first > most {
		a.fail(w, most, dropped(r.name))
		return
	}
	w.events.add(w.at+int64(first), a, a.turn)
}

// prompt settles what of the prompt is cached, and is how many tokens there are to
// read: a cached one takes a tenth of the time.
func (a *attempt) prompt(w *world) float64 {
	c := a.call
	a.usage = inference.Usage{InputTokens: c.input, OutputTokens: c.output}
	switch {
	case c.session.id == 0:
		return float64(c.input)
	case a.region.holds(c.session.id, w.at):
		a.region.keep(c.session.id, w.at, w.scenario.Sessions.Cache)
		a.usage.CacheReadTokens = c.session.prefix
		return float64(c.input) + float64(c.session.prefix)/10
	}
	a.usage.CacheWriteTokens = c.session.prefix
	return float64(c.input + c.session.prefix)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func (a *attempt) enter() {
	a.visiting = true
	a.region.enter(a)
}

// leave ends the attempt, having used u.
func (a *attempt) leave(w *world, u inference.Usage) {
	if a.visiting {
		a.region.leave(a)
	}
	if a.reserved > 0 {
		burnt := u.InputTokens + u.CacheWriteTokens + u.OutputTokens*w.burndown
		a.region.tokens.take(float64(burnt - a.reserved))
	}
	c := a.call
	i := slices.Index(c.flying, a)
	c.flying = slices.Delete(c.flying, i, i+1)
	a.turn++
	w.attempts = append(w.attempts, a)
}

// happen is the first content, the end of the answer, or a failure before either.
func (a *attempt) happen(w *world, turn uint32) {
	switch {
	case turn != a.turn:
	case a.failure != nil:
		a.breakOff(w, a.failure)
	case a.spoke == 0:
		a.speak(w)
	case a.breaks:
		a.breakOff(w, dropped(a.region.name))
	default:
		a.finish(w)
	}
}

// speak is the first content.
func (a *attempt) speak(w *world) {
	a.spoke = w.at
	if id := a.call.session.id; id != 0 {
		a.region.keep(id, w.at, w.scenario.Sessions.Cache)
	}
	a.call.answered(w, a)
	rest := a.writing
	if a.breaks {
		rest /= 2
	}
	w.events.add(w.at+int64(rest), a, a.turn)
}

// finish is the end of the whole answer.
func (a *attempt) finish(w *world) {
	c := a.call
	c.story.usage = c.story.usage.Plus(a.usage)
	c.course.Ended(a.leg, a.usage, w.now())
	a.leave(w, a.usage)
	c.end(w, nil)
}

// breakOff is the attempt failing before its content, or in the middle of it. The call
// goes on.
func (a *attempt) breakOff(w *world, e *inference.Error) {
	c, u := a.call, a.spent(w)
	c.story.usage = c.story.usage.Plus(u)
	if e.Kind == inference.Throttling {
		c.story.throttled++
	}
	if a.spoke == 0 {
		c.course.Failed(a.leg, e, w.now())
	} else {
		c.broke = e
		c.output = max(1, c.output-u.OutputTokens)
		c.input += u.OutputTokens
		c.course.Cut(a.leg, e, u, w.now())
	}
	a.leave(w, u)
	c.proceed(w)
}

// abandon ends an attempt that nobody waits for any longer.
func (a *attempt) abandon(w *world, e *inference.Error) {
	u := a.spent(w)
	a.call.story.usage = a.call.story.usage.Plus(u)
	if a.spoke == 0 {
		a.call.course.Failed(a.leg, e, w.now())
	} else {
		a.call.course.Ended(a.leg, u, w.now())
	}
	a.leave(w, u)
}

// alive reports whether the region has shown life.
func (a *attempt) alive(w *world) bool { return a.signs > 0 && w.at >= a.signs }

// spent is what an attempt that ends now has used.
func (a *attempt) spent(w *world) inference.Usage {
	if !a.visiting || !a.alive(w) {
		return inference.Usage{}
	}
	u := a.usage
	u.OutputTokens = 0
	if a.spoke > 0 && a.writing > 0 {
		u.OutputTokens = int(float64(a.usage.OutputTokens) * float64(w.at-a.spoke) / float64(a.writing))
	}
	return u
}

// timeouts are how long a silent region is waited for.
type timeouts struct{ life, stall time.Duration }

func (w *world) timeouts() timeouts {
	t := timeouts{route.DefaultAttemptTimeout, route.DefaultStallTimeout}
	if d := w.scenario.Route.AttemptTimeout; d > 0 {
		t.life = d
	}
	if d := w.scenario.Route.StallTimeout; d > 0 {
		t.stall = d
	}
	return t
}
