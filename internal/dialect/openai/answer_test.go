package openai_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fairway/internal/dialect"
	"fairway/internal/dialect/openai"
	"fairway/internal/inference"
)

var head = dialect.Head{ID: "0123abcd", Model: "m", Created: 1700000000}

// answers are answers that chat completions can hold: one reasoning, one text,
// then tool calls, and nothing that a cache wrote.
func answers() *rapid.Generator[*dialect.Answer] {
	return rapid.Custom(func(t *rapid.T) *dialect.Answer {
		a := &dialect.Answer{Head: head, Stop: dialect.Stop{Reason: dialect.EndTurn}}
		if rapid.Bool().Draw(t, "reasons") {
			a.Content = append(a.Content, dialect.Block{
				Type: dialect.Reasoning, Text: text(t, "reasoning"), Signature: rapid.SampledFrom([]string{"", "c2ln"}).Draw(t, "signature"),
			})
		}
		if rapid.Bool().Draw(t, "speaks") {
			a.Content = append(a.Content, dialect.Block{Type: dialect.Text, Text: text(t, "text")})
		}
		for range rapid.IntRange(0, 3).Draw(t, "calls") {
			a.Content = append(a.Content, call(t, len(a.Content)))
			a.Stop.Reason = dialect.StopToolUse
		}
		if rapid.Bool().Draw(t, "cut") {
			a.Stop.Reason = rapid.SampledFrom([]dialect.StopReason{dialect.MaxTokens, dialect.ContentFiltered}).Draw(t, "stop")
		}
		a.Usage = inference.Usage{InputTokens: rapid.IntRange(0, 1e6).Draw(t, "in"), OutputTokens: rapid.IntRange(0, 1e6).Draw(t, "out")}
		if a.Usage.Caching = rapid.Bool().Draw(t, "caching"); a.Usage.Caching {
			a.Usage.CacheReadTokens = rapid.IntRange(0, 1e6).Draw(t, "read")
		}
		return a
	})
}

func text(t *rapid.T, label string) string {
	return strings.ToValidUTF8(rapid.StringN(1, 40, -1).Draw(t, label), "?")
}

func call(t *rapid.T, n int) dialect.Block {
	input, err := json.Marshal(map[string]string{text(t, "key"): text(t, "value")})
	if err != nil {
		t.Fatal(err)
	}
	return dialect.Block{Type: dialect.ToolUse, ID: "call_" + string(rune('a'+n)), Name: rapid.StringMatching(`[a-z]{1,8}`).Draw(t, "name"), Input: input}
}

// TestBrokenOff: what cannot be read is no success, whole or streamed.
func TestBrokenOff(t *testing.T) {
	for _, reason := range []dialect.StopReason{dialect.MalformedOutput, dialect.MalformedToolUse} {
		a := &dialect.Answer{Head: head, Stop: dialect.Stop{Reason: reason}}
		body, err := openai.Dialect{}.EncodeAnswer(a)
		if e, ok := errors.AsType[*inference.Error](err); body != nil || !ok || e.Kind != inference.ModelError {
			t.Errorf("EncodeAnswer(%s) = %s, %v, want a ModelError", reason, body, err)
		}
		encoder, failed := openai.Dialect{}.NewEncoder(head), error(nil)
		for _, p := range a.Pieces() {
			if _, err := encoder.Encode(p); err != nil {
				failed = err
			}
		}
		if e, ok := errors.AsType[*inference.Error](failed); !ok || e.Kind != inference.ModelError {
			t.Errorf("Encode(%s) error = %v, want a ModelError", reason, failed)
		}
	}
}

func TestAnswerRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := answers().Draw(t, "answer")
		body, err := openai.Dialect{}.EncodeAnswer(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := openai.Dialect{}.DecodeAnswer(body)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("DecodeAnswer(%s) (-want +got):\n%s", body, diff)
		}
	})
}

