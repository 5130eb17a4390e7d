package route

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

// words is a Continuer of streams whose content events are words. The request of the
// next leg has the words so far as its body.
type words struct {
	t     *testing.T
	sound bool // what breaks off may be gone on with
	bad   bool // what the next target sends does not fit
}

func (w words) Follow(r *inference.Request, m inference.ModelID, instruct bool) Thread {
	if m != model || r.Operation != inference.ConverseStream {
		w.t.Errorf("Follow(%s, %s), want ConverseStream of %s", r.Operation, m, model)
	}
	return &wordsThread{words: w}
}

type wordsThread struct {
	words
	sent []string
	leg  int // words of the leg at hand
	used inference.Usage
}

func (w *wordsThread) Sent(e inference.Event) {
	if e.Content {
		w.sent = append(w.sent, string(e.Raw))
		w.leg++
	}
}

func (w *wordsThread) Cut() (*inference.Request, []inference.Event, bool) {
	w.used, w.leg = inference.Usage{OutputTokens: w.leg}, 0
	if len(w.sent) > 0 && w.sent[len(w.sent)-1] == "." {
		return nil, []inference.Event{final}, w.sound
	}
	return &inference.Request{Operation: inference.ConverseStream, Body: []byte(strings.Join(w.sent, " "))}, nil, w.sound
}

// Join leaves out the start of the next answer, and splits what has two words.
func (w *wordsThread) Join(e inference.Event) (events []inference.Event, err error) {
	switch {
	case w.bad:
		return nil, errors.New("it does not fit")
	case string(e.Raw) == "start":
		return nil, nil
	case !e.Content:
		return []inference.Event{e}, nil
	}
	for word := range strings.FieldsSeq(string(e.Raw)) {
		part := say(word)
		w.Sent(part)
		events = append(events, part)
	}
	return events, nil
}

func (w *wordsThread) Spent() inference.Usage { return w.used }

func say(word string) inference.Event { return inference.Event{Raw: []byte(word), Content: true} }

// continuing is a Router of such streams, and a call that is to be gone on with.
func continuing(t *testing.T, w *world) (*Router, *Call) {
	call := callOf(streamed)
	call.OnCut = inference.ContinueOnCut
	return New(Config{Upstream: w, Continuer: words{t: t, sound: true}, ChunkTimeout: 5 * time.Second, Breaker: BreakerConfig{Failures: 2}}), call
}

// The caller of a stream whose target dies sees one stream, however often that happens.
func TestContinue(t *testing.T) {
	for _, test := range []struct {
		name      string
		regions   map[inference.Region]behaviour
		want      string // what the caller reads
		called    string
		continued int
		cut       []int // output tokens of the rows that were cut, by row; -1 for others
	}{
		{"cut once", map[inference.Region]behaviour{"a": sends(start, say("one"), say("two")), "b": sends(start, say("three"), final)},
			"start one two three final", "[a b]", 1, []int{2, -1}},
		{"cut twice", map[inference.Region]behaviour{"a": sends(start, say("one")), "b": sends(start, say("two three")), "c": sends(start, say("four"), final)},
			"start one two three four final", "[a b c]", 2, []int{1, 2, -1}},
		{"an exception frame", map[inference.Region]behaviour{"a": breaks(&inference.Error{Kind: inference.ModelStreamError}, say("one")), "b": sends(start, say("two"), final)},
			"one two final", "[a b]", 1, []int{1, -1}},
		{"a stall", map[inference.Region]behaviour{"a": paces(step{0, say("one")}, step{time.Hour, say("two")}), "b": sends(start, say("two"), final)},
			"one two final", "[a b]", 1, []int{1, -1}},
		{"the next one fails", map[inference.Region]behaviour{"a": sends(start, say("one")), "b": refused, "c": sends(start, say("two"), final)},
			"start one two final", "[a b c]", 1, []int{1, -1, -1}},
		{"only the end is missing", map[inference.Region]behaviour{"a": sends(start, say("one"), say(".")), "b": sends(whole)},
			"start one . final", "[a]", 0, []int{2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{regions: test.regions}
				r, call := continuing(t, w)
				got, err := r.Run(t.Context(), streamed, call, choose(targets("a", "b", "c")...))
				if err != nil {
					t.Fatalf("Run() error = %v", err)
				}
				texts, err := read(t, got.Stream)
				if strings.Join(texts, " ") != test.want || err != io.EOF {
					t.Errorf("stream = %v, %v, want %s, EOF", texts, err, test.want)
				}
				if fmt.Sprint(w.called) != test.called || got.Continued() != test.continued {
					t.Errorf("called %v, continued %d times, want %s, %d", w.called, got.Continued(), test.called, test.continued)
				}
				var cut []int
				for _, a := range got.Attempts() {
					if a.Cut != (a.Usage != nil) || a.Cut && a.Outcome != inference.Failed {
						t.Errorf("row %+v, want a failure with its usage where it was cut", a)
					}
					if a.Cut {
						cut = append(cut, a.Usage.OutputTokens)
					} else {
						cut = append(cut, -1)
					}
				}
				if !slices.Equal(cut, test.cut) {
					t.Errorf("cut rows used %v, want %v", cut, test.cut)
				}
				for _, s := range r.States(time.Now()) {
					if s.InFlight != 0 || s.Region == "a" && s.Failures != 1 {
						t.Errorf("state of %s: %d in flight, %d failures, want 0 and of a 1", s.Region, s.InFlight, s.Failures)
					}
				}
			})
		})
	}
}

