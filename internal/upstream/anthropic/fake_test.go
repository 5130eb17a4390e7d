package anthropic

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"fairway/internal/dialect"
	"fairway/internal/dialect/anthropic"
	"fairway/internal/inference"
	"fairway/internal/wire/sse"
)

const model = "anthropic.claude-sonnet-4-20250514-v1:0"

var target = inference.Target{Region: "us-east-1", Model: model}

// server speaks Messages and keeps what it was asked. It answers every call with
// the same words, or as script says.
type server struct {
	script func(w http.ResponseWriter, r *http.Request) // nil answers

	mu    sync.Mutex
	calls []received
}

type received struct {
	path   string
	header http.Header
	body   string
}

// serve starts a server and an Upstream that calls it with the key "secret". Both
// are gone when the test has ended.
func serve(t testing.TB, s *server) *Upstream {
	t.Helper()
	transport := &http.Transport{}
	listener := httptest.NewServer(s)
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		listener.CloseClientConnections()
		listener.Close()
	})
	u, err := New(Config{URL: listener.URL, Key: func() string { return "secret" }, Client: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// last is the request that came last.
func (s *server) last() received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[len(s.calls)-1]
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.calls = append(s.calls, received{r.URL.Path, r.Header.Clone(), string(body)})
	s.mu.Unlock()
	request, err := anthropic.Decode(body)
	switch {
	case s.script != nil:
		s.script(w, r)
	case err != nil || request.Model == nil:
		fail(w, http.StatusBadRequest, "invalid_request_error", "the body is not as it should be")
	case r.URL.Path == "/v1/messages/count_tokens" && request.MaxTokens == nil && request.Stream == nil:
		fmt.Fprint(w, `{"input_tokens":14}`)
	case r.URL.Path == "/v1/messages" && request.MaxTokens != nil && request.Stream != nil && *request.Stream:
		w.Header().Set("Content-Type", "text/event-stream")
		w.Write(reply())
	default:
		fail(w, http.StatusNotFound, "not_found_error", "no such operation")
	}
}

func fail(w http.ResponseWriter, status int, name, message string) {
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"type": "error", "error": anthropic.Failure{Type: name, Message: message}})
}

// reply is an answer of a few words as the server streams it.
func reply() []byte {
	usage := inference.Usage{InputTokens: 20, OutputTokens: 9}
	pieces := []dialect.Piece{
		{Kind: dialect.Began, Usage: &inference.Usage{InputTokens: 20, OutputTokens: 1}},
		{Kind: dialect.BlockBegan, Block: dialect.Block{Type: dialect.Text}},
	}
	for word := range strings.FieldsSeq("Fry the carrots with the rice") {
		pieces = append(pieces, dialect.Piece{Kind: dialect.Delta, Text: word + " "})
	}
	pieces = append(pieces, dialect.Piece{Kind: dialect.BlockEnded}, dialect.Piece{Kind: dialect.Stopped, Stop: dialect.Stop{Reason: dialect.EndTurn}},
		dialect.Piece{Kind: dialect.Ended, Usage: &usage})
	encoder := anthropic.Dialect{}.NewEncoder(dialect.Head{ID: "1", Model: "claude-sonnet-4-20250514"})
	var text []byte
	for _, p := range pieces {
		payloads, err := encoder.Encode(p)
		if err != nil {
			panic(err)
		}
		for _, payload := range payloads {
			text = sse.Append(text, sse.Event{Type: payload.Type, Data: payload.JSON})
		}
	}
	return text
}
