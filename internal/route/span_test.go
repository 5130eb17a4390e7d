package route

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"fairway/internal/inference"
)

// Each attempt is a child of the call's span and carries on into the upstream.
func TestSpans(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)).Tracer("test")
	w := &world{regions: map[inference.Region]behaviour{"a": unavail, "b": sends(whole)}}
	ctx, call := tracer.Start(t.Context(), "call")
	plan := targets("a", "b")
	plan[1].Account = "111122223333"
	got, err := run(ctx, New(Config{Upstream: w, Tracer: tracer}), request, plan)
	if err != nil {
		t.Fatal(err)
	}
	got.Stream.Close()
	want := []map[attribute.Key]any{
		{
			"fairway.region": "a", "fairway.model": model, "fairway.account": "", "fairway.outcome": "failed",
			"http.response.status_code": int64(503), "error.type": "ServiceUnavailableException",
		},
		{
			"fairway.region": "b", "fairway.model": model, "fairway.account": "111122223333", "fairway.outcome": "ok",
			"http.response.status_code": int64(200),
		},
	}
	spans := recorder.Ended()
	if len(spans) != len(want) {
		t.Fatalf("%d spans ended, want %d", len(spans), len(want))
	}
	for i, span := range spans {
		said := map[attribute.Key]any{}
		for _, kv := range span.Attributes() {
			said[kv.Key] = kv.Value.AsInterface()
		}
		if diff := cmp.Diff(want[i], said); diff != "" {
			t.Errorf("attributes of span %d (-want +got):\n%s", i, diff)
		}
		if span.Name() != "attempt" || span.Parent().SpanID() != call.SpanContext().SpanID() || !w.spans[i].Equal(span.SpanContext()) {
			t.Errorf("span %d is %q, child of %s, with %s at the upstream: want an attempt of the call, known there", i, span.Name(), span.Parent().SpanID(), w.spans[i].SpanID())
		}
	}
	if status := spans[0].Status().Code; status != codes.Error {
		t.Errorf("status of the failed attempt = %v, want an error", status)
	}
}
