package openai_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fairway/internal/front"
	"fairway/internal/front/openai"
	"fairway/internal/inference"
	"fairway/internal/wire/eventstream"
)

const body = `{"model":"amazon.nova-lite-v1:0","stream":true,"messages":[{"role":"user","content":"hi"}]}`

// gateway is a function as a front.Gateway.
type gateway func(context.Context, *inference.Request) (inference.Stream, *inference.Record, error)

func (g gateway) Invoke(ctx context.Context, r *inference.Request) (inference.Stream, *inference.Record, error) {
	return g(ctx, r)
}

// handStream gives the events that come over a channel, and tells of its end.
type handStream struct {
	events chan inference.Event
	closed chan struct{}
}

func newHandStream() *handStream {
	return &handStream{events: make(chan inference.Event), closed: make(chan struct{}, 8)}
}

func (s *handStream) invoke(context.Context, *inference.Request) (inference.Stream, *inference.Record, error) {
	return s, &inference.Record{}, nil
}

func (s *handStream) Next(ctx context.Context) (inference.Event, error) {
	select {
	case e := <-s.events:
		return e, nil
	case <-ctx.Done():
		return inference.Event{}, &inference.Error{Kind: inference.Canceled, Message: "the caller went away"}
	}
}

func (s *handStream) Close() error {
	s.closed <- struct{}{}
	return nil
}

func event(name, payload string) inference.Event {
	return inference.Event{Raw: eventstream.Event(name, "application/json", []byte(payload))}
}

