package telemetry

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	api "go.opentelemetry.io/otel/trace"
)

func recorded(t testing.TB, sample float64) (*Tracing, *tracetest.SpanRecorder) {
	spans := tracetest.NewSpanRecorder()
	traces := newTracing(TracingOptions{Sample: sample, ServiceName: "fairway", Version: "v1"}, trace.WithSpanProcessor(spans))
	t.Cleanup(func() { traces.Shutdown(context.Background()) })
	return traces, spans
}

// call is a call with one attempt below it.
func call(ctx context.Context, tracer api.Tracer) {
	ctx, above := tracer.Start(ctx, "call")
	_, below := tracer.Start(ctx, "attempt")
	below.End()
	above.End()
}

func incoming(flags string) context.Context {
	return Incoming(context.Background(), http.Header{
		"Traceparent": {"00-0102030405060708090a0b0c0d0e0f10-0102030405060708-" + flags},
		"Tracestate":  {"vendor=1"},
	})
}

// TestSampling: whole calls are sampled, and those of other traces as they are.
func TestSampling(t *testing.T) {
	for _, test := range []struct {
		name   string
		sample float64
		ctx    context.Context
		want   int
	}{
		{"all", 1, context.Background(), 2},
		{"none", 0, context.Background(), 0},
		{"in a sampled trace", 0, incoming("01"), 2},
		{"in a trace that is not", 1, incoming("00"), 0},
	} {
		traces, spans := recorded(t, test.sample)
		call(test.ctx, traces.Tracer())
		if got := len(spans.Ended()); got != test.want {
			t.Errorf("%s: %d spans, want %d", test.name, got, test.want)
		}
	}
	traces, spans := recorded(t, 0.5)
	for range 400 {
		call(context.Background(), traces.Tracer())
	}
	attempts := 0
	for _, span := range spans.Ended() {
		if span.Name() == "attempt" {
			attempts++
			if !span.Parent().IsValid() {
				t.Fatal("an attempt was sampled whose call was not")
			}
		}
	}
	if attempts < 100 || attempts > 300 || len(spans.Ended()) != 2*attempts {
		t.Errorf("%d spans of %d attempts, want about half of 400 calls with their attempts", len(spans.Ended()), attempts)
	}
}

func TestIncoming(t *testing.T) {
	got := api.SpanContextFromContext(incoming("01"))
	if got.TraceID().String() != "0102030405060708090a0b0c0d0e0f10" || !got.IsSampled() || !got.IsRemote() || got.TraceState().Get("vendor") != "1" {
		t.Errorf("Incoming() = %+v, want the caller's trace", got)
	}
	for _, h := range []http.Header{nil, {"Traceparent": {"nonsense"}}, {"Traceparent": {"00-00000000000000000000000000000000-0000000000000000-01"}}} {
		if got := api.SpanContextFromContext(Incoming(context.Background(), h)); got.IsValid() {
			t.Errorf("Incoming(%v) = %+v, want no trace", h, got)
		}
	}
}

func TestResourceAndLimits(t *testing.T) {
	traces, spans := recorded(t, 1)
	_, span := traces.Tracer().Start(t.Context(), "call", api.WithAttributes(attribute.String("model", strings.Repeat("x", 5000))))
	span.End()
	got := spans.Ended()[0]
	if name, ok := got.Resource().Set().Value("service.name"); !ok || name.AsString() != "fairway" {
		t.Errorf("service.name = %q, want fairway", name.AsString())
	}
	if n := len(got.Attributes()[0].Value.AsString()); n != maxAttribute {
		t.Errorf("attribute has %d characters, want %d", n, maxAttribute)
	}
}

func TestNoEndpoint(t *testing.T) {
	traces, err := NewTracing(t.Context(), TracingOptions{})
	if err != nil || traces.Tracer() != nil {
		t.Errorf("NewTracing(no endpoint) = tracer %v, %v, want none", traces.Tracer(), err)
	}
	if err := traces.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown() error = %v", err)
	}
	if _, err := NewTracing(t.Context(), TracingOptions{Endpoint: "http://a b"}); err == nil {
		t.Error("NewTracing(no URL) error = nil, want one")
	}
}

// TestExport: spans reach a collector, the last ones at Shutdown.
func TestExport(t *testing.T) {
	for base, path := range map[string]string{"": "/v1/traces", "/": "/v1/traces", "/otlp/traces": "/otlp/traces"} {
		type delivery struct {
			path string
			body []byte
		}
		got := make(chan delivery, 1)
		collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			got <- delivery{r.URL.Path, body}
		}))
		traces, err := NewTracing(t.Context(), TracingOptions{Endpoint: collector.URL + base, Sample: 1, ServiceName: "fairway-test"})
		if err != nil {
			t.Fatal(err)
		}
		call(t.Context(), traces.Tracer())
		if err := traces.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown() error = %v", err)
		}
		if d := <-got; d.path != path || !bytes.Contains(d.body, []byte("fairway-test")) || !bytes.Contains(d.body, []byte("attempt")) {
			t.Errorf("collector at %q got %d bytes at %s, want the call's spans at %s", base, len(d.body), d.path, path)
		}
		collector.Close()
	}
}

// TestCollectorAway: it is told of once a batch, and stops nothing.
func TestCollectorAway(t *testing.T) {
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "", 400) }))
	defer collector.Close()
	var log bytes.Buffer
	traces, err := NewTracing(t.Context(), TracingOptions{Endpoint: collector.URL, Sample: 1, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	call(t.Context(), traces.Tracer())
	if err := traces.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown() error = %v", err)
	}
	if strings.Count(log.String(), "traces not sent") != 1 || !strings.Contains(log.String(), "spans=2") {
		t.Errorf("log = %s, want one line of two spans", log.String())
	}
}

// BenchmarkStart is what a call pays for being traced or not.
func BenchmarkStart(b *testing.B) {
	for name, sample := range map[string]float64{"sampled": 1, "not-sampled": 1e-12, "never-sampled": 0} {
		b.Run(name, func(b *testing.B) {
			traces := newTracing(TracingOptions{Sample: sample}, trace.WithSpanProcessor(discard{}))
			defer traces.Shutdown(context.Background())
			ctx, tracer := b.Context(), traces.Tracer()
			b.ReportAllocs()
			for b.Loop() {
				_, span := tracer.Start(ctx, "call")
				span.End()
			}
		})
	}
	b.Run("no-header", func(b *testing.B) {
		ctx, h := b.Context(), http.Header{}
		b.ReportAllocs()
		for b.Loop() {
			Incoming(ctx, h)
		}
	})
}

type discard struct{}

func (discard) OnStart(context.Context, trace.ReadWriteSpan) {}
func (discard) OnEnd(trace.ReadOnlySpan)                     {}
func (discard) Shutdown(context.Context) error               { return nil }
func (discard) ForceFlush(context.Context) error             { return nil }
