package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"fairway/internal/catalog"
	"fairway/internal/inference"
)

// traced is a line whose spans are recorded.
func traced(t *testing.T, upstream regions) (*line, *tracetest.SpanRecorder) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(spans))
	t.Cleanup(func() { provider.Shutdown(t.Context()) })
	l := newLine(t, upstream, ticking(), everything)
	l.Tracer = provider.Tracer("test")
	return l, spans
}

func attributes(span sdk.ReadOnlySpan) map[string]string {
	all := map[string]string{}
	for _, a := range span.Attributes() {
		all[string(a.Key)] = a.Value.String()
	}
	return all
}

// TestSpan: one span a call, which ends when the call has.
func TestSpan(t *testing.T) {
	cached := inference.Usage{InputTokens: 10, OutputTokens: 20, CacheReadTokens: 300, CacheWriteTokens: 4000}
	ended := inference.Event{Raw: []byte(`{}`), Content: true, Final: true, Usage: &cached}
	l, spans := traced(t, regions{source: sends(ended)})
	stream, _, err := l.Invoke(t.Context(), request("id"))
	if err != nil {
		t.Fatal(err)
	}
	if got := len(spans.Ended()); got != 0 {
		t.Errorf("%d spans ended before the stream was read, want 0", got)
	}
	if err := read(t.Context(), stream); err != nil {
		t.Fatal(err)
	}
	stream.Close()
	if len(spans.Ended()) != 1 {
		t.Fatalf("%d spans ended, want 1", len(spans.Ended()))
	}
	span := spans.Ended()[0]
	if span.Name() != "InvokeModel "+profile || span.SpanKind() != trace.SpanKindServer || span.Status().Code != codes.Unset {
		t.Errorf("span = %q, %v, %v, want the operation and the profile, served without an error", span.Name(), span.SpanKind(), span.Status())
	}
	want := map[string]string{
		"gen_ai.operation.name":                    "chat",
		"gen_ai.provider.name":                     "aws.bedrock",
		"gen_ai.request.model":                     profile,
		"gen_ai.usage.input_tokens":                "4310",
		"gen_ai.usage.output_tokens":               "20",
		"gen_ai.usage.cache_read.input_tokens":     "300",
		"gen_ai.usage.cache_creation.input_tokens": "4000",
		"fairway.request_id":                       "id",
		"fairway.principal":                        "caller",
		"fairway.model":                            model,
		"fairway.source_region":                    string(source),
		"fairway.destination_region":               string(source),
		"fairway.attempts":                         "1",
		"fairway.cost_usd":                         l.kept.records[0].Cost.String(),
		"fairway.simulated":                        "true",
		"fairway.policy":                           "adaptive",
	}
	if diff := cmp.Diff(want, attributes(span)); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

// TestSpanOfAFailure: the kind is told and the message is not, for it may quote
// the request; a model that does not exist names no span.
func TestSpanOfAFailure(t *testing.T) {
	for _, c := range []struct {
		name    string
		regions regions
		model   string
		span    string
		kind    inference.Kind
	}{
		{"refused by the region", regions{source: fails(inference.Error{Kind: inference.Validation, Message: "MYSECRET"})}, profile, "InvokeModel " + profile, inference.Validation},
		{"no such model", nil, "MYSECRET", "InvokeModel", inference.Validation},
		{"a stage that panics", regions{source: func(ctx context.Context) (inference.Stream, error) { panic("MYSECRET") }}, profile, "InvokeModel " + profile, inference.InternalServer},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, spans := traced(t, c.regions)
			r := request("id")
			r.Model = c.model
			_, _, err := l.Invoke(t.Context(), r)
			if len(spans.Ended()) != 1 || err == nil {
				t.Fatalf("%d spans ended, error %v, want one span and an error", len(spans.Ended()), err)
			}
			span := spans.Ended()[0]
			if span.Name() != c.span || span.Status().Code != codes.Error || span.Status().Description != string(c.kind) || attributes(span)["error.type"] != string(c.kind) {
				t.Errorf("span = %q, %+v, %v, want %q that failed with %s", span.Name(), span.Status(), attributes(span), c.span, c.kind)
			}
			if shown := fmt.Sprint(span.Status(), span.Events(), attributes(span)); c.model == profile && strings.Contains(shown, "MYSECRET") {
				t.Errorf("span shows %s, want no message", shown)
			}
		})
	}
}

