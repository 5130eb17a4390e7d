package gateway

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"fairway/internal/inference"
)

// trace begins the span of a call, in the trace that ctx is part of. It lasts
// until the record settles. The call is served here, and its attempts, below it,
// are what this server calls.
func (g *Gateway) trace(ctx context.Context, op inference.Operation) context.Context {
	if g.Tracer == nil {
		return ctx
	}
	ctx, _ = g.Tracer.Start(ctx, string(op), served...)
	return ctx
}

// served is made once: most calls are not sampled, and should cost nothing.
var served = []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)}

// settle ends a call: its record, and its span.
func (g *Gateway) settle(ctx context.Context, record *inference.Record) {
	g.Meter.Settle(ctx, record)
	if g.Tracer == nil {
		return
	}
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		describe(span, record)
		span.End()
	}
}

// describe says on the span what the record says, in the terms of OpenTelemetry's
// conventions for generative AI (core conventions 1.42) and in ours beside them.
// Never the caller behind the principal, nor a message: it may quote the request.
func describe(span trace.Span, r *inference.Record) {
	model := string(r.Model)
	if r.Profile != nil {
		model = *r.Profile
	}
	if r.AWS != nil && !strings.HasPrefix(model, "arn:") { // it exists, and is not one account's: the names of spans are bounded
		span.SetName(string(r.Operation) + " " + model)
	}
	cached := r.Usage.CacheReadTokens + r.Usage.CacheWriteTokens
	span.SetAttributes(
		attribute.String("gen_ai.operation.name", task(r.Operation, r.Model)),
		attribute.String("gen_ai.provider.name", "aws.bedrock"),
		attribute.String("gen_ai.request.model", model),
		attribute.Int("gen_ai.usage.input_tokens", r.Usage.InputTokens+cached), // there they include the cached ones
		attribute.Int("gen_ai.usage.output_tokens", r.Usage.OutputTokens),
		attribute.Int("gen_ai.usage.cache_read.input_tokens", r.Usage.CacheReadTokens),
		attribute.Int("gen_ai.usage.cache_creation.input_tokens", r.Usage.CacheWriteTokens),
		attribute.String("fairway.request_id", r.ID),
		attribute.String("fairway.principal", r.Principal),
		attribute.String("fairway.model", string(r.Model)),
		attribute.String("fairway.source_region", string(r.SourceRegion)),
		attribute.String("fairway.destination_region", string(r.DestinationRegion)),
		attribute.Int("fairway.attempts", len(r.Attempts)),
		attribute.String("fairway.cost_usd", r.Cost.String()),
		attribute.Bool("fairway.simulated", r.Simulated),
		attribute.String("fairway.policy", string(r.Policy)),
	)
	if len(r.Residency) > 0 {
		span.SetAttributes(attribute.StringSlice("fairway.residency", r.Residency))
	}
	if len(r.Plan) > 0 {
		span.SetAttributes(attribute.StringSlice("fairway.plan", ranking(r.Plan)))
	}
	if r.Fallback != "" {
		span.SetAttributes(attribute.String("fairway.fallback", r.Fallback))
	}
	if r.Continued > 0 {
		span.SetAttributes(attribute.Int("fairway.continued", r.Continued))
	}
	if cut := brokeOff(r); len(cut) > 0 {
		span.SetAttributes(attribute.StringSlice("fairway.cut", cut))
	}
	if r.ShadowOf != "" {
		span.SetAttributes(attribute.String("fairway.shadow_of", r.ShadowOf))
	}
	if r.Error != nil {
		span.SetAttributes(attribute.String("error.type", string(r.Error.Type)))
		span.SetStatus(codes.Error, string(r.Error.Type))
	}
}

// ranking is a line for each target of a plan: where, what, and why there.
func ranking(plan []inference.Ranked) []string {
	lines := make([]string, len(plan))
	for i, ranked := range plan {
		lines[i] = strings.TrimSpace(string(ranked.Region)+" "+ranked.Account) + " " + ranked.Model + ": " + ranked.Because
	}
	return lines
}

// brokeOff are the regions in which an answer broke off: the span of an attempt, which
// ends with its first content, cannot tell.
func brokeOff(r *inference.Record) (regions []string) {
	for _, a := range r.Attempts {
		if a.Cut {
			regions = append(regions, string(a.Region))
		}
	}
	return regions
}

// task is what the model was asked to do, by the convention's names where it has
// one.
func task(op inference.Operation, model inference.ModelID) string {
	switch {
	case op == inference.CountTokens:
		return "count_tokens"
	case op == inference.Converse, op == inference.ConverseStream:
		return "chat"
	case strings.Contains(string(model), "embed"):
		return "embeddings"
	case strings.HasPrefix(string(model), "amazon.titan-text"), strings.HasPrefix(string(model), "meta."), strings.HasPrefix(string(model), "mistral."):
		return "text_completion"
	default:
		return "chat"
	}
}
