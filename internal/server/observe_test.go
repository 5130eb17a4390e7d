package server

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"fairway/internal/ledger"
)

// collector takes spans as an OpenTelemetry collector does.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []byte
}

func newCollector(t *testing.T) *collector {
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		c.mu.Lock()
		defer c.mu.Unlock()
		if r.URL.Path == "/v1/traces" {
			c.spans = append(c.spans, body...)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// in is how many spans of a trace have come; a span has its trace's id once.
func (c *collector) in(trace []byte) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Count(c.spans, trace)
}

func (c *collector) has(text []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Contains(c.spans, text)
}

// TestTraces: a call has a span, and one below it for each attempt; the trace that
// the caller is in goes on through both servers.
func TestTraces(t *testing.T) {
	nearSpans, farSpans := newCollector(t), newCollector(t)
	far, _ := opened(t, "simulate: {speed: instant, hidden_routing: true}\ntelemetry: {otlp: "+farSpans.URL+"}\n"+caller)
	at, written := endpoints(t, far, apac())
	parents := make(chan string, 1)
	at["ap-northeast-1"].Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		parents <- r.Header.Get("Traceparent")
		far.ServeHTTP(w, r)
	})
	kill(at[entry])
	near := listening(t, "model: bedrock\nregion: ap-southeast-1\norder: [ap-southeast-1, ap-northeast-1]\nbedrock: {endpoints: "+written+"}\ntelemetry: {otlp: "+nearSpans.URL+", sample: 0}\n"+caller, asApp(t))

	const trace, parent = "0102030405060708090a0b0c0d0e0f10", "1112131415161718"
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, near.url()+"/model/"+profile+"/invoke", strings.NewReader(prompt))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Traceparent", "00-"+trace+"-"+parent+"-01")
	answer, err := transport(t, false).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("InvokeModel = %s, want an answer", answer.Status)
	}
	for _, s := range []*Server{near.Server, far} {
		if err := s.tracing.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	id := binary(t, trace)
	if got := nearSpans.in(id); got != 3 {
		t.Errorf("the first server has %d spans of the trace, want a call and two attempts", got)
	}
	if got := farSpans.in(id); got != 2 {
		t.Errorf("the second server has %d spans of the trace, want a call and an attempt", got)
	}
	handed := strings.Split(<-parents, "-")
	if len(handed) != 4 || handed[1] != trace {
		t.Fatalf("traceparent between the servers = %v, want the caller's trace", handed)
	}
	if attempt := binary(t, handed[2]); !nearSpans.has(attempt) || !farSpans.has(attempt) {
		t.Error("the second server's call is not below the first one's attempt")
	}
	if !nearSpans.has(binary(t, parent)) || !nearSpans.has([]byte("InvokeModel "+profile)) {
		t.Error("the first server's call is not below its caller's span, or not named")
	}
}

func binary(t *testing.T, digits string) []byte {
	t.Helper()
	id, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestAdminOfServe: what an operator asks for is on the admin listener alone,
// behind its token, and callers make no series of metrics.
func TestAdminOfServe(t *testing.T) {
	s := listening(t, "region: ap-southeast-1\nsimulate: {speed: instant}\nadmin: {token: env:ADMIN}\n"+caller)
	tr := transport(t, false)
	for _, model := range []string{profile, "invented.model-1", "invented.model-2"} {
		askBearer(t, tr, s.url()+"/model/"+model+"/invoke", prompt)
	}
	get := func(h http.Handler, path, token string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "http://localhost"+path, nil)
		r.RemoteAddr = "127.0.0.1:5000"
		r.Header.Set("Authorization", token)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	for _, path := range []string{"/metrics", "/api/regions", "/api/ledger"} {
		if w := get(s.Server, path, "Bearer an admin token"); w.Code != http.StatusNotFound {
			t.Errorf("GET %s of the doors = %d, want 404", path, w.Code)
		}
		for _, token := range []string{"", "Bearer another", "an admin token"} {
			if w := get(s.Admin(), path, token); w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("GET %s with token %q = %d, want 401", path, token, w.Code)
			}
		}
		if w := get(s.Admin(), path, "Bearer an admin token"); w.Code != http.StatusOK {
			t.Errorf("GET %s with the token = %d %s, want 200", path, w.Code, w.Body)
		}
	}
	var status ledger.Status
	body := get(s.Admin(), "/api/ledger", "Bearer an admin token").Body
	if err := json.NewDecoder(body).Decode(&status); err != nil || status.Server != s.ledger.Server() || status.Lost != 0 {
		t.Errorf("GET /api/ledger = %+v, %v, want how the ledger of %s does", status, err, s.ledger.Server())
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if w := get(s.Admin(), path, ""); w.Code != http.StatusOK {
			t.Errorf("GET %s without a token = %d, want 200", path, w.Code)
		}
	}
	metrics := get(s.Admin(), "/metrics", "Bearer an admin token").Body.String()
	for _, want := range []string{
		`fairway_calls_total{kind="",operation="InvokeModel",outcome="ok"} 1`,
		`fairway_calls_total{kind="ValidationException",operation="InvokeModel",outcome="failed"} 2`,
		`fairway_attempts_total{kind="",outcome="ok",region="ap-southeast-1"} 1`,
	} {
		if !strings.Contains(metrics, want+"\n") {
			t.Errorf("metrics have no line %s", want)
		}
	}
	if strings.Contains(metrics, "invented") {
		t.Error("a caller's model id is a label")
	}
}
