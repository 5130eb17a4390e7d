package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
)

// askRegion asks a region with the body that a door has for a conversation.
func askRegion(t *testing.T, r *regions, region, path, id string, body object) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/"+region+path, bytes.NewReader(encode(body)))
	if err != nil {
		t.Fatal(err)
	}
	if id != "" {
		req.Header.Set("Amz-Sdk-Invocation-Id", id)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func openRegions(t *testing.T) *regions {
	t.Helper()
	r, err := listenRegions(1, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		r.server.Shutdown(context.Background())
	})
	return r
}

// TestRegions: the same conversation has the same answer by each operation of each model,
// whole or streamed, and each request is noted.
func TestRegions(t *testing.T) {
	r := openRegions(t)
	asked := &conversation{system: "Cook.", turns: []string{"What with rice?"}, max: 2000}
	var want *answer
	for _, d := range []struct {
		door  *door
		model string
	}{{converseDoor, claude}, {converseDoor, nova}, {invokeClaude, claude}, {invokeNova, nova}} {
		for _, streams := range []bool{false, true} {
			resp := askRegion(t, r, "ap-southeast-1", d.door.path(d.model, streams), "call", d.door.body(asked, d.model, streams))
			read := d.door.whole
			if streams {
				read = d.door.stream
			}
			got, err := read(resp.Body)
			if err != nil {
				t.Fatalf("%s: %v", d.door.path(d.model, streams), err)
			}
			if want == nil {
				want = got
			}
			if err := got.differs(want); err != nil || got.input != want.input || got.output != want.output || got.output < 10 {
				t.Errorf("%s: %d tokens in and %d out, want %d and %d; %v", d.door.path(d.model, streams), got.input, got.output, want.input, want.output, err)
			}
		}
	}
	askRegion(t, r, "ap-southeast-1", converseDoor.path(nova, false), "", asked.converse())
	if reached, nameless := r.told(); reached["call"] != 8 || len(reached) != 1 || nameless != 1 {
		t.Errorf("told() = %v, %d, want 8 requests of one call and 1 of none", reached, nameless)
	}
}

// TestReplyGoesOn: a beginning of the answer is gone on with, anything else is refused.
func TestReplyGoesOn(t *testing.T) {
	asked := &conversation{turns: []string{"What with rice?"}, max: 2000}
	whole, err := reply(encode(asked.converse()))
	if err != nil {
		t.Fatal(err)
	}
	text := whole.text()
	for _, at := range []int{1, len(text) / 2, len(text) - 1} {
		asked.turns = []string{"What with rice?", text[:at]}
		rest, err := reply(encode(asked.messages()))
		if err != nil || text[:at]+rest.text() != text {
			t.Errorf("reply(of %d bytes) = %v, %v, want the rest", at, rest, err)
		}
	}
	asked.turns[1] = "Something else"
	if _, err := reply(encode(asked.messages())); err == nil {
		t.Error("reply(not a beginning) = nil, want an error")
	}
	if _, err := reply([]byte(`{}`)); err == nil {
		t.Error("reply(no conversation) = nil, want an error")
	}
}

// TestNatures: a region treats about its share of the requests as its nature is.
func TestNatures(t *testing.T) {
	r := openRegions(t)
	asked := (&conversation{turns: []string{"What with rice?"}, max: 2000}).converse()
	path := converseDoor.path(nova, true)
	const times = 40
	for region, status := range map[string]int{"ap-northeast-2": http.StatusServiceUnavailable, "ap-southeast-2": http.StatusTooManyRequests, "ap-south-1": 0} {
		faulty := 0
		for range times {
			resp := askRegion(t, r, region, path, "call", asked)
			text, err := io.ReadAll(resp.Body)
			if resp.StatusCode == status || status == 0 && err != nil && strings.Contains(string(text), "contentBlockDelta") {
				faulty++
			}
			resp.Body.Close()
		}
		if faulty == 0 || faulty == times {
			t.Errorf("%s: %d of %d answers are faulty, want some", region, faulty, times)
		}
	}
}
