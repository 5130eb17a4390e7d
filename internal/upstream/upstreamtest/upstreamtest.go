// Package upstreamtest is the conformance kit of upstreams: what every one of
// them promises, as code that each runs in its tests.
package upstreamtest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fairway/internal/inference"
)

// Upstream is what an attempt calls. Exactly one of Stream and error is non-nil;
// errors are *inference.Error with the region set.
type Upstream interface {
	Invoke(ctx context.Context, t inference.Target, r *inference.Request) (inference.Stream, error)
}

// Subject is an upstream under test. Its Target names a Claude model, and every
// call of the kit succeeds there. What serves it is closed by the test's Cleanup,
// idle connections included: the kit looks for goroutines that were left behind.
type Subject struct {
	Upstream Upstream
	Target   inference.Target

	// Operations are what the upstream answers; nil is all of them. InvokeModel
	// is always one of them.
	Operations []inference.Operation

	// Guards says that guardrails are applied, or passed on to who does.
	Guards bool

	// Hang makes the target accept calls and never answer; nil leaves out what
	// needs that.
	Hang func()
}

// patience is how long anything that must be prompt may take on a slow machine.
const patience = 10 * time.Second

// Run checks the contract, with a new subject for each part of it.
func Run(t *testing.T, subject func(t *testing.T) Subject) {
	for _, part := range []struct {
		name  string
		check func(*testing.T, Subject)
	}{
		{"answers once", answersOnce},
		{"shows life before it answers", showsLife},
		{"leaves the request alone", leavesRequestAlone},
		{"refuses with the region's error", refuses},
		{"honours a context that has ended", honoursEndedContext},
		{"ends with the context", endsWithContext},
		{"a stream honours a context that has ended", streamHonoursEndedContext},
		{"closes at any time", closesAnyTime},
		{"answers every operation", answersEveryOperation},
		{"streams in pieces", streamsInPieces},
		{"counts tokens", countsTokens},
		{"refuses a bad body of every operation", refusesBadBodies},
		{"ends in the middle of a stream", endsMidStream},
		{"drops no guardrail", dropsNoGuardrail},
		{"tells how it served", tellsService},
	} {
		t.Run(part.name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			t.Cleanup(func() { goleak.VerifyNone(t, before) }) // runs after the subject's own
			part.check(t, subject(t))
		})
	}
}

// request is a new InvokeModel request for the target.
func request(s Subject, body string) *inference.Request {
	return operation(s, inference.InvokeModel, body)
}

// operation is a new request of op for the target.
func operation(s Subject, op inference.Operation, body string) *inference.Request {
	return &inference.Request{
		ID:           "00000000-0000-4000-8000-000000000000",
		Operation:    op,
		Model:        s.Target.Model,
		SourceRegion: s.Target.Region,
		Body:         []byte(body),
	}
}

// call invokes and fails the test unless exactly one of stream and error came.
func call(t *testing.T, ctx context.Context, s Subject, r *inference.Request) (inference.Stream, error) {
	t.Helper()
	stream, err := s.Upstream.Invoke(ctx, s.Target, r)
	if (stream == nil) != (err != nil) {
		t.Fatalf("Invoke = %v, %v, want exactly one", stream, err)
	}
	return stream, err
}

func answersOnce(t *testing.T, s Subject) {
	stream, err := call(t, t.Context(), s, request(s, Body))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	var last inference.Event
	for events := 0; ; events++ {
		event, err := stream.Next(t.Context())
		if err == io.EOF {
			if events == 0 {
				t.Fatal("stream has no event")
			}
			break
		}
		if err != nil {
			t.Fatalf("Next error = %v", err)
		}
		if last.Final {
			t.Fatal("an event follows the final one")
		}
		last = event
	}
	if !last.Final {
		t.Error("io.EOF came without a final event")
	}
	if last.Usage == nil || last.Usage.InputTokens <= 0 || last.Usage.OutputTokens <= 0 {
		t.Errorf("final event's usage = %+v, want input and output tokens", last.Usage)
	}
	if !json.Valid(last.Raw) {
		t.Errorf("final event = %q, want JSON", last.Raw)
	}
	if _, err := stream.Next(t.Context()); err != io.EOF {
		t.Errorf("Next after the end = %v, want io.EOF", err)
	}
}

