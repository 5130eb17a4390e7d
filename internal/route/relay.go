package route

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"fairway/internal/inference"
)

// relay is what one target sends: first the events that are held back until content
// comes, then the others.
type relay struct {
	router  *Router
	request *inference.Request
	leg     Leg
	attempt context.Context // ends with the call's, and with Close
	cancel  context.CancelCauseFunc

	stream  inference.Stream
	held    []inference.Event
	alive   bool            // it has sent something
	final   bool            // the terminal event was read
	usage   inference.Usage // as last told
	silence *silence        // between events, from the first one that was not held
	lost    bool            // another target was faster; the call's mu is over it
}

// What an attempt may send ahead of its content: a region says there that it
// began, and may send pings.
const (
	maxHeld       = 1000    // events
	maxHeldMemory = 1 << 20 // bytes of them
)

var (
	errCut     = errors.New("the stream ended without its terminal event")
	errTooMuch = errors.New("too much came ahead of the content")
)

// begin invokes the target and holds events up to the first content. An answer
// may be complete without any. The first event, of whatever kind, must come
// within patience, each further one within the stall timeout, and content, of a
// stream, within its own; what comes later is not taken, since the target was
// about to be left. Nor is an answer whose events fill the memory first.
func (s *relay) begin(ctx context.Context, patience time.Duration) error {
	due, memory := s.contentDue(), 0
	for silence := patience; ; silence = s.router.stall {
		late := errSilent
		if !due.IsZero() {
			if left := due.Sub(s.router.clock.Now()); left < silence {
				silence, late = max(left, 0), errNoContent
			}
		}
		event, err := s.hear(ctx, silence, late)
		switch {
		case err != nil:
			return err
		case event.Content || event.Final:
			s.held = append(s.held, event)
			return nil
		case !event.IsLifeSign():
			if memory += len(event.Raw); memory > maxHeldMemory || len(s.held) == maxHeld {
				return unanswered(s.leg.Target.Region, errTooMuch)
			}
			event.Raw = bytes.Clone(event.Raw) // the next event may take its memory
			s.held = append(s.held, event)
		}
	}
}

// contentDue is when the first content has to be there, zero for no bound: a unary
// answer has none before it is complete.
func (s *relay) contentDue() time.Time {
	if s.router.content == 0 || !s.request.Operation.Streams() {
		return time.Time{}
	}
	return s.router.clock.Now().Add(s.router.content)
}

var (
	errSilent    = errors.New("no sign of life")
	errNoContent = errors.New("no content")
)

// hear is the target's next event. To hear the first one it invokes the target.
// After a silence the attempt is given up for late.
func (s *relay) hear(ctx context.Context, silence time.Duration, late error) (inference.Event, error) {
	stop := s.router.clock.AfterFunc(silence, func() { s.cancel(late) })
	event, err := s.say(ctx)
	if !stop() {
		return inference.Event{}, unanswered(s.leg.Target.Region, fmt.Errorf("%w for %s", late, silence))
	}
	return event, err
}

// say is hear without a bound.
func (s *relay) say(ctx context.Context) (inference.Event, error) {
	if s.stream == nil {
		stream, err := s.router.upstream.Invoke(ctx, *s.leg.Target, s.request)
		switch {
		case err != nil:
			return inference.Event{}, err
		case stream == nil:
			return inference.Event{}, errors.New("invoke model: the upstream gave neither stream nor error")
		}
		s.stream = stream
	}
	return s.read(ctx)
}

// next is the next event, io.EOF behind the last. A failure is the target's own, as is
// a silence longer than the chunk timeout, where it is blamed; else nobody waits any
// longer.
func (s *relay) next(ctx context.Context) (event inference.Event, err error, blamed bool) {
	if len(s.held) > 0 {
		event = s.held[0]
		s.held = s.held[1:]
		return event, nil, false
	}
	event, err = s.listen(ctx)
	for err == nil && event.IsLifeSign() {
		event, err = s.listen(ctx)
	}
	switch {
	case err == nil || err == io.EOF:
		return event, err, false
	case ctx.Err() != nil:
		return inference.Event{}, abandoned(ctx, s.leg.Target.Region), false
	case s.attempt.Err() != nil && context.Cause(s.attempt) != errSilent:
		return inference.Event{}, abandoned(s.attempt, s.leg.Target.Region), false
	}
	return inference.Event{}, regional(err, s.leg.Target.Region), true
}

// listen is read within the chunk timeout.
func (s *relay) listen(ctx context.Context) (inference.Event, error) {
	if s.final { // whatever becomes of the connection: the answer is complete
		return inference.Event{}, io.EOF
	}
	if s.silence == nil {
		s.silence = watch(s.router.clock, s.router.chunk, func() { s.cancel(errSilent) })
	}
	s.silence.begins()
	event, err := s.read(ctx)
	s.silence.ends()
	if err != nil && context.Cause(s.attempt) == errSilent {
		err = unanswered(s.leg.Target.Region, fmt.Errorf("%w for %s", errSilent, s.router.chunk))
	}
	return event, err
}

// read is the target's next event. The end of the stream is a transport failure: the
// terminal event has not come.
func (s *relay) read(ctx context.Context) (inference.Event, error) {
	event, err := s.stream.Next(ctx)
	if err == io.EOF {
		return inference.Event{}, unanswered(s.leg.Target.Region, errCut)
	}
	if err == nil {
		s.alive = true
	}
	if event.Usage != nil {
		s.usage = event.Usage.Bounded()
	}
	s.final = s.final || event.Final
	return event, err
}

// lose gives the attempt up.
func (s *relay) lose() {
	s.lost = true
	s.cancel(errLost)
}

// told is the usage that the target has shown, nil where it has shown nothing at all.
func (s *relay) told() *inference.Usage {
	if !s.alive {
		return nil
	}
	return &s.usage
}

// close ends the stream and what the region is still doing for it.
func (s *relay) close() error {
	defer s.cancel(nil)
	if s.silence != nil {
		s.silence.end()
	}
	if s.stream == nil {
		return nil
	}
	return s.stream.Close()
}
