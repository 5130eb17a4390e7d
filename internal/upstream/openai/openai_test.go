package openai

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/trace"
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

// Calls one after the other share a connection.
func TestConnectionIsKept(t *testing.T) {
	s := &server{}
	u := serve(t, s)
	for range 3 {
		if _, err := read(t, u, target, request(inference.ConverseStream, upstreamtest.ConverseBody)); err != io.EOF {
			t.Fatal(err)
		}
	}
	if len(s.conns) != 1 {
		t.Errorf("three calls took %d connections, want 1", len(s.conns))
	}
}

// The trace goes on at the server (W3C Trace Context).
func TestTraceContext(t *testing.T) {
	s := &server{}
	u := serve(t, s)
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	stream, err := u.Invoke(trace.ContextWithSpanContext(t.Context(), span), target, request(inference.InvokeModel, upstreamtest.Body))
	if err != nil {
		t.Fatal(err)
	}
	stream.Close()
	if got, want := s.last().header.Get("Traceparent"), "00-01000000000000000000000000000000-0200000000000000-01"; got != want {
		t.Errorf("traceparent = %q, want %q", got, want)
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		status  int
		body    string
		kind    inference.Kind
		message string
	}{
		{400, `{"error":{"message":"no","type":"invalid_request_error"}}`, inference.Validation, "no"},
		{400, `{"error":"no"}`, inference.Validation, "no"},
		{422, `{"detail":[]}`, inference.Validation, "the model's server answered with HTTP status 422"},
		{401, `{"error":{"message":"Incorrect API key provided: secr**"}}`, inference.AccessDenied, msgNoAccess},
		{403, `{"error":{"message":"no"}}`, inference.AccessDenied, msgNoAccess},
		{404, `{"error":{"message":"model not found"}}`, inference.ResourceNotFound, "model not found"},
		{408, ``, inference.ModelTimeout, "the model's server answered with HTTP status 408"},
		{429, `<html>`, inference.Throttling, "the model's server answered with HTTP status 429"},
		{302, ``, inference.InternalServer, "the model's server answered with HTTP status 302"},
		{500, `{"error":{"message":"` + strings.Repeat("x", 2000) + `"}}`, inference.InternalServer, strings.Repeat("x", 1000)},
		{502, ``, inference.ServiceUnavailable, "the model's server answered with HTTP status 502"},
		{503, ``, inference.ServiceUnavailable, "the model's server answered with HTTP status 503"},
		{504, ``, inference.ModelTimeout, "the model's server answered with HTTP status 504"},
	} {
		u := serve(t, &server{script: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1.5")
			w.Header().Set("Location", "https://example.com/")
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		}})
		_, err := u.Invoke(t.Context(), target, request(inference.InvokeModel, upstreamtest.Body))
		e, ok := errors.AsType[*inference.Error](err)
		if !ok || e.Kind != c.kind || e.Message != c.message || e.Transport || e.RetryAfter != 1500*time.Millisecond || e.Region != target.Region {
			t.Errorf("status %d of %.60s: error = %v, want %s %.60q after 1.5s", c.status, c.body, err, c.kind, c.message)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": 0, "soon": 0, "-1": 0, "NaN": 0, "0": 0, "2": 2 * time.Second, "1e99": time.Hour, "Inf": time.Hour,
	} {
		if got := retryAfter(text); got != want {
			t.Errorf("retryAfter(%q) = %s, want %s", text, got, want)
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

// A tool call whose input is no JSON is no answer, for who wants it whole.
func TestToolInputWithoutJSON(t *testing.T) {
	u := serve(t, &server{reply: chunks(
		`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{\"a\":"}}]}}]}`,
		`{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}`, openai.Done)})
	if events, err := read(t, u, target, request(inference.Converse, upstreamtest.ConverseBody)); !inference.AsError(err).Transport {
		t.Errorf("Converse = %v, %v, want an error", events, err)
	}
}

func TestUnreachable(t *testing.T) {
	u, err := New(Config{URL: "http://127.0.0.1:1/v1/"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = u.Invoke(t.Context(), target, request(inference.Converse, upstreamtest.ConverseBody))
	if e := inference.AsError(err); !e.Transport || e.Kind != inference.ServiceUnavailable || e.Region != target.Region {
		t.Errorf("Invoke error = %v, want a transport error", err)
	}
}

// An event that is larger than any should be ends the stream.
func TestLargeEvent(t *testing.T) {
	u := serve(t, &server{script: func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "data: ")
		for block := strings.Repeat("x", 1<<20); r.Context().Err() == nil; {
			if _, err := io.WriteString(w, block); err != nil {
				return
			}
		}
	}})
	if _, err := read(t, u, target, request(inference.InvokeModel, upstreamtest.Body)); !inference.AsError(err).Transport {
		t.Errorf("Next error = %v, want a transport error", err)
	}
}

// An answer that goes on and on is ended.
func TestLongAnswer(t *testing.T) {
	const event = `{"choices":[{"delta":{"content":"and"}}]}`
	a := newAnswer(io.NopCloser(strings.NewReader(chunks(event, event, event))))
	a.left = 2 * len(event)
	for range 2 {
		if _, err := a.next(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.next(); !errors.Is(err, errLong) || !inference.AsError(err).Transport {
		t.Errorf("next = %v, want %v as a transport error", err, errLong)
	}
}

func TestNew(t *testing.T) {
	for _, url := range []string{"", "127.0.0.1:11434", "ftp://example.com", "https://", "https://example.com?x=1", "https://example.com#x", "https://user:pw@example.com", ":"} {
		if u, err := New(Config{URL: url}); err == nil || u != nil {
			t.Errorf("New(%q) = %v, %v, want an error alone", url, u, err)
		}
	}
	for url, want := range map[string]string{
		"http://127.0.0.1:11434":       "http://127.0.0.1:11434/v1/chat/completions",
		"http://127.0.0.1:11434/v1/":   "http://127.0.0.1:11434/v1/chat/completions",
		"https://example.com/openai":   "https://example.com/openai/v1/chat/completions",
		"https://example.com/api/v1":   "https://example.com/api/v1/chat/completions",
		"https://example.com/openai//": "https://example.com/openai/v1/chat/completions",
	} {
		u, err := New(Config{URL: url})
		if err != nil {
			t.Errorf("New(%q): %v", url, err)
		} else if u.target != want || u.config.Model("m") != "m" {
			t.Errorf("New(%q) calls %s, want %s", url, u.target, want)
		}
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
