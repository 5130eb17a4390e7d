package route

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"fairway/internal/inference"
)

// Answer is how a call goes. Where it has failed, only Attempts and Wasted tell
// anything.
type Answer struct {
	Stream  inference.Stream   // before its first event; the receiver closes it
	Target  inference.Target   // that answers; others may go on
	Profile *inference.Profile // that it runs: of a fallback where that answers
	call    *call
}

// Attempts are in the order in which they began: those that have ended so far, which is
// all of them once the stream is closed, or when the call has failed.
func (a *Answer) Attempts() []inference.Attempt {
	a.call.mu.Lock()
	defer a.call.mu.Unlock()
	return a.call.course.Attempts()
}

// Continued is how often another target went on with the answer so far.
func (a *Answer) Continued() int {
	a.call.mu.Lock()
	defer a.call.mu.Unlock()
	return a.call.course.Continued()
}

// Wasted is what attempts have used whose answer was not: of hedges that lost. It is
// complete when Attempts are.
func (a *Answer) Wasted() inference.Usage {
	a.call.mu.Lock()
	defer a.call.mu.Unlock()
	return a.call.course.Wasted()
}

// Used is what the answer has used so far: what its legs that broke off have, and what
// the one at hand told, or is estimated to have. Only who reads the stream may ask.
func (a *Answer) Used() (used inference.Usage) {
	c := a.call
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.course.legs {
		if row := &c.course.legs[i].row; row.Cut {
			used = sum(used, *row.Usage)
		}
	}
	switch s := c.answering; {
	case s == nil || c.course.legs[s.leg.number].row.Cut:
		return used
	case c.thread != nil:
		return sum(used, c.thread.Spent())
	default:
		return sum(used, s.usage)
	}
}

// Run tries the targets as [Course] says until one answers with content, and holds
// back everything before that. The stream lives as long as ctx; a failure in it is the
// caller's to see, unless another target can go on.
//
// The error is the *inference.Error to answer, see [Course.Failure]. A caller that has
// left gets Canceled, one whose deadline has passed ServiceUnavailable, and no target
// is blamed for either.
func (r *Router) Run(ctx context.Context, req *inference.Request, c *Call, plan []Choice) (*Answer, error) {
	run := &call{router: r, request: req, settings: c, ctx: ctx}
	run.answer.call = run
	run.course.start(r, c, plan, r.clock.Now())
	run.course.guarded = req.Header.Get(guardrailHeader) != ""
	if deadline, ok := ctx.Deadline(); ok {
		run.course.Until(deadline)
	}
	if !req.Deadline.IsZero() {
		run.course.Until(req.Deadline)
	}
	if r.whole > 0 {
		run.bound(r.whole)
	}
	defer func() {
		if run.answer.Stream == nil { // it has failed, or an upstream panics
			run.Close()
		}
	}()
	for {
		switch step := run.next(); step.Do {
		case Try:
			run.lead(step.Leg)
		case Wait:
			run.pause(step.For)
		case Await:
			<-run.joined
		default:
			return run.conclude()
		}
	}
}

// guardrailHeader names a request's guardrail, whatever the operation.
const guardrailHeader = "X-Amzn-Bedrock-Guardrailidentifier"

// call is one Run under way, and the stream of its answer.
type call struct {
	router   *Router
	request  *inference.Request
	settings *Call
	ctx      context.Context // ends with the caller's, and when the call takes too long
	release  func()          // of ctx; nil where that is the caller's
	answer   Answer
	first    relay // of the first leg: saves an allocation

	thread  Thread            // nil where an answer that breaks off stays so
	reader  context.Context   // of Next, while another target is found to go on
	joining bool              // what the target sends goes through the thread
	ahead   []inference.Event // to send before anything else
	whole   bool              // nothing comes after ahead

	mu        sync.Mutex // for what follows, which the hedge's goroutine shares
	course    Course
	answering *relay
	leading   *relay        // the last leg of Run's own goroutine
	beside    *relay        // the hedge, nil without one
	joined    chan struct{} // closed when the hedge has its outcome
	stop      func() bool   // the timer of a hedge that is to begin, nil without one
	over      bool          // nothing more begins
	landed    bool          // the course knows that the leg which answers has ended
}

// bound ends the call when it takes longer than d.
func (c *call) bound(d time.Duration) {
	ctx, cancel := context.WithCancelCause(c.ctx)
	late := unanswered("", fmt.Errorf("the call has not ended within %s", d))
	stop := c.router.clock.AfterFunc(d, func() { cancel(late) })
	c.ctx, c.release = ctx, func() { stop(); cancel(nil) }
}

// next is what the course says, unless nobody waits any longer.
func (c *call) next() Step {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.answering != nil:
		return Step{}
	case c.ctx.Err() != nil:
		c.course.Gone(abandoned(c.ctx, ""))
	}
	return c.course.Next(c.router.clock.Now())
}

// lead makes an attempt, beside which a hedge may begin.
func (c *call) lead(l Leg) {
	s := &c.first
	if l.number > 0 {
		s = new(relay)
	}
	c.prepare(s, l, c.request)
	if c.leads(s) {
		defer c.disarm()
	}
	c.attempt(s)
}

// leads takes in that a leg begins. It reports whether a hedge may.
func (c *call) leads(s *relay) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leading = s
	if c.answering != nil || c.course.stopped { // by the hedge, meanwhile
		s.lose()
	}
	return c.arm(s)
}

// arm has a hedge begin beside a leg when it is due, if one is.
func (c *call) arm(s *relay) bool {
	if c.router.hedge.Budget == 0 {
		return false
	}
	after, ok := c.course.HedgeAfter(c.router.clock.Now())
	if ok {
		c.stop = c.router.clock.AfterFunc(after, func() { c.hedge(s) })
	}
	return ok
}

