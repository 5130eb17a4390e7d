package openai

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"fairway/internal/dialect"
	"fairway/internal/dialect/openai"
	"fairway/internal/inference"
	"fairway/internal/upstream/upstreamtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	upstreamtest.Run(t, func(t *testing.T) upstreamtest.Subject {
		s := &server{}
		u := serve(t, s)
		return upstreamtest.Subject{Upstream: u, Target: target, Hang: func() {
			s.script = func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
		}}
	})
}

func request(op inference.Operation, body string) *inference.Request {
	return &inference.Request{ID: "0f0e0d0c-0b0a-4908-8706-050403020100", Operation: op, Model: model, SourceRegion: "us-east-1", Body: []byte(body)}
}

// read is the events up to the end of the stream, and what ended it.
func read(t *testing.T, u *Upstream, to inference.Target, r *inference.Request) ([]inference.Event, error) {
	t.Helper()
	stream, err := u.Invoke(t.Context(), to, r)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	var events []inference.Event
	for {
		e, err := stream.Next(t.Context())
		if err != nil {
			return events, err
		}
		events = append(events, e)
	}
}

// A Messages body reaches the server as chat completions, and its answer comes
// back as Messages.
func TestTranslated(t *testing.T) {
	s := &server{}
	u := serve(t, s)
	events, err := read(t, u, target, request(inference.InvokeModel, `{"anthropic_version":"x","max_tokens":5,"system":"be brief","messages":[{"role":"user","content":"hi"}]}`))
	if err != io.EOF {
		t.Fatal(err)
	}
	got := s.last()
	want := `{"model":"local ` + model + `","stream":true,"stream_options":{"include_usage":true},` +
		`"messages":[{"role":"system","content":"be brief"},{"role":"user","content":"hi"}],"max_tokens":5}`
	if got.path != "/v1/chat/completions" || got.body != want {
		t.Errorf("%s got %s, want %s", got.path, got.body, want)
	}
	for name, want := range map[string]string{"Authorization": "Bearer secret", "Content-Type": "application/json"} {
		if got := got.header.Get(name); got != want {
			t.Errorf("header %s = %q, want %q", name, got, want)
		}
	}
	last := events[len(events)-1]
	if !strings.Contains(string(last.Raw), `"text":"`+said+`"`) || last.Usage.InputTokens != 20 || last.Usage.OutputTokens != 9 {
		t.Errorf("answer = %s with usage %+v", last.Raw, last.Usage)
	}
}

// A body of an openai.* model keeps its bytes, what chat completions may have
// beside the conversation too.
func TestNative(t *testing.T) {
	s := &server{}
	u := serve(t, s)
	to := inference.Target{Region: "us-east-1", Model: "openai.gpt-oss-20b-1:0"}
	body := `{"seed": 7, "stream":false, "messages":[{"role":"user","content":"hi"}]}`
	events, err := read(t, u, to, request(inference.InvokeModel, body))
	if err != io.EOF {
		t.Fatal(err)
	}
	want := `{"model":"local openai.gpt-oss-20b-1:0","stream":true,"stream_options":{"include_usage":true},"seed": 7, "messages":[{"role":"user","content":"hi"}]}`
	if got := s.last().body; got != want {
		t.Errorf("body = %s, want %s", got, want)
	}
	answer, err := openai.Dialect{}.DecodeAnswer(events[len(events)-1].Raw)
	if err != nil || answer.Content[0].Text != said || answer.ID != "0f0e0d0c0b0a49088706050403020100" {
		t.Errorf("answer = %+v, %v, want the words of the server", answer, err)
	}
	if _, err := read(t, u, to, request(inference.InvokeModel, `{"seed":`)); inference.AsError(err).Kind != inference.Validation {
		t.Errorf("Invoke of half a body: %v, want a Validation", err)
	}
}

// A server that does not tell its usage has it counted.
func TestCountedUsage(t *testing.T) {
	s := &server{reply: chunks(`{"choices":[{"delta":{"content":"one two "}}]}`, `{"choices":[{"delta":{"content":"three"},"finish_reason":"stop"}]}`, openai.Done)}
	u := serve(t, s)
	for _, to := range []string{model, "openai.gpt-oss-20b-1:0"} {
		events, err := read(t, u, inference.Target{Region: "us-east-1", Model: to}, request(inference.InvokeModel, `{"max_tokens":5,"messages":[{"role":"user","content":"a b c d"}]}`))
		if err != io.EOF {
			t.Fatal(err)
		}
		want := &inference.Usage{InputTokens: 4, OutputTokens: 3}
		if diff := cmp.Diff(want, events[len(events)-1].Usage); diff != "" {
			t.Errorf("%s: usage (-want +got):\n%s", to, diff)
		}
	}
	u.config.Tokens = nil
	if _, err := read(t, u, target, request(inference.CountTokens, `{}`)); inference.AsError(err).Message != "The provided model doesn't support counting tokens." {
		t.Errorf("CountTokens without a tokenizer: %v", err)
	}
}

func TestReply(t *testing.T) {
	s := &server{}
	u := serve(t, s)
	c := &dialect.Conversation{Messages: []dialect.Message{{Role: dialect.User, Content: []dialect.Block{{Type: dialect.Text, Text: "hi"}}}}}
	want := &dialect.Answer{
		Content: []dialect.Block{{Type: dialect.Text, Text: said}},
		Stop:    dialect.Stop{Reason: dialect.EndTurn}, Usage: inference.Usage{InputTokens: 20, OutputTokens: 9},
	}
	for range 3 {
		got, err := u.Reply(t.Context(), model, c)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Reply (-want +got):\n%s", diff)
		}
	}
	if len(s.conns) != 1 {
		t.Errorf("three calls took %d connections, want 1", len(s.conns))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if a, err := u.Reply(ctx, model, c); a != nil || inference.AsError(err).Kind != inference.Canceled {
		t.Errorf("Reply after the caller left = %v, %v, want Canceled", a, err)
	}
	c.Guardrail = &dialect.Guardrail{Identifier: "g"}
	if a, err := u.Reply(t.Context(), model, c); a != nil || inference.AsError(err).Kind != inference.Validation {
		t.Errorf("Reply with a guardrail = %v, %v, want a Validation", a, err)
	}
}

