package anthropic

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"fairway/internal/inference"
	"fairway/internal/upstream/upstreamtest"
)

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
func read(t *testing.T, u *Upstream, r *inference.Request) ([]inference.Event, error) {
	t.Helper()
	stream, err := u.Invoke(t.Context(), target, r)
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

// A Messages body keeps its bytes, but for what the server has elsewhere.
func TestNativeBody(t *testing.T) {
	s := &server{}
	u := serve(t, s)
	body := `{"anthropic_version":"bedrock-2023-05-31", "max_tokens": 5,"anthropic_beta":["a","b"],"top_k":1, "messages":[{"role":"user","content":"hi"}] }`
	events, err := read(t, u, request(inference.InvokeModel, body))
	if err != io.EOF {
		t.Fatal(err)
	}
	want := `{"max_tokens": 5,"top_k":1, "messages":[{"role":"user","content":"hi"}],"model":"claude-sonnet-4-20250514","stream":true }`
	got := s.last()
	if got.body != want || got.path != "/v1/messages" {
		t.Errorf("%s got %s, want %s", got.path, got.body, want)
	}
	for name, want := range map[string]string{
		"Anthropic-Beta": "a,b", "Anthropic-Version": "2023-06-01", "X-Api-Key": "secret", "Content-Type": "application/json",
	} {
		if got := got.header.Get(name); got != want {
			t.Errorf("header %s = %q, want %q", name, got, want)
		}
	}
	wantAnswer := `{"id":"msg_bdrk_010spiZ5jnGOE0lI8bCDWTPG","type":"message","role":"assistant","model":"claude-sonnet-4-20250514",` +
		`"content":[{"type":"text","text":"Fry the carrots with the rice "}],"stop_reason":"end_turn","stop_sequence":null,` +
		`"usage":{"input_tokens":20,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":9}}`
	if got := events[len(events)-1].Raw; string(got) != wantAnswer {
		t.Errorf("answer = %s, want %s", got, wantAnswer)
	}
}

// Converse and the count of its tokens reach the server as Messages.
func TestTranslatedBody(t *testing.T) {
	s := &server{}
	u := serve(t, s)
	if _, err := read(t, u, request(inference.ConverseStream, `{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`)); err != io.EOF {
		t.Fatal(err)
	}
	want := `{"max_tokens":4096,"messages":[{"content":[{"text":"hi","type":"text"}],"role":"user"}],"model":"claude-sonnet-4-20250514","stream":true}`
	if got := s.last().body; got != want {
		t.Errorf("body = %s, want %s", got, want)
	}
	inner := base64.StdEncoding.EncodeToString([]byte(`{"anthropic_version":"x","max_tokens":1,"temperature":0,"messages":[{"role":"user","content":"hi"}]}`))
	events, err := read(t, u, request(inference.CountTokens, `{"input":{"invokeModel":{"body":"`+inner+`"}}}`))
	if err != io.EOF || len(events) != 1 || string(events[0].Raw) != `{"inputTokens":14}` {
		t.Errorf("CountTokens = %v, %v, want 14 tokens", events, err)
	}
	want = `{"messages":[{"content":[{"text":"hi","type":"text"}],"role":"user"}],"model":"claude-sonnet-4-20250514"}`
	if got := s.last(); got.body != want || got.path != "/v1/messages/count_tokens" {
		t.Errorf("%s got %s, want %s", got.path, got.body, want)
	}
}

func TestRefusals(t *testing.T) {
	const msgNoAccess = "You don't have access to the model with the specified model ID."
	for _, c := range []struct {
		status  int
		body    string
		kind    inference.Kind
		message string
	}{
		{400, `{"error":{"type":"invalid_request_error","message":"no"}}`, inference.Validation, "no"},
		{401, `{"error":{"type":"authentication_error","message":"no"}}`, inference.AccessDenied, msgNoAccess},
		{403, `{"error":{"type":"permission_error","message":"no"}}`, inference.AccessDenied, msgNoAccess},
		{404, `{"error":{"type":"not_found_error","message":"no"}}`, inference.ResourceNotFound, "no"},
		{413, `{"error":{"type":"request_too_large","message":"no"}}`, inference.Validation, "no"},
		{429, `{"error":{"type":"rate_limit_error","message":"no"}}`, inference.Throttling, "no"},
		{500, `{"error":{"type":"api_error","message":"no"}}`, inference.InternalServer, "no"},
		{529, `{"error":{"type":"overloaded_error","message":"no"}}`, inference.ServiceUnavailable, "no"},
		{400, `{"error":{"type":"billing_error","message":"no"}}`, inference.ServiceQuotaExceeded, "no"},
		{400, `{"error":{"type":"overloaded_error"}}`, inference.ServiceUnavailable, "the model's server answered with HTTP status 400"},
		{422, `{"error":{"type":"other","message":"no"}}`, inference.Validation, "no"},
		{429, `<html>`, inference.Throttling, "the model's server answered with HTTP status 429"},
		{529, ``, inference.ServiceUnavailable, "the model's server answered with HTTP status 529"},
	} {
		u := serve(t, &server{script: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		}})
		_, err := u.Invoke(t.Context(), target, request(inference.InvokeModel, upstreamtest.Body))
		e, ok := errors.AsType[*inference.Error](err)
		if !ok || e.Kind != c.kind || e.Message != c.message || e.Foreign != (c.message == "no") || e.Transport || e.Region != target.Region {
			t.Errorf("status %d of %s: error = %v, want %s %q", c.status, c.body, err, c.kind, c.message)
		}
	}
}

