package sim

import (
	"context"
	"io"

	"fairway/internal/inference"
)

// stream is a unary answer: one event, then the end.
type stream struct {
	event inference.Event
	given bool
}

// Next gives the event once. The answer is complete already, so ctx is not waited on.
func (s *stream) Next(context.Context) (inference.Event, error) {
	if s.given {
		return inference.Event{}, io.EOF
	}
	s.given = true
	return s.event, nil
}

// Close has nothing to cancel: the region is done.
func (s *stream) Close() error { return nil }
