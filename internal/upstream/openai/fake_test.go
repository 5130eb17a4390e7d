package openai

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"fairway/internal/dialect"
	"fairway/internal/dialect/openai"
	"fairway/internal/inference"
	"fairway/internal/wire/sse"
)

const model = "anthropic.claude-sonnet-4-20250514-v1:0"

var target = inference.Target{Region: "us-east-1", Model: model}

// server speaks chat completions and keeps what it was asked. It answers every
// call with the same words, or as script says.
type server struct {
	script func(w http.ResponseWriter, r *http.Request) // nil answers
	reply  string                                       // the text of the answer's stream; empty is that of reply

	mu    sync.Mutex
	calls []received
	conns map[string]bool // remote addresses
}

type received struct {
	path   string
	header http.Header
	body   string
}

// serve starts a server and an Upstream that calls it with the key "secret" and
// counts words. Both are gone when the test has ended.
func serve(t testing.TB, s *server) *Upstream {
	t.Helper()
	s.conns = map[string]bool{}
	transport := &http.Transport{}
	listener := httptest.NewServer(s)
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		listener.CloseClientConnections()
		listener.Close()
	})
	u, err := New(Config{
		URL: listener.URL, Client: &http.Client{Transport: transport},
		Key:    func() string { return "secret" },
		Model:  func(m inference.ModelID) string { return "local " + string(m) },
		Tokens: words,
	})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func words(_ inference.ModelID, c *dialect.Conversation) int {
	n := 0
	for _, m := range c.Messages {
		n += len(strings.Fields(m.Text()))
	}
	return n
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
	s.conns[r.RemoteAddr] = true
	s.mu.Unlock()
	call, err := openai.ReadCall(body)
	switch {
	case s.script != nil:
		s.script(w, r)
	case r.URL.Path != "/v1/chat/completions" || err != nil || !call.Stream || !call.IncludeUsage:
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":{"message":"the body is not as it should be","type":"invalid_request_error"}}`)
	default:
		text := s.reply
		if text == "" {
			text = reply()
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for event := range strings.SplitAfterSeq(text, "\n\n") {
			io.WriteString(w, event)
			http.NewResponseController(w).Flush()
		}
	}
}

const said = "Fry the carrots with the rice "

// reply is an answer of a few words as the server streams it.
func reply() string {
	pieces := []dialect.Piece{
		{Kind: dialect.Began},
		{Kind: dialect.BlockBegan, Block: dialect.Block{Type: dialect.Text}},
	}
	for word := range strings.SplitAfterSeq(said, " ") {
		pieces = append(pieces, dialect.Piece{Kind: dialect.Delta, Text: word})
	}
	pieces = append(pieces, dialect.Piece{Kind: dialect.BlockEnded}, dialect.Piece{Kind: dialect.Stopped, Stop: dialect.Stop{Reason: dialect.EndTurn}},
		dialect.Piece{Kind: dialect.Ended, Usage: &inference.Usage{InputTokens: 20, OutputTokens: 9}})
	encoder := openai.Dialect{Usage: true}.NewEncoder(dialect.Head{ID: "1", Model: "local"})
	text := []byte(": a comment\n\n")
	for _, p := range pieces {
		payloads, err := encoder.Encode(p)
		if err != nil {
			panic(err)
		}
		for _, payload := range payloads {
			text = sse.Append(text, sse.Event{Data: payload.JSON})
		}
	}
	return string(sse.Append(text, sse.Event{Data: []byte(openai.Done)}))
}

// chunks is a stream of these events.
func chunks(texts ...string) string {
	var text []byte
	for _, data := range texts {
		text = sse.Append(text, sse.Event{Data: []byte(data)})
	}
	return string(text)
}
