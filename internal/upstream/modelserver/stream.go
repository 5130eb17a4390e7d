package modelserver

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	"fairway/internal/dialect"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
)

// Stream is an answer on its way to the caller, made by Server.Stream or Complete
// and given out by Invoke. Close may be called while Next reads.
type Stream struct {
	server  *Server
	region  inference.Region
	call    context.Context // of Invoke
	attempt context.Context // ends with call, and with Close
	cancel  context.CancelFunc

	answer *answer // nil for one that is complete
	writer *invocation.Writer
	began  time.Time

	queue []inference.Event // made and not yet given
	done  atomic.Bool       // the terminal event is made
	err   error             // what Next gives from here on
}

// Invoke gives the stream that begin makes of r under a context of its own, unless r
// asks for what only Bedrock does. Exactly one of the Stream and the error is non-nil;
// errors, the stream's too, are *inference.Error of the region.
func (s *Server) Invoke(ctx context.Context, region inference.Region, r *inference.Request, begin func(context.Context) (*Stream, error)) (inference.Stream, error) {
	if err := s.refuse(r.Header); err != nil {
		return nil, s.failure(err, region, ctx)
	}
	attempt, cancel := s.attempt(ctx, r.Operation)
	stream, err := begin(attempt)
	if err != nil {
		cancel()
		return nil, s.failure(err, region, ctx)
	}
	stream.server, stream.region, stream.call, stream.attempt, stream.cancel = s, region, ctx, attempt, cancel
	if err := ctx.Err(); err != nil { // a complete stream has not looked at it
		_ = stream.Close()
		return nil, s.failure(err, region, ctx)
	}
	return stream, nil
}

// attempt is the context of one call: an answer that is no stream has its time.
func (s *Server) attempt(ctx context.Context, op inference.Operation) (context.Context, context.CancelFunc) {
	if op.Streams() {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, s.timeout)
}

// Stream is what w makes of the answer to c, for Invoke to give out.
func (s *Server) Stream(ctx context.Context, c Call, w *invocation.Writer) (*Stream, error) {
	began := time.Now()
	answer, err := s.ask(ctx, c)
	if err != nil {
		return nil, err
	}
	return &Stream{answer: answer, writer: w, began: began}, nil
}

// Complete is a stream of one event: the body of a unary answer that is known.
func Complete(body []byte) *Stream {
	s := &Stream{queue: []inference.Event{{Raw: body, Content: true, Final: true}}}
	s.done.Store(true)
	return s
}

// Next gives a sign of life for each event of the server that makes none of ours.
func (s *Stream) Next(ctx context.Context) (inference.Event, error) {
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
		err = s.server.failure(err, s.region, ctx, s.call, s.attempt)
	}
	s.err = err
	_ = s.Close()
	return inference.Event{}, err
}

func (s *Stream) next() (inference.Event, error) {
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
func (s *Stream) read() error {
	pieces, err := s.answer.next()
	if err != nil {
		return err
	}
	for _, p := range pieces {
		if p.Kind == dialect.Began || p.Kind == dialect.Ended {
			p.LatencyMS = time.Since(s.began).Milliseconds()
		}
		events, err := s.writer.Write(p)
		if err != nil {
			return s.server.told(err)
		}
		s.queue = append(s.queue, events...)
		if p.Kind == dialect.Ended {
			s.done.Store(true)
		}
	}
	return nil
}

// Close ends the call. After the terminal event it waits a moment for the end of
// the response, so that the connection can be used again.
func (s *Stream) Close() error {
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
