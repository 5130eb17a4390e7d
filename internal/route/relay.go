package route

import (
	"context"
	"errors"
	"io"

	"fairway/internal/inference"
)

// relay is the stream of the attempt that answered: first the events that were
// held back until content came, then what the target goes on to send.
type relay struct {
	router *Router
	target inference.Target
	guard  *guard
	cancel context.CancelCauseFunc // of the attempt's context

	stream inference.Stream
	held   []inference.Event
	final  bool // the terminal event was read
}

var errCut = errors.New("the stream ended without its terminal event")

// begin invokes the target and holds events up to the first content. An answer
// may be complete without any.
func (s *relay) begin(ctx context.Context, req *inference.Request) error {
	stream, err := s.router.upstream.Invoke(ctx, s.target, req)
	s.stream = stream
	switch {
	case err != nil:
		return err
	case stream == nil:
		return errors.New("invoke model: the upstream gave neither stream nor error")
	}
	for {
		event, err := s.read(ctx)
		if err != nil {
			return err
		}
		s.held = append(s.held, event)
		if event.Content || event.Final {
			return nil
		}
	}
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
	switch {
	case err == nil || err == io.EOF:
		return event, err
	case ctx.Err() != nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return inference.Event{}, asAnswered(canceled(ctx, s.target.Region))
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
