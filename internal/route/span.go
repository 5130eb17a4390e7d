package route

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"fairway/internal/inference"
)

// span begins the span of an attempt, below the call's. It lasts as long as the
// attempt's row says: up to the first content.
func (r *Router) span(ctx context.Context, t inference.Target) (context.Context, trace.Span) {
	if r.tracer == nil {
		return ctx, noop.Span{}
	}
	ctx, span := r.tracer.Start(ctx, "attempt", trace.WithSpanKind(trace.SpanKindClient))
	if span.IsRecording() {
		span.SetAttributes(
			attribute.String("fairway.region", string(t.Region)),
			attribute.String("fairway.model", t.Model),
			attribute.String("fairway.account", t.Account))
	}
	return ctx, span
}

// describe says on the span how the attempt ended.
func describe(span trace.Span, a inference.Attempt) {
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(
		attribute.String("fairway.outcome", string(a.Outcome)),
		attribute.Int("http.response.status_code", a.Status))
	if a.Hedge {
		span.SetAttributes(attribute.Bool("fairway.hedge", true))
	}
	if a.Outcome == inference.Failed {
		span.SetAttributes(attribute.String("error.type", string(a.Kind)))
		span.SetStatus(codes.Error, string(a.Kind))
	}
}
