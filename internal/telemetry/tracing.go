package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	api "go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// TracingOptions say where spans go.
type TracingOptions struct {
	Endpoint    string  // OTLP over HTTP, "http://127.0.0.1:4318"; empty for no spans
	Sample      float64 // of the calls that come without a trace, from 0 to 1
	ServiceName string
	Version     string
	Log         *slog.Logger // default: none
}

// Tracing sends the spans of sampled calls to a collector, in batches and in the
// background: a collector that is away or slow loses spans and holds nobody up.
type Tracing struct {
	provider *trace.TracerProvider // nil for none
	tracer   api.Tracer
}

// NewTracing starts to send spans to the endpoint; without one there are none.
// The caller ends it with Shutdown.
func NewTracing(ctx context.Context, o TracingOptions) (*Tracing, error) {
	if o.Endpoint == "" {
		return &Tracing{}, nil
	}
	collector, err := url.Parse(o.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("send traces: %w", err)
	}
	if collector.Path == "" || collector.Path == "/" {
		collector.Path = "/v1/traces" // as OTEL_EXPORTER_OTLP_ENDPOINT is read
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(collector.String()), otlptracehttp.WithTimeout(exportTimeout))
	if err != nil {
		return nil, fmt.Errorf("send traces to %s: %w", o.Endpoint, err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return newTracing(o, trace.WithBatcher(told{exporter, o.Log})), nil
}

// exportTimeout is how long a batch of spans may take to be sent.
const exportTimeout = 10 * time.Second

func newTracing(o TracingOptions, sink trace.TracerProviderOption) *Tracing {
	limits := trace.NewSpanLimits()
	limits.AttributeValueLengthLimit = maxAttribute
	provider := trace.NewTracerProvider(sink,
		trace.WithRawSpanLimits(limits),
		trace.WithSampler(trace.AlwaysSample()), // sampler.Start decides
		trace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", o.ServiceName),
			attribute.String("service.version", o.Version),
		)))
	return &Tracing{provider: provider, tracer: sampler{Tracer: provider.Tracer("fairway"), ratio: o.Sample}}
}

// maxAttribute is the length of the longest value of an attribute, in characters.
const maxAttribute = 1024

// Tracer starts the spans of calls and attempts; nil without an endpoint.
func (t *Tracing) Tracer() api.Tracer { return t.tracer }

// Shutdown sends what is left, until ctx ends.
func (t *Tracing) Shutdown(ctx context.Context) error {
	if t.provider == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// Incoming is ctx with the trace that a request belongs to, by its W3C headers.
func Incoming(ctx context.Context, h http.Header) context.Context {
	if len(h["Traceparent"]) == 0 {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(h))
}

// sampler starts spans in the traces that are sampled: of traces that others have
// begun as they have decided, of its own by ratio. It decides before the SDK makes
// anything, so that a call that is not sampled costs next to nothing.
type sampler struct {
	api.Tracer
	ratio float64
}

// Start gives the span above, or one that records nothing, where it starts none.
func (s sampler) Start(ctx context.Context, name string, options ...api.SpanStartOption) (context.Context, api.Span) {
	above := api.SpanFromContext(ctx)
	_, decided := above.(unsampled)
	begun := above.SpanContext()
	switch {
	case begun.IsSampled():
		return s.Tracer.Start(ctx, name, options...)
	case begun.IsValid(), decided:
		return ctx, above
	case s.ratio == 0: // and none below would decide otherwise
		return ctx, unsampled{}
	case rand.Float64() < s.ratio:
		return s.Tracer.Start(ctx, name, options...)
	}
	return api.ContextWithSpan(ctx, unsampled{}), unsampled{}
}

// unsampled is the span of a call that is in no trace: it keeps the spans below it
// from deciding anew.
type unsampled struct{ noop.Span }

// told logs what could not be sent, in place of the SDK's own handler of errors,
// which is one for the whole process.
type told struct {
	trace.SpanExporter
	log *slog.Logger
}

// ExportSpans never fails: the spans are lost then.
func (t told) ExportSpans(ctx context.Context, spans []trace.ReadOnlySpan) error {
	if err := t.SpanExporter.ExportSpans(ctx, spans); err != nil {
		t.log.WarnContext(ctx, "traces not sent", "spans", len(spans), "error", err)
	}
	return nil
}
