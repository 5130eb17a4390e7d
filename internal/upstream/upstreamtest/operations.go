package upstreamtest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"fairway/internal/dialect"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
	"fairway/internal/wire/eventstream"
)

// Body and ConverseBody are the calls that the kit makes: the same conversation
// as Anthropic Messages and as Converse.
const (
	Body = `{"anthropic_version":"bedrock-2023-05-31","max_tokens":200,` +
		`"messages":[{"role":"user","content":"Suggest a recipe for: chicken, rice, carrots."}]}`
	ConverseBody = `{"inferenceConfig":{"maxTokens":200},` +
		`"messages":[{"role":"user","content":[{"text":"Suggest a recipe for: chicken, rice, carrots."}]}]}`
)

// bodies are the operations that run a model, with a call of each and one that it
// must refuse.
var bodies = []struct {
	op        inference.Operation
	good, bad string
}{
	{inference.InvokeModel, Body, `{"max_tokens":"many"}`},
	{inference.InvokeModelWithResponseStream, Body, `{"max_tokens":"many"}`},
	{inference.Converse, ConverseBody, `{"messages":"many"}`},
	{inference.ConverseStream, ConverseBody, `{"messages":"many"}`},
}

func (s Subject) answers(op inference.Operation) bool {
	return s.Operations == nil || slices.Contains(s.Operations, op)
}

// answersEveryOperation: whatever the operation, the answer that a client reads
// has content, a stop reason and the usage of the terminal event.
func answersEveryOperation(t *testing.T, s Subject) {
	for _, b := range bodies {
		if !s.answers(b.op) {
			continue
		}
		events := read(t, s, operation(s, b.op, b.good))
		answer := collect(t, s, b.op, events)
		if len(answer.Content) == 0 || answer.Stop.Reason == "" {
			t.Errorf("%s answered %d blocks and stop reason %q, want both", b.op, len(answer.Content), answer.Stop.Reason)
		}
		used := events[len(events)-1].Usage
		if used == nil || used.InputTokens <= 0 || used.OutputTokens <= 0 {
			t.Errorf("%s: final event's usage = %+v, want input and output tokens", b.op, used)
		} else if answer.Usage.InputTokens != used.InputTokens || answer.Usage.OutputTokens != used.OutputTokens {
			t.Errorf("%s: usage in the answer = %+v, beside it %+v, want the same", b.op, answer.Usage, *used)
		}
	}
}

// read is the events of a whole answer, signs of life left out. The final one is
// the last and the only one.
func read(t *testing.T, s Subject, r *inference.Request) []inference.Event {
	t.Helper()
	stream, err := call(t, t.Context(), s, r)
	if err != nil {
		t.Fatalf("%s: %v", r.Operation, err)
	}
	defer stream.Close()
	var events []inference.Event
	for {
		event, err := stream.Next(t.Context())
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%s: Next error = %v", r.Operation, err)
		}
		if len(events) > 0 && events[len(events)-1].Final {
			t.Fatalf("%s: an event follows the final one", r.Operation)
		}
		if !event.IsLifeSign() {
			event.Raw = slices.Clone(event.Raw)
			events = append(events, event)
		}
	}
	if len(events) == 0 || !events[len(events)-1].Final {
		t.Fatalf("%s: io.EOF came without a final event", r.Operation)
	}
	return events
}

// collect reads the events as a front of another dialect does.
func collect(t *testing.T, s Subject, op inference.Operation, events []inference.Event) *dialect.Answer {
	t.Helper()
	reader, err := invocation.Read(op, inference.ModelID(s.Target.Model))
	if err != nil {
		t.Fatal(err)
	}
	whole := dialect.NewCollector(dialect.Head{})
	for _, e := range events {
		pieces, err := reader.Read(e)
		if err != nil {
			t.Fatalf("%s: reading %q: %v", op, e.Raw, err)
		}
		for _, p := range pieces {
			if err := whole.Add(p); err != nil {
				t.Fatalf("%s: %v", op, err)
			}
		}
	}
	answer, err := whole.Answer()
	if err != nil {
		t.Fatalf("%s: %v", op, err)
	}
	return answer
}

// minPieces is how many frames of content an answer has at least.
const minPieces = 3

// streamsInPieces: each event of a stream is one whole frame, the first of them
// no content, and the content comes in pieces.
func streamsInPieces(t *testing.T, s Subject) {
	for _, b := range bodies {
		if !b.op.Streams() || !s.answers(b.op) {
			continue
		}
		events := read(t, s, operation(s, b.op, b.good))
		pieces := 0
		for i, e := range events {
			if _, err := eventstream.Parse(e.Raw); err != nil {
				t.Errorf("%s: event %d is no frame: %v", b.op, i, err)
			}
			if e.Content {
				pieces++
			}
		}
		if pieces < minPieces {
			t.Errorf("%s: %d frames of content, want at least %d", b.op, pieces, minPieces)
		}
		if first, last := events[0], events[len(events)-1]; first.Content || last.Content {
			t.Errorf("%s: the first frame is content: %t, the last: %t, want neither", b.op, first.Content, last.Content)
		}
	}
}

