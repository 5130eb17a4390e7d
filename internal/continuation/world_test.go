package continuation

import (
	"context"
	"encoding/json"
	"io"
	"slices"

	"fairway/internal/dialect"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
	"fairway/internal/tokens"
	"fairway/internal/upstream/sim"
)

const (
	sonnet4  = inference.ModelID("anthropic.claude-sonnet-4-20250514-v1:0")
	sonnet46 = inference.ModelID("anthropic.claude-sonnet-4-6")
	novaPro  = inference.ModelID("amazon.nova-pro-v1:0")
	titan    = inference.ModelID("amazon.titan-text-express-v1")
	llama    = inference.ModelID("meta.llama3-1-70b-instruct-v1:0")
	mistral  = inference.ModelID("mistral.mistral-large-2402-v1:0")
	gptOSS   = inference.ModelID("openai.gpt-oss-20b-1:0")
)

// models are a few as the catalog has them.
func models(id inference.ModelID) (inference.Model, bool) {
	prefill, ok := map[inference.ModelID]bool{
		sonnet4: true, novaPro: true, titan: true, sonnet46: false, llama: false, mistral: false, gptOSS: false,
	}[id]
	return inference.Model{ID: id, MaxOutput: 8_000, Prefill: prefill, Streaming: true, Caching: id.IsAnthropic()}, ok
}

func world() *sim.World {
	return sim.New(sim.Config{
		Models: models, Speed: sim.Instant, Seed: 1,
		Tokens: func(m inference.ModelID) sim.Tokenizer { return tokens.FamilyOf(m) },
	})
}

const (
	conversing = inference.ConverseStream
	invoking   = inference.InvokeModelWithResponseStream
	id         = "0b1f8f0e-5c43-4bb8-9d9d-3e3ccdd5d8a1"
)

func request(op inference.Operation, model inference.ModelID, body string) *inference.Request {
	return &inference.Request{ID: id, Operation: op, Model: string(model), Body: []byte(body), PayloadHash: "of the body"}
}

// answer is the events of a whole answer, each with memory of its own.
func answer(t fataler, w *sim.World, r *inference.Request) (events []inference.Event) {
	t.Helper()
	stream, err := w.Invoke(context.Background(), inference.Target{Region: "eu-west-1", Model: r.Model, Simulated: true}, r)
	if err != nil {
		t.Fatalf("Invoke(%s) error = %v", r.Body, err)
	}
	defer stream.Close()
	for {
		e, err := stream.Next(context.Background())
		switch {
		case err == io.EOF:
			return events
		case err != nil:
			t.Fatalf("Next error = %v", err)
		case !e.IsLifeSign():
			e.Raw = slices.Clone(e.Raw)
			events = append(events, e)
		}
	}
}

// fataler is a test, or one run of a property.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// read makes the answer of events, and holds them to the form of a stream: pieces in
// order, each kind as often as it may be, the end at the end.
func read(t fataler, r *inference.Request, events []inference.Event) *dialect.Answer {
	t.Helper()
	reader, err := invocation.Read(r.Operation, inference.ModelID(r.Model))
	if err != nil {
		t.Fatalf("Read error = %v", err)
	}
	whole, seen := dialect.NewCollector(dialect.Head{}), map[dialect.PieceKind]int{}
	for n, e := range events {
		pieces, err := reader.Read(e)
		if err != nil {
			t.Fatalf("event %d: %v", n, err)
		}
		if e.Final != (n == len(events)-1) {
			t.Fatalf("event %d of %d is final: %v", n, len(events), e.Final)
		}
		for _, p := range pieces {
			seen[p.Kind]++
			if err := whole.Add(p); err != nil {
				t.Fatalf("event %d: %v", n, err)
			}
		}
	}
	for _, once := range []dialect.PieceKind{dialect.Began, dialect.Stopped, dialect.Ended} {
		if seen[once] != 1 {
			t.Fatalf("%d pieces of kind %d, want 1", seen[once], once)
		}
	}
	a, err := whole.Answer()
	if err != nil {
		t.Fatalf("%v", err)
	}
	return a
}

// contentAt is the number of the first event that is content.
func contentAt(events []inference.Event) int {
	return slices.IndexFunc(events, func(e inference.Event) bool { return e.Content })
}

// cutting is one answer that breaks off and is gone on with.
type cutting struct {
	sent  []inference.Event // to the caller
	usage inference.Usage   // of all legs
	legs  int
}

// cut answers r and cuts the answer and each that goes on with it behind as many events
// as at says of it, up to the last but one; the one behind the last is whole. Ok is
// false where the thread does not go on.
func cut(t fataler, w *sim.World, r *inference.Request, instruct bool, at func(events []inference.Event) int) (c cutting, ok bool) {
	t.Helper()
	continuer := Continuer{Models: models}
	thread := continuer.Follow(r, inference.ModelID(r.Model), instruct)
	if thread == nil {
		return c, false
	}
	events := answer(t, w, r)
	n := at(events)
	for _, e := range events[:n] {
		thread.Sent(e)
		c.sent = append(c.sent, e)
	}
	for {
		c.legs++
		next, rest, ok := thread.Cut()
		c.usage = c.usage.Plus(thread.Spent())
		if !ok {
			return c, false
		}
		if next == nil {
			c.sent = append(c.sent, rest...)
			return c, true
		}
		if next.PayloadHash != "" || !json.Valid(next.Body) {
			t.Fatalf("the next request = %s with hash %q, want JSON and no hash", next.Body, next.PayloadHash)
		}
		events = answer(t, w, next)
		n = at(events)
		for _, e := range events[:n] {
			joined, err := thread.Join(e)
			if err != nil {
				t.Fatalf("Join error = %v", err)
			}
			c.sent = append(c.sent, joined...)
		}
		if n == len(events) {
			c.usage = c.usage.Plus(*events[n-1].Usage)
			return c, true
		}
	}
}
