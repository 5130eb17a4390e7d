package server

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"fairway/internal/sample"
)

// doors are a request at each.
var doors = map[string]struct{ path, body, key string }{
	"bedrock":   {"/model/" + profile + "/invoke", prompt, "Authorization: Bearer " + bearer},
	"control":   {"/inference-profiles", "", "Authorization: Bearer " + bearer},
	"anthropic": {"/v1/messages", `{"model":"` + profile + `","max_tokens":10,"messages":[{"role":"user","content":"Hi"}]}`, "X-Api-Key: " + bearer},
	"openai":    {"/v1/chat/completions", `{"model":"` + profile + `","messages":[{"role":"user","content":"Hi"}]}`, "Authorization: Bearer " + bearer},
	"graphql":   {"/graphql", `{"query":"{ __typename }"}`, "X-Api-Key: "},
}

// knock sends the request of a door.
func knock(t *testing.T, s *site, name string) (*http.Response, string) {
	t.Helper()
	d := doors[name]
	method := http.MethodPost
	if d.body == "" {
		method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(t.Context(), method, s.url()+d.path, strings.NewReader(d.body))
	if err != nil {
		t.Fatal(err)
	}
	header, value, _ := strings.Cut(d.key, ": ")
	if name == "graphql" {
		value = s.Outputs().GraphQL.APIKey
	}
	r.Header.Set(header, value)
	r.Header.Set("Content-Type", "application/json")
	answer, err := transport(t, false).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}

// TestOverload: past either limit every door refuses at once, in its own form, and
// lets in again when there is room.
func TestOverload(t *testing.T) {
	s := listening(t, "simulate: {speed: instant}\nlimits: {calls: 1, held: 1kB, bedrock_body: 1kB}\n"+caller,
		func(o *Options) { o.Backend = loaded(t, sample.Files()) })
	fill := map[string]func() (func(), error){
		"calls": func() (func(), error) {
			a, err := s.room.Enter()
			if err != nil {
				return nil, err
			}
			b, err := s.queries.Enter()
			return func() { a(); b() }, err
		},
		"held": func() (func(), error) {
			a, err := s.room.Hold(1000)
			if err != nil {
				return nil, err
			}
			b, err := s.queries.Hold(1000)
			return func() { a(); b() }, err
		},
	}
	for limit, take := range fill {
		leave, err := take()
		if err != nil {
			t.Fatal(err)
		}
		for name, d := range doors {
			if limit == "held" && d.body == "" {
				continue // nothing to hold
			}
			answer, text := knock(t, s, name)
			if answer.StatusCode != http.StatusTooManyRequests || answer.Header.Get("Retry-After") != "1" || !strings.Contains(text, "Too many ") {
				t.Errorf("%s past limits.%s = %d, Retry-After %q: %s, want 429 and 1", name, limit, answer.StatusCode, answer.Header.Get("Retry-After"), text)
			}
			if kind := answer.Header.Get("X-Amzn-Errortype"); name != "openai" && name != "anthropic" && !strings.HasPrefix(kind, "ThrottlingException") {
				t.Errorf("%s past limits.%s: x-amzn-errortype %q, want a ThrottlingException", name, limit, kind)
			}
		}
		leave()
		for name := range doors {
			if answer, text := knock(t, s, name); answer.StatusCode != http.StatusOK {
				t.Errorf("%s with room = %d: %s, want an answer", name, answer.StatusCode, text)
			}
		}
	}
	empty(t, s)
}

// empty checks that no room is taken once everybody has left.
func empty(t *testing.T, s *site) {
	t.Helper()
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	for name, r := range map[string]*room{"calls": s.room, "queries": s.queries} {
		if r.calls.Load() != 0 || r.held.Load() != 0 {
			t.Errorf("%s: %d in flight and %d bytes held after the end, want none", name, r.calls.Load(), r.held.Load())
		}
	}
}

// TestHeldIsBounded: of large requests that wait for a region as many are held as
// there is room for, all others are refused at once.
func TestHeldIsBounded(t *testing.T) {
	const fit, sent, size = 8, 40, 1 << 20
	s := listening(t, "simulate: {speed: instant}\nregion: ap-southeast-1\nlimits: {bedrock_body: 1MiB, held: 8MiB}\n"+caller)
	for _, region := range apac() {
		if err := s.SetFault(region, "hang"); err != nil {
			t.Fatal(err)
		}
	}
	body := prompt[:len(prompt)-1] + strings.Repeat(" ", size-len(prompt)) + "}"
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	tr := transport(t, false)
	ended := make(chan int, sent)
	for range sent {
		go func() {
			r, _ := http.NewRequestWithContext(ctx, http.MethodPost, s.url()+"/model/"+profile+"/invoke", strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+bearer)
			r.Header.Set("Content-Type", "application/json")
			answer, err := tr.RoundTrip(r)
			if err != nil {
				ended <- 0
				return
			}
			answer.Body.Close()
			ended <- answer.StatusCode
		}()
	}
	for range sent - fit {
		if status := <-ended; status != http.StatusTooManyRequests {
			t.Errorf("a call past the bound = %d, want 429", status)
		}
	}
	if held := s.room.held.Load(); held > fit*size {
		t.Errorf("%d bytes are held, want at most %d", held, fit*size)
	}
	leave()
	for range fit {
		if status := <-ended; status != 0 {
			t.Errorf("a call that waits for a region that hangs = %d, want none", status)
		}
	}
	empty(t, s)
}

// TestNothingLeaks: clients that leave while they send, that never read, and that
// send no end of a body give back what they took.
func TestNothingLeaks(t *testing.T) {
	s := listening(t, "simulate: {speed: instant}\nwrite_timeout: 200ms\nlimits: {bedrock_body: 1MB, held: 64MB}\n"+caller)
	head := "POST /model/" + profile + "/invoke-with-response-stream HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer " + bearer + "\r\n"
	for name, request := range map[string]string{
		"leaves in the head":         head[:40],
		"leaves in the body":         head + "Content-Length: 100000\r\n\r\n{",
		"leaves in a chunk":          head + "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"a\"",
		"says more than is let in":   head + "Content-Length: 2000000\r\n\r\n{",
		"sends more than is let in":  head + "Transfer-Encoding: chunked\r\n\r\n1e8480\r\n" + strings.Repeat("x", 2000000) + "\r\n0\r\n\r\n",
		"leaves before it is answer": head + "Content-Length: 119\r\n\r\n" + prompt,
	} {
		for range 20 {
			conn, err := net.Dial("tcp", s.address)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
			_, _ = io.Copy(conn, bytes.NewReader([]byte(request))) // the server may have hung up
			conn.Close()
		}
	}
	empty(t, s)
}
