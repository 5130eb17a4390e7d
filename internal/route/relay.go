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

// relay is the stream of the attempt that answered: first the events that were
// held back until content came, then what the target goes on to send.
type relay struct {
	router  *Router
	request *inference.Request
	target  inference.Target
	guard   *guard
	attempt context.Context // ends with the call's, and with Close
	cancel  context.CancelCauseFunc

	stream  inference.Stream
	held    []inference.Event
	final   bool     // the terminal event was read
	silence *silence // between events, from the first one that was not held
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
		if left := due.Sub(s.router.clock.Now()); !due.IsZero() && left < silence {
			silence, late = max(left, 0), errNoContent
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
				return unanswered(s.target.Region, errTooMuch)
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
		return inference.Event{}, unanswered(s.target.Region, fmt.Errorf("%w for %s", late, silence))
	}
	return event, err
}

// say is hear without a bound.
func (s *relay) say(ctx context.Context) (inference.Event, error) {
	if s.stream == nil {
		stream, err := s.router.upstream.Invoke(ctx, s.target, s.request)
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

// Next returns the next event. A failure counts against the target's health, as
// does a silence longer than the chunk timeout: the caller sees it, because content
// is already out.
func (s *relay) Next(ctx context.Context) (inference.Event, error) {
	if len(s.held) > 0 {
		event := s.held[0]
		s.held = s.held[1:]
		return event, nil
	}
	event, err := s.listen(ctx)
	for err == nil && event.IsLifeSign() {
		event, err = s.listen(ctx)
	}
	switch {
	case err == nil || err == io.EOF:
		return event, err
	case ctx.Err() != nil:
		return inference.Event{}, asAnswered(abandoned(ctx, s.target.Region))
	case s.attempt.Err() != nil && context.Cause(s.attempt) != errSilent:
		return inference.Event{}, asAnswered(abandoned(s.attempt, s.target.Region))
	}
	failure := regional(err, s.target.Region)
	s.guard.settle(s.guard.force(), judge(failure).ending(), s.router.clock.Now())
	return inference.Event{}, asAnswered(failure)
}

// listen is read within the chunk timeout.
func (s *relay) listen(ctx context.Context) (inference.Event, error) {
	if s.final { // there is nothing to wait for
		return s.read(ctx)
	}
	if s.silence == nil {
		s.silence = watch(s.router.clock, s.router.chunk, func() { s.cancel(errSilent) })
	}
	s.silence.begins()
	event, err := s.read(ctx)
	s.silence.ends()
	if err != nil && context.Cause(s.attempt) == errSilent {
		err = unanswered(s.target.Region, fmt.Errorf("%w for %s", errSilent, s.router.chunk))
	}
	return event, err
}

// read is the target's next event. The end of the stream is io.EOF only after
// the terminal event, else a transport failure.
func (s *relay) read(ctx context.Context) (inference.Event, error) {
	event, err := s.stream.Next(ctx)
	if err == io.EOF && !s.final {
		return inference.Event{}, unanswered(s.target.Region, errCut)
	}
	s.final = s.final || event.Final
	return event, err
}

// Close ends the stream and what the region is still doing for it.
func (s *relay) Close() error {
	defer s.cancel(nil)
	if s.silence != nil {
		s.silence.end()
	}
	if s.stream == nil {
		return nil
	}
	return s.stream.Close()
}
