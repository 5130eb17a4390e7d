package route

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"fairway/internal/inference"
)

// frugal gives all its frames in the same memory, one after the other, as streams
// may.
type frugal struct {
	frames []string
	memory [8]byte
}

func (f *frugal) Next(context.Context) (inference.Event, error) {
	if len(f.frames) == 0 {
		return inference.Event{}, io.EOF
	}
	n := copy(f.memory[:], f.frames[0])
	f.frames = f.frames[1:]
	left := len(f.frames)
	return inference.Event{Raw: f.memory[:n], Content: left < 2, Final: left == 0}, nil
}

func (*frugal) Close() error { return nil }

// TestHeldFramesAreCopied: what is held back until content comes is not what the
// region goes on to read into.
func TestHeldFramesAreCopied(t *testing.T) {
	frames := []string{"start", "role", "text", "end"}
	w := &world{regions: map[inference.Region]behaviour{"a": func(context.Context) (inference.Stream, error) {
		return &frugal{frames: frames}, nil
	}}}
	got, err := run(t.Context(), New(Config{Upstream: w}), streamed, targets("a"))
	if err != nil {
		t.Fatal(err)
	}
	defer got.Stream.Close()
	for _, want := range frames {
		event, err := got.Stream.Next(t.Context())
		if err != nil || string(event.Raw) != want {
			t.Errorf("Next = %q, %v, want %q", event.Raw, err, want)
		}
	}
}

// TestNothingCountsBehindTheEnd: an answer is complete with its terminal event, whatever
// becomes of the connection then.
func TestNothingCountsBehindTheEnd(t *testing.T) {
	reset := errors.New("connection reset by peer")
	for name, answer := range map[string]behaviour{
		"reset": breaks(reset, start, content, final), "hangs": stalls(start, content, final), "says more": sends(start, content, final, content),
	} {
		r := New(Config{Upstream: &world{regions: map[inference.Region]behaviour{"a": answer}}, Breaker: BreakerConfig{Failures: 1}})
		call := callOf(streamed)
		call.OnCut = inference.ContinueOnCut
		got, err := r.Run(t.Context(), streamed, call, choose(targets("a", "b")...))
		if err != nil {
			t.Fatal(err)
		}
		texts, err := read(t, got.Stream)
		if err != io.EOF || !slices.Equal(texts, []string{"start", "content", "final"}) || len(got.Attempts()) != 1 {
			t.Errorf("%s behind the end: stream = %v, %v with %d attempts, want all of it, EOF, 1", name, texts, err, len(got.Attempts()))
		}
		if s := r.States(time.Now())[0]; s.State != Closed || s.InFlight != 0 {
			t.Errorf("%s behind the end: state of a = %+v, want closed", name, s)
		}
	}
}

// TestTooMuchAheadOfContent: a region that has much to say and no content is left
// for the next one, and counts as failed.
func TestTooMuchAheadOfContent(t *testing.T) {
	for name, test := range map[string]struct {
		events, size int
		answers      inference.Region
	}{
		"as many as may be":  {maxHeld, 1, "a"},
		"too many":           {maxHeld + 1, 1, "b"},
		"as large as may be": {4, maxHeldMemory / 4, "a"},
		"too large":          {4, maxHeldMemory/4 + 1, "b"},
		"signs of life":      {2 * maxHeld, 0, "a"},
	} {
		events := slices.Repeat([]inference.Event{{Raw: make([]byte, test.size)}}, test.events)
		if test.size == 0 {
			events = make([]inference.Event, test.events)
		}
		w := &world{regions: map[inference.Region]behaviour{"a": sends(append(events, whole)...), "b": sends(whole)}}
		r := New(Config{Upstream: w})
		got, err := run(t.Context(), r, streamed, targets("a", "b"))
		if err != nil {
			t.Fatalf("%s: Run = %v", name, err)
		}
		got.Stream.Close()
		failures := r.States(time.Now())[0].Failures
		if got.Target.Region != test.answers || failures != len(got.Attempts())-1 {
			t.Errorf("%s: %s answers and a has %d failures, want %s to answer", name, got.Target.Region, failures, test.answers)
		}
	}
}