func TestRefusals(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":{"message":"no","type":"rate_limit_error"}}`: "no",
		`{"error":"no"}`:   "no",
		`{"detail":["a"]}`: "the model's server answered with HTTP status 422",
	} {
		u := serve(t, &server{script: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnprocessableEntity)
			io.WriteString(w, body)
		}})
		_, err := u.Invoke(t.Context(), target, request(inference.InvokeModel, upstreamtest.Body))
		e, ok := errors.AsType[*inference.Error](err)
		if !ok || e.Kind != inference.Validation || e.Message != want || e.Foreign != (want == "no") || e.Op != op || e.Region != target.Region {
			t.Errorf("%s: error = %v, want a Validation %q", body, err, want)
		}
	}
}

// A stream that is cut, broken or told of an error is an error to whoever reads
// it, and never has a final event.
func TestBrokenStreams(t *testing.T) {
	const text, finish = `{"choices":[{"delta":{"content":"Hi"}}]}`, `{"choices":[{"delta":{},"finish_reason":"stop"}]}`
	for name, c := range map[string]struct {
		text      string
		kind      inference.Kind
		transport bool
	}{
		"a comment":             {": nothing\n\n", inference.ServiceUnavailable, true},
		"no stream at all":      {`{"choices":[]}`, inference.ServiceUnavailable, true},
		"cut between events":    {chunks(text), inference.ServiceUnavailable, true},
		"cut before its end":    {chunks(text, finish), inference.ServiceUnavailable, true},
		"cut inside an event":   {strings.TrimSuffix(chunks(text), "\n"), inference.ServiceUnavailable, true},
		"no finish reason":      {chunks(text, openai.Done), inference.ServiceUnavailable, true},
		"no JSON":               {chunks(text, "{"), inference.ServiceUnavailable, true},
		"a throttling error":    {chunks(text, `{"error":{"message":"m","type":"rate_limit_error"}}`), inference.Throttling, false},
		"an error of the model": {chunks(text, `{"error":{"message":"m","code":7}}`), inference.ModelStreamError, false},
	} {
		u := serve(t, &server{reply: c.text})
		for _, op := range []inference.Operation{inference.InvokeModel, inference.InvokeModelWithResponseStream} {
			events, err := read(t, u, target, request(op, upstreamtest.Body))
			e, ok := errors.AsType[*inference.Error](err)
			if !ok || e.Kind != c.kind || e.Transport != c.transport || e.Region != target.Region {
				t.Errorf("%s, %s: error = %v, want %s", name, op, err, c.kind)
			}
			for _, e := range events {
				if e.Final {
					t.Errorf("%s, %s: a final event came", name, op)
				}
			}
		}
	}
}

func TestNew(t *testing.T) {
	if u, err := New(Config{URL: "127.0.0.1:11434"}); err == nil || u != nil {
		t.Errorf("New without a scheme = %v, %v, want an error alone", u, err)
	}
	u, err := New(Config{URL: "http://127.0.0.1:11434"})
	if err != nil {
		t.Fatal(err)
	}
	if got := u.config.Model(model); got != model {
		t.Errorf("the server's name of %s = %q, want the same", model, got)
	}
}

// Every kind of answer comes through every operation: reasoning, text, tool calls.
func TestPiecesArrive(t *testing.T) {
	u := serve(t, &server{reply: chunks(
		`{"choices":[{"delta":{"role":"assistant","reasoning_content":"Hm."}}]}`,
		`{"choices":[{"delta":{"content":"I look."}}]}`,
		`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{\"a\":1}"}}]}}]}`,
		`{"choices":[{"delta":{},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}`, openai.Done)})
	c := &dialect.Conversation{Messages: []dialect.Message{{Role: dialect.User, Content: []dialect.Block{{Type: dialect.Text, Text: "hi"}}}}}
	got, err := u.Reply(t.Context(), model, c)
	if err != nil {
		t.Fatal(err)
	}
	want := &dialect.Answer{
		Content: []dialect.Block{
			{Type: dialect.Reasoning, Text: "Hm."}, {Type: dialect.Text, Text: "I look."},
			{Type: dialect.ToolUse, ID: "c", Name: "f", Input: json.RawMessage(`{"a":1}`)},
		},
		Stop: dialect.Stop{Reason: dialect.StopToolUse}, Usage: inference.Usage{InputTokens: 3, OutputTokens: 4},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Reply (-want +got):\n%s", diff)
	}
}

func BenchmarkInvoke(b *testing.B) {
	u := serve(b, &server{})
	for _, op := range []inference.Operation{inference.InvokeModel, inference.InvokeModelWithResponseStream} {
		b.Run(string(op), func(b *testing.B) {
			r := request(op, upstreamtest.Body)
			b.ReportAllocs()
			for b.Loop() {
				stream, err := u.Invoke(context.Background(), target, r)
				if err != nil {
					b.Fatal(err)
				}
				for err == nil {
					_, err = stream.Next(context.Background())
				}
				stream.Close()
				if err != io.EOF {
					b.Fatal(err)
				}
			}
		})
	}
}
