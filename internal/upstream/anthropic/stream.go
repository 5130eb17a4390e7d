package anthropic

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	"fairway/internal/dialect"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
	"fairway/internal/wire/sse"
)

// stream is an answer being read. Close may be called while Next reads.
type stream struct {
	region  inference.Region
	call    context.Context // of Invoke
	attempt context.Context // ends with call, and with Close
	cancel  context.CancelFunc

	body    io.ReadCloser // nil for a count, which is complete
	events  *sse.Reader
	decoder dialect.Decoder
	writer  *invocation.Writer
	began   time.Time

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
	if err != nil && err != io.EOF {
		err = failure(err, s.region, ctx, s.call, s.attempt)
	}
	if err != nil {
		s.err = err
		_ = s.Close()
	}
	return event, err
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
	e, err := s.events.Next()
	switch {
	case err == io.EOF:
		return broken(errCut)
	case err != nil:
		return broken(err)
	}
	pieces, err := s.decoder.Decode(dialect.Payload{Type: e.Type, JSON: e.Data})
	if err != nil {
		return err
	}
	for _, p := range pieces {
		if p.Kind == dialect.Began || p.Kind == dialect.Ended {
			p.LatencyMS = time.Since(s.began).Milliseconds()
		}
		events, err := s.writer.Write(p)
		if err != nil {
			return err
		}
		s.queue = append(s.queue, events...)
		s.done.CompareAndSwap(false, p.Kind == dialect.Ended)
	}
	return nil
}

// Close ends the call. After the terminal event it waits a moment for the end of
// the response, so that the connection can be used again.
func (s *stream) Close() error {
	if s.body != nil {
		if s.done.Load() {
			defer time.AfterFunc(maxDrain, s.cancel).Stop()
			_, _ = io.CopyN(io.Discard, s.body, maxError)
		}
		s.cancel()
		_ = s.body.Close()
	}
	s.cancel()
	return nil
}

// maxDrain is how long a server may take to end a response that is complete.
const maxDrain = 100 * time.Millisecond
