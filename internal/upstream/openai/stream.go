package openai

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	"fairway/internal/dialect"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
)

// stream is an answer on its way to the caller. Close may be called while Next
// reads.
type stream struct {
	region  inference.Region
	call    context.Context // of Invoke
	attempt context.Context // ends with call, and with Close
	cancel  context.CancelFunc

	answer *answer // nil for a count, which is complete
	writer *invocation.Writer
	tally  *tally
	began  time.Time

	queue []inference.Event // made and not yet given
	done  atomic.Bool       // the terminal event is made
	err   error             // what Next gives from here on
}

// Next gives a sign of life for each event of the server that makes none of ours.
func (s *stream) Next(ctx context.Context) (inference.Event, error) {
	if s.err != nil {
		return inference.Event{}, s.err
	}
	if ctx.Err() != nil {
		s.cancel()
	}
	defer context.AfterFunc(ctx, s.cancel)()
	event, err := s.next()
	if err == nil {
		return event, nil
	}
	if err != io.EOF {
		err = failure(err, s.region, ctx, s.call, s.attempt)
	}
	s.err = err
	_ = s.Close()
	return inference.Event{}, err
}

func (s *stream) next() (inference.Event, error) {
	if err := s.attempt.Err(); err != nil {
		return inference.Event{}, err
	}
	if len(s.queue) == 0 {
		if s.done.Load() {
			return inference.Event{}, io.EOF
		}
		if err := s.read(); err != nil {
			return inference.Event{}, err
		}
	}
	if len(s.queue) == 0 {
		return inference.Event{}, nil
	}
	event := s.queue[0]
	s.queue = s.queue[1:]
	return event, nil
}

// read takes one event of the server.
func (s *stream) read() error {
	pieces, err := s.answer.next()
	if err != nil {
		return err
	}
	for _, p := range pieces {
		if p.Kind == dialect.Began || p.Kind == dialect.Ended {
			p.LatencyMS = time.Since(s.began).Milliseconds()
		}
		s.tally.add(&p)
		events, err := s.writer.Write(p)
		if err != nil {
			return broken(err)
		}
		s.queue = append(s.queue, events...)
		if p.Kind == dialect.Ended {
			s.done.Store(true)
		}
	}
	return nil
}

// Close ends the call.
func (s *stream) Close() error {
	if s.answer != nil {
		if s.done.Load() {
			s.answer.drain(s.cancel)
		}
		s.cancel()
		s.answer.close()
	}
	s.cancel()
	return nil
}
