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
	driver  *driver
}

// Attempts are in the order in which they began: those that have ended so far, which is
// all of them once the stream is closed, or when the call has failed.
func (a *Answer) Attempts() []inference.Attempt {
	a.driver.mu.Lock()
	defer a.driver.mu.Unlock()
	return a.driver.course.Attempts()
}

// Continued is how often another target went on with the answer so far.
func (a *Answer) Continued() int {
	a.driver.mu.Lock()
	defer a.driver.mu.Unlock()
	return a.driver.course.Continued()
}

// Wasted is what attempts have used whose answer was not: of hedges that lost, and of
// those that were given up. It is guessed where one of them did not tell, and complete
// when Attempts are.
func (a *Answer) Wasted() (used inference.Usage, guessed bool) {
	a.driver.mu.Lock()
	defer a.driver.mu.Unlock()
	return a.driver.course.Wasted(), a.driver.course.Guessed()
}

// Used is what the answer has used so far: what its legs that broke off have, and what
// the one at hand told, or is estimated to have. Only who reads the stream may ask.
func (a *Answer) Used() (used inference.Usage) {
	d := a.driver
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.course.legs {
		if row := &d.course.legs[i].row; row.Cut && row.Usage != nil {
			used = used.Plus(*row.Usage)
		}
	}
	switch s := d.answering; {
	case s == nil || d.course.legs[s.leg.number].row.Usage != nil:
		return used
	case d.thread != nil:
		return used.Plus(d.thread.Spent())
	default:
		return used.Plus(s.usage)
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
	d := &driver{router: r, request: req, settings: c, ctx: ctx}
	d.answer.driver = d
	d.course.start(r, c, plan, r.clock.Now())
	if deadline, ok := ctx.Deadline(); ok {
		d.course.Until(deadline)
	}
	if !req.Deadline.IsZero() {
		d.course.Until(req.Deadline)
	}
	if r.whole > 0 {
		d.bound(r.whole)
	}
	defer func() {
		if d.answer.Stream == nil { // it has failed, or an upstream panics
			d.Close()
		}
	}()
	for {
		switch step := d.next(); step.Do {
		case Try:
			d.lead(step.Leg)
		case Wait:
			d.pause(step.For)
		case Await:
			<-d.joined
		default:
			return d.conclude()
		}
	}
}

// driver is one Run under way, and the stream of its answer.
type driver struct {
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

// bound ends the call when it takes longer than most.
func (d *driver) bound(most time.Duration) {
	ctx, cancel := context.WithCancelCause(d.ctx)
	late := unanswered("", fmt.Errorf("the call has not ended within %s", most))
	stop := d.router.clock.AfterFunc(most, func() { cancel(late) })
	d.ctx, d.release = ctx, func() { stop(); cancel(nil) }
}

// next is what the course says, unless nobody waits any longer.
func (d *driver) next() Step {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.answering != nil:
		return Step{}
	case d.ctx.Err() != nil:
		d.course.Gone(abandoned(d.ctx, ""))
	}
	return d.course.Next(d.router.clock.Now())
}

// lead makes an attempt, beside which a hedge may begin.
func (d *driver) lead(l Leg) {
	s := &d.first
	if l.number > 0 {
		s = new(relay)
	}
	d.prepare(s, l, d.request)
	if d.leads(s) {
		defer d.disarm()
	}
	d.attempt(s)
}

// leads takes in that a leg begins. It reports whether a hedge may.
func (d *driver) leads(s *relay) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.leading = s
	if d.answering != nil || d.course.stopped { // by the hedge, meanwhile
		s.lose()
	}
	return d.arm(s)
}

// arm has a hedge begin beside a leg when it is due, if one is.
func (d *driver) arm(s *relay) bool {
	if d.router.hedge.Budget == 0 {
		return false
	}
	after, ok := d.course.HedgeAfter(d.router.clock.Now())
	if ok {
		d.stop = d.router.clock.AfterFunc(after, func() { d.hedge(s) })
	}
	return ok
}

// disarm is the end of the leg.
func (d *driver) disarm() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stop()
	d.stop = nil
}

// hedge makes an attempt beside a leg, where the course lets it. It runs in a goroutine
// of the clock's.
func (d *driver) hedge(beside *relay) {
	s, ok := d.hedges(beside)
	if !ok {
		return
	}
	defer close(d.joined)
	defer func() { _ = recover() }() // nobody else would, and the call is not the hedge's
	d.attempt(s)
}

// hedges begins a hedge. Where the course does not let it, it may later.
func (d *driver) hedges(beside *relay) (*relay, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over || d.answering != nil || d.leading != beside || d.stop == nil {
		return nil, false
	}
	l, ok := d.course.Hedge(d.router.clock.Now())
	if !ok {
		d.arm(beside)
		return nil, false
	}
	s := new(relay)
	d.prepare(s, l, d.request)
	d.beside, d.joined = s, make(chan struct{})
	return s, true
}

