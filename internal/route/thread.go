package route

import (
	"context"
	"io"

	"fairway/internal/inference"
)

// Next returns the next event. Where the target breaks off, the call goes on with
// another if it can: the failure of the first is the caller's only if not.
func (c *call) Next(ctx context.Context) (inference.Event, error) {
	for {
		switch {
		case len(c.ahead) > 0:
			event := c.ahead[0]
			c.ahead = c.ahead[1:]
			return event, nil
		case c.whole:
			return inference.Event{}, io.EOF
		}
		event, err, blamed := c.answering.next(ctx)
		switch {
		case err == io.EOF:
			return event, err
		case blamed:
			err = c.goOn(ctx, inference.AsError(err))
		case err == nil && !c.joining:
			return c.pass(event), nil
		case err == nil:
			err = c.join(event)
		}
		if err != nil {
			return inference.Event{}, asAnswered(inference.AsError(err))
		}
	}
}

// pass takes in an event that goes to the caller as it is.
func (c *call) pass(e inference.Event) inference.Event {
	if c.thread != nil {
		c.thread.Sent(e)
	}
	if e.Final {
		c.land()
	}
	return e
}

// join takes in an event of a target that goes on.
func (c *call) join(e inference.Event) error {
	if e.Final {
		c.land()
	}
	events, err := c.thread.Join(e)
	if err != nil {
		return unanswered(c.answering.leg.Target.Region, err)
	}
	c.ahead = events
	return nil
}

// goOn has another target go on with the answer that broke off. The error is what the
// caller is to see: the failure, where none can.
func (c *call) goOn(ctx context.Context, failure *inference.Error) error {
	request, rest, ok := c.cut(failure)
	switch {
	case !ok:
		return failure
	case request == nil:
		c.ahead, c.whole = rest, true
		return nil
	}
	c.reader = ctx
	defer func() { c.reader = nil }()
	for {
		step := c.next()
		switch step.Do {
		case Try:
			c.follow(step.Leg, request)
		case Wait:
			c.pause(step.For)
		case Await:
			<-c.joined
		default:
			return failure
		}
		if c.answering != nil {
			c.joining = true
			return nil
		}
		if left := c.left(); left != nil {
			return abandoned(left, failure.Region)
		}
	}
}

// cut ends the leg that broke off. The results are [Thread.Cut]'s.
func (c *call) cut(failure *inference.Error) (request *inference.Request, rest []inference.Event, ok bool) {
	s := c.answering
	used := s.usage
	if c.thread != nil {
		request, rest, ok = c.thread.Cut()
		used = c.thread.Spent()
	}
	s.close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.landed {
		c.course.Cut(s.leg, failure, used, c.router.clock.Now())
		c.landed = true
	}
	if ok {
		c.answering = nil
	}
	return request, rest, ok
}

// follow has a target answer what is left of the request.
func (c *call) follow(l Leg, request *inference.Request) {
	s := new(relay)
	c.prepare(s, l, request)
	c.mu.Lock()
	c.leading = s
	c.mu.Unlock()
	defer context.AfterFunc(c.reader, func() { s.cancel(context.Cause(c.reader)) })()
	c.attempt(s)
}

// land tells the course once that the answer has ended.
func (c *call) land() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.landed {
		c.course.Ended(c.answering.leg, c.answering.usage, c.router.clock.Now())
		c.landed = true
	}
}

// Close ends the stream and what regions are still doing for it.
func (c *call) Close() (err error) {
	c.end()
	if c.answering != nil {
		err = c.answering.close()
		c.land()
	}
	return err
}
