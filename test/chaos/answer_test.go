package main

import (
	"encoding/base64"
	"io"
	"slices"
	"strings"
	"testing"

	"fairway/internal/wire/eventstream"
	"fairway/internal/wire/sse"
)

// A stream with a text and a tool's call, in each form that a stream has.
var (
	claudeEvents = []string{
		`{"type":"message_start","message":{"usage":{"input_tokens":7,"output_tokens":1}}}`,
		`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Reis "}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"mit Möhren"}}`,
		`{"type":"content_block_stop","index":0}`,
		`{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","name":"cook","input":{}}}`,
		`{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"b\":1,"}}`,
		`{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":" \"a\":2}"}}`,
		`{"type":"content_block_stop","index":1}`,
		`{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":9}}`,
		`{"type":"message_stop"}`,
	}
	claudeMetered = `{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":7,"outputTokenCount":9}}`

	converseEvents = [][2]string{
		{"messageStart", `{"role":"assistant"}`},
		{"contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"Reis "}}`},
		{"contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"mit Möhren"}}`},
		{"contentBlockStop", `{"contentBlockIndex":0}`},
		{"contentBlockStart", `{"contentBlockIndex":1,"start":{"toolUse":{"name":"cook"}}}`},
		{"contentBlockDelta", `{"contentBlockIndex":1,"delta":{"toolUse":{"input":"{\"b\":1,"}}}`},
		{"contentBlockDelta", `{"contentBlockIndex":1,"delta":{"toolUse":{"input":" \"a\":2}"}}}`},
		{"contentBlockStop", `{"contentBlockIndex":1}`},
		{"messageStop", `{"stopReason":"tool_use"}`},
		{"metadata", `{"usage":{"inputTokens":7,"outputTokens":9}}`},
	}

	chatEvents = []string{
		`{"id":"c","choices":[{"delta":{"role":"assistant","content":""}}]}`,
		`{"id":"c","choices":[{"delta":{"content":"Reis "}}]}`,
		`{"id":"c","choices":[{"delta":{"content":"mit Möhren"}}]}`,
		`{"id":"c","choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"cook","arguments":""}}]}}]}`,
		`{"id":"c","choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"b\":1,"}}]}}]}`,
		`{"id":"c","choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":" \"a\":2}"}}]}}]}`,
		`{"id":"c","choices":[{"delta":{},"finish_reason":"tool_calls"}]}`,
		`{"id":"c","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":9}}`,
		`[DONE]`,
	}
)

var streamed = &answer{
	blocks: []block{{textBlock, "Reis mit Möhren"}, {callOf("cook"), `{"a":2,"b":1}`}},
	stop:   "tool_use", input: 7, output: 9,
}

// form is a form of streams: its events as they are on the wire, and its reader.
type form struct {
	name   string
	events []string
	read   func(io.Reader) (*answer, error)
}

func forms() []form {
	chunk := func(s string) string {
		return string(eventstream.Event("chunk", "application/json", []byte(`{"bytes":"`+base64.StdEncoding.EncodeToString([]byte(s))+`"}`)))
	}
	event := func(s string) string { return string(sse.Append(nil, sse.Event{Data: []byte(s)})) }
	each := func(events []string, wrap func(string) string) (wrapped []string) {
		for _, e := range events {
			wrapped = append(wrapped, wrap(e))
		}
		return wrapped
	}
	var frames, nova []string
	for _, e := range converseEvents {
		frames = append(frames, string(eventstream.Event(e[0], "application/json", []byte(e[1]))))
		more := ""
		if e[0] == "metadata" {
			more = `,"amazon-bedrock-invocationMetrics":{"inputTokenCount":7,"outputTokenCount":9}`
		}
		nova = append(nova, chunk(`{"`+e[0]+`":`+e[1]+more+`}`))
	}
	metered := append(slices.Clone(claudeEvents[:len(claudeEvents)-1]), claudeMetered)
	return []form{
		{"Messages", each(claudeEvents, event), readMessageEvents},
		{"Claude's chunks", each(metered, chunk), readClaudeStream},
		{"Nova's chunks", nova, readNovaStream},
		{"ConverseStream", frames, readConverseStream},
		{"chat completions", each(chatEvents, event), readChatChunks},
	}
}

// sound reports whether the events read as what was streamed.
func (f form) sound(events []string) error {
	got, err := f.read(strings.NewReader(strings.Join(events, "")))
	if err != nil {
		return err
	}
	if got.input != streamed.input || got.output != streamed.output {
		return io.ErrNoProgress
	}
	return got.differs(streamed)
}

// TestStreams: no event of a stream can be left out, come twice or change places with
// the next, and no stream can end early, without being noticed.
func TestStreams(t *testing.T) {
	for _, f := range forms() {
		if err := f.sound(f.events); err != nil {
			t.Errorf("%s: a good stream: %v", f.name, err)
		}
		for i, e := range f.events {
			spoilt := map[string][]string{
				"without":        slices.Delete(slices.Clone(f.events), i, i+1),
				"twice":          slices.Insert(slices.Clone(f.events), i, e),
				"cut before":     f.events[:i],
				"cut in between": {strings.Join(f.events[:i], "") + e[:len(e)/2]},
			}
			if i > 0 {
				swapped := slices.Clone(f.events)
				swapped[i-1], swapped[i] = e, f.events[i-1]
				spoilt["before its predecessor"] = swapped
			}
			for how, events := range spoilt {
				if f.sound(events) == nil {
					t.Errorf("%s: event %d %s goes unnoticed: %q", f.name, i, how, e)
				}
			}
		}
	}
}

// TestExceptions: a stream that fails is a beginning and the exception, and nothing
// comes after it.
func TestExceptions(t *testing.T) {
	failures := map[string]string{
		"Messages":         "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n",
		"chat completions": "data: {\"error\":{\"type\":\"server_error\"}}\n\n",
	}
	frame := string(eventstream.Exception("serviceUnavailableException", "m"))
	for _, f := range forms() {
		failure, ok := failures[f.name]
		if !ok {
			failure = frame
		}
		for i := 1; i < len(f.events); i++ {
			got, err := f.read(strings.NewReader(strings.Join(f.events[:i], "") + failure))
			if err != nil || got.failed == "" || !got.begins(streamed) {
				t.Errorf("%s: after %d events: %+v, %v, want a beginning and the exception", f.name, i, got, err)
			}
			if _, err := f.read(strings.NewReader(failure + strings.Join(f.events[i:], ""))); err == nil {
				t.Errorf("%s: events after the exception go unnoticed", f.name)
			}
		}
	}
}

func TestBegins(t *testing.T) {
	for _, c := range []struct {
		blocks []block
		want   bool
	}{
		{nil, true},
		{[]block{{textBlock, "Reis"}}, true},
		{[]block{{textBlock, "Reis mit Möhren"}, {callOf("cook"), `{"a"`}}, true},
		{[]block{{textBlock, "Reis"}, {callOf("cook"), ""}}, false},
		{[]block{{textBlock, "Nudeln"}}, false},
		{[]block{{reasoningBlock, "Reis"}}, false},
		{append(slices.Clone(streamed.blocks), block{textBlock, ""}), false},
	} {
		if got := (&answer{blocks: c.blocks}).begins(streamed); got != c.want {
			t.Errorf("begins(%v) = %v, want %v", c.blocks, got, c.want)
		}
	}
}