// TestStreamRoundTrip: pieces -> chunks -> pieces gives the same answer.
func TestStreamRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := answers().Draw(t, "answer")
		encoder := openai.Dialect{Usage: true}.NewEncoder(head)
		var chunks []dialect.Payload
		for _, p := range want.Pieces() {
			made, err := encoder.Encode(p)
			if err != nil {
				t.Fatal(err)
			}
			chunks = append(chunks, made...)
		}
		chunks = append(chunks, dialect.Payload{JSON: []byte(openai.Done)})
		got, err := collect(chunks)
		if err != nil {
			t.Fatal(err)
		}
		got.Head = head
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("answer of the stream (-want +got):\n%s", diff)
		}
	})
}

// collect reads chunks up to the end of the answer.
func collect(chunks []dialect.Payload) (*dialect.Answer, error) {
	decoder, collector := openai.Dialect{}.NewDecoder(), dialect.NewCollector(dialect.Head{})
	for _, chunk := range chunks {
		pieces, err := decoder.Decode(chunk)
		if err != nil {
			return nil, err
		}
		for _, p := range pieces {
			if err := collector.Add(p); err != nil {
				return nil, err
			}
		}
	}
	return collector.Answer()
}

func chunks(texts ...string) []dialect.Payload {
	var list []dialect.Payload
	for _, text := range texts {
		list = append(list, dialect.Payload{JSON: []byte(text)})
	}
	return list
}

