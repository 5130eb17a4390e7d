// Package route decides where a call runs and sees it through. [Router.Plan]
// orders the destinations of a grant into targets; [Router.Run] tries them in
// that order until one answers with content.
//
//	plan.go     grant -> targets, pure
//	run.go      targets -> answer, one attempt after the other
//	patience.go how long an attempt may stay silent
//	relay.go    the events of an attempt
//	silence.go  how long a stream may stay silent
//	span.go     an attempt as traces show it
//	judge.go    error -> stop here, or try the next target
//	breaker.go  one target's health as a state machine over now
//	health.go   the breakers of all targets
//
// Route cannot ask policy again: whatever it calls comes from the grant. Nothing
// here starts a goroutine or reads the time except through [Clock], so tests and
// the simulator run it in virtual time.
package route

import (
	"cmp"
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"

	"fairway/internal/inference"
)

// Upstream is what an attempt calls. Exactly one of the stream and the error is
// non-nil, and the error is an *inference.Error. Invoke and the stream return
// promptly once ctx ends; the stream stays usable until then.
type Upstream interface {
	Invoke(ctx context.Context, t inference.Target, r *inference.Request) (inference.Stream, error)
}

// Clock is the time that routing sees, and that the deadlines of calls are in.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f, in whatever goroutine, once d has passed. Stop reports
	// whether it came in time to prevent that.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// How long a region may be silent: before its first sign of life, since regions
// that stall under load do so silently, after a 200; from one to the next; and in
// the middle of its answer, where models think and write out the input of tools
// without a word.
const (
	DefaultAttemptTimeout = 12 * time.Second
	DefaultStallTimeout   = 20 * time.Second
	DefaultChunkTimeout   = time.Minute
)

// Config is what a Router is made of. Only Upstream is required.
type Config struct {
	Upstream       Upstream
	Clock          Clock              // default: the wall clock
	Order          []inference.Region // tried first, in this order, where granted; others follow
	AttemptTimeout time.Duration      // to the first event; default DefaultAttemptTimeout
	AnswerTimeout  time.Duration      // to a unary answer, of a call without a deadline, where regions show no life before it; 0 is where they do
	StallTimeout   time.Duration      // from event to event up to the first content; default DefaultStallTimeout
	FirstContent   time.Duration      // of a stream's attempt to its first content; 0 is none
	ChunkTimeout   time.Duration      // from event to event after the first content; default DefaultChunkTimeout
	MaxAttempts    int                // of one call; 0 is every planned target once
	Targets        Targets            // default: the foundation model in each destination
	Pinning        Pinning            // default Strict
	Breaker        BreakerConfig
	Simulated      bool         // the default Targets are simulated regions
	Tracer         trace.Tracer // of a span for each attempt; nil makes none

	// Observe, where set, is told of each attempt as it ends, with the failure
	// and its cause. It must not block.
	Observe func(t inference.Target, a inference.Attempt, failure *inference.Error)
}

// Router plans and runs calls. It is safe for concurrent use.
type Router struct {
	upstream    Upstream
	clock       Clock
	order       map[inference.Region]int // place in the configured order
	timeout     time.Duration            // to the first event
	answer      time.Duration            // to a unary answer without a deadline, 0 as for all others
	stall       time.Duration            // to each further one
	content     time.Duration            // to the first content of a stream, 0 without bound
	chunk       time.Duration            // to each event after it
	maxAttempts int
	targets     Targets
	pinning     Pinning
	tracer      trace.Tracer // nil traces nothing
	observe     func(inference.Target, inference.Attempt, *inference.Error)
	health      *health
}

// New makes a Router whose targets are all taken for healthy.
func New(c Config) *Router {
	if c.Clock == nil {
		c.Clock = wallClock{}
	}
	if c.Observe == nil {
		c.Observe = func(inference.Target, inference.Attempt, *inference.Error) {}
	}
	if c.Targets == nil {
		c.Targets = pinned{c.Simulated}
	}
	order := make(map[inference.Region]int, len(c.Order))
	for _, region := range c.Order {
		if _, again := order[region]; !again {
			order[region] = len(order)
		}
	}
	return &Router{
		upstream:    c.Upstream,
		clock:       c.Clock,
		order:       order,
		timeout:     cmp.Or(c.AttemptTimeout, DefaultAttemptTimeout),
		answer:      c.AnswerTimeout,
		stall:       cmp.Or(c.StallTimeout, DefaultStallTimeout),
		content:     c.FirstContent,
		chunk:       cmp.Or(c.ChunkTimeout, DefaultChunkTimeout),
		maxAttempts: c.MaxAttempts,
		targets:     c.Targets,
		pinning:     c.Pinning,
		tracer:      c.Tracer,
		observe:     c.Observe,
		health:      newHealth(c.Breaker),
	}
}

// Reconfigured is a Router by other settings that knows of its targets' health what
// r knows, and goes on learning it together with r. Breakers stay as they are
// configured.
func (r *Router) Reconfigured(c Config) *Router {
	next := New(c)
	next.health = r.health
	return next
}

// States lists the targets that have been tried so far, by model and region.
func (r *Router) States(now time.Time) []TargetState { return r.health.states(now) }

type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

func (wallClock) AfterFunc(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
