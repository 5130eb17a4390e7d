package route

import (
	"context"
	"io"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"fairway/internal/inference"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const model = "anthropic.claude-sonnet-4-20250514-v1:0"

// behaviour is how a fake region answers a call.
type behaviour func(ctx context.Context) (inference.Stream, error)

// world is an Upstream of scripted regions that remembers who was called.
type world struct {
	mu      sync.Mutex
	regions map[inference.Region]behaviour
	called  []inference.Region
	spans   []trace.SpanContext // that each call came with
}

func (w *world) Invoke(ctx context.Context, t inference.Target, _ *inference.Request) (inference.Stream, error) {
	w.mu.Lock()
	w.called = append(w.called, t.Region)
	w.spans = append(w.spans, trace.SpanContextFromContext(ctx))
	answer := w.regions[t.Region]
	w.mu.Unlock()
	return answer(ctx)
}

func (w *world) set(region inference.Region, b behaviour) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.regions[region] = b
}

// script is a stream of prepared events; err, or io.EOF, follows the last one.
type script struct {
	events []inference.Event
	err    error
	closed bool
}

func (s *script) Next(ctx context.Context) (inference.Event, error) {
	if err := ctx.Err(); err != nil {
		return inference.Event{}, err
	}
	if len(s.events) == 0 {
		if s.err != nil {
			return inference.Event{}, s.err
		}
		return inference.Event{}, io.EOF
	}
	e := s.events[0]
	s.events = s.events[1:]
	return e, nil
}

func (s *script) Close() error { s.closed = true; return nil }

var (
	start   = inference.Event{Raw: []byte("start")}
	content = inference.Event{Raw: []byte("content"), Content: true}
	final   = inference.Event{Raw: []byte("final"), Final: true, Usage: &inference.Usage{OutputTokens: 1}}
	whole   = inference.Event{Raw: []byte("whole"), Content: true, Final: true, Usage: &inference.Usage{OutputTokens: 1}}
)

func sends(events ...inference.Event) behaviour {
	return func(context.Context) (inference.Stream, error) { return &script{events: events}, nil }
}

func breaks(err error, events ...inference.Event) behaviour {
	return func(context.Context) (inference.Stream, error) { return &script{events: events, err: err}, nil }
}

func fails(e inference.Error) behaviour {
	return func(context.Context) (inference.Stream, error) { return nil, &e }
}

func hangs(ctx context.Context) (inference.Stream, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// stalls sends events and then nothing more.
type stalled struct{ script }

func (s *stalled) Next(ctx context.Context) (inference.Event, error) {
	if len(s.events) > 0 {
		return s.script.Next(ctx)
	}
	<-ctx.Done()
	return inference.Event{}, ctx.Err()
}

// bound stalls until the call that it answers ends.
type bound struct {
	stalled
	call context.Context
}

func (b *bound) Next(context.Context) (inference.Event, error) { return b.stalled.Next(b.call) }

func stalls(events ...inference.Event) behaviour {
	return func(context.Context) (inference.Stream, error) { return &stalled{script{events: events}}, nil }
}

// step is an event of a region that takes its time for it.
type step struct {
	after time.Duration
	event inference.Event
}

// paced gives each event when its time has come, and is cut after the last. It ends
// with the call, as every upstream does.
type paced struct {
	call  context.Context
	steps []step
}

func (p *paced) Next(ctx context.Context) (inference.Event, error) {
	if len(p.steps) == 0 {
		return inference.Event{}, io.EOF
	}
	next := p.steps[0]
	p.steps = p.steps[1:]
	select {
	case <-time.After(next.after):
		return next.event, nil
	case <-ctx.Done():
		return inference.Event{}, ctx.Err()
	case <-p.call.Done():
		return inference.Event{}, p.call.Err()
	}
}

func (*paced) Close() error { return nil }

func paces(steps ...step) behaviour {
	return func(ctx context.Context) (inference.Stream, error) { return &paced{ctx, steps}, nil }
}

var (
	refused     = fails(inference.Error{Kind: inference.ServiceUnavailable, Transport: true})
	unavail     = fails(inference.Error{Kind: inference.ServiceUnavailable, Message: unavailable})
	missing     = fails(inference.Error{Kind: inference.ResourceNotFound, Message: "no such model here"})
	invalid     = fails(inference.Error{Kind: inference.Validation, Message: "messages: Field required"})
	modelFailed = fails(inference.Error{Kind: inference.ModelError, OriginalStatus: 500})
)

func throttles(after time.Duration) behaviour {
	return fails(inference.Error{Kind: inference.Throttling, Message: "Too many tokens, please wait before trying again.", RetryAfter: after})
}

// steppedClock is time that only moves by hand.
type steppedClock struct {
	now    time.Time
	timers map[*time.Time]func()
}

func (c *steppedClock) Now() time.Time { return c.now }

func (c *steppedClock) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	due := c.now.Add(d)
	if c.timers == nil {
		c.timers = map[*time.Time]func(){}
	}
	c.timers[&due] = f
	return func() bool {
		_, waiting := c.timers[&due]
		delete(c.timers, &due)
		return waiting
	}
}

func (c *steppedClock) advance(d time.Duration) {
	c.now = c.now.Add(d)
	for due, f := range c.timers {
		if !due.After(c.now) {
			delete(c.timers, due)
			f()
		}
	}
}

func targets(regions ...inference.Region) []inference.Target {
	var ts []inference.Target
	for _, r := range regions {
		ts = append(ts, inference.Target{Region: r, Model: model, Simulated: true})
	}
	return ts
}

func regionsOf(ts []inference.Target) []inference.Region {
	var rs []inference.Region
	for _, t := range ts {
		rs = append(rs, t.Region)
	}
	return rs
}

// read drains a stream: the texts of its events and the error that ended it.
func read(t *testing.T, s inference.Stream) (texts []string, err error) {
	t.Helper()
	defer s.Close()
	for {
		e, err := s.Next(t.Context())
		if err != nil {
			return texts, err
		}
		texts = append(texts, string(e.Raw))
	}
}