// TestStreamsAsSeen: the habits of servers.
func TestStreamsAsSeen(t *testing.T) {
	say := func(text string) dialect.Block { return dialect.Block{Type: dialect.Text, Text: text} }
	use := func(id, name, input string) dialect.Block {
		return dialect.Block{Type: dialect.ToolUse, ID: id, Name: name, Input: json.RawMessage(input)}
	}
	for name, c := range map[string]struct {
		chunks []string
		want   dialect.Answer
	}{
		"OpenAI": {
			[]string{
				`{"id":"chatcmpl-1","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}],"usage":null}`,
				`{"choices":[{"index":0,"delta":{"content":"Hel"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"x"}`,
				`{"choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":null}],"usage":null}`,
				`{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}`,
				`{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":0}}}`,
				openai.Done,
			},
			dialect.Answer{Content: []dialect.Block{say("Hello")}, Stop: dialect.Stop{Reason: dialect.EndTurn},
				Usage: inference.Usage{InputTokens: 5, OutputTokens: 2, CacheReadTokens: 4, Caching: true}},
		},
		"Ollama gives calls whole, all with index 0 and the finish reason stop": {
			[]string{
				`{"choices":[{"delta":{"role":"assistant","reasoning":"hm"}}]}`,
				`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},` +
					`{"index":0,"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]}}]}`,
				`{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}`,
				openai.Done,
			},
			dialect.Answer{Content: []dialect.Block{{Type: dialect.Reasoning, Text: "hm"}, use("a", "f", `{"x":1}`), use("b", "g", `{}`)},
				Stop: dialect.Stop{Reason: dialect.StopToolUse}, Usage: inference.Usage{InputTokens: 3, OutputTokens: 4}},
		},
		"a call in pieces, without an id": {
			[]string{
				`{"choices":[{"delta":{"content":"I look."}}]}`,
				`{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f"}}]}}]}`,
				`{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\""}}]}}]}`,
				`{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]},"finish_reason":"tool_calls"}]}`,
				openai.Done,
			},
			dialect.Answer{Content: []dialect.Block{say("I look."), use("call_0", "f", `{"x":1}`)}, Stop: dialect.Stop{Reason: dialect.StopToolUse}},
		},
	} {
		got, err := collect(chunks(c.chunks...))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(&c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestStreamErrors(t *testing.T) {
	for text, kind := range map[string]inference.Kind{
		`{"error":{"message":"m","type":"server_error"}}`:                                     inference.ServiceUnavailable,
		`{"error":{"message":"m","type":"invalid_request_error","code":400}}`:                 inference.Validation,
		`{"error":{"message":"m","type":"rate_limit_error"}}`:                                 inference.Throttling,
		`{"error":{"message":"m","type":"tokens","code":"rate_limit_exceeded","param":null}}`: inference.Throttling,
		`{"error":"m"}`: inference.ModelStreamError,
	} {
		_, err := openai.Dialect{}.NewDecoder().Decode(dialect.Payload{JSON: []byte(text)})
		if e, ok := errors.AsType[*inference.Error](err); !ok || e.Kind != kind || e.Message != "m" || !e.Foreign {
			t.Errorf("Decode(%s) error = %v, want the foreign %s: m", text, err, kind)
		}
	}
	for want, texts := range map[string][]string{
		"without a finish reason": {`{"choices":[{"delta":{"content":"Hi"}}]}`, openai.Done},
		"a tool call that has no": {`{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}]}`},
		"the finish reason":       {`{"choices":[{"delta":{},"finish_reason":"tired"}]}`},
		"unexpected end of JSON":  {`{`},
		"it has not ended":        {`{"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}`},
	} {
		if a, err := collect(chunks(texts...)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("collect(%s) = %v, %v, want an error with %q", texts, a, err, want)
		}
	}
}

func TestEncoderChunks(t *testing.T) {
	encoder := openai.Dialect{Usage: true}.NewEncoder(head)
	usage := inference.Usage{InputTokens: 5, OutputTokens: 2, CacheReadTokens: 3, CacheWriteTokens: 1}
	var got []string
	for _, p := range []dialect.Piece{
		{Kind: dialect.Began},
		{Kind: dialect.BlockBegan, Block: dialect.Block{Type: dialect.Redacted}}, {Kind: dialect.Delta, Text: "AAAA"}, {Kind: dialect.BlockEnded},
		{Kind: dialect.BlockBegan, Index: 1, Block: dialect.Block{Type: dialect.Text}}, {Kind: dialect.Delta, Index: 1, Text: "<Hi>"}, {Kind: dialect.BlockEnded, Index: 1},
		{Kind: dialect.BlockBegan, Index: 2, Block: dialect.Block{Type: dialect.ToolUse, ID: "c", Name: "f"}}, {Kind: dialect.Delta, Index: 2, Text: "{}"},
		{Kind: dialect.Stopped, Stop: dialect.Stop{Reason: dialect.StopToolUse}}, {Kind: dialect.Ended, Usage: &usage},
	} {
		payloads, err := encoder.Encode(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, payload := range payloads {
			got = append(got, string(payload.JSON))
		}
	}
	const open = `{"id":"chatcmpl-0123abcd","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[`
	const after = `,"logprobs":null,"finish_reason":null}]}`
	want := []string{
		open + `{"index":0,"delta":{"role":"assistant","content":""}` + after,
		open + `{"index":0,"delta":{"content":"<Hi>"}` + after,
		open + `{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":""}}]}` + after,
		open + `{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}` + after,
		open + `{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}]}`,
		open + `],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11,"prompt_tokens_details":{"cached_tokens":3}}}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("chunks (-want +got):\n%s", diff)
	}
}

func TestDecodeAnswerRefuses(t *testing.T) {
	for _, body := range []string{
		``, `[]`, `{}`, `{"choices":[]}`, `{"choices":[{"message":{"content":"x"}}]}`,
		`{"choices":[{"message":{"content":"x"},"finish_reason":"tired"}]}`,
		`{"choices":[{"message":{"tool_calls":[{"function":{"name":"f","arguments":"["}}]},"finish_reason":"stop"}]}`,
		`{"choices":[{"message":{"content":"x"},"finish_reason":"stop"},{"message":{"content":"y"},"finish_reason":"stop"}]}`,
	} {
		if a, err := (openai.Dialect{}).DecodeAnswer([]byte(body)); err == nil || a != nil {
			t.Errorf("DecodeAnswer(%s) = %v, %v, want an error alone", body, a, err)
		}
	}
}