// disarm is the end of the leg.
func (c *call) disarm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stop()
	c.stop = nil
}

// hedge makes an attempt beside a leg, where the course lets it. It runs in a goroutine
// of the clock's.
func (c *call) hedge(beside *relay) {
	s, ok := c.hedges(beside)
	if !ok {
		return
	}
	defer close(c.joined)
	defer func() { _ = recover() }() // nobody else would, and the call is not the hedge's
	c.attempt(s)
}

// hedges begins a hedge. Where the course does not let it, it may later.
func (c *call) hedges(beside *relay) (*relay, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over || c.answering != nil || c.leading != beside || c.stop == nil {
		return nil, false
	}
	l, ok := c.course.Hedge(c.router.clock.Now())
	if !ok {
		c.arm(beside)
		return nil, false
	}
	s := new(relay)
	c.prepare(s, l, c.request)
	c.beside, c.joined = s, make(chan struct{})
	return s, true
}

// prepare makes the relay of a leg. What it calls ends when the region is silent for
// too long, when another is faster, and else when the stream is closed.
func (c *call) prepare(s *relay, l Leg, req *inference.Request) {
	s.router, s.request, s.leg = c.router, req, l
	s.attempt, s.cancel = context.WithCancelCause(c.ctx)
}

// attempt reads what the target sends up to the first content, and tells the course,
// also where the upstream panics: no probe stays out for it.
func (c *call) attempt(s *relay) {
	ctx, span := c.router.span(s.attempt, *s.leg.Target)
	err := errPanic
	defer func() {
		row, failure := c.settle(s, err)
		describe(span, row)
		span.End()
		c.router.observe(*s.leg.Target, row, failure)
	}()
	err = s.begin(ctx, c.patience(s))
}

// patience is how long the target may take to its first event.
func (c *call) patience(s *relay) time.Duration {
	deadline, ok := c.ctx.Deadline()
	if !ok && (c.router.answer == 0 || s.request.Operation.Streams()) {
		deadline = c.course.deadline
	}
	var now time.Time
	if !deadline.IsZero() {
		now = c.router.clock.Now()
	}
	return c.router.patience(s.request, s.leg.Left, deadline, now)
}

var (
	errLost  = errors.New("another target was faster")
	errPanic = errors.New("invoke model: the upstream panicked")
)

// settle tells the course what became of a leg. The first with content answers, unless
// another target would say the same as one that failed; then the other leg is given up.
func (c *call) settle(s *relay, err error) (inference.Attempt, *inference.Error) {
	row, failure := c.outcome(s, err)
	if failure != nil {
		s.close()
	}
	return row, failure
}

func (c *call) outcome(s *relay, err error) (inference.Attempt, *inference.Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	region, now := s.leg.Target.Region, c.router.clock.Now()
	var failure *inference.Error
	switch {
	case s.lost || c.over:
		failure = &inference.Error{Kind: inference.Canceled, Op: op, Region: region, Transport: true, Err: errLost}
		c.course.Lost(s.leg, s.told(), now)
	case err == nil:
		c.course.Answered(s.leg, now)
		c.answering, c.landed = s, false
		c.loseOther(s)
	case c.left() != nil:
		failure = abandoned(c.left(), region)
		c.course.Gone(failure)
		c.course.Failed(s.leg, failure, now)
	default:
		failure = regional(err, region)
		c.course.Failed(s.leg, failure, now)
		if c.course.stopped {
			c.loseOther(s)
		}
	}
	return c.course.legs[s.leg.number].row, failure
}

// loseOther gives up the leg beside s.
func (c *call) loseOther(s *relay) {
	for _, other := range [...]*relay{c.leading, c.beside} {
		if other != nil && other != s {
			other.lose()
		}
	}
}

// left is the context of who does not wait any longer, or nil: the caller's, or that of
// who reads the stream.
func (c *call) left() context.Context {
	switch {
	case c.ctx.Err() != nil:
		return c.ctx
	case c.reader != nil && c.reader.Err() != nil:
		return c.reader
	}
	return nil
}

// pause waits for d, or less where nobody waits any longer.
func (c *call) pause(d time.Duration) {
	passed := make(chan struct{})
	stop := c.router.clock.AfterFunc(d, func() { close(passed) })
	defer stop()
	var left <-chan struct{} // nil blocks
	if c.reader != nil {
		left = c.reader.Done()
	}
	select {
	case <-passed:
	case <-left:
	case <-c.ctx.Done():
	}
}

// conclude is the answer, where there is one.
func (c *call) conclude() (*Answer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answering == nil {
		c.over = true
		return &c.answer, c.course.Failure()
	}
	choice := c.course.choice(c.answering.leg)
	c.answer.Stream, c.answer.Target, c.answer.Profile = c, *choice.Target, choice.Profile
	goesOn := cmp.Or(c.settings.OnCut, c.settings.Route.OnCut) == inference.ContinueOnCut
	if goesOn && c.settings.Streams && c.router.continuer != nil && choice.Profile != nil {
		c.thread = c.router.continuer.Follow(c.request, choice.Profile.Model, c.settings.Route.Instruct)
	}
	return &c.answer, nil
}

// end gives up the hedge where it is still under way, and waits for that.
func (c *call) end() {
	c.mu.Lock()
	c.over = true
	beside, joined := c.beside, c.joined
	c.mu.Unlock()
	if joined != nil {
		beside.cancel(errLost)
		<-joined
	}
	if c.release != nil {
		c.release()
	}
}
