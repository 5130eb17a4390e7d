package sim

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// novel is a text source with much to say: words of a few tokens, or one without
// an end.
type novel string

func (n novel) Reply(context.Context, inference.ModelID, *dialect.Conversation) (Reply, error) {
	return Reply{{Type: dialect.Text, Text: string(n)}}, nil
}

var (
	manyWords = novel(strings.Repeat("carrots and rice ", 700))
	longWords = novel(strings.Repeat("Rindfleischetikettierung ", 700))
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
	return startAs(t, ctx, w, inference.InvokeModel)
}

func startAs(t *testing.T, ctx context.Context, w *World, op inference.Operation) inference.Stream {
	t.Helper()
	r := request(sonnet4, body(prompt, `"max_tokens":2000,`))
	r.Operation = op
	s, err := w.Invoke(ctx, target(singapore, sonnet4), r)
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

// Nobody waits long for the next event of a stream either, sign of life or not.
func TestShowsLifeWhileItStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config()
		c.Speed, c.Text = 0.01, longWords // a word takes longer than a pulse
		s := startAs(t, t.Context(), New(c), inference.InvokeModelWithResponseStream)
		defer s.Close()
		signs, content := 0, 0
		for range 200 {
			asked := time.Now()
			event, err := s.Next(t.Context())
			if waited := time.Since(asked); err != nil || waited > pulse {
				t.Fatalf("event = %+v, %v after %s, want one within %s", event, err, waited, pulse)
			}
			if event.IsLifeSign() {
				signs++
			}
			if event.Content {
				content++
			}
		}
		if signs < 2 || content < 20 {
			t.Errorf("of 200 events %d were signs of life and %d content, want both", signs, content)
		}
	})
}

// thinker is a text source that takes its time, as a real model does.
type thinker struct {
	time time.Duration
	err  error
}

func (s thinker) Reply(ctx context.Context, model inference.ModelID, c *dialect.Conversation) (Reply, error) {
	select {
	case <-time.After(s.time):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if s.err != nil {
		return nil, s.err
	}
	return Written{}.Reply(ctx, model, c)
}

func TestShowsLifeWhileTheSourceThinks(t *testing.T) {
	for _, failure := range []error{nil, &inference.Error{Kind: inference.ModelError, Message: "out of memory"}} {
		synctest.Test(t, func(t *testing.T) {
			c := config()
			c.Text = thinker{time: time.Minute, err: failure}
			s := start(t, t.Context(), New(c))
			defer s.Close()
			for signs := 0; ; signs++ {
				asked := time.Now()
				event, err := s.Next(t.Context())
				if waited := time.Since(asked); waited > pulse {
					t.Fatalf("waited %s for an event, want %s at most", waited, pulse)
				}
				if err == nil && event.IsLifeSign() {
					continue
				}
				if signs < 10 || (err == nil) != (failure == nil) || failure != nil && inference.AsError(err).Kind != inference.ModelError {
					t.Errorf("after %d signs: %+v, %v, want 10 and then what the source said", signs, event, err)
				}
				return
			}
		})
	}
}

func TestCloseEndsTheSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config()
		c.Text = thinker{time: time.Hour}
		w := New(c)
		s := start(t, t.Context(), w)
		began := time.Now()
		s.Close()
		synctest.Wait()
		if took := time.Since(began); took > 0 || w.Status()[0].InFlight != 0 {
			t.Errorf("Close took %s with %d calls left, want none", took, w.Status()[0].InFlight)
		}
	})
}

type panics struct{}

func (panics) Reply(context.Context, inference.ModelID, *dialect.Conversation) (Reply, error) {
	panic("broken")
}

func TestSourceThatPanics(t *testing.T) {
	c := config()
	c.Text = panics{}
	_, err := run(t, New(c), singapore, inference.InvokeModel, sonnet4, prompts[sonnet4])
	if e, ok := errors.AsType[*inference.Error](err); !ok || e.Kind != inference.InternalServer || strings.Contains(e.Message, "broken") {
		t.Errorf("error = %v, want an internal one that keeps the cause to itself", err)
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
		for _, op := range []inference.Operation{inference.InvokeModel, inference.InvokeModelWithResponseStream} {
			synctest.Test(t, func(t *testing.T) {
				w := slowly(manyWords)
				s := startAs(t, t.Context(), w, op)
				ctx, leave := context.WithTimeout(t.Context(), time.Minute)
				defer leave()
				ended := make(chan error)
				go func() {
					var err error
					for err == nil {
						_, err = s.Next(ctx)
					}
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
}
