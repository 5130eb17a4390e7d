package bedrock

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"

	"fairway/internal/dialect"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
	"fairway/internal/upstream/upstreamtest"
	"fairway/internal/wire/eventstream"
)

// frames are a whole answer of an operation.
func frames(t testing.TB, operation inference.Operation) (raw [][]byte) {
	t.Helper()
	form, err := invocation.Of(operation, model)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events(form.Begin(dialect.Head{ID: "1", Model: "claude-sonnet-4-20250514"})) {
		raw = append(raw, e.Raw)
	}
	return raw
}

// sends answers a stream of bytes.
func sends(parts ...[]byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
		_, _ = w.Write(slices.Concat(parts...))
	}
}

// TestStreamIsRelayedRaw: every frame as it came, padding and all, and what it is.
func TestStreamIsRelayedRaw(t *testing.T) {
	f := newAWS(t)
	u := f.upstream(t, Config{})
	sent := frames(t, inference.ConverseStream)
	sent = slices.Insert(sent, 1, eventstream.Event("surprise", "application/json", []byte(`{"p":"abcdefgh"}`)))
	f.answer = sends(sent...)
	stream, err := u.Invoke(t.Context(), target, ask(inference.ConverseStream, upstreamtest.ConverseBody))
	if err != nil {
		t.Fatal(err)
	}
	got, err := read(t.Context(), stream)
	if err != io.EOF || len(got) != len(sent) {
		t.Fatalf("stream = %d events, %v, want %d, EOF", len(got), err, len(sent))
	}
	for i, e := range got {
		if !slices.Equal(e.Raw, sent[i]) {
			t.Errorf("event %d = %q, want %q", i, e.Raw, sent[i])
		}
	}
	if last := got[len(got)-1]; !last.Final || last.Usage == nil || last.Usage.OutputTokens != usage.OutputTokens {
		t.Errorf("last event = %+v, want final with usage", last)
	}
}

// TestStreamBreaks: what a stream can end with in place of its terminal event.
func TestStreamBreaks(t *testing.T) {
	whole := frames(t, inference.ConverseStream)
	begun := slices.Concat(whole[:4]...)
	damaged := slices.Clone(whole[4])
	damaged[len(damaged)-1] ^= 1
	lied := slices.Clone(whole[4])
	lied[0] = 0x7f
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		events int
		want   inference.Error
	}{
		{"nothing", sends(), 0, inference.Error{Kind: inference.ServiceUnavailable, Transport: true}},
		{"an exception first", sends(eventstream.Exception("throttlingException", "Too many tokens, please wait before trying again.")), 0,
			inference.Error{Kind: inference.Throttling, Message: "Too many tokens, please wait before trying again."}},
		{"an exception", sends(begun, eventstream.Exception("modelStreamErrorException", "m")), 4,
			inference.Error{Kind: inference.ModelStreamError, Message: "m"}},
		{"the end between frames", sends(begun), 4, inference.Error{Kind: inference.ServiceUnavailable, Transport: true}},
		{"the end within a frame", sends(begun, whole[4][:20]), 4, inference.Error{Kind: inference.ServiceUnavailable, Transport: true}},
		{"a wrong checksum", sends(begun, damaged), 4, inference.Error{Kind: inference.ServiceUnavailable, Transport: true}},
		{"a wrong length", sends(begun, lied), 4, inference.Error{Kind: inference.ServiceUnavailable, Transport: true}},
		{"a dropped connection", func(w http.ResponseWriter, r *http.Request) {
			sends(begun)(w, r)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, 4, inference.Error{Kind: inference.ServiceUnavailable, Transport: true}},
	} {
		f := newAWS(t)
		u := f.upstream(t, Config{})
		f.answer = test.answer
		stream, err := u.Invoke(t.Context(), target, ask(inference.ConverseStream, upstreamtest.ConverseBody))
		if err != nil {
			t.Errorf("%s: Invoke = %v", test.name, err)
			continue
		}
		got, err := read(t.Context(), stream)
		e, ok := errors.AsType[*inference.Error](err)
		if !ok || e.Kind != test.want.Kind || e.Transport != test.want.Transport || e.Region != singapore ||
			test.want.Message != "" && e.Message != test.want.Message {
			t.Errorf("%s: stream ended with %v, want %v", test.name, err, &test.want)
		}
		if len(got) != test.events {
			t.Errorf("%s: %d events, want %d", test.name, len(got), test.events)
		}
		if _, again := stream.Next(t.Context()); again != err {
			t.Errorf("%s: Next after the error = %v, want the same", test.name, again)
		}
	}
}

// TestNoEventStream: a 200 of something else is no answer.
func TestNoEventStream(t *testing.T) {
	f := newAWS(t)
	u := f.upstream(t, Config{})
	f.answer = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }
	_, err := u.Invoke(t.Context(), target, ask(inference.ConverseStream, upstreamtest.ConverseBody))
	if e, ok := errors.AsType[*inference.Error](err); !ok || !e.Transport {
		t.Errorf("Invoke = %v, want a transport error", err)
	}
}

// TestCancelReachesTheRegion: a caller that leaves ends the call there.
func TestCancelReachesTheRegion(t *testing.T) {
	f := newAWS(t)
	u := f.upstream(t, Config{})
	left := make(chan struct{})
	begun := frames(t, inference.ConverseStream)[:4]
	f.answer = func(w http.ResponseWriter, r *http.Request) {
		sends(begun...)(w, r)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(left)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := u.Invoke(ctx, target, ask(inference.ConverseStream, upstreamtest.ConverseBody))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if _, err := stream.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	cancel()
	<-left
}

// TestStreamThatDoesNotEnd: a region that keeps the body open behind its terminal
// frame holds nobody up.
func TestStreamThatDoesNotEnd(t *testing.T) {
	f := newAWS(t)
	u := f.upstream(t, Config{})
	all := frames(t, inference.ConverseStream)
	f.answer = func(w http.ResponseWriter, r *http.Request) {
		sends(all...)(w, r)
		_ = http.NewResponseController(w).Flush()
		hang(f, r)
	}
	stream, err := u.Invoke(t.Context(), target, ask(inference.ConverseStream, upstreamtest.ConverseBody))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := read(t.Context(), stream); err != io.EOF || len(got) != len(all) {
		t.Errorf("stream = %d events, %v, want %d, EOF", len(got), err, len(all))
	}
}
