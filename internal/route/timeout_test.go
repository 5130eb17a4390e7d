package route

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fairway/internal/inference"
)

var streamed = &inference.Request{ID: "1", Operation: inference.ConverseStream, SourceRegion: "a"}

// A stream that shows life and no content is left for the next target, which
// counts as a failure. A unary answer is not: its first content is all of it.
func TestFirstContentTimeout(t *testing.T) {
	life := step{time.Second, start}
	for _, test := range []struct {
		req      *inference.Request
		answers  inference.Region
		waited   time.Duration
		failures int
	}{
		{streamed, "b", 3 * time.Second, 1},
		{request, "a", 5 * time.Second, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &world{regions: map[inference.Region]behaviour{
				"a": paces(life, life, life, life, step{time.Second, whole}), "b": sends(whole),
			}}
			r := New(Config{Upstream: w, FirstContent: 3 * time.Second})
			began := time.Now()
			got, err := run(t.Context(), r, test.req, targets("a", "b"))
			if err != nil {
				t.Fatalf("Run(%s) error = %v", test.req.Operation, err)
			}
			defer got.Stream.Close()
			if waited := time.Since(began); got.Target.Region != test.answers || waited != test.waited {
				t.Errorf("Run(%s) = %s after %s, want %s after %s", test.req.Operation, got.Target.Region, waited, test.answers, test.waited)
			}
			if s := r.States(time.Now())[0]; s.Failures != test.failures {
				t.Errorf("Run(%s): a has %d failures, want %d", test.req.Operation, s.Failures, test.failures)
			}
		})
	}
}

// A stream that stalls after its first content fails for the caller, and the
// target's breaker hears of it. A reader that takes its time is not a stall.
func TestChunkTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{regions: map[inference.Region]behaviour{"a": paces(step{0, content}, step{3 * time.Second, content}, step{time.Hour, final})}}
		r := New(Config{Upstream: w, ChunkTimeout: 5 * time.Second, Breaker: BreakerConfig{Failures: 1}})
		got, err := run(t.Context(), r, streamed, targets("a"))
		if err != nil {
			t.Fatalf("Run() error = %v", err)
		}
		defer got.Stream.Close()
		for range 2 {
			time.Sleep(time.Minute) // the reader
			if _, err := got.Stream.Next(t.Context()); err != nil {
				t.Fatalf("Next() error = %v", err)
			}
		}
		began := time.Now()
		_, err = got.Stream.Next(t.Context())
		if e := inference.AsError(err); e.Kind != inference.ServiceUnavailable || e.Region != "a" || time.Since(began) != 5*time.Second {
			t.Errorf("Next() = %v after %s, want ServiceUnavailableException of a after 5s", err, time.Since(began))
		}
		if s := r.States(time.Now())[0]; s.State != Open {
			t.Errorf("State(a) = %s, want open", s.State)
		}
	})
}

// What looks after a stream ends with it.
func TestChunkTimeoutEndsWithTheStream(t *testing.T) {
	clock := &steppedClock{now: epoch}
	w := &world{regions: map[inference.Region]behaviour{"a": sends(content, final)}}
	got, err := run(t.Context(), New(Config{Upstream: w, Clock: clock}), streamed, targets("a"))
	if err != nil {
		t.Fatal(err)
	}
	if texts, _ := read(t, got.Stream); !slices.Equal(texts, []string{"content", "final"}) || len(clock.timers) != 0 {
		t.Errorf("stream = %v with %d timers left, want content and final, and none", texts, len(clock.timers))
	}
}