// prepare makes the relay of a leg. What it calls ends when the region is silent for
// too long, when another is faster, and else when the stream is closed.
func (d *driver) prepare(s *relay, l Leg, req *inference.Request) {
	s.router, s.request, s.leg = d.router, req, l
	s.attempt, s.cancel = context.WithCancelCause(d.ctx)
}

// attempt reads what the target sends up to the first content, and tells the course,
// also where the upstream panics: no probe stays out for it.
func (d *driver) attempt(s *relay) {
	ctx, span := d.router.span(s.attempt, *s.leg.Target)
	err := errPanic
	defer func() {
		row, failure := d.settle(s, err)
		describe(span, row)
		span.End()
		d.router.observe(*s.leg.Target, row, failure)
	}()
	err = s.begin(ctx, d.patience(s))
}

// patience is how long the target may take to its first event.
func (d *driver) patience(s *relay) time.Duration {
	deadline, ok := d.ctx.Deadline()
	if !ok && (d.router.answer == 0 || s.request.Operation.Streams()) {
		deadline = d.course.deadline
	}
	var now time.Time
	if !deadline.IsZero() {
		now = d.router.clock.Now()
	}
	return d.router.patience(s.request, s.leg.Left, deadline, now)
}

var (
	errLost  = errors.New("another target was faster")
	errPanic = errors.New("invoke model: the upstream panicked")
)

// settle tells the course what became of a leg. The first with content answers, unless
// another target would say the same as one that failed; then the other leg is given up.
func (d *driver) settle(s *relay, err error) (inference.Attempt, *inference.Error) {
	row, failure := d.outcome(s, err)
	if failure != nil {
		s.close()
	}
	return row, failure
}

func (d *driver) outcome(s *relay, err error) (inference.Attempt, *inference.Error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	region, now := s.leg.Target.Region, d.router.clock.Now()
	var failure *inference.Error
	switch {
	case s.lost || d.over:
		failure = &inference.Error{Kind: inference.Canceled, Op: op, Region: region, Transport: true, Err: errLost}
		d.course.Lost(s.leg, s.told(), now)
	case err == nil:
		d.course.Answered(s.leg, now)
		d.answering, d.landed = s, false
		d.loseOther(s)
	case d.left() != nil:
		failure = abandoned(d.left(), region)
		d.course.Gone(failure)
		d.failed(s, err, failure, now)
	default:
		failure = regional(err, region)
		d.failed(s, err, failure, now)
		if d.course.stopped {
			d.loseOther(s)
		}
	}
	return d.course.legs[s.leg.number].row, failure
}

// failed tells the course of a leg that has failed with err, which it is to see as failure:
// that it was given up, where nobody waited for it any longer and err is not what the
// region said.
func (d *driver) failed(s *relay, err error, failure *inference.Error, now time.Time) {
	said, ok := errors.AsType[*inference.Error](err)
	refused := ok && !said.Transport && said.Kind != inference.Canceled
	if refused || d.left() == nil && s.attempt.Err() == nil {
		d.course.Failed(s.leg, failure, now)
	} else {
		d.course.GivenUp(s.leg, failure, s.told(), now)
	}
}

// loseOther gives up the leg beside s.
func (d *driver) loseOther(s *relay) {
	for _, other := range [...]*relay{d.leading, d.beside} {
		if other != nil && other != s {
			other.lose()
		}
	}
}

// left is the context of who does not wait any longer, or nil: the caller's, or that of
// who reads the stream.
func (d *driver) left() context.Context {
	switch {
	case d.ctx.Err() != nil:
		return d.ctx
	case d.reader != nil && d.reader.Err() != nil:
		return d.reader
	}
	return nil
}

// pause waits, or less where nobody waits any longer.
func (d *driver) pause(wait time.Duration) {
	passed := make(chan struct{})
	stop := d.router.clock.AfterFunc(wait, func() { close(passed) })
	defer stop()
	var left <-chan struct{} // nil blocks
	if d.reader != nil {
		left = d.reader.Done()
	}
	select {
	case <-passed:
	case <-left:
	case <-d.ctx.Done():
	}
}

// conclude is the answer, where there is one.
func (d *driver) conclude() (*Answer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.answering == nil {
		d.over = true
		return &d.answer, d.course.Failure()
	}
	choice := d.course.choice(d.answering.leg)
	d.answer.Stream, d.answer.Target, d.answer.Profile = d, *choice.Target, choice.Profile
	goesOn := cmp.Or(d.settings.OnCut, d.settings.Route.OnCut) == inference.ContinueOnCut
	if goesOn && d.settings.Streams && d.router.continuer != nil && choice.Profile != nil {
		d.thread = d.router.continuer.Follow(d.request, choice.Profile.Model, d.settings.Route.Instruct)
	}
	return &d.answer, nil
}

// end gives up the hedge where it is still under way, and waits for that.
func (d *driver) end() {
	d.mu.Lock()
	d.over = true
	beside, joined := d.beside, d.joined
	d.mu.Unlock()
	if joined != nil {
		beside.cancel(errLost)
		<-joined
	}
	if d.release != nil {
		d.release()
	}
}
