package route

import (
	"context"
	"io"

	"fairway/internal/inference"
)

// Next returns the next event. Where the target breaks off, the call goes on with
// another if it can: the failure of the first is the caller's only if not.
func (d *driver) Next(ctx context.Context) (inference.Event, error) {
	for {
		switch {
		case len(d.ahead) > 0:
			event := d.ahead[0]
			d.ahead = d.ahead[1:]
			return event, nil
		case d.whole:
			return inference.Event{}, io.EOF
		}
		event, err, blamed := d.answering.next(ctx)
		switch {
		case err == io.EOF:
			return event, err
		case blamed:
			err = d.goOn(ctx, inference.AsError(err))
		case err == nil && !d.joining:
			return d.pass(event), nil
		case err == nil:
			err = d.join(event)
		}
		if err != nil {
			return inference.Event{}, asAnswered(inference.AsError(err))
		}
	}
}

// pass takes in an event that goes to the caller as it is.
func (d *driver) pass(e inference.Event) inference.Event {
	if d.thread != nil {
		d.thread.Sent(e)
	}
	if e.Final {
		d.land()
	}
	return e
}

// join takes in an event of a target that goes on.
func (d *driver) join(e inference.Event) error {
	if e.Final {
		d.land()
	}
	events, err := d.thread.Join(e)
	if err != nil {
		return unanswered(d.answering.leg.Target.Region, err)
	}
	d.ahead = events
	return nil
}

// goOn has another target go on with the answer that broke off. The error is what the
// caller is to see: the failure, where none can.
func (d *driver) goOn(ctx context.Context, failure *inference.Error) error {
	request, rest, ok := d.cut(failure)
	switch {
	case !ok:
		return failure
	case request == nil:
		d.ahead, d.whole = rest, true
		return nil
	}
	d.reader = ctx
	defer func() { d.reader = nil }()
	for {
		step := d.next()
		switch step.Do {
		case Try:
			d.follow(step.Leg, request)
		case Wait:
			d.pause(step.For)
		case Await:
			<-d.joined
		default:
			return failure
		}
		if d.answering != nil {
			d.joining = true
			return nil
		}
		if left := d.left(); left != nil {
			return abandoned(left, failure.Region)
		}
	}
}

// cut ends the leg that broke off. The results are [Thread.Cut]'s.
func (d *driver) cut(failure *inference.Error) (request *inference.Request, rest []inference.Event, ok bool) {
	s := d.answering
	used := s.usage
	if d.thread != nil {
		request, rest, ok = d.thread.Cut()
		used = d.thread.Spent().Bounded()
	}
	s.close()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.landed {
		d.course.Cut(s.leg, failure, used, d.router.clock.Now())
		d.landed = true
	}
	if ok {
		d.answering = nil
	}
	return request, rest, ok
}

// follow has a target answer what is left of the request.
func (d *driver) follow(l Leg, request *inference.Request) {
	s := new(relay)
	d.prepare(s, l, request)
	d.mu.Lock()
	d.leading = s
	d.mu.Unlock()
	defer context.AfterFunc(d.reader, func() { s.cancel(context.Cause(d.reader)) })()
	d.attempt(s)
}

// land tells the course once that the answer has ended.
func (d *driver) land() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.landed {
		d.course.Ended(d.answering.leg, d.answering.usage, d.router.clock.Now())
		d.landed = true
	}
}

// Close ends the stream and what regions are still doing for it.
func (d *driver) Close() (err error) {
	d.end()
	if d.answering != nil {
		err = d.answering.close()
		d.land()
	}
	return err
}