func countsTokens(t *testing.T, s Subject) {
	if !s.answers(inference.CountTokens) {
		t.Skip("the subject counts no tokens")
	}
	for _, body := range []string{
		`{"input":{"invokeModel":{"body":"` + base64.StdEncoding.EncodeToString([]byte(Body)) + `"}}}`,
		`{"input":{"converse":` + ConverseBody + `}}`,
	} {
		events := read(t, s, operation(s, inference.CountTokens, body))
		var counted struct{ InputTokens int }
		err := json.Unmarshal(events[0].Raw, &counted)
		if len(events) != 1 || err != nil || counted.InputTokens <= 0 {
			t.Errorf("counting %s = %q in %d events, %v, want one with inputTokens", body, events[0].Raw, len(events), err)
		}
	}
}

func refusesBadBodies(t *testing.T, s Subject) {
	refused := func(op inference.Operation, body string) {
		if !s.answers(op) {
			return
		}
		_, err := call(t, t.Context(), s, operation(s, op, body))
		if e := regionError(t, s, err); e.Kind != inference.Validation || e.Message == "" {
			t.Errorf("%s of %s: error = %v, want a validation error with a message", op, body, err)
		}
	}
	for _, b := range bodies {
		refused(b.op, b.bad)
		refused(b.op, b.good[:len(b.good)-1])
	}
	refused(inference.CountTokens, `{"input":{}}`)
}

// dropsNoGuardrail: a call that names a guardrail is refused by who has none, whatever
// the operation, and else arrives with it.
func dropsNoGuardrail(t *testing.T, s Subject) {
	if s.Guards {
		t.Skip("the subject has guardrails")
	}
	for _, b := range bodies {
		if !s.answers(b.op) {
			continue
		}
		r := operation(s, b.op, b.good)
		r.Header = http.Header{"X-Amzn-Bedrock-Guardrailidentifier": {"g1"}, "X-Amzn-Bedrock-Guardrailversion": {"1"}}
		_, err := call(t, t.Context(), s, r)
		if e := regionError(t, s, err); e.Kind != inference.Validation || !strings.Contains(e.Message, "guardrail") {
			t.Errorf("%s with a guardrail: error = %v, want a validation error that names it", b.op, err)
		}
	}
}

// tellsService: the service that a call asks for is told by its first event, or the
// call is refused. One that there is anyway is never refused.
func tellsService(t *testing.T, s Subject) {
	const latency, tier = "X-Amzn-Bedrock-Performanceconfig-Latency", "X-Amzn-Bedrock-Service-Tier"
	for _, b := range bodies {
		if !s.answers(b.op) || b.op == inference.Converse || b.op == inference.ConverseStream {
			continue
		}
		for _, asked := range []inference.Service{{Latency: "standard", Tier: "default"}, {Latency: "optimized"}, {Tier: "priority"}} {
			r := operation(s, b.op, b.good)
			r.Header = http.Header{}
			if asked.Latency != "" {
				r.Header.Set(latency, asked.Latency)
			}
			if asked.Tier != "" {
				r.Header.Set(tier, asked.Tier)
			}
			stream, err := call(t, t.Context(), s, r)
			if err != nil {
				if e := regionError(t, s, err); e.Kind != inference.Validation || asked.IsUsual() {
					t.Errorf("%s as %+v: error = %v, want an answer, or a validation error where there is a choice", b.op, asked, err)
				}
				continue
			}
			if served := firstOf(t, stream).Served; served == nil || served.Service != asked {
				t.Errorf("%s as %+v: served as %+v, want what was asked", b.op, asked, served)
			}
			_ = stream.Close()
		}
	}
}

// firstOf is a stream's first event that is no sign of life.
func firstOf(t *testing.T, stream inference.Stream) inference.Event {
	t.Helper()
	for {
		event, err := stream.Next(t.Context())
		if err != nil {
			t.Fatalf("Next error = %v", err)
		}
		if !event.IsLifeSign() {
			return event
		}
	}
}

// endsMidStream: with content under way, the end of the context and Close both
// end the stream at once, and for good.
func endsMidStream(t *testing.T, s Subject) {
	for _, b := range bodies {
		if !b.op.Streams() || !s.answers(b.op) {
			continue
		}
		ctx, cancel := context.WithCancel(t.Context())
		stream := upToContent(t, ctx, s, operation(s, b.op, b.good))
		cancel()
		for range 2 { // an error ends the stream
			err := promptly(t, "Next", func() error { _, err := stream.Next(ctx); return err })
			if regionError(t, s, err).Kind != inference.Canceled {
				t.Errorf("%s: Next after the caller left = %v, want %s", b.op, err, inference.Canceled)
			}
		}
		_ = promptly(t, "Close", stream.Close)

		closed := upToContent(t, t.Context(), s, operation(s, b.op, b.good))
		_ = promptly(t, "Close", closed.Close)
		err := promptly(t, "Next", func() error { _, err := closed.Next(t.Context()); return err })
		if err == nil || err == io.EOF {
			t.Errorf("%s: Next after Close = %v, want an error", b.op, err)
		}
	}
}

// upToContent reads a stream as far as its first content.
func upToContent(t *testing.T, ctx context.Context, s Subject, r *inference.Request) inference.Stream {
	t.Helper()
	stream, err := call(t, ctx, s, r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stream.Close() })
	for {
		event, err := stream.Next(ctx)
		if err != nil || event.Final {
			t.Fatalf("%s: %+v, %v before any content", r.Operation, event, err)
		}
		if event.Content {
			return stream
		}
	}
}

// promptly is what f gives, and fails the test unless that is soon.
func promptly(t *testing.T, what string, f func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		t.Fatalf("%s does not return", what)
		return nil
	}
}