// What cannot be gone on with fails as it broke off, and no sooner.
func TestContinueNot(t *testing.T) {
	cut := map[inference.Region]behaviour{"a": sends(start, say("one")), "b": refused}
	for _, test := range []struct {
		name    string
		regions map[inference.Region]behaviour
		by      words
		called  string
	}{
		{"no other target", map[inference.Region]behaviour{"a": sends(start, say("one")), "b": refused}, words{sound: true}, "[a b a]"},
		{"unsound", cut, words{}, "[a]"},
		{"it does not fit", map[inference.Region]behaviour{"a": sends(start, say("one")), "b": sends(start, say("two"), final)}, words{sound: true, bad: true}, "[a b]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := &world{regions: test.regions}
			again := 0
			if a := test.regions["a"]; test.called == "[a b a]" {
				w.regions = map[inference.Region]behaviour{"b": refused, "a": func(ctx context.Context) (inference.Stream, error) {
					if again++; again > 1 {
						return unavail(ctx)
					}
					return a(ctx)
				}}
			}
			r, call := continuing(t, w)
			test.by.t = t
			r.continuer = test.by
			got, err := r.Run(t.Context(), streamed, call, choose(targets("a", "b")...))
			if err != nil {
				t.Fatalf("Run() error = %v", err)
			}
			texts, err := read(t, got.Stream)
			if e := inference.AsError(err); !slices.Equal(texts, []string{"start", "one"}) || e.Kind != inference.ServiceUnavailable || e.Status() == 0 {
				t.Errorf("stream = %v, %v, want start and one, and then ServiceUnavailableException", texts, err)
			}
			if fmt.Sprint(w.called) != test.called {
				t.Errorf("called %v, want %s", w.called, test.called)
			}
			if row := got.Attempts()[0]; !row.Cut {
				t.Errorf("row %+v, want it cut", row)
			}
		})
	}
}

// Unless it is asked for nothing is gone on with, and nothing watches the stream.
func TestContinueUnasked(t *testing.T) {
	w := &world{regions: map[inference.Region]behaviour{"a": sends(start, say("one")), "b": sends(whole)}}
	r, call := continuing(t, w)
	call.OnCut, r.continuer = inference.FailOnCut, refuser{t}
	got, err := r.Run(t.Context(), streamed, call, choose(targets("a", "b")...))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := read(t, got.Stream); inference.AsError(err).Kind != inference.ServiceUnavailable {
		t.Errorf("stream error = %v, want ServiceUnavailableException", err)
	}
	want := []inference.Attempt{{Region: "a", Model: model, Outcome: inference.Failed, Kind: inference.ServiceUnavailable, Cut: true}}
	if diff := cmp.Diff(want, got.Attempts()); diff != "" {
		t.Errorf("Attempts() (-want +got):\n%s", diff)
	}
}

// refuser is a Continuer that must not be asked.
type refuser struct{ t *testing.T }

func (r refuser) Follow(*inference.Request, inference.ModelID, bool) Thread {
	r.t.Error("Follow() is called for a call that is not to be gone on with")
	return nil
}

// A reader that leaves while another target is asked ends that, and blames nobody.
func TestContinueAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, call := continuing(t, &world{regions: map[inference.Region]behaviour{"a": sends(say("one")), "b": hangs}})
		got, err := r.Run(t.Context(), streamed, call, choose(targets("a", "b")...))
		if err != nil {
			t.Fatal(err)
		}
		defer got.Stream.Close()
		got.Stream.Next(t.Context())
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		began := time.Now()
		_, err = got.Stream.Next(ctx)
		if waited := time.Since(began); inference.AsError(err).Kind != inference.Canceled || waited != time.Second {
			t.Errorf("Next() = %v after %s, want Canceled after 1s", err, waited)
		}
		for _, s := range r.States(time.Now()) {
			if s.Region == "b" && (s.Failures != 0 || s.InFlight != 0) {
				t.Errorf("state of b = %+v, want no failure and nothing in flight", s)
			}
		}
	})
}

// A hedge that lost may take its time to leave: another target goes on meanwhile, and
// the hedge's is not blamed.
func TestContinueBesideAHedge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(ctx context.Context) (inference.Stream, error) {
			<-ctx.Done()
			time.Sleep(time.Second)
			return nil, ctx.Err()
		}
		w := &world{regions: map[inference.Region]behaviour{
			"a": paces(step{1100 * time.Millisecond, say("one")}), "b": slow, "c": paces(step{2 * time.Second, say("two")}, step{0, final}),
		}}
		r, call := hedging(w), callOf(streamed)
		r.continuer, call.OnCut = words{t: t, sound: true}, inference.ContinueOnCut
		got, err := r.Run(t.Context(), streamed, call, choose(targets("a", "b", "c")...))
		if err != nil {
			t.Fatal(err)
		}
		if texts, err := read(t, got.Stream); !slices.Equal(texts, []string{"one", "two", "final"}) || err != io.EOF {
			t.Errorf("stream = %v, %v, want one, two and final", texts, err)
		}
		rows := got.Attempts()
		if len(rows) != 3 || !rows[0].Cut || rows[1].Kind != inference.Canceled || rows[2].Outcome != inference.OK {
			t.Errorf("Attempts() = %+v, want one that was cut, one that was left, and one that is well", rows)
		}
		if s := r.States(time.Now())[1]; s.Failures != 0 || s.InFlight != 0 {
			t.Errorf("state of b = %+v, want no failure and nothing in flight", s)
		}
	})
}
