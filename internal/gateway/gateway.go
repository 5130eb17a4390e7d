// Package gateway is the straight line: one function takes a decoded,
// authenticated request through the stages in order. Read this first.
//
//	front > authenticate > Lookup > Authorize > Plan > Run > Settle > front
package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/trace"

	"fairway/internal/catalog"
	"fairway/internal/inference"
	"fairway/internal/meter"
	"fairway/internal/policy"
	"fairway/internal/route"
)

// Gateway joins the stages. Its fields are set once and never change; a reloaded
// backend gets a new Gateway over the same Catalog, Router and Meter.
type Gateway struct {
	Catalog *catalog.Catalog // what exists
	Policy  *policy.Engine   // who may
	Router  *route.Router    // where to
	Meter   *meter.Meter     // what it cost
	Clock   func() time.Time
	Log     *slog.Logger
	Tracer  trace.Tracer // of the spans of calls; nil for none

	// Estimate is about how many input tokens a request has, 0 where nobody can say:
	// for answers that are cut before the model tells. Nil estimates nothing.
	Estimate func(*inference.Request, inference.ModelID) int
}

// Invoke runs one call. Exactly one of the Stream and the error is non-nil; the
// error is an *inference.Error. The Record is complete when the error is returned
// or the Stream is closed, shares nothing with other calls, and does not change
// from then on. A stage that panics makes an InternalServer error.
func (g *Gateway) Invoke(ctx context.Context, req *inference.Request) (stream inference.Stream, record *inference.Record, err error) {
	record = g.open(req)
	ctx = g.trace(ctx, req.Operation)
	defer func() {
		if cause := recover(); cause != nil {
			stream, err = nil, g.broken(ctx, record, cause)
		}
	}()

	profile, err := g.Catalog.Lookup(ctx, req.Model, req.SourceRegion)
	if err != nil {
		return nil, record, g.fail(ctx, record, err)
	}
	name(record, profile)

	grant, err := g.Policy.Authorize(req.Principal.Name, req.Operation.Action(), profile, g.Clock())
	if err != nil {
		g.Log.LogAttrs(ctx, slog.LevelInfo, "call denied", slog.String("request_id", req.ID), slog.Any("error", err))
		return nil, record, g.fail(ctx, record, err)
	}
	verdict := grant.AWS // grants are shared between calls
	record.AWS = &verdict
	g.compare(ctx, req, grant)

	var room [16]inference.Target
	plan, err := g.plan(room[:0], req, grant)
	if err != nil {
		return nil, record, g.fail(ctx, record, err)
	}
	record.Simulated = plan[0].Simulated

	answer, err := g.Router.Run(ctx, req, plan)
	record.Attempts = answer.Attempts
	if err != nil {
		g.explain(ctx, req, err)
		return nil, record, g.fail(ctx, record, err)
	}
	place(record, answer.Target)
	return &metered{Stream: answer.Stream, ctx: ctx, gateway: g, request: req, record: record}, record, nil
}

// open begins the call's record.
func (g *Gateway) open(req *inference.Request) *inference.Record {
	return &inference.Record{
		ID:           req.ID,
		Time:         g.Clock(),
		Operation:    req.Operation,
		Principal:    req.Principal.Name,
		Caller:       req.Caller.Name,
		Model:        inference.ModelID(req.Model),
		SourceRegion: req.SourceRegion,
		Attempts:     []inference.Attempt{},
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

// name records what the caller's model turned out to be.
func name(record *inference.Record, profile inference.Profile) {
	record.Model, record.CopiedFrom = profile.Model, profile.CopiedFrom
	if profile.ID != "" {
		id := string(profile.ID)
		record.Profile = &id
	}
}

// place records where the answer comes from. A run set of several regions leaves
// the destination unknown: no response of the service says where the model ran.
func place(record *inference.Record, t inference.Target) {
	record.Simulated = t.Simulated
	switch {
	case !t.Pinned():
		record.Destination = "unknown (one of " + strconv.Itoa(len(t.RunSet)) + ")"
	case t.RunSet != nil:
		record.DestinationRegion = t.RunSet[0]
	default:
		record.DestinationRegion = t.Region
	}
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
	record.Error = &inference.Failure{Status: e.Kind.Status(), Type: e.Kind, Message: e.Message}
	g.settle(ctx, record)
	return e
}
