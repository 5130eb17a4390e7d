package anthropic

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

var answer = &dialect.Answer{
	Head: dialect.Head{ID: "0f0e0d0c0b0a49088706050403020100", Model: "claude-sonnet-4-20250514"},
	Content: []dialect.Block{
		{Type: dialect.Reasoning, Text: "hm", Signature: "sig"},
		{Type: dialect.Redacted, Text: "AAAA"},
		{Type: dialect.Text, Text: "a<b\n"},
		{Type: dialect.ToolUse, ID: "toolu_1", Name: "f", Input: json.RawMessage(`{"a":1}`)},
	},
	Stop:  dialect.Stop{Reason: dialect.StopToolUse},
	Usage: inference.Usage{InputTokens: 12, OutputTokens: 5, CacheReadTokens: 3, CacheWriteTokens: 2, Caching: true},
}

func TestEncodeAnswer(t *testing.T) {
	want := `{"id":"msg_bdrk_010spiZ5jnGOE0lI8bCDWTPG","type":"message","role":"assistant","model":"claude-sonnet-4-20250514","content":[` +
		`{"type":"thinking","thinking":"hm","signature":"sig"},{"type":"redacted_thinking","data":"AAAA"},` +
		`{"type":"text","text":"a<b\n"},{"type":"tool_use","id":"toolu_1","name":"f","input":{"a":1}}],` +
		`"stop_reason":"tool_use","stop_sequence":null,` +
		`"usage":{"input_tokens":12,"cache_creation_input_tokens":2,"cache_read_input_tokens":3,"output_tokens":5}}`
	got, err := Dialect{}.EncodeAnswer(answer)
	if err != nil || string(got) != want {
		t.Errorf("EncodeAnswer() = %s, %v, want %s", got, err, want)
	}
}

// TestEncodeHour: tokens that the cache keeps for an hour are told apart.
func TestEncodeHour(t *testing.T) {
	hourly := *answer
	hourly.Usage.CacheWriteTokens, hourly.Usage.CacheWrite1h = 9, 4
	want := `"usage":{"input_tokens":12,"cache_creation_input_tokens":9,"cache_read_input_tokens":3,` +
		`"cache_creation":{"ephemeral_5m_input_tokens":5,"ephemeral_1h_input_tokens":4},"output_tokens":5}}`
	if got, err := (Dialect{}).EncodeAnswer(&hourly); err != nil || !strings.HasSuffix(string(got), want) {
		t.Errorf("EncodeAnswer() = %s, %v, want it to end with %s", got, err, want)
	}
}

// TestBrokenOff: what cannot be read is no success, whole or streamed.
func TestBrokenOff(t *testing.T) {
	for _, reason := range []dialect.StopReason{dialect.MalformedOutput, dialect.MalformedToolUse} {
		a := &dialect.Answer{Stop: dialect.Stop{Reason: reason}}
		body, err := Dialect{}.EncodeAnswer(a)
		if e, ok := errors.AsType[*inference.Error](err); body != nil || !ok || e.Kind != inference.ModelError {
			t.Errorf("EncodeAnswer(%s) = %s, %v, want a ModelError", reason, body, err)
		}
		encoder, failed := Dialect{}.NewEncoder(a.Head), error(nil)
		for _, p := range a.Pieces()[:2] { // up to Stopped
			_, failed = encoder.Encode(p)
		}
		if e, ok := errors.AsType[*inference.Error](failed); !ok || e.Kind != inference.ModelError {
			t.Errorf("Encode(%s) error = %v, want a ModelError", reason, failed)
		}
	}
}

func TestMessageID(t *testing.T) {
	for hex, want := range map[string]string{
		"":                                 "msg_bdrk_010000000000000000000000",
		"0":                                "msg_bdrk_010000000000000000000000",
		"ffffffffffffffffffffffffffffffff": "msg_bdrk_017N42dgm5tFLK9N8MT7fHC7",
	} {
		if got := messageID(hex); got != want {
			t.Errorf("messageID(%q) = %q, want %q", hex, got, want)
		}
	}
}

