package gateway

import (
	"context"
	"errors"
	"io"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/catalog"
	"fairway/internal/continuation"
	"fairway/internal/inference"
	"fairway/internal/route"
	"fairway/internal/tokens"
	"fairway/internal/upstream/sim"
)

// continuer goes on with answers as a server does.
type continuer struct{ continuation.Continuer }

func (c continuer) Follow(r *inference.Request, m inference.ModelID, instruct bool) route.Thread {
	if t := c.Continuer.Follow(r, m, instruct); t != nil {
		return t
	}
	return nil
}

// edited is the simulated world, of whose answers each region sends what is made of
// them: with a nil error what ends them is their end.
type edited struct {
	world *sim.World
	by    map[inference.Region]func([]inference.Event) ([]inference.Event, error)
}

func (e edited) Invoke(ctx context.Context, t inference.Target, r *inference.Request) (inference.Stream, error) {
	whole, err := e.world.Invoke(ctx, t, r)
	if err != nil {
		return nil, err
	}
	defer whole.Close()
	var events []inference.Event
	for {
		event, err := whole.Next(ctx)
		if err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		event.Raw = slices.Clone(event.Raw)
		events = append(events, event)
	}
	if edit := e.by[t.Region]; edit != nil {
		events, err = edit(events)
	}
	return &script{events: events, err: err}, nil
}

// continuing is a line that goes on with the streams of edited regions, in at most so
// many attempts a call.
func continuing(t *testing.T, attempts int, by map[inference.Region]func([]inference.Event) ([]inference.Event, error)) *line {
	t.Helper()
	all := everything
	all.Actions = []string{"bedrock:*"}
	known := catalog.New(catalog.Options{Account: account})
	upstream := edited{by: by, world: sim.New(sim.Config{
		Models: known.Model, Speed: sim.Instant, Seed: 1,
		Tokens: func(m inference.ModelID) sim.Tokenizer { return tokens.FamilyOf(m) },
	})}
	l := newLine(t, upstream, time.Now, all)
	l.Router = route.New(route.Config{
		Upstream: upstream, Simulated: true, MaxAttempts: attempts,
		Route:     route.Route{Policy: inference.Ordered, OnCut: inference.ContinueOnCut},
		Continuer: continuer{continuation.Continuer{Models: known.Model}},
	})
	return l
}

// story is a call for an answer of some length.
func story(op inference.Operation) *inference.Request {
	r := request("0b1f8f0e-5c43-4bb8-9d9d-3e3ccdd5d8a1")
	r.Operation, r.Body = op, []byte(`{"messages":[{"role":"user","content":[{"text":"tell me a long story about rice and carrots and chicken"}]}]}`)
	if op == inference.InvokeModelWithResponseStream {
		r.Body = []byte(`{"anthropic_version":"bedrock-2023-05-31","max_tokens":200,"messages":[{"role":"user","content":"tell me a long story about rice"}]}`)
	}
	return r
}

// first is an answer that breaks off after n events.
func first(n int) func([]inference.Event) ([]inference.Event, error) {
	return func(all []inference.Event) ([]inference.Event, error) { return all[:n], nil }
}

// TestUsageOfCutLegs: however an answer of several legs ends before its end, its record
// has what all of them used, and the cost is that, once.
func TestUsageOfCutLegs(t *testing.T) {
	for _, op := range []inference.Operation{inference.ConverseStream, inference.InvokeModelWithResponseStream} {
		for name, test := range map[string]struct {
			attempts int // all of them break off
			most     int // events that the caller reads
			kind     inference.Kind
		}{
			"one leg":         {1, 1_000, inference.ServiceUnavailable},
			"three legs":      {3, 1_000, inference.ServiceUnavailable},
			"one, left":       {1, 4, inference.Canceled},
			"the second left": {3, 8, inference.Canceled},
		} {
			by := map[inference.Region]func([]inference.Event) ([]inference.Event, error){}
			for _, region := range destinations {
				by[region] = first(7)
			}
			l := continuing(t, test.attempts, by)
			stream, record, err := l.Invoke(t.Context(), story(op))
			if err != nil {
				t.Fatal(err)
			}
			for n := 0; err == nil && n < test.most; n++ {
				_, err = stream.Next(t.Context())
			}
			stream.Close()
			if record.Error == nil || record.Error.Type != test.kind || !record.Estimated {
				t.Errorf("%s, %s: the record failed with %+v, estimated: %v, want %s and an estimate", op, name, record.Error, record.Estimated, test.kind)
			}
			var cut inference.Usage
			legs, cuts := 0, 0
			for _, a := range record.Attempts {
				legs++
				if a.Cut {
					cuts++
					cut.InputTokens += a.Usage.InputTokens
					cut.OutputTokens += a.Usage.OutputTokens
				}
			}
			used := inference.Usage{InputTokens: record.Usage.InputTokens, OutputTokens: record.Usage.OutputTokens} // nothing is cached
			if legs == cuts && used != cut {
				t.Errorf("%s, %s: usage = %+v, want the legs' %+v", op, name, used, cut)
			}
			if legs > cuts && (used.InputTokens <= cut.InputTokens || used.OutputTokens <= cut.OutputTokens) {
				t.Errorf("%s, %s: usage = %+v, want more than that of the legs that broke off, %+v", op, name, used, cut)
			}
			if want := inference.Money(3000*used.InputTokens + 15000*used.OutputTokens); used.InputTokens == 0 || used.OutputTokens == 0 || record.Cost != want {
				t.Errorf("%s, %s: %+v cost %s, want %s", op, name, used, record.Cost, want)
			}
			if want := min(test.attempts, 1+test.most/7); legs != want {
				t.Errorf("%s, %s: %d legs, want %d", op, name, legs, want)
			}
		}
	}
}