// showsLife: a region has begun before it is done, and says so with an event
// that is no content. A router tells by it who is slow from who is stuck.
func showsLife(t *testing.T, s Subject) {
	stream, err := call(t, t.Context(), s, request(s, Body))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	event, err := stream.Next(t.Context())
	if err != nil || event.Content || event.Final {
		t.Errorf("first event = %+v, %v, want a sign of life, neither content nor final", event, err)
	}
}

// final reads up to the terminal event.
func final(t *testing.T, stream inference.Stream) inference.Event {
	t.Helper()
	for {
		event, err := stream.Next(t.Context())
		if err != nil {
			t.Fatalf("Next error = %v before the final event", err)
		}
		if event.Final {
			return event
		}
	}
}

func leavesRequestAlone(t *testing.T, s Subject) {
	r := request(s, Body)
	stream, err := call(t, t.Context(), s, r)
	if err != nil {
		t.Fatal(err)
	}
	event := final(t, stream)
	raw := slices.Clone(event.Raw)
	stream.Close()
	again, err := call(t, t.Context(), s, r)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	final(t, again)
	if string(r.Body) != Body {
		t.Errorf("body after two calls = %s, want it unchanged", r.Body)
	}
	if string(event.Raw) != string(raw) {
		t.Error("an event changed after it was given")
	}
}

func refuses(t *testing.T, s Subject) {
	_, err := call(t, t.Context(), s, request(s, `{"max_tokens":"many"}`))
	if e := regionError(t, s, err); e.Kind != inference.Validation || e.Message == "" {
		t.Errorf("error = %v, want a validation error with a message", err)
	}
}

func honoursEndedContext(t *testing.T, s Subject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := call(t, ctx, s, request(s, Body))
	if e := regionError(t, s, err); e.Kind != inference.Canceled {
		t.Errorf("error kind = %s, want %s", e.Kind, inference.Canceled)
	}
}

func endsWithContext(t *testing.T, s Subject) {
	if s.Hang == nil {
		t.Skip("the subject cannot hang")
	}
	s.Hang()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := s.Upstream.Invoke(ctx, s.Target, request(s, Body))
		done <- err
	}()
	cancel()
	select {
	case err := <-done:
		if e := regionError(t, s, err); e.Kind != inference.Canceled {
			t.Errorf("error kind = %s, want %s", e.Kind, inference.Canceled)
		}
	case <-time.After(patience):
		t.Fatal("Invoke outlives its context")
	}
	ctx, cancel = context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := call(t, ctx, s, request(s, Body))
	if e := regionError(t, s, err); !e.Transport {
		t.Errorf("error after the deadline = %v, want a transport error", err)
	}
}

func streamHonoursEndedContext(t *testing.T, s Subject) {
	stream, err := call(t, t.Context(), s, request(s, Body))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 { // an error ends the stream
		_, err = stream.Next(ctx)
		if e := regionError(t, s, err); e.Kind != inference.Canceled {
			t.Errorf("error kind = %s, want %s", e.Kind, inference.Canceled)
		}
	}
}

// closesAnyTime: before the first event, between events and after the last.
func closesAnyTime(t *testing.T, s Subject) {
	for _, read := range []func(inference.Stream){
		func(inference.Stream) {},
		func(stream inference.Stream) { _, _ = stream.Next(t.Context()) },
		func(stream inference.Stream) { final(t, stream) },
	} {
		stream, err := call(t, t.Context(), s, request(s, Body))
		if err != nil {
			t.Fatal(err)
		}
		read(stream)
		for range 2 {
			if err := stream.Close(); err != nil {
				t.Errorf("Close = %v, want nil", err)
			}
		}
	}
}

// regionError is err as what an upstream must answer with.
func regionError(t *testing.T, s Subject, err error) *inference.Error {
	t.Helper()
	e, ok := errors.AsType[*inference.Error](err)
	if !ok {
		t.Fatalf("error = %v (%T), want *inference.Error", err, err)
	}
	if e.Region != s.Target.Region {
		t.Errorf("error's region = %q, want %q", e.Region, s.Target.Region)
	}
	return e
}
