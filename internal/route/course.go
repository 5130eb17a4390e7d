package route

import (
	"cmp"
	"errors"
	"time"

	"fairway/internal/inference"
)

// Course is one call's way over its plan: what to do next, as a state machine over
// now. It makes every decision of a call and waits for nothing. Its driver calls the
// targets and says what became of them: [Router.Run] does so for real, package
// simulate in virtual time.
//
//	Next       -> Try a leg, Wait, Await a leg that is under way, or Stop
//	HedgeAfter -> Hedge, while the leg that Next gave is silent
//	a leg      -> Answered, Failed, GivenUp or Lost; one that has Answered -> Cut or Ended
//
// It goes over the plan in rounds, each target once in a round. All targets of the
// called model come before those of a fallback; what a breaker or the account's
// entitlement keeps out of use is forced when nothing else is left. Attempts that are
// not the first at their target, forced ones, and those at targets that throttle take
// from the retry budget. The next round begins after a wait. An answer that broke off
// begins anew with its rounds and with its waits.
//
// It is not safe for concurrent use.
type Course struct {
	router   *Router
	call     *Call
	plan     []Choice
	deadline time.Time // zero is none

	legs     []leg
	turns    []turn // of the targets, by their place in the plan
	round    int32  // from 1
	opening  int32  // the first round since the start, or since the answer broke off
	flying   int    // legs without an outcome
	answered int    // the leg that answers, or none
	broken   int    // place of the target whose answer is to be gone on with, or none

	pressed bool // the one free attempt at a target that throttles was made

	waited time.Duration // since the opening
	late   time.Time     // from when on no target is tried again; zero while the call has not waited
	resume time.Time     // when the next round begins, zero while this one goes on

	usual   time.Duration // that the last leg may take before a hedge is due
	asked   int           // how often a hedge beside it was due
	hedgeAt time.Time     // zero while no hedge is due
	hedged  bool

	stopped    bool             // no leg may follow
	gone       bool             // nobody waits for the call
	failure    *inference.Error // to answer as things stand
	ours       bool             // it is of the called model
	spentOnce  bool             // the one retry of a ModelError is used up
	broke      int              // targets that took the request and broke on it
	retryAfter time.Duration    // shortest of the throttled targets, 0 when none said
	continued  int
	wasted     inference.Usage
	guessed    bool // wasted is so in part

	legRoom  [1]leg
	turnRoom [8]turn
}

// Leg is an attempt of a course.
type Leg struct {
	Target *inference.Target // shared, never modified
	Left   int               // targets that are still to be tried, this one included
	Hedge  bool              // it runs beside another
	GoesOn bool              // with an answer that broke off
	number int
}

// Do is what a driver does next.
type Do int

// What there is to do.
const (
	Stop  Do = iota // no leg follows: [Course.Failure] says why, unless one has answered
	Try             // begin the leg
	Wait            // ask again when For has passed
	Await           // ask again when a leg that is under way has failed
)

// Step is what a driver does next.
type Step struct {
	Do  Do
	Leg Leg           // to Try
	For time.Duration // to Wait
}

// turn is what has become of one target in a course.
type turn struct {
	until  int64 // when it asked not to be tried before, in Unix nanoseconds
	round  int32 // the last one that it was tried in, 0 for none
	forced bool  // it was out of use then
	spent  bool  // waiting does not make it answer
}

const none = -1

// mostAttempts is how many one call makes, whatever is configured, unless its plan has
// more targets.
const mostAttempts = 32

// Start begins the course of a call over its plan, which is the course's from here on.
func (r *Router) Start(c *Call, plan []Choice, now time.Time) *Course {
	course := new(Course)
	course.start(r, c, plan, now)
	return course
}

func (c *Course) start(r *Router, call *Call, plan []Choice, now time.Time) {
	c.router, c.call, c.plan, c.round, c.opening = r, call, plan, 1, 1
	if r.whole > 0 {
		c.deadline = now.Add(r.whole)
	}
	c.answered, c.broken = none, none
	c.legs = c.legRoom[:0]
	if len(plan) <= len(c.turnRoom) {
		c.turns = c.turnRoom[:len(plan)]
	} else {
		c.turns = make([]turn, len(plan))
	}
	if r.retry.Budget > 0 {
		r.health.retries.earn(r.retry.Budget)
	}
	if r.hedge.Budget > 0 {
		r.health.hedges.earn(r.hedge.Budget)
	}
}