// TestSpanOfACanceledCall: a caller that goes away ends the span.
func TestSpanOfACanceledCall(t *testing.T) {
	l, spans := traced(t, regions{source: sends(begun, content, ended)})
	stream, _, err := l.Invoke(t.Context(), request("id"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(stream.Close(), stream.Close()); err != nil {
		t.Fatal(err)
	}
	if len(spans.Ended()) != 1 || attributes(spans.Ended()[0])["error.type"] != string(inference.Canceled) {
		t.Errorf("%d spans ended, want one that was canceled", len(spans.Ended()))
	}
}

// TestSpanOfWhatHappensToFew: an attribute is there only where it did happen.
func TestSpanOfWhatHappensToFew(t *testing.T) {
	_, spans := traced(t, nil)
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(spans))
	defer provider.Shutdown(t.Context())
	_, span := provider.Tracer("test").Start(t.Context(), "a")
	describe(span, &inference.Record{
		Fallback: novaProfile, Continued: 2, ShadowOf: "f00d", Attempts: []inference.Attempt{{Region: source, Cut: true}, {Region: tokyo}}, Residency: []string{"apac", "eu"},
		Plan: []inference.Ranked{{Region: source, Model: model, Because: "near"}, {Region: tokyo, Account: "111122223333", Model: model, Because: "next"}},
	})
	span.End()
	got := attributes(spans.Ended()[0])
	if got["fairway.fallback"] != novaProfile || got["fairway.continued"] != "2" || got["fairway.shadow_of"] != "f00d" {
		t.Errorf("attributes = %v, want the fallback, two continuations and the shadow's call", got)
	}
	if got["fairway.cut"] != `["ap-southeast-1"]` {
		t.Errorf("cut in %s, want %s alone", got["fairway.cut"], source)
	}
	const plan = `["ap-southeast-1 ` + model + `: near","ap-northeast-1 111122223333 ` + model + `: next"]`
	if got["fairway.residency"] != `["apac","eu"]` || got["fairway.plan"] != plan {
		t.Errorf("residency = %s and plan = %s, want both geographies and %s", got["fairway.residency"], got["fairway.plan"], plan)
	}
}

// TestSpanOfAnARN: resources of accounts have no end, and name no span.
func TestSpanOfAnARN(t *testing.T) {
	l, spans := traced(t, nil)
	l.Catalog = catalog.New(catalog.Options{Account: account, Remote: aws{}})
	r := request("id")
	r.Model = provisioned
	stream, _, err := l.Invoke(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	stream.Close()
	if span := spans.Ended()[0]; span.Name() != "InvokeModel" || attributes(span)["gen_ai.request.model"] != provisioned {
		t.Errorf("span = %q of %s, want the operation alone of %s", span.Name(), attributes(span)["gen_ai.request.model"], provisioned)
	}
}

// TestSpanInATrace: a call is part of the trace that it came with, and what runs
// for it is below it.
func TestSpanInATrace(t *testing.T) {
	var below trace.SpanContext
	well := sends(whole)
	l, spans := traced(t, regions{source: func(ctx context.Context) (inference.Stream, error) {
		below = trace.SpanContextFromContext(ctx)
		return well(ctx)
	}})
	above := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled, Remote: true})
	stream, _, err := l.Invoke(trace.ContextWithRemoteSpanContext(t.Context(), above), request("id"))
	if err != nil {
		t.Fatal(err)
	}
	stream.Close()
	span := spans.Ended()[0]
	if span.Parent().SpanID() != above.SpanID() || below.TraceID() != above.TraceID() || below.SpanID() != span.SpanContext().SpanID() {
		t.Errorf("span = %+v below %+v, and below it %+v, want all of one trace", span.SpanContext(), span.Parent(), below)
	}
}

func TestTask(t *testing.T) {
	for _, test := range []struct {
		op    inference.Operation
		model inference.ModelID
		want  string
	}{
		{inference.InvokeModel, model, "chat"},
		{inference.Converse, "mistral.mistral-7b-instruct-v0:2", "chat"},
		{inference.InvokeModelWithResponseStream, "mistral.mistral-7b-instruct-v0:2", "text_completion"},
		{inference.InvokeModel, "amazon.titan-embed-text-v2:0", "embeddings"},
		{inference.CountTokens, model, "count_tokens"},
	} {
		if got := task(test.op, test.model); got != test.want {
			t.Errorf("task(%s, %s) = %q, want %q", test.op, test.model, got, test.want)
		}
	}
}

// BenchmarkTrace is what a call pays that has no span.
func BenchmarkTrace(b *testing.B) {
	above := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}})
	for name, g := range map[string]*Gateway{"no-tracer": {}, "not-sampled": {Tracer: unsampled{}}} {
		b.Run(name, func(b *testing.B) {
			ctx := trace.ContextWithSpanContext(b.Context(), above)
			b.ReportAllocs()
			for b.Loop() {
				g.trace(ctx, inference.Converse)
			}
		})
	}
}

// unsampled is a tracer that samples nothing.
type unsampled struct{ noop.Tracer }

func (unsampled) Start(ctx context.Context, _ string, _ ...trace.SpanStartOption) (context.Context, trace.Span) {
	return ctx, noop.Span{}
}
