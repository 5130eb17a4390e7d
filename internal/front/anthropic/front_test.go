package anthropic_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fairway/internal/front/anthropic"
	"fairway/internal/inference"
	"fairway/internal/wire/sigv4"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const streamed = `{"model":"anthropic.claude-sonnet-4-20250514-v1:0","max_tokens":10,"stream":true,"messages":[{"role":"user","content":"hi"}]}`

// patience is how long anything that must be prompt may take on a slow machine.
const patience = 10 * time.Second

func post(ctx context.Context, t *testing.T, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/messages", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Api-Key", "bearer")
	return r
}

// An event is with the client before the next is there, and a client that goes
// away ends the call at once.
func TestStreamFlushesAndEndsWithClient(t *testing.T) {
	gateway := &scriptedGateway{
		Events: []scriptedEvent{{JSON: json.RawMessage(`{"type":"ping"}`)}},
		closed: make(chan struct{}),
	}
	server := httptest.NewServer(newFront(gateway))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	response, err := server.Client().Do(post(ctx, t, server.URL, streamed))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if line, err := bufio.NewReader(response.Body).ReadString('\n'); line != "event: ping\n" || err != nil {
		t.Fatalf("first line = %q, %v, want the event", line, err)
	}
	cancel()
	select {
	case <-gateway.closed:
	case <-time.After(patience):
		t.Fatal("the stream outlives its client")
	}
}

// A signature does as well as a key, and its region is the source region.
func TestSigned(t *testing.T) {
	gateway := &scriptedGateway{Answer: `{}`}
	server := httptest.NewServer(newFront(gateway))
	defer server.Close()
	body := strings.Replace(streamed, "true", "false", 1)
	r := post(t.Context(), t, server.URL, body)
	r.Header.Del("X-Api-Key")
	sigv4.Sign(r, []byte(body), sigv4.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}, "eu-west-1", "bedrock", time.Now())
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || gateway.request.SourceRegion != "eu-west-1" {
		t.Errorf("status = %d, request = %+v, want 200 and eu-west-1", response.StatusCode, gateway.request)
	}
}

// The deadline that the SDK tells is the gateway's.
func TestDeadlineIsPassedOn(t *testing.T) {
	gateway := &scriptedGateway{Answer: `{}`}
	server := httptest.NewServer(newFront(gateway))
	defer server.Close()
	r := post(t.Context(), t, server.URL, strings.Replace(streamed, "true", "false", 1))
	r.Header.Set("X-Stainless-Timeout", "600")
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := time.Until(gateway.request.Deadline).Round(time.Minute); got != 10*time.Minute {
		t.Errorf("the gateway is given a deadline in %s, want ten minutes", got)
	}
}

// A panic behind the door is an internal error, and the room is given back.
func TestPanic(t *testing.T) {
	f := newFront(&scriptedGateway{unexpected: true})
	room := &countingRoom{}
	f.Room = room
	w := httptest.NewRecorder()
	f.ServeHTTP(w, post(t.Context(), t, "", streamed))
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), `"api_error"`) || strings.Contains(w.Body.String(), "gateway") {
		t.Errorf("a panic answers %d %s, want 500 and an api_error", w.Code, w.Body)
	}
	if taken := room.taken.Load(); taken != 0 {
		t.Errorf("%d places are still taken", taken)
	}
}

// countingRoom has room for everything.
type countingRoom struct{ taken atomic.Int64 }

func (r *countingRoom) Enter() (func(), error) {
	r.taken.Add(1)
	return func() { r.taken.Add(-1) }, nil
}

func (r *countingRoom) Hold(int64) (func(), error) { return r.Enter() }

// Past the bound there is the dialect's own throttling, and the key's request is
// not changed by it.
func TestNoRoom(t *testing.T) {
	f := newFront(&scriptedGateway{unexpected: true})
	f.Room = fullRoom{}
	w := httptest.NewRecorder()
	r := post(t.Context(), t, "", streamed)
	f.ServeHTTP(w, r)
	if w.Code != http.StatusTooManyRequests || !strings.Contains(w.Body.String(), `"rate_limit_error"`) {
		t.Errorf("no room answers %d %s, want 429 and a rate_limit_error", w.Code, w.Body)
	}
	if r.Header.Get("Authorization") != "" {
		t.Error("the caller's request was changed")
	}
}

type fullRoom struct{}

func (fullRoom) Enter() (func(), error) {
	return nil, &inference.Error{Kind: inference.Throttling, Message: "Too many requests, please wait before trying again."}
}

func (fullRoom) Hold(int64) (func(), error) { return func() {}, nil }

func TestServes(t *testing.T) {
	for path, want := range map[string]bool{
		"/v1/messages":                                 true,
		"/v1/messages/count_tokens":                    true,
		"/anthropic":                                   true,
		"/anthropic/v1/anything":                       true,
		"/region/ap-southeast-1/v1/messages":           true,
		"/region/ap-southeast-1/anthropic/v1/messages": true,
		"/region/nowhere/v1/messages":                  false,
		"/region/ap-southeast-1":                       false,
		"/v1/messages/batches":                         true,
		"/v1/messaging":                                false,
		"/v1/chat/completions":                         false,
		"/anthropics":                                  false,
		"/model/anthropic/invoke":                      false,
		"/":                                            false,
		"":                                             false,
	} {
		if got := anthropic.Serves(path); got != want {
			t.Errorf("Serves(%q) = %v, want %v", path, got, want)
		}
	}
}

// FuzzMessages: whatever the body, the answer is one of Anthropic's forms, and a
// call that reaches the gateway has a JSON object for its body.
func FuzzMessages(f *testing.F) {
	f.Add(streamed)
	f.Add(`{"model":"amazon.nova-lite-v1:0","max_tokens":1,"messages":[{"role":"user","content":"\ud800"}]}`)
	f.Add("{\"model\":\"anthropic.\xff\",\"max_tokens\":1}")
	f.Add(strings.Repeat("[", 5000))
	f.Fuzz(func(t *testing.T, body string) {
		gateway := &scriptedGateway{Error: &inference.Error{Kind: inference.Throttling, Message: "enough"}}
		w := httptest.NewRecorder()
		newFront(gateway).ServeHTTP(w, post(t.Context(), t, "", body))
		var answer struct {
			Type      string
			Error     struct{ Type, Message string }
			RequestID string `json:"request_id"`
		}
		err := json.Unmarshal(w.Body.Bytes(), &answer)
		if err != nil || answer.Type != "error" || answer.Error.Type == "" || answer.Error.Message == "" || answer.RequestID != w.Header().Get("Request-Id") {
			t.Fatalf("%q answers %d %s, want an error of Anthropic's", body, w.Code, w.Body)
		}
		if w.Code == http.StatusInternalServerError {
			t.Fatalf("%q answers %d %s", body, w.Code, w.Body)
		}
		if r := gateway.request; r != nil && (!json.Valid(r.Body) || !bytes.HasPrefix(bytes.TrimSpace(r.Body), []byte("{"))) {
			t.Fatalf("%q goes on as %q", body, r.Body)
		}
	})
}
