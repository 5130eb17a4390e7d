package modelserver

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/trace"

	"fairway/internal/dialect"
	"fairway/internal/dialect/openai"
	"fairway/internal/inference"
)

func TestOpen(t *testing.T) {
	for _, url := range []string{
		"", ":", "127.0.0.1:11434", "ftp://example.com", "https://", "https://example.com?", "https://example.com?x=1",
		"https://example.com#", "https://example.com#x", "https://user:pw@example.com",
	} {
		if s, err := Open(Config{URL: url}); err == nil || s != nil || strings.Contains(err.Error(), "pw") {
			t.Errorf("Open(%q) = %v, %v, want an error alone", url, s, err)
		}
	}
	for url, want := range map[string]string{
		"http://127.0.0.1:11434":       "http://127.0.0.1:11434/v1",
		"http://127.0.0.1:11434/v1/":   "http://127.0.0.1:11434/v1",
		"https://example.com/openai":   "https://example.com/openai/v1",
		"https://example.com/api/v1":   "https://example.com/api/v1",
		"https://example.com/openai//": "https://example.com/openai/v1",
	} {
		if s, err := Open(Config{URL: url}); err != nil || s.base != want {
			t.Errorf("Open(%q) = %v, %v, want one that calls %s", url, s, err, want)
		}
	}
}

func TestUnary(t *testing.T) {
	f := serve(t, answers(text(one, two, finish, openai.Done)))
	events, err := f.read(t, inference.Converse)
	if err != io.EOF {
		t.Fatal(err)
	}
	last := len(events) - 1
	for _, e := range events[:last] {
		if !e.IsLifeSign() {
			t.Errorf("event = %+v before the answer, want a sign of life", e)
		}
	}
	if e := events[last]; last < 3 || !e.Final || !strings.Contains(string(e.Raw), `"text":"one two"`) {
		t.Errorf("event %d = %s, want the whole answer after a sign of life for each event", last, e.Raw)
	}
}