// TestFailureBehindTheEnd is none: the answer is whole, and has one end.
func TestFailureBehindTheEnd(t *testing.T) {
	for _, op := range []inference.Operation{inference.ConverseStream, inference.InvokeModelWithResponseStream} {
		l := continuing(t, 0, map[inference.Region]func([]inference.Event) ([]inference.Event, error){
			source: func(all []inference.Event) ([]inference.Event, error) {
				return all, errors.New("connection reset by peer")
			},
		})
		stream, record, err := l.Invoke(t.Context(), story(op))
		if err != nil {
			t.Fatal(err)
		}
		ends := 0
		for err == nil {
			var event inference.Event
			if event, err = stream.Next(t.Context()); event.Final {
				ends++
			}
		}
		stream.Close()
		if err != io.EOF || ends != 1 || record.Outcome != inference.OK || record.Estimated || len(record.Attempts) != 1 {
			t.Errorf("%s: %d ends and %v, record %s by %d attempts, want one end and ok by one", op, ends, err, record.Outcome, len(record.Attempts))
		}
	}
}

var typeOf = regexp.MustCompile(`:event-type\x07\x00.([a-zA-Z]+)\r`)

// types are those of frames, each once where it is repeated.
func types(events []inference.Event) (all []string) {
	for _, e := range events {
		if m := typeOf.FindSubmatch(e.Raw); m != nil {
			all = append(all, string(m[1]))
		}
	}
	return slices.Compact(all)
}

// TestHostileLegs: what a further leg sends out of order never looks like a whole
// answer of another form.
func TestHostileLegs(t *testing.T) {
	clean := []string{"messageStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"}
	for name, test := range map[string]struct {
		edit func([]inference.Event) []inference.Event
		ok   bool
	}{
		"as it should be": {func(e []inference.Event) []inference.Event { return e }, true},
		"two starts":      {func(e []inference.Event) []inference.Event { return slices.Insert(e, 3, e[0]) }, true},
		"no block's stop": {func(e []inference.Event) []inference.Event { return slices.Delete(e, len(e)-3, len(e)-2) }, true},
		"no stop":         {func(e []inference.Event) []inference.Event { return slices.Delete(e, len(e)-2, len(e)-1) }, false},
		"two stops":       {func(e []inference.Event) []inference.Event { return slices.Insert(e, len(e)-1, e[len(e)-2]) }, false},
		"content behind the stop": {func(e []inference.Event) []inference.Event {
			return slices.Insert(e, len(e)-1, e[2])
		}, false},
	} {
		by := map[inference.Region]func([]inference.Event) ([]inference.Event, error){source: first(6)}
		for _, region := range destinations[1:] {
			by[region] = func(all []inference.Event) ([]inference.Event, error) { return test.edit(all), nil }
		}
		l := continuing(t, 0, by)
		stream, record, err := l.Invoke(t.Context(), story(inference.ConverseStream))
		if err != nil {
			t.Fatal(err)
		}
		var got []inference.Event
		for err == nil {
			var event inference.Event
			if event, err = stream.Next(t.Context()); err == nil {
				event.Raw = slices.Clone(event.Raw)
				got = append(got, event)
			}
		}
		stream.Close()
		switch {
		case test.ok:
			if diff := cmp.Diff(clean, types(got)); diff != "" || err != io.EOF || record.Continued != 1 {
				t.Errorf("%s: continued %d times up to %v (-want +got):\n%s", name, record.Continued, err, diff)
			}
		case inference.AsError(err).Kind != inference.ServiceUnavailable || got[len(got)-1].Final || record.Outcome != inference.Failed:
			t.Errorf("%s: %v ended with %v, record %s, want it to break off", name, types(got), err, record.Outcome)
		}
	}
}