// A count that the server does not give is an error.
func TestBrokenCounts(t *testing.T) {
	inner := base64.StdEncoding.EncodeToString([]byte(upstreamtest.Body))
	for _, body := range []string{``, `{`, `{}`, `{"input_tokens":"many"}`} {
		u := serve(t, &server{script: func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) }})
		events, err := read(t, u, request(inference.CountTokens, `{"input":{"invokeModel":{"body":"`+inner+`"}}}`))
		if e := inference.AsError(err); events != nil || !e.Transport || e.Region != target.Region {
			t.Errorf("CountTokens where the server says %q = %v, %v, want a transport error", body, events, err)
		}
	}
}

// A stream that is cut, broken or told of an error is an error to whoever reads
// it; what it had before stays.
func TestBrokenStreams(t *testing.T) {
	whole := string(reply())
	cut := func(before string) string { return whole[:strings.Index(whole, before)] }
	for name, c := range map[string]struct {
		text      string
		kind      inference.Kind
		transport bool
	}{
		"nothing":               {"", inference.ServiceUnavailable, true},
		"cut between events":    {cut("event: message_stop"), inference.ServiceUnavailable, true},
		"cut inside an event":   {cut("rice"), inference.ServiceUnavailable, true},
		"an error event":        {cut("event: content_block_stop") + "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n", inference.ServiceUnavailable, false},
		"no JSON":               {cut("event: content_block_stop") + "data: {\n\n", inference.ServiceUnavailable, true},
		"content of a new type": {cut("event: content_block_start") + `data: {"type":"content_block_start","index":0,"content_block":{"type":"novel"}}` + "\n\n", inference.ModelError, false},
	} {
		u := serve(t, &server{script: func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, c.text) }})
		for _, op := range []inference.Operation{inference.InvokeModel, inference.InvokeModelWithResponseStream} {
			events, err := read(t, u, request(op, upstreamtest.Body))
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

func TestNewRefuses(t *testing.T) {
	if u, err := New(Config{URL: "api.anthropic.com"}); err == nil || u != nil {
		t.Errorf("New without a scheme = %v, %v, want an error alone", u, err)
	}
}

// The model's name is the configuration's to choose.
func TestModels(t *testing.T) {
	s := &server{}
	u := serve(t, s)
	u.config.Models = func(m inference.ModelID) string { return `a "` + string(m) + `"` }
	if _, err := read(t, u, request(inference.InvokeModel, upstreamtest.Body)); err != io.EOF {
		t.Fatal(err)
	}
	if want := `"model":"a \"` + model + `\""`; !strings.Contains(s.last().body, want) {
		t.Errorf("body = %s, want %s", s.last().body, want)
	}
}

func BenchmarkInvoke(b *testing.B) {
	s := &server{}
	u := serve(b, s)
	for _, op := range []inference.Operation{inference.InvokeModel, inference.InvokeModelWithResponseStream} {
		b.Run(string(op), func(b *testing.B) {
			r := request(op, upstreamtest.Body)
			b.ReportAllocs()
			for b.Loop() {
				stream, err := u.Invoke(context.Background(), target, r)
				if err != nil {
					b.Fatal(err)
				}
				for {
					if _, err := stream.Next(context.Background()); err != nil {
						break
					}
				}
				stream.Close()
			}
		})
	}
}