// The events of a stream as they go out (Anthropic API reference, "Streaming
// Messages").
func TestEncoder(t *testing.T) {
	encoder := Dialect{}.NewEncoder(answer.Head)
	var got strings.Builder
	for _, p := range answer.Pieces() {
		payloads, err := encoder.Encode(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, payload := range payloads {
			got.WriteString(payload.Type + " " + string(payload.JSON) + "\n")
		}
	}
	want := `message_start {"type":"message_start","message":{"id":"msg_bdrk_010spiZ5jnGOE0lI8bCDWTPG","type":"message","role":"assistant","model":"claude-sonnet-4-20250514","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":12,"cache_creation_input_tokens":2,"cache_read_input_tokens":3,"output_tokens":1}}}
content_block_start {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}
content_block_delta {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}
content_block_delta {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"sig"}}
content_block_stop {"type":"content_block_stop","index":0}
content_block_start {"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"AAAA"}}
content_block_stop {"type":"content_block_stop","index":1}
content_block_start {"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}}
content_block_delta {"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"a<b\n"}}
content_block_stop {"type":"content_block_stop","index":2}
content_block_start {"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"toolu_1","name":"f","input":{}}}
content_block_delta {"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\"a\":1}"}}
content_block_stop {"type":"content_block_stop","index":3}
message_delta {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":12,"cache_creation_input_tokens":2,"cache_read_input_tokens":3,"output_tokens":5}}
message_stop {"type":"message_stop"}
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// decode reads lines of event JSON.
func decode(t *testing.T, lines string) ([]dialect.Piece, error) {
	t.Helper()
	decoder := Dialect{}.NewDecoder()
	var all []dialect.Piece
	for line := range strings.Lines(lines) {
		pieces, err := decoder.Decode(dialect.Payload{JSON: []byte(line)})
		if err != nil {
			return all, err
		}
		all = append(all, pieces...)
	}
	return all, nil
}

// A stream as Bedrock sends it, with what there is to pass over.
func TestDecoder(t *testing.T) {
	got, err := decode(t, `{"type":"message_start","message":{"id":"m","usage":{"input_tokens":12,"output_tokens":1}}}
{"type":"ping"}
{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"a","citations":null}}
{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"b"}}
{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{}}}
{"type":"content_block_stop","index":0}
{"type":"invented_since"}
{"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"t","name":"f","input":{"whole":1}}}
{"type":"content_block_stop","index":4}
{"type":"message_delta","delta":{"stop_reason":"refusal"},"usage":{"output_tokens":9}}
{"type":"message_stop","amazon-bedrock-invocationMetrics":{"invocationLatency":321}}
`)
	want := []dialect.Piece{
		{Kind: dialect.Began, Usage: &inference.Usage{InputTokens: 12, OutputTokens: 1}},
		{Kind: dialect.BlockBegan, Block: dialect.Block{Type: dialect.Text}},
		{Kind: dialect.Delta, Text: "a"},
		{Kind: dialect.Delta, Text: "b"},
		{Kind: dialect.BlockEnded},
		{Kind: dialect.BlockBegan, Index: 1, Block: dialect.Block{Type: dialect.ToolUse, ID: "t", Name: "f"}},
		{Kind: dialect.Delta, Index: 1, Text: `{"whole":1}`},
		{Kind: dialect.BlockEnded, Index: 1},
		{Kind: dialect.Stopped, Stop: dialect.Stop{Reason: dialect.ContentFiltered}},
		{Kind: dialect.Ended, Usage: &inference.Usage{InputTokens: 12, OutputTokens: 9}, LatencyMS: 321},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Decode = %v (-want +got):\n%s", err, diff)
	}
}

func TestDecoderRefuses(t *testing.T) {
	const start = `{"type":"message_start","message":{}}` + "\n"
	for lines, want := range map[string]inference.Kind{
		`{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`: inference.ServiceUnavailable,
		`{"type":"error","error":{"type":"rate_limit_error"}}`:                        inference.Throttling,
		`{"type":"error"}`: inference.InternalServer,
		start + `{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use"}}`: inference.ModelError,
		`{`:                                      inference.InternalServer,
		`{"type":"message_stop"}`:                inference.InternalServer,
		start + start:                            inference.InternalServer,
		start + `{"type":"content_block_stop"}`:  inference.InternalServer,
		start + `{"type":"content_block_delta"}`: inference.InternalServer,
		start + `{"type":"content_block_start"}`: inference.InternalServer,
		start + `{"type":"message_stop"}`:        inference.InternalServer,
		`{"type":"message_delta","delta":{"stop_reason":"end_turn"}}`: inference.InternalServer,
	} {
		if _, err := decode(t, lines); err == nil || inference.AsError(err).Kind != want {
			t.Errorf("Decode(%s) error = %v, want %s", lines, err, want)
		}
	}
}

func TestDecodeAnswerRefuses(t *testing.T) {
	for _, body := range []string{
		"", "[]", "{}", `{"type":"error"}`, `{"type":"message","usage":{}}`,
		`{"type":"message","stop_reason":"end_turn"}`,
		`{"type":"message","stop_reason":"end_turn","usage":{},"content":[{"type":"web_search_tool_result"}]}`,
	} {
		if got, err := (Dialect{}).DecodeAnswer([]byte(body)); err == nil || got != nil {
			t.Errorf("DecodeAnswer(%s) = %v, %v, want an error alone", body, got, err)
		}
	}
}

// FuzzDecoder: whatever events come, the pieces are in order, and what has ended is
// a whole answer.
func FuzzDecoder(f *testing.F) {
	encoder := Dialect{}.NewEncoder(answer.Head)
	var lines strings.Builder
	for _, p := range answer.Pieces() {
		payloads, err := encoder.Encode(p)
		if err != nil {
			f.Fatal(err)
		}
		for _, payload := range payloads {
			lines.Write(append(payload.JSON, '\n'))
		}
	}
	f.Add(lines.String())
	f.Add(`{"type":"message_start"}` + "\n" + `{"type":"content_block_start","index":7,"content_block":{"type":"text"}}`)
	f.Fuzz(func(t *testing.T, lines string) {
		decoder, collector := Dialect{}.NewDecoder(), dialect.NewCollector(dialect.Head{})
		for line := range strings.Lines(lines) {
			pieces, err := decoder.Decode(dialect.Payload{JSON: []byte(line)})
			if err != nil {
				if pieces != nil {
					t.Fatalf("Decode(%q) = %v beside %v", line, pieces, err)
				}
				return
			}
			for _, p := range pieces {
				if err := collector.Add(p); err != nil {
					t.Fatalf("Decode(%q) = %+v: %v", line, p, err)
				}
				if p.Kind != dialect.Ended {
					continue
				}
				if _, err := collector.Answer(); err != nil && !strings.Contains(err.Error(), "no JSON") {
					t.Fatalf("ended, but %v", err)
				}
			}
		}
	})
}

func BenchmarkEncoderDelta(b *testing.B) {
	encoder := Dialect{}.NewEncoder(answer.Head)
	for _, p := range answer.Pieces()[:2] {
		if _, err := encoder.Encode(p); err != nil {
			b.Fatal(err)
		}
	}
	delta := dialect.Piece{Kind: dialect.Delta, Text: "a word or two of it"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := encoder.Encode(delta); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecoderDelta(b *testing.B) {
	decoder := Dialect{}.NewDecoder()
	for _, line := range []string{`{"type":"message_start"}`, `{"type":"content_block_start","content_block":{"type":"text"}}`} {
		if _, err := decoder.Decode(dialect.Payload{JSON: []byte(line)}); err != nil {
			b.Fatal(err)
		}
	}
	delta := dialect.Payload{JSON: []byte(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a word or two of it"}}`)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decoder.Decode(delta); err != nil {
			b.Fatal(err)
		}
	}
}
