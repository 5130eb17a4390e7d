package route

import (
	"cmp"
	"context"
	"errors"
	"time"

	"fairway/internal/inference"
)

// Answer is how a call went. Attempts are in the order they were made, also when
// the call failed; Stream and Target are then zero.
type Answer struct {
	Stream   inference.Stream // before its first event; the receiver closes it
	Target   inference.Target // that answers
	Attempts []inference.Attempt
}

const op = "invoke model"

// Run tries the targets in order until one answers with content, and holds back
// everything before that. Targets that their breaker refuses are tried when all
// others have failed. The stream lives as long as ctx and is not retried: its
// errors from here on are the caller's.
//
// The error is the *inference.Error to answer: of the attempt that another
// region could not better; else of the last one that waiting may cure; else of
// the last one. Where that is Throttling it carries the shortest RetryAfter that
// any target gave. A caller that has left gets Canceled, one whose deadline has
// passed ServiceUnavailable, and no target is blamed for either.
func (r *Router) Run(ctx context.Context, req *inference.Request, plan []inference.Target) (Answer, error) {
	c := call{router: r, req: req, left: len(plan)}
	if r.maxAttempts > 0 {
		c.left = min(c.left, r.maxAttempts)
	}
	var refused []inference.Target
	for _, t := range plan {
		if c.over(ctx) {
			break
		}
		guard := r.health.guard(t)
		if a, ok := guard.admit(r.clock.Now()); ok {
			c.attempt(ctx, t, guard, a)
		} else {
			refused = append(refused, t)
		}
	}
	for _, t := range refused {
		if c.over(ctx) {
			break
		}
		guard := r.health.guard(t)
		c.attempt(ctx, t, guard, guard.force())
	}
	return c.answer, c.error()
}

// call is one Run under way.
type call struct {
	router *Router
	req    *inference.Request
	left   int // attempts

	answer     Answer
	failure    *inference.Error // to answer as things stand
	stopped    bool             // the failure is final
	spentOnce  bool             // the one retry of a ModelError is used up
	retryAfter time.Duration    // shortest of the throttled targets, 0 when none said
}

// over reports whether no further attempt may be made.
func (c *call) over(ctx context.Context) bool {
	if c.answer.Stream != nil || c.stopped || c.left == 0 {
		return true
	}
	if ctx.Err() != nil {
		c.failure, c.stopped = abandoned(ctx, ""), true
	}
	return c.stopped
}

func (c *call) error() error {
	switch {
	case c.answer.Stream != nil:
		return nil
	case c.failure == nil:
		return inference.AsError(errors.New("run call: the plan is empty"))
	}
	e := asAnswered(c.failure)
	if e.Kind == inference.Throttling {
		e.RetryAfter = c.retryAfter
	}
	return e
}

// attempt calls one target and settles its admission, come what may.
func (c *call) attempt(ctx context.Context, t inference.Target, g *guard, a admission) {
	clock := c.router.clock
	began, shown := clock.Now(), untold
	defer func() { g.settle(a, shown, clock.Now()) }()
	traced, span := c.router.span(ctx, t)
	defer span.End()

	stream, failure := c.open(traced, t, g)
	c.left--
	row := inference.Attempt{Region: t.Region, Model: t.Model, Account: t.Account, MS: clock.Now().Sub(began).Milliseconds()}
	if failure == nil {
		row.Outcome, row.Status, shown = inference.OK, 200, succeeded
		c.answer.Stream, c.answer.Target = stream, t
	} else {
		row.Outcome, row.Kind, row.Status = inference.Failed, failure.Kind, failure.Status()
		shown = c.judge(ctx, failure)
	}
	c.answer.Attempts = append(c.answer.Attempts, row)
	describe(span, row)
	c.router.observe(t, row, failure)
}

// judge takes a failure in: whether it ends the call, and whether it is the one
// to answer.
func (c *call) judge(ctx context.Context, e *inference.Error) ending {
	if ctx.Err() != nil { // with more time the target might have answered
		c.failure, c.stopped = e, true
		return untold
	}
	v := judge(e)
	if v == nextOnce {
		if c.spentOnce {
			v = stop
		}
		c.spentOnce = true
	}
	if e.Kind == inference.Throttling && e.RetryAfter > 0 && (c.retryAfter == 0 || e.RetryAfter < c.retryAfter) {
		c.retryAfter = e.RetryAfter
	}
	c.stopped = v == stop
	if c.stopped || c.failure == nil || passing(e) || !passing(c.failure) {
		c.failure = e
	}
	return v.ending()
}

// open calls the target and reads up to the first content. The attempt's context
// ends when the region is silent for too long, and else when the stream is closed.
func (c *call) open(ctx context.Context, t inference.Target, g *guard) (*relay, *inference.Error) {
	attempt, cancel := context.WithCancelCause(ctx)
	s := &relay{router: c.router, request: c.req, target: t, guard: g, attempt: attempt, cancel: cancel}
	err := s.begin(attempt, c.patience(ctx))
	if err == nil {
		return s, nil
	}
	s.Close()
	if ctx.Err() != nil {
		return nil, abandoned(ctx, t.Region)
	}
	return nil, regional(err, t.Region)
}

// abandoned is the failure of a call that nobody waits for any longer: the caller
// left, or its deadline passed before the region had answered. Who ends a call for
// a reason of its own says as the cause what the caller is to be told.
func abandoned(ctx context.Context, region inference.Region) *inference.Error {
	if said, ok := errors.AsType[*inference.Error](context.Cause(ctx)); ok {
		return said
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return unanswered(region, context.Cause(ctx))
	}
	return &inference.Error{
		Kind: inference.Canceled, Op: op, Region: region, Transport: true,
		Message: "the caller went away", Err: context.Cause(ctx),
	}
}

// unanswered is the failure of a region that gave no answer, or half of one.
func unanswered(region inference.Region, cause error) *inference.Error {
	return &inference.Error{
		Kind: inference.ServiceUnavailable, Op: op, Region: region, Transport: true,
		Message: unavailable, Err: cause,
	}
}

// regional is err with the region it came from. An upstream that gave up while
// the caller is still there has not answered.
func regional(err error, region inference.Region) *inference.Error {
	e := *inference.AsError(err)
	if e.Kind == inference.Canceled {
		return unanswered(region, err)
	}
	e.Region = cmp.Or(e.Region, region)
	return &e
}