// Until sets the caller's deadline: the course waits for nothing beyond it.
func (c *Course) Until(deadline time.Time) {
	if c.deadline.IsZero() || deadline.Before(c.deadline) {
		c.deadline = deadline
	}
}

// Next is what to do at now.
func (c *Course) Next(now time.Time) Step {
	if c.stopped || c.answered != none {
		return Step{}
	}
	if !c.resume.IsZero() && !now.Before(c.resume) {
		c.round, c.resume = c.round+1, time.Time{}
	}
	if len(c.legs) < c.limit() {
		if step, ok := c.choose(now); ok {
			return step
		}
	}
	switch {
	case c.flying > 0:
		return Step{Do: Await}
	case len(c.legs) >= c.limit():
		return Step{}
	}
	if l, ok := c.force(now); ok {
		return Step{Do: Try, Leg: l}
	}
	step := c.rest(now)
	if step.Do == Stop {
		c.takeHolds(now)
	}
	return step
}

// Answered says that the first content of a leg has come: the call is its.
func (c *Course) Answered(l Leg, now time.Time) {
	leg, g := c.outcome(l, now)
	leg.row.Outcome, leg.row.Status = inference.OK, 200
	c.answered, c.stopped = l.number, c.gone
	if l.GoesOn {
		c.continued++
	}
	took := now.Sub(leg.began)
	took = max(took/2, took-reading(c.call.Size)) // reading is a generous figure
	if g.answered(leg.admission, c.call.Streams, leg.began, took, now) {
		c.router.health.compare(g, now)
	}
}

// Failed says that a leg failed before its first content: it has used nothing.
func (c *Course) Failed(l Leg, e *inference.Error, now time.Time) {
	leg, g := c.outcome(l, now)
	g.leave(leg.reserved, 0, now)
	c.fail(leg, g, e, now)
}

// GivenUp says that a leg was left before its first content, which is its failure: the
// caller went away, or the target took too long. Told is as in Lost.
func (c *Course) GivenUp(l Leg, e *inference.Error, told *inference.Usage, now time.Time) {
	leg, g := c.outcome(l, now)
	g.leave(leg.reserved, c.burnt(leg.place, c.waste(leg, told, now)), now)
	c.fail(leg, g, e, now)
}

// fail takes in why a leg had no content.
func (c *Course) fail(leg *leg, g *guard, e *inference.Error, now time.Time) {
	leg.row.Outcome, leg.row.Kind, leg.row.Status = inference.Failed, e.Kind, e.Status()
	if c.gone { // with more time the target might have answered
		c.settle(g, leg.admission, untold, now)
		return
	}
	verdict := c.judge(leg, e, now)
	g.hangs.Store(now.Sub(leg.began) > quick)
	if g.fail(leg.admission, e, verdict, c.call.Guarded || c.regional(leg.place), now) {
		c.router.health.compare(g, now)
	}
}

// A moment is how long a target may have been asked without working on the request.
const moment = 250 * time.Millisecond

// Lost says that a leg was given up since another was faster. Told is the usage that
// it has shown, zero where it was at work and did not tell, nil where it had shown no
// sign of life: that is a failure, unless it was the later one. It is one of a unary
// call too, whose region may be at work without a word: only a row of them counts.
func (c *Course) Lost(l Leg, told *inference.Usage, now time.Time) {
	leg, g := c.outcome(l, now)
	leg.row.Outcome, leg.row.Kind, leg.row.Status = inference.Failed, inference.Canceled, 0
	g.leave(leg.reserved, c.burnt(leg.place, c.waste(leg, told, now)), now)
	silent := told == nil && !l.Hedge
	if silent && !c.gone {
		g.hangs.Store(true)
		c.settle(g, leg.admission, failed, now)
	} else {
		c.settle(g, leg.admission, untold, now)
	}
}

