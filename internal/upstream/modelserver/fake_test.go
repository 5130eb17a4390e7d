package modelserver

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"fairway/internal/dialect"
	"fairway/internal/dialect/invocation"
	"fairway/internal/dialect/openai"
	"fairway/internal/inference"
	"fairway/internal/wire/sse"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	model  = "openai.gpt-oss-20b-1:0"
	region = "us-east-1"

	// The events of an answer of two words.
	one    = `{"choices":[{"delta":{"content":"one "}}]}`
	two    = `{"choices":[{"delta":{"content":"two"}}]}`
	finish = `{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2}}`
)

// fake is a server and the Server that calls it, both gone when the test has ended.
type fake struct {
	*Server
	mu    sync.Mutex
	last  http.Header     // of the last request
	conns map[string]bool // remote addresses
}

func serve(t testing.TB, handler http.HandlerFunc) *fake {
	t.Helper()
	f := &fake{conns: map[string]bool{}}
	transport := &http.Transport{}
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		f.mu.Lock()
		f.last, f.conns[r.RemoteAddr] = r.Header.Clone(), true
		f.mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		listener.CloseClientConnections()
		listener.Close()
	})
	s, err := Open(Config{URL: listener.URL, Client: &http.Client{Transport: transport}, Op: "test", Refusal: refusal})
	if err != nil {
		t.Fatal(err)
	}
	f.Server = s
	return f
}

// header is that of the last request.
func (f *fake) header(name string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last.Get(name)
}

// connections is how many there were.
func (f *fake) connections() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.conns)
}

// refusal reads {"kind":"...","message":"..."}.
func refusal(body []byte) (inference.Kind, string) {
	var told struct {
		Kind    inference.Kind
		Message string
	}
	_ = json.Unmarshal(body, &told)
	return told.Kind, told.Message
}

// text is a stream of these events.
func text(events ...string) string {
	var text []byte
	for _, data := range events {
		text = sse.Append(text, sse.Event{Data: []byte(data)})
	}
	return string(text)
}

// answers is a server that answers with text, an event at a time.
func answers(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for event := range strings.SplitAfterSeq(text, "\n\n") {
			_, _ = io.WriteString(w, event)
			_ = http.NewResponseController(w).Flush()
		}
	}
}

// hangs is a server that answers with text and then with nothing.
func hangs(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answers(text)(w, r)
		<-r.Context().Done()
	}
}

func call() Call {
	return Call{Path: "/chat/completions", Body: []byte(`{}`), Decoder: openai.Dialect{}.NewDecoder()}
}

func (f *fake) invoke(ctx context.Context, op inference.Operation) (inference.Stream, error) {
	return f.Invoke(ctx, region, new(inference.Request), func(ctx context.Context) (*Stream, error) {
		form, err := invocation.Of(op, model)
		if err != nil {
			return nil, err
		}
		return f.Stream(ctx, call(), form.Begin(dialect.Head{}))
	})
}

// read is the events up to the end of the stream, and what ended it.
func (f *fake) read(t *testing.T, op inference.Operation) ([]inference.Event, error) {
	t.Helper()
	stream, err := f.invoke(t.Context(), op)
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
