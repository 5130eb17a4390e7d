package route

import (
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
	target  inference.Target
	guard   *guard
	attempt context.Context // ends with the call's, and with Close
	cancel  context.CancelCauseFunc

	stream inference.Stream
	held   []inference.Event
	final  bool // the terminal event was read
}

var errCut = errors.New("the stream ended without its terminal event")

// begin invokes the target and holds events up to the first content. An answer
// may be complete without any. The first event, of whatever kind, must come
// within patience, each further one within the stall timeout; what comes later is
// not taken, since the target was about to be left.
func (s *relay) begin(ctx context.Context, req *inference.Request, patience time.Duration) error {
	for silence := patience; ; silence = s.router.stall {
		stop := s.router.clock.AfterFunc(silence, s.giveUp)
		event, err := s.hear(ctx, req)
		switch {
		case !stop():
			return unanswered(s.target.Region, fmt.Errorf("%w for %s", errSilent, silence))
		case err != nil:
			return err
		case !event.IsLifeSign():
			s.held = append(s.held, event)
		}
		if event.Content || event.Final {
			return nil
		}
	}
}

var errSilent = errors.New("no sign of life")

func (s *relay) giveUp() { s.cancel(errSilent) }

// hear is the target's next event. To hear the first one it invokes the target.
func (s *relay) hear(ctx context.Context, req *inference.Request) (inference.Event, error) {
	if s.stream == nil {
		stream, err := s.router.upstream.Invoke(ctx, s.target, req)
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

// Next returns the next event. A failure counts against the target's health:
// the caller sees it, because content is already out.
func (s *relay) Next(ctx context.Context) (inference.Event, error) {
	if len(s.held) > 0 {
		event := s.held[0]
		s.held = s.held[1:]
		return event, nil
	}
	event, err := s.read(ctx)
	for err == nil && event.IsLifeSign() {
		event, err = s.read(ctx)
	}
	switch {
	case err == nil || err == io.EOF:
		return event, err
	case ctx.Err() != nil:
		return inference.Event{}, asAnswered(abandoned(ctx, s.target.Region))
	case s.attempt.Err() != nil:
		return inference.Event{}, asAnswered(abandoned(s.attempt, s.target.Region))
	}
	failure := regional(err, s.target.Region)
	s.guard.settle(s.guard.force(), judge(failure).ending(), s.router.clock.Now())
	return inference.Event{}, asAnswered(failure)
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
	if s.stream == nil {
		return nil
	}
	return s.stream.Close()
}