// waste takes in what a leg has used that we left: what it told, else the prompt, once it
// showed life or was asked for longer than a moment.
func (c *Course) waste(leg *leg, told *inference.Usage, now time.Time) (used inference.Usage) {
	switch {
	case told != nil && *told != inference.Usage{}:
		used = *told
	case told != nil || now.Sub(leg.began) > moment:
		used.InputTokens = c.call.outline().InputTokens
		c.guessed = c.guessed || used.InputTokens > 0
	}
	if used != (inference.Usage{}) {
		leg.row.Usage = &used
	}
	c.wasted = c.wasted.Plus(used)
	return used
}

// Cut says that the leg that answered broke off, having used u as far as that is
// known. Where the call is to be gone on with, Next gives legs that may do so: the
// targets of the same model that were not tried, and then those that were.
func (c *Course) Cut(l Leg, e *inference.Error, u inference.Usage, now time.Time) {
	leg, g := &c.legs[l.number], c.guard(c.legs[l.number].place)
	c.answered = none
	g.leave(leg.reserved, c.burnt(leg.place, u), now)
	if judge(e) == next && g.cut(now) {
		c.router.health.compare(g, now)
	}
	leg.row.Outcome, leg.row.Kind, leg.row.Status, leg.row.Cut = inference.Failed, e.Kind, e.Status(), true
	if cmp.Or(c.call.OnCut, c.call.Route.OnCut) != inference.ContinueOnCut {
		c.stopped = true
		return
	}
	leg.row.Usage = &u
	c.failure, c.ours = e, true
	c.broken = leg.place
	c.round++
	c.opening, c.waited, c.late, c.resume = c.round, 0, time.Time{}, time.Time{}
}

// Ended says that the answer of a leg has ended or was left, having used u.
func (c *Course) Ended(l Leg, u inference.Usage, now time.Time) {
	leg := &c.legs[l.number]
	burnt := c.burnt(leg.place, u)
	if burnt == 0 { // it was left before it told: what it was to use is the best guess
		burnt = leg.reserved
	} else {
		c.guard(leg.place).told()
	}
	c.guard(leg.place).leave(leg.reserved, burnt, now)
}

// Gone says that nobody waits for the call any longer, and why: what fails from here
// on is no target's fault.
func (c *Course) Gone(e *inference.Error) {
	if !c.stopped {
		c.failure = e
	}
	c.gone, c.stopped = true, true
}

// Failure is what to answer the caller where no leg has answered: of the attempt that
// another target could not better; else of the last one that waiting may cure; else of
// the last one. A fallback's counts only where the called model has none.
func (c *Course) Failure() *inference.Error {
	switch {
	case len(c.plan) == 0 && c.failure == nil:
		return inference.AsError(errors.New("run call: the plan is empty"))
	case c.failure == nil:
		return c.unusable()
	}
	e := asAnswered(c.failure)
	if e.Kind == inference.Throttling {
		e.RetryAfter = c.retryAfter
	}
	return e
}

// unusable is the failure of a call that no target was tried for: what the last one
// said where the account is entitled to none.
func (c *Course) unusable() *inference.Error {
	e := unanswered(c.plan[0].Target.Region, errUnusable)
	for i := range c.plan {
		refusal := c.guard(i).refusal()
		if refusal == nil {
			return asAnswered(unanswered(c.plan[0].Target.Region, errUnusable))
		}
		e = refusal
	}
	return asAnswered(e)
}

var errUnusable = errors.New("every target is out of use and the retry budget is spent")

// Attempts are the legs that have an outcome so far, in the order of their start.
func (c *Course) Attempts() []inference.Attempt {
	rows := make([]inference.Attempt, 0, len(c.legs))
	for i := range c.legs {
		if c.legs[i].row.Outcome != "" {
			rows = append(rows, c.legs[i].row)
		}
	}
	return rows
}

// Continued is how many legs went on with an answer that had broken off.
func (c *Course) Continued() int { return c.continued }

// Wasted is what legs have used that lost or were given up.
func (c *Course) Wasted() inference.Usage { return c.wasted }

// Guessed reports whether one of them did not tell, and Wasted has our own count of it.
func (c *Course) Guessed() bool { return c.guessed }