func post(t *testing.T, ctx context.Context, url string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer bearer")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// TestEventsLeaveAsTheyCome: each event is at the client before the next is there.
func TestEventsLeaveAsTheyCome(t *testing.T) {
	stream := newHandStream()
	server := httptest.NewServer(newFront(gateway(stream.invoke), slog.New(slog.DiscardHandler)))
	defer server.Close()
	go func() { stream.events <- event("messageStart", `{"role":"assistant"}`) }()
	response := post(t, t.Context(), server.URL)
	defer response.Body.Close()
	lines := bufio.NewReader(response.Body)
	line := func() string {
		t.Helper()
		for {
			text, err := lines.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if text = strings.TrimSpace(text); text != "" {
				return text
			}
		}
	}
	for _, c := range []struct{ event, payload, want string }{
		{"", "", `"delta":{"role":"assistant","content":""}`},
		{"contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"a"}}`, `"delta":{"content":"a"}`},
		{"contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"b"}}`, `"delta":{"content":"b"}`},
	} {
		if c.event != "" {
			stream.events <- event(c.event, c.payload)
		}
		if got := line(); !strings.Contains(got, c.want) {
			t.Fatalf("the client read %s, want %s", got, c.want)
		}
	}
	stream.events <- event("contentBlockStop", `{"contentBlockIndex":0}`)
	stream.events <- event("messageStop", `{"stopReason":"max_tokens"}`)
	last := event("metadata", `{"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3},"metrics":{"latencyMs":1}}`)
	last.Final = true
	stream.events <- last
	if got := line(); !strings.Contains(got, `"delta":{},"logprobs":null,"finish_reason":"length"`) {
		t.Errorf("the client read %s, want the finish reason", got)
	}
	if got := line(); got != "data: [DONE]" {
		t.Errorf("the client read %s, want [DONE]", got)
	}
}

// TestClientGone: the stream is closed as soon as its client has left.
func TestClientGone(t *testing.T) {
	stream := newHandStream()
	server := httptest.NewServer(newFront(gateway(stream.invoke), slog.New(slog.DiscardHandler)))
	defer server.Close()
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { stream.events <- event("messageStart", `{"role":"assistant"}`) }()
	response := post(t, ctx, server.URL)
	defer response.Body.Close()
	cancel()
	select {
	case <-stream.closed:
	case <-time.After(10 * time.Second):
		t.Fatal("the stream outlives its client")
	}
}

// TestWholeClosesBeforeItAnswers: the record is complete when the client has its
// answer.
func TestWholeClosesBeforeItAnswers(t *testing.T) {
	g := &scriptedGateway{Answer: []byte(`{"output":{"message":{"role":"assistant","content":[{"text":"x"}]}},"stopReason":"end_turn","usage":{},"metrics":{}}`)}
	w := httptest.NewRecorder()
	closed := 0
	newFront(g, slog.New(slog.DiscardHandler)).ServeHTTP(watcher{w, func() { closed = g.closed }}, request(strings.Replace(body, "true", "false", 1)))
	if w.Code != http.StatusOK || closed == 0 {
		t.Errorf("status %d with the stream closed %d times before it, want 200 after a close", w.Code, closed)
	}
}

func request(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer bearer")
	return r
}

// watcher calls a function when the header is sent.
type watcher struct {
	http.ResponseWriter
	sent func()
}

func (w watcher) WriteHeader(status int) {
	w.sent()
	w.ResponseWriter.WriteHeader(status)
}

// TestDeadlineIsPassedOn as the SDK tells it.
func TestDeadlineIsPassedOn(t *testing.T) {
	g := &scriptedGateway{Answer: []byte(`{"output":{"message":{"role":"assistant","content":[{"text":"x"}]}},"stopReason":"end_turn","usage":{},"metrics":{}}`)}
	r := request(strings.Replace(body, "true", "false", 1))
	r.Header.Set("X-Stainless-Timeout", "600")
	newFront(g, slog.New(slog.DiscardHandler)).ServeHTTP(httptest.NewRecorder(), r)
	if got := time.Until(g.request.Deadline).Round(time.Minute); got != 10*time.Minute {
		t.Errorf("the gateway is given a deadline in %s, want ten minutes", got)
	}
}

// TestPanic: a panic is an internal error, and its text stays inside.
func TestPanic(t *testing.T) {
	var log bytes.Buffer
	f := newFront(gateway(func(context.Context, *inference.Request) (inference.Stream, *inference.Record, error) {
		panic("the gateway fell over")
	}), slog.New(slog.NewTextHandler(&log, nil)))
	w := httptest.NewRecorder()
	f.ServeHTTP(w, request(body))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "fell over") || !strings.Contains(log.String(), "fell over") {
		t.Errorf("answer %d %s, log %s, want a 500 and the panic in the log alone", w.Code, w.Body, log.String())
	}
}

// TestLogHoldsNoContent: a refused body is logged without what it said.
func TestLogHoldsNoContent(t *testing.T) {
	var log bytes.Buffer
	f := newFront(&scriptedGateway{}, slog.New(slog.NewTextHandler(&log, nil)))
	w := httptest.NewRecorder()
	f.ServeHTTP(w, request(`{"model":"m","n":2,"messages":[{"role":"secret","content":"secret"}]}`))
	if w.Code != http.StatusBadRequest || !strings.Contains(log.String(), "call refused") || !strings.Contains(log.String(), "principal=developer") || strings.Contains(log.String(), "secret") {
		t.Errorf("answer %d, log %s, want a 400 and a line without the body", w.Code, log.String())
	}
}

// full is a Room without room.
type full struct{}

func (full) Enter() (func(), error) {
	return nil, &inference.Error{Kind: inference.Throttling, Op: "admit", Message: "Too many requests, please wait before trying again."}
}
func (full) Hold(int64) (func(), error) { return func() {}, nil }

func TestOverload(t *testing.T) {
	f := openai.New(openai.Config{
		Config: front.Config{Gateway: &scriptedGateway{}, Authenticator: keys{}, Room: full{}, Log: slog.New(slog.DiscardHandler)},
		Model:  models, Models: list,
	})
	w := httptest.NewRecorder()
	f.ServeHTTP(w, request(body))
	if w.Code != http.StatusTooManyRequests || !strings.Contains(w.Body.String(), `"code":"rate_limit_exceeded"`) {
		t.Errorf("answer %d %s, want 429", w.Code, w.Body)
	}
}

// TestSlowClient: one that reads nothing is cut, and its stream closed.
func TestSlowClient(t *testing.T) {
	stream := newHandStream()
	config := newFront(gateway(stream.invoke), slog.New(slog.DiscardHandler)).Config
	config.WriteTimeout = 50 * time.Millisecond
	server := httptest.NewServer(openai.New(config))
	defer server.Close()
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	big := event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"`+strings.Repeat("x", 1<<20)+`"}}`)
	go func() {
		stream.events <- event("messageStart", `{"role":"assistant"}`)
		for range 100 {
			select {
			case stream.events <- big:
			case <-t.Context().Done():
				return
			}
		}
	}()
	response := post(t, t.Context(), server.URL)
	defer response.Body.Close()
	select {
	case <-stream.closed:
	case <-time.After(10 * time.Second):
		t.Fatal("a client that does not read keeps its stream")
	}
	if _, err := io.Copy(io.Discard, response.Body); err == nil {
		t.Error("the answer ended as if it were whole")
	}
}

func TestServes(t *testing.T) {
	for path, want := range map[string]bool{
		"/v1/chat/completions": true, "/v1/chat": true, "/v1/models": true, "/v1/models/x": true, "/openai/v1/anything": true,
		"/region/eu-west-1/v1/chat/completions": true, "/region/eu-west-1/openai/v1/models": true,
		"/v1/embeddings": true, "/region/eu-west-1/v1/responses": true, "/v1": true,
		"/v1beta/models": false, "/region/mars/v1/models": false, "/": false, "": false, "/model/x/invoke": false,
	} {
		if got := openai.Serves(path); got != want {
			t.Errorf("Serves(%q) = %v, want %v", path, got, want)
		}
	}
}

// FuzzPath: whatever the path, the answer is one of the API's, and what is not
// served is not found.
func FuzzPath(f *testing.F) {
	for _, path := range []string{"/v1/models", "/v1/models/a%2Fb", "/region/us-east-1/openai/v1/models/x", "/v1/models/%zz", "/openai/../v1/models", "/v1/models/%00"} {
		f.Add(path)
	}
	fr := newFront(&scriptedGateway{}, slog.New(slog.DiscardHandler))
	f.Fuzz(func(t *testing.T, path string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.Path, r.URL.RawPath = path, path
		r.Header.Set("Authorization", "Bearer bearer")
		w := httptest.NewRecorder()
		fr.ServeHTTP(w, r)
		switch w.Code {
		case http.StatusOK, http.StatusNotFound, http.StatusMethodNotAllowed:
		default:
			t.Errorf("GET %q = %d %s", path, w.Code, w.Body)
		}
		if w.Code != http.StatusNotFound && !openai.Serves(r.URL.EscapedPath()) {
			t.Errorf("GET %q = %d, which Serves denies", path, w.Code)
		}
	})
}

func BenchmarkStream(b *testing.B) {
	const frames = 100
	start := event("messageStart", `{"role":"assistant"}`)
	delta := event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"some words"}}`)
	stop := event("messageStop", `{"stopReason":"end_turn"}`)
	last := event("metadata", `{"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3},"metrics":{"latencyMs":1}}`)
	last.Final = true
	events := append([]inference.Event{start}, make([]inference.Event, frames)...)
	for i := range frames {
		events[i+1] = delta
	}
	events = append(events, stop, last)
	f := newFront(gateway(func(context.Context, *inference.Request) (inference.Stream, *inference.Record, error) {
		return &listStream{events: events}, &inference.Record{}, nil
	}), slog.New(slog.DiscardHandler))
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		f.ServeHTTP(w, request(body))
		if w.Code != http.StatusOK {
			b.Fatal(w.Body)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*frames), "ns/chunk")
}

type listStream struct{ events []inference.Event }

func (s *listStream) Next(context.Context) (inference.Event, error) {
	if len(s.events) == 0 {
		return inference.Event{}, io.EOF
	}
	e := s.events[0]
	s.events = s.events[1:]
	return e, nil
}

func (s *listStream) Close() error { return nil }
