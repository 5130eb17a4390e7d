// Package gateway is the straight line: one function takes a decoded,
// authenticated request through the stages in order. Read this first.
//
//	front > authenticate > Lookup > Authorize > Plan > Reserve > Run > Settle > front
//
//	gateway.go  the line
//	plan.go     what a call asks of routing
//	fallback.go models that stand in for the one that was called
//	reserve.go  the most that it may spend, before it is made
//	metered.go  the answer as it is read, to its end
//	spoken.go   and the tokens of what it says
//	record.go   what the call's record says
//	span.go     and what its span does
//	shadow.go   calls that are repeated for comparison
//	sight.go    and what is compared
package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"fairway/internal/budget"
	"fairway/internal/catalog"
	"fairway/internal/inference"
	"fairway/internal/meter"
	"fairway/internal/policy"
	"fairway/internal/route"
)

// Gateway joins the stages. Its exported fields are set once and never change; a
// reloaded backend gets a new Gateway over the same Catalog, Router, Budgets, Meter and
// Shadows.
type Gateway struct {
	Catalog *catalog.Catalog // what exists
	Policy  *policy.Engine   // who may
	Router  *route.Router    // where to
	Budgets *budget.Book     // what it may cost; nil binds nothing
	Meter   *meter.Meter     // what it cost
	Clock   func() time.Time
	Log     *slog.Logger
	Tracer  trace.Tracer // of the spans of calls; nil for none

	// Estimate is about how many input tokens a request has, 0 where nobody can say:
	// for answers that are cut before the model tells. Nil estimates nothing.
	Estimate func(*inference.Request, inference.ModelID) int

	// Outline tells routing of a request to a model beside its bytes. Nil tells nothing.
	Outline func(*inference.Request, inference.ModelID) inference.Outline

	// Team is whom a caller is counted with, empty for none. Nil knows no teams.
	Team func(principal string, c inference.Caller) string

	// Named is the budget that a principal names, empty for none. Nil knows none.
	Named func(principal string) string

	// Count is how many tokens of a model a text has. Nil takes four bytes for one.
	Count func(model inference.ModelID, text string) int

	// Learn is told what the whole prompt of a request came to, in tokens of the real
	// model that answered it. Nil learns nothing.
	Learn func(r *inference.Request, model inference.ModelID, tokens int)

	// SameBody reports whether a body of the operation for one model is one for the
	// other. Nil says so of Converse's alone.
	SameBody func(op inference.Operation, called, other inference.ModelID) bool

	// Text makes a reader of one answer of a model: a function that is given the events
	// in order and returns the text that each adds. The reader is nil where nobody can
	// read such answers; a nil Text can read none.
	Text func(inference.Operation, inference.ModelID) func(inference.Event) string

	Shadows *Shadows // nil repeats no call

	leftOut sync.Map // omissions that were logged: each is logged once
}

// Invoke runs one call. Exactly one of the Stream and the error is non-nil; the
// error is an *inference.Error. The Record is complete when the error is returned
// or the Stream is closed, shares nothing with other calls, and does not change
// from then on. A stage that panics makes an InternalServer error.
func (g *Gateway) Invoke(ctx context.Context, req *inference.Request) (inference.Stream, *inference.Record, error) {
	c := &call{request: req, record: g.open(req)}
	stream, err := g.run(ctx, c)
	if err == nil && g.isShadowed(c) {
		stream = g.shadow(ctx, c, stream)
	}
	return stream, c.record, err
}

// call is one call on its way along the line.
type call struct {
	request *inference.Request
	record  *inference.Record
	repeats *call // whose shadow it is, nil for a caller's own

	// Set on the way.
	routing   route.Call
	plan      []route.Choice
	answer    *route.Answer
	simulated bool // the answer says of itself that no model ran
}

