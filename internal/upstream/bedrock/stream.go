package bedrock

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
	"fairway/internal/wire/eventstream"
)

// stream is an event stream whose frames are given as they come.
type stream struct {
	region    inference.Region
	call      context.Context // of the request
	cancel    context.CancelFunc
	body      io.ReadCloser
	inspector *invocation.Inspector
	served    *inference.Served // by the header, for the first frame
	final     atomic.Bool       // the terminal frame was read

	mu      sync.Mutex // held by Next; Close wakes Next before it waits for it
	frames  *eventstream.Reader
	reader  context.Context // that last called Next; its end ends the request
	unwatch func() bool
	ended   error // what Next gives from here on
}

// stream asks a target for a streaming operation.
func (u *Upstream) stream(ctx context.Context, t inference.Target, r *inference.Request, operation inference.Operation) (inference.Stream, error) {
	call, cancel := context.WithCancel(ctx)
	response, err := u.send(call, t, r, operation)
	if err != nil {
		cancel()
		return nil, err
	}
	if !isEventStream(response.Header) {
		cancel()
		response.Body.Close()
		return nil, lost(ctx, errNotEventStream)
	}
	s := newStream(call, cancel, operation, t.Region, response.Body)
	s.served = invocation.Served(response.Header)
	return s, nil
}

func newStream(call context.Context, cancel context.CancelFunc, operation inference.Operation, region inference.Region, body io.ReadCloser) *stream {
	return &stream{
		region: region, call: call, cancel: cancel, body: body,
		inspector: invocation.Inspect(operation),
		frames:    eventstream.NewReader(body, 0),
		unwatch:   func() bool { return true },
	}
}

var (
	errNotEventStream = errors.New("read answer: it is no event stream")
	errClosed         = errors.New("read answer: the stream is closed")
	errCut            = errors.New("read answer: the stream ended without its terminal event")
)

func isEventStream(h http.Header) bool {
	return strings.HasPrefix(h.Get("Content-Type"), "application/vnd.amazon.eventstream")
}

// Next is the next frame. One that ends the stream with an exception is its error.
func (s *stream) Next(ctx context.Context) (inference.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return inference.Event{}, s.ended
	}
	event, err := s.next(ctx)
	switch {
	case err != nil:
		s.ended = located(err, s.region)
		s.cancel()
		return inference.Event{}, s.ended
	case event.Final:
		s.ended = io.EOF
		s.final.Store(true)
	}
	return event, nil
}

func (s *stream) next(ctx context.Context) (inference.Event, error) {
	if ctx.Err() != nil {
		return inference.Event{}, lost(ctx, ctx.Err())
	}
	s.watch(ctx)
	frame, err := s.frames.Next()
	switch {
	case err == nil:
		event, err := s.inspector.Frame(frame)
		event.Served, s.served = s.served, nil
		return event, err
	case errors.Is(err, io.EOF):
		return inference.Event{}, lost(ctx, errCut)
	case ctx.Err() == nil: // else the end of ctx closed the connection
		ctx = s.call
	}
	return inference.Event{}, lost(ctx, err)
}

// watch has the end of ctx end the request. Whoever reads a stream does so with
// one context, so this costs nothing after the first time.
func (s *stream) watch(ctx context.Context) {
	if ctx == s.reader {
		return
	}
	s.unwatch()
	s.reader, s.unwatch = ctx, context.AfterFunc(ctx, s.cancel)
}

// Close gives up what the region has not yet sent. When that is nothing but the
// end of the body, the connection can be used again.
func (s *stream) Close() error {
	if !s.final.Load() {
		s.cancel()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unwatch()
	if s.final.Swap(false) {
		s.finish()
	}
	s.cancel()
	if s.ended == nil {
		s.ended = located(lost(s.call, errClosed), s.region)
	}
	return s.body.Close()
}

// finish reads the end of the body, which comes with the terminal frame or right
// behind it.
func (s *stream) finish() {
	defer time.AfterFunc(lull, s.cancel).Stop()
	_, _ = s.frames.Next()
}

// lull is how long the end of a body may take, or the connection is closed.
const lull = 100 * time.Millisecond
