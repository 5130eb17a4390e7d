package sim

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairway/internal/inference"
	"fairway/internal/dialect/anthropic"
)

// novel is a text source with much to say: words of a few tokens, or one without
// an end.
type novel string

func (n novel) Reply(context.Context, inference.ModelID, *anthropic.Request) (Reply, error) {
	return Reply{Text: string(n)}, nil
}

var (
	manyWords = novel(strings.Repeat("carrots and rice ", 700))
	oneWord   = novel(strings.Repeat("ā", 4000) + " a a a a")
)

// slowly is a world in real time whose Singapore region takes ten times as long,
// and whose quotas do not refill.
func slowly(text TextSource) *World {
	c := config()
	now := time.Now()
	c.Speed, c.Text, c.Now = 1, text, func() time.Time { return now }
	w := New(c)
	w.Set(singapore, Slow)
	return w
}

func start(t *testing.T, ctx context.Context, w *World) inference.Stream {
	t.Helper()
	s, err := w.Invoke(ctx, target(singapore, sonnet4), request(sonnet4, body(prompt, `"max_tokens":2000,`)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// However long the answer takes, nobody waits long for the next sign of life.
func TestShowsLifeWhileItSpeaks(t *testing.T) {
	for _, text := range []novel{manyWords, oneWord} {
		synctest.Test(t, func(t *testing.T) {
			w := slowly(text)
			s := start(t, t.Context(), w)
			defer s.Close()
			began := time.Now()
			for signs := 0; ; signs++ {
				asked := time.Now()
				event, err := s.Next(t.Context())
				if waited := time.Since(asked); err != nil || waited > pulse || signs == 0 && waited > 0 {
					t.Fatalf("event %d = %+v, %v after %s, want one within %s, the first at once", signs, event, err, waited, pulse)
				}
				if event.Final {
					if took := time.Since(began); took < time.Minute || signs < 12 {
						t.Errorf("the answer took %s with %d signs of life, want minutes and more than 12", took, signs)
					}
					break
				}
				if !event.IsLifeSign() {
					t.Fatalf("event %d = %+v, want a sign of life", signs, event)
				}
			}
			if _, err := s.Next(t.Context()); err != io.EOF {
				t.Errorf("Next after the answer = %v, want io.EOF", err)
			}
			if got := w.Status()[0].InFlight; got != 0 {
				t.Errorf("in flight after the answer = %d, want 0", got)
			}
		})
	}
}

// A region that cuts has begun to answer.
func TestCutShowsLifeFirst(t *testing.T) {
	w := New(config())
	w.Set(singapore, Cut)
	s := start(t, t.Context(), w)
	defer s.Close()
	if event, err := s.Next(t.Context()); err != nil || !event.IsLifeSign() {
		t.Fatalf("Next = %+v, %v, want a sign of life", event, err)
	}
	for range 2 {
		if _, err := s.Next(t.Context()); !errors.Is(err, errCut) || !inference.AsError(err).Transport {
			t.Errorf("Next = %v, want a transport error, and again", err)
		}
	}
	if got := w.Status()[0].InFlight; got != 0 {
		t.Errorf("in flight after the cut = %d, want 0", got)
	}
}

// Whatever ends an answer while it is spoken frees the region at once and leaves
// the quota with what was read and spoken.
func TestEndsWhileItSpeaks(t *testing.T) {
	for _, c := range []struct {
		name  string
		end   func(w *World, s inference.Stream, leave context.CancelFunc)
		kind  inference.Kind
		cause error
	}{
		{"closed", func(_ *World, s inference.Stream, _ context.CancelFunc) { s.Close() }, inference.Canceled, nil},
		{"the reader leaves", func(_ *World, _ inference.Stream, leave context.CancelFunc) { leave() }, inference.Canceled, nil},
		{"the reader's deadline passes", func(*World, inference.Stream, context.CancelFunc) {}, inference.ServiceUnavailable, context.DeadlineExceeded},
		{"the region goes down", func(w *World, _ inference.Stream, _ context.CancelFunc) { w.Set(singapore, Down) }, inference.ServiceUnavailable, errWentDown},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := slowly(manyWords)
			s := start(t, t.Context(), w)
			ctx, leave := context.WithTimeout(t.Context(), time.Minute)
			defer leave()
			ended := make(chan error)
			go func() {
				_, err := answer(ctx, s)
				ended <- err
			}()
			time.Sleep(30 * time.Second)
			synctest.Wait()
			c.end(w, s, leave)
			err := <-ended
			if e, ok := errors.AsType[*inference.Error](err); !ok || e.Kind != c.kind || e.Region != singapore || c.cause != nil && !errors.Is(err, c.cause) {
				t.Errorf("%s: Next = %v, want %s in %s", c.name, err, c.kind, singapore)
			}
			status := w.Status()[0]
			// The prompt, and 30 to 60 seconds at some 7 tokens a second, each counted five times.
			used := status.Quotas[0].Used
			if status.InFlight != 0 || used < 1000 || used > 3000 {
				t.Errorf("%s: %d in flight and %d tokens used, want 0 and 1000 to 3000", c.name, status.InFlight, used)
			}
			s.Close()
			if again := w.Status()[0].Quotas[0].Used; again != used {
				t.Errorf("%s: %d tokens used once closed, want %d still", c.name, again, used)
			}
		})
	}
}