// run takes a call along the line.
func (g *Gateway) run(ctx context.Context, c *call) (stream inference.Stream, err error) {
	req, record := c.request, c.record
	ctx = g.trace(ctx, req.Operation)
	defer func() {
		if cause := recover(); cause != nil {
			stream, err = nil, g.broken(ctx, record, cause)
		}
	}()

	profile, err := g.Catalog.Lookup(ctx, req.Model, req.SourceRegion)
	if err != nil {
		return nil, g.fail(ctx, record, err)
	}
	name(record, profile)

	grant, err := g.Policy.Authorize(g.question(req), profile)
	if err != nil {
		g.Log.LogAttrs(ctx, slog.LevelInfo, "call denied", slog.String("request_id", req.ID), slog.Any("error", err))
		return nil, g.fail(ctx, record, err)
	}
	verdict := grant.AWS // grants are shared between calls
	record.AWS = &verdict
	g.compare(ctx, req, grant)

	if err := g.plan(ctx, c, grant); err != nil {
		return nil, g.fail(ctx, record, err)
	}
	if err := g.reserve(ctx, c); err != nil {
		g.Log.LogAttrs(ctx, slog.LevelInfo, "call not admitted", slog.String("request_id", req.ID), slog.Any("error", err))
		return nil, g.fail(ctx, record, err)
	}
	c.answer, err = g.Router.Run(ctx, req, &c.routing, c.plan)
	c.tell()
	if err != nil {
		g.explain(ctx, req, err)
		return nil, g.fail(ctx, record, err)
	}
	return &metered{Stream: c.answer.Stream, ctx: ctx, gateway: g, call: c, said: g.listen(c)}, nil
}

// question is the call as the policies of its principal are asked about it.
func (g *Gateway) question(req *inference.Request) policy.Question {
	return policy.Question{
		Principal:        req.Principal.Name,
		ARN:              req.Principal.ARN,
		Action:           req.Operation.Action(),
		Circumstances:    req.Circumstances,
		Guardrail:        req.Header.Get(guardrailHeader),
		GuardrailVersion: req.Header.Get("X-Amzn-Bedrock-Guardrailversion"),
		ServiceTier:      req.Header.Get("X-Amzn-Bedrock-Service-Tier"),
		Now:              g.Clock(),
	}
}

// explain tells an operator why no target answered, which the caller is not told: a
// connection that was refused, credentials that are not there.
func (g *Gateway) explain(ctx context.Context, req *inference.Request, err error) {
	switch e := inference.AsError(err); e.Kind {
	case inference.ServiceUnavailable, inference.InternalServer, inference.AccessDenied, inference.ModelTimeout:
		g.Log.LogAttrs(ctx, slog.LevelWarn, "no target answered", slog.String("request_id", req.ID), slog.Any("error", e))
	}
}

// compare says so where AWS would have refused what is granted here.
func (g *Gateway) compare(ctx context.Context, req *inference.Request, grant *inference.Grant) {
	if grant.AWS.Allowed {
		return
	}
	g.Log.LogAttrs(ctx, slog.LevelInfo, "aws would refuse this call",
		slog.String("request_id", req.ID), slog.String("principal", req.Principal.Name),
		slog.String("profile", grant.Profile.Named()), slog.String("resource", string(grant.AWS.Resource)))
}

// broken settles the record of a call in which a stage panicked.
func (g *Gateway) broken(ctx context.Context, record *inference.Record, cause any) error {
	g.Log.LogAttrs(ctx, slog.LevelError, "stage panicked", slog.String("request_id", record.ID),
		slog.Any("panic", cause), slog.String("stack", string(debug.Stack())))
	return g.fail(ctx, record, fmt.Errorf("invoke model: panic: %v", cause))
}

// fail settles the record with what the caller is about to be told.
func (g *Gateway) fail(ctx context.Context, record *inference.Record, err error) error {
	e := inference.AsError(err)
	record.Error = &inference.Failure{Status: e.Kind.Status(), Type: e.Kind, Message: e.Message, Foreign: e.Foreign, RetryAfter: e.RetryAfter}
	g.settle(ctx, record)
	return e
}