func TestComplete(t *testing.T) {
	f := serve(t, answers(""))
	complete := func(context.Context) (*Stream, error) { return Complete([]byte(`{}`)), nil }
	stream, err := f.Invoke(t.Context(), region, new(inference.Request), complete)
	if err != nil {
		t.Fatal(err)
	}
	if e, err := stream.Next(t.Context()); err != nil || string(e.Raw) != `{}` || !e.Content || !e.Final {
		t.Errorf("Next = %+v, %v, want the whole answer", e, err)
	}
	for range 2 {
		if _, err := stream.Next(t.Context()); err != io.EOF {
			t.Errorf("Next after the answer: %v, want io.EOF", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err := f.Invoke(ctx, region, new(inference.Request), complete); s != nil || inference.AsError(err).Kind != inference.Canceled {
		t.Errorf("Invoke after the caller left = %v, %v, want Canceled", s, err)
	}
}

func TestCollect(t *testing.T) {
	f := serve(t, answers(text(one, two, finish, openai.Done)))
	want := &dialect.Answer{
		Content: []dialect.Block{{Type: dialect.Text, Text: "one two"}},
		Stop:    dialect.Stop{Reason: dialect.EndTurn}, Usage: inference.Usage{InputTokens: 3, OutputTokens: 2},
	}
	got, err := f.Collect(t.Context(), call())
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Collect: error %v (-want +got):\n%s", err, diff)
	}
	for name, body := range map[string]string{
		"cut": text(one, two),
		"a tool input that is no JSON": text(`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{"}}]}}]}`,
			`{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}`, openai.Done),
	} {
		if a, err := serve(t, answers(body)).Collect(t.Context(), call()); a != nil || !inference.AsError(err).Transport {
			t.Errorf("%s: Collect = %v, %v, want a transport error", name, a, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if a, err := f.Collect(ctx, call()); a != nil || inference.AsError(err).Kind != inference.Canceled {
		t.Errorf("Collect after the caller left = %v, %v, want Canceled", a, err)
	}
}

func TestPost(t *testing.T) {
	f := serve(t, answers(strings.Repeat("x", maxText+1)))
	c := Call{Path: "/count", Header: http.Header{"X-Api-Key": {"secret"}}, Body: []byte(`{}`)}
	if got, err := f.Post(t.Context(), c); err != nil || len(got) != maxText {
		t.Errorf("Post = %d bytes, %v, want %d", len(got), err, maxText)
	}
	for name, want := range map[string]string{"X-Api-Key": "secret", "Content-Type": "application/json", "Accept": "application/json"} {
		if got := f.header(name); got != want {
			t.Errorf("header %s = %q, want %q", name, got, want)
		}
	}
	cut := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "9")
		_, _ = io.WriteString(w, "{")
	})
	if got, err := cut.Post(t.Context(), c); got != nil || !inference.AsError(err).Transport {
		t.Errorf("Post of a body that is cut = %q, %v, want a transport error", got, err)
	}
}

// The trace goes on at the server (W3C Trace Context).
func TestTraceContext(t *testing.T) {
	f := serve(t, answers(text(one)))
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	stream, err := f.invoke(trace.ContextWithSpanContext(t.Context(), span), inference.Converse)
	if err != nil {
		t.Fatal(err)
	}
	stream.Close()
	if got, want := f.header("Traceparent"), "00-01000000000000000000000000000000-0200000000000000-01"; got != want {
		t.Errorf("traceparent = %q, want %q", got, want)
	}
}

// Calls one after the other share a connection, and one that the server does not
// end is let go of.
func TestConnections(t *testing.T) {
	whole := text(one, finish, openai.Done)
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    int
	}{"ended": {answers(whole), 1}, "left open": {hangs(whole), 2}} {
		f := serve(t, c.handler)
		if _, err := f.read(t, inference.ConverseStream); err != io.EOF {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := f.Collect(t.Context(), call()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := f.connections(); got != c.want {
			t.Errorf("%s: two calls took %d connections, want %d", name, got, c.want)
		}
	}
}

// Whichever of its contexts ends a stream, and Close, are what its error says.
func TestContexts(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(next, call context.CancelFunc, s inference.Stream)
		want inference.Kind
	}{
		"of Next":   {func(next, _ context.CancelFunc, _ inference.Stream) { next() }, inference.Canceled},
		"of Invoke": {func(_, call context.CancelFunc, _ inference.Stream) { call() }, inference.Canceled},
		"by Close":  {func(_, _ context.CancelFunc, s inference.Stream) { s.Close() }, inference.Canceled},
		"deadline":  {nil, inference.ServiceUnavailable},
	} {
		f := serve(t, hangs(text(one)))
		ctx, cancel := context.WithCancel(t.Context())
		stream, err := f.invoke(ctx, inference.ConverseStream)
		if err != nil {
			t.Fatal(err)
		}
		next, stop := context.WithCancel(t.Context())
		if c.end == nil {
			next, stop = context.WithTimeout(t.Context(), time.Millisecond)
		} else {
			go c.end(stop, cancel, stream)
		}
		for err == nil {
			_, err = stream.Next(next)
		}
		if e := inference.AsError(err); e.Kind != c.want || e.Region != region || e.Transport != (c.want == inference.ServiceUnavailable) {
			t.Errorf("%s: Next = %v, want %s", name, err, c.want)
		}
		if _, again := stream.Next(t.Context()); again != err {
			t.Errorf("%s: Next after an error = %v, want it again", name, again)
		}
		stop()
		cancel()
	}
}

// isOurs reports whether a message is none of a server's.
func isOurs(message string) bool {
	return message == msgNoAccess || strings.HasPrefix(message, "the model's server answered")
}

func TestRefused(t *testing.T) {
	status := func(code string) string { return "the model's server answered with HTTP status " + code }
	for _, c := range []struct {
		status  int
		body    string
		kind    inference.Kind
		message string
	}{
		{400, `{"message":"no"}`, inference.Validation, "no"},
		{400, `{"message":"no","kind":"ServiceQuotaExceededException"}`, inference.ServiceQuotaExceeded, "no"},
		{401, `{"message":"Incorrect API key provided: secr**"}`, inference.AccessDenied, msgNoAccess},
		{403, ``, inference.AccessDenied, msgNoAccess},
		{400, `{"message":"no","kind":"AccessDeniedException"}`, inference.AccessDenied, msgNoAccess},
		{404, `{"message":"model not found"}`, inference.ResourceNotFound, "model not found"},
		{408, ``, inference.ModelTimeout, status("408")},
		{413, ``, inference.Validation, status("413")},
		{422, `{"detail":[]}`, inference.Validation, status("422")},
		{429, `<html>`, inference.Throttling, status("429")},
		{302, ``, inference.InternalServer, status("302")},
		{500, `{"message":"` + strings.Repeat("x", maxMessage-1) + `é"}`, inference.InternalServer, strings.Repeat("x", maxMessage-1)},
		{502, ``, inference.ServiceUnavailable, status("502")},
		{503, ``, inference.ServiceUnavailable, status("503")},
		{504, ``, inference.ModelTimeout, status("504")},
		{529, ``, inference.ServiceUnavailable, status("529")},
	} {
		f := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1.5")
			w.Header().Set("Location", "https://example.com/")
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		})
		_, err := f.invoke(t.Context(), inference.Converse)
		e, ok := errors.AsType[*inference.Error](err)
		if !ok || e.Kind != c.kind || e.Message != c.message || e.Foreign == isOurs(c.message) || e.Transport || e.RetryAfter != 1500*time.Millisecond || e.Region != region {
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
	for name, c := range map[string]struct {
		text    string
		kind    inference.Kind
		message string
	}{
		"nothing":             {"", inference.ServiceUnavailable, msgUnavailable},
		"no stream at all":    {`{"choices":[]}`, inference.ServiceUnavailable, msgUnavailable},
		"cut between events":  {text(one), inference.ServiceUnavailable, msgUnavailable},
		"cut inside an event": {strings.TrimSuffix(text(one), "\n"), inference.ServiceUnavailable, msgUnavailable},
		"no JSON":             {text(one, "{"), inference.ServiceUnavailable, msgUnavailable},
		"an error":            {text(one, `{"error":{"message":"m","type":"rate_limit_error"}}`), inference.Throttling, "m"},
		"a long error":        {text(one, `{"error":{"message":"`+strings.Repeat("x", 2000)+`"}}`), inference.ModelStreamError, strings.Repeat("x", maxMessage)},
	} {
		f := serve(t, answers(c.text))
		for _, op := range []inference.Operation{inference.InvokeModel, inference.ConverseStream} {
			events, err := f.read(t, op)
			e, ok := errors.AsType[*inference.Error](err)
			if !ok || e.Kind != c.kind || e.Message != c.message || e.Transport != (c.message == msgUnavailable) || e.Region != region {
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

func TestUnreachable(t *testing.T) {
	s, err := Open(Config{URL: "http://127.0.0.1:1/v1/"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = (&fake{Server: s}).invoke(t.Context(), inference.Converse)
	if e := inference.AsError(err); !e.Transport || e.Kind != inference.ServiceUnavailable || e.Region != region {
		t.Errorf("Invoke error = %v, want a transport error", err)
	}
}

// An event that is larger than any should be ends the stream.
func TestLargeEvent(t *testing.T) {
	f := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "data: ")
		for block := strings.Repeat("x", 1<<20); r.Context().Err() == nil; {
			if _, err := io.WriteString(w, block); err != nil {
				return
			}
		}
	})
	if _, err := f.read(t, inference.Converse); !inference.AsError(err).Transport {
		t.Errorf("Next error = %v, want a transport error", err)
	}
}

// An answer that goes on and on is ended.
func TestLongAnswer(t *testing.T) {
	a := new(Server).newAnswer(io.NopCloser(strings.NewReader(text(one, one, one))), openai.Dialect{}.NewDecoder())
	a.left = 2 * len(one)
	for range 2 {
		if _, err := a.next(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.next(); !errors.Is(err, errLong) || !inference.AsError(err).Transport {
		t.Errorf("next = %v, want %v as a transport error", err, errLong)
	}
}

// An answer that is no stream is given up in the end, though its server goes on to
// show life. A stream is not.
func TestAnswerTimeout(t *testing.T) {
	f := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, text(one)); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
		}
	})
	f.timeout = 50 * time.Millisecond
	if _, err := f.read(t, inference.Converse); !inference.AsError(err).Transport || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Next error = %v, want a transport error after the answer timeout", err)
	}
	if _, ok := f.deadline(t, inference.ConverseStream); ok {
		t.Error("a stream has a deadline, want none")
	}
}

// deadline is that of a call to the server.
func (f *fake) deadline(t *testing.T, op inference.Operation) (time.Time, bool) {
	t.Helper()
	ctx, cancel := f.attempt(t.Context(), op)
	defer cancel()
	return ctx.Deadline()
}

// A key goes to another machine over TLS only.
func TestKeysNeedTLS(t *testing.T) {
	for url, want := range map[string]error{
		"https://example.com":     nil,
		"http://127.0.0.1:11434":  nil,
		"http://[::1]:11434":      nil,
		"http://localhost:11434":  nil,
		"http://example.com":      errKey,
		"http://10.0.0.1:8000/v1": errKey,
	} {
		if _, err := Open(Config{URL: url, Keyed: true}); err != want {
			t.Errorf("Open(%q) with a key = %v, want %v", url, err, want)
		}
		if _, err := Open(Config{URL: url}); err != nil {
			t.Errorf("Open(%q) = %v, want no error", url, err)
		}
	}
}

// TestHead: an answer is named as its model's maker has it, and tells how it is served
// by the header of an Invoke operation or by the body of Converse.
func TestHead(t *testing.T) {
	asked := &inference.Request{ID: "0-1", Header: http.Header{"X-Amzn-Bedrock-Service-Tier": {"default"}}}
	c := &dialect.Conversation{Service: inference.Service{Latency: "standard"}, Fields: []string{dialect.StopSequenceField}}
	for _, test := range []struct {
		request *inference.Request
		model   inference.ModelID
		c       *dialect.Conversation
		name    string
		service inference.Service
		fields  int
	}{
		{asked, "anthropic.claude-sonnet-4-20250514-v1:0", nil, "claude-sonnet-4-20250514", inference.Service{Tier: "default"}, 0},
		{&inference.Request{ID: "01"}, "amazon.nova-pro-v1:0", c, "amazon.nova-pro-v1:0", c.Service, 1},
	} {
		h := Head(test.request, test.model, test.c)
		if h.ID != "01" || h.Model != test.name || h.Service != test.service || len(h.Fields) != test.fields {
			t.Errorf("Head(%s) = %+v, want %s served as %+v with %d fields", test.model, h, test.name, test.service, test.fields)
		}
	}
}
