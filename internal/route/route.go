// Package route decides where a call runs and sees it through. [Router.Plan]
// orders the destinations of a grant into targets; [Router.Run] tries them in
// that order until one answers with content.
//
//	call.go      what a call and its route ask for
//	rule.go      principal, model -> route
//	slate.go     grant, route, residency -> the targets there are
//	plan.go      targets and their state -> the order to try them in, pure
//	policy.go    what each policy makes of a target
//	affinity.go  the home of calls that share their prompt
//	why.go       a plan in words
//
//	course.go    plan -> what to do next, as a state machine over now
//	round.go     the next target of a call, or how long it waits
//	leg.go       an attempt as the course sees it
//	hedge.go     when a second target is asked beside a silent one
//	retry.go     how many attempts beyond the first, and how long between them
//	judge.go     error -> stop here, or try the next target
//
//	run.go       the course in real time
//	thread.go    an answer that breaks off and goes on elsewhere
//	relay.go     the events of an attempt
//	patience.go  how long an attempt may stay silent
//	silence.go   how long a stream may stay silent
//	failure.go   what went wrong, as the caller is told
//	span.go      an attempt as traces show it
//
//	health.go    all that is known of targets
//	breaker.go   whether a target fails
//	entitlement.go whether the account may use it
//	outlier.go   whether it does worse than its peers
//	load.go      what it has to do, and how soon it answers
//	histogram.go how its times to first content spread
//	quota.go     what it may take in a minute
//	share.go     and what part of that it may take here, of several servers
//	prober.go    calls of our own to targets that are to be tried again
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
	Clock          Clock                // default: the wall clock
	Route          Route                // of calls that no rule matches
	Rules          []Rule               // the first that matches is a call's
	Residency      map[string]Residency // by principal, beside the route's
	Quotas         []Quota              // the first that matches is a target's
	Shared         bool                 // other servers use the Quotas too: see Router.Share
	Start          int                  // parts of a quota, of the Whole, that are used while none are leased; where Shared
	AttemptTimeout time.Duration        // to the first event; default DefaultAttemptTimeout
	AnswerTimeout  time.Duration        // to a unary answer, of a call without a deadline, where regions show no life before it; 0 is where they do
	StallTimeout   time.Duration        // from event to event up to the first content; default DefaultStallTimeout
	FirstContent   time.Duration        // of a stream's attempt to its first content; 0 is none
	ChunkTimeout   time.Duration        // from event to event after the first content; default DefaultChunkTimeout
	CallTimeout    time.Duration        // of a call with its answer, all attempts together; 0 is none
	MaxAttempts    int                  // of one call; 0 is every planned target once
	Targets        Targets              // default: the foundation model in each destination
	Pinning        Pinning              // default Strict
	Breaker        BreakerConfig
	Retry          Retry
	Hedge          Hedge
	KeepCache      time.Duration // worth waiting to have a thousand tokens of a prompt in the region's cache
	Continuer      Continuer     // nil goes on with no stream

	// Price is what a million tokens of input and as many of output cost under a target's
	// model id. It reports false where that is not known. Nil knows none.
	Price func(model string) (inference.Money, bool)

	// Burndown is how many tokens of quota an output token of a model takes. Nil is 1.
	Burndown func(inference.ModelID) int

	Simulated bool         // the default Targets are simulated regions
	Tracer    trace.Tracer // of a span for each attempt; nil makes none

	// Observe, where set, is told of each attempt as it ends, with the failure
	// and its cause. It must not block.
	Observe func(t inference.Target, a inference.Attempt, failure *inference.Error)
}

// Router plans and runs calls. It is safe for concurrent use.
type Router struct {
	upstream    Upstream
	clock       Clock
	route       Route
	rules       []Rule
	residency   map[string]*Residency // by principal
	quotas      []Quota
	start       int64 // parts of a quota that a target starts with
	slates      slates
	keepCache   time.Duration                        // a thousand tokens
	price       func(string) (inference.Money, bool) // nil knows none
	timeout     time.Duration                        // to the first event
	answer      time.Duration                        // to a unary answer without a deadline, 0 as for all others
	stall       time.Duration                        // to each further one
	content     time.Duration                        // to the first content of a stream, 0 without bound
	chunk       time.Duration                        // to each event after it
	whole       time.Duration                        // to the end of a call, 0 without bound
	maxAttempts int
	retry       Retry
	hedge       Hedge
	continuer   Continuer                   // nil goes on with nothing
	burndown    func(inference.ModelID) int // nil is 1
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
	if !c.Shared {
		c.Start = Whole
	}
	residency := make(map[string]*Residency, len(c.Residency))
	for principal, r := range c.Residency {
		residency[principal] = &r
	}
	return &Router{
		upstream:    c.Upstream,
		clock:       c.Clock,
		route:       c.Route,
		rules:       c.Rules,
		residency:   residency,
		quotas:      c.Quotas,
		start:       int64(c.Start),
		keepCache:   c.KeepCache,
		price:       c.Price,
		timeout:     cmp.Or(c.AttemptTimeout, DefaultAttemptTimeout),
		answer:      c.AnswerTimeout,
		stall:       cmp.Or(c.StallTimeout, DefaultStallTimeout),
		content:     c.FirstContent,
		chunk:       cmp.Or(c.ChunkTimeout, DefaultChunkTimeout),
		whole:       c.CallTimeout,
		maxAttempts: c.MaxAttempts,
		retry:       c.Retry,
		hedge:       c.Hedge,
		continuer:   c.Continuer,
		burndown:    c.Burndown,
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
