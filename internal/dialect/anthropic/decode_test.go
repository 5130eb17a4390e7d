package anthropic

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func ptr[T any](v T) *T { return &v }

func TestDecode(t *testing.T) {
	body := ` {"anthropic_version":"bedrock-2023-05-31", "max_tokens": 7, "temperature":1e0, "top_k":-3,
	"system":[{"type":"text","text":"be \"brief\"","cache_control":{"type":"ephemeral"}}],
	"stop_sequences":["a\u00e9","\ud83d\ude00"], "model":"m", "stream":false, "other":[1,{"x":"}"}], "top_p":null,
	"tools":[{"name":"f","description":"d","input_schema":{"type":"object","properties":{"a]":{}}}},{"type":"bash_20250124","name":"bash"}],
	"tool_choice":{"type":"tool","name":"f"}, "thinking":{"type":"enabled","budget_tokens":1024},
	"messages":[{"role":"user","content":"hi\\"},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{"a":1}}]},
	 {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":"bad"},
	  {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]},{}]}`
	want := &Request{
		AnthropicVersion: ptr(Version), MaxTokens: ptr(7), Temperature: ptr(1.0), TopK: ptr(-3),
		System:        []Block{{Type: "text", Text: `be "brief"`, CacheControl: &CacheControl{Type: "ephemeral"}}},
		StopSequences: []string{"aé", "😀"}, Model: ptr("m"), Stream: ptr(false), Unknown: []string{"other"},
		Tools: []Tool{
			{Name: "f", Description: "d", InputSchema: json.RawMessage(`{"type":"object","properties":{"a]":{}}}`)},
			{Type: "bash_20250124", Name: "bash"},
		},
		ToolChoice: &ToolChoice{Type: "tool", Name: "f"},
		Thinking:   &Thinking{Type: "enabled", BudgetTokens: ptr(1024)},
		Messages: []Message{
			{Role: "user", Content: []Block{{Type: "text", Text: `hi\`}}},
			{Role: "assistant", Content: []Block{{Type: "tool_use", ID: "t1", Name: "f", Input: json.RawMessage(`{"a":1}`)}}},
			{Role: "user", Content: []Block{
				{Type: "tool_result", ToolUseID: "t1", IsError: true, Content: []Block{{Type: "text", Text: "bad"}}},
				{Type: "image", Source: &Source{Type: "base64", MediaType: "image/png", Data: "AAAA"}},
			}},
			{},
		},
	}
	got, err := Decode([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Decode (-want +got):\n%s", diff)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for body, want := range map[string]*TypeError{
		`[]`:                              {Want: Object, Found: Array},
		`{"max_tokens":"7"}`:              {Path: []string{"max_tokens"}, Want: Integer, Found: String},
		`{"max_tokens":7.5}`:              {Path: []string{"max_tokens"}, Want: Integer, Found: Number},
		`{"messages":{}}`:                 {Path: []string{"messages"}, Want: Array, Found: Object},
		`{"messages":[{},{"content":3}]}`: {Path: []string{"messages", "1", "content"}, Want: Array, Found: Integer},
		`{"messages":[{"content":[{"type":true}]}]}`: {
			Path: []string{"messages", "0", "content", "0", "type"}, Want: String, Found: Boolean},
		`{"tools":[{"input_schema":"x"}]}`: {Path: []string{"tools", "0", "input_schema"}, Want: Object, Found: String},
	} {
		r, err := Decode([]byte(body))
		got, ok := errors.AsType[*TypeError](err)
		if !ok || r != nil {
			t.Errorf("Decode(%s) = %v, %v, want a TypeError", body, r, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Decode(%s) (-want +got):\n%s", body, diff)
		}
	}
	for _, body := range []string{"", "{", `{"a":1}x`, "nul", "{\"a\":\"\xff\"}"} {
		if _, err := Decode([]byte(body)); !errors.Is(err, ErrSyntax) {
			t.Errorf("Decode(%q) error = %v, want ErrSyntax", body, err)
		}
	}
}

func TestText(t *testing.T) {
	r, err := Decode([]byte(`{"system":"s","messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image"},{"type":"text","text":"b"}]},
		{"role":"user","content":[{"type":"tool_result"}]},{"role":"assistant","content":"pre"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := r.LastUserText(); got != "a\nb" {
		t.Errorf("LastUserText() = %q, want %q", got, "a\nb")
	}
	if got := r.SystemText(); got != "s" {
		t.Errorf("SystemText() = %q, want %q", got, "s")
	}
	if got, ok := r.Prefill(); got != "pre" || !ok {
		t.Errorf("Prefill() = %q, %v, want pre, true", got, ok)
	}
}

func TestModelName(t *testing.T) {
	for id, want := range map[string]struct {
		name         string
		major, minor int
	}{
		"anthropic.claude-v2:1":                     {"claude-2.1", 2, 1},
		"anthropic.claude-instant-v1":               {"claude-instant-1.2", 1, 2},
		"anthropic.claude-3-sonnet-20240229-v1:0":   {"claude-3-sonnet-20240229", 3, 0},
		"anthropic.claude-3-5-sonnet-20241022-v2:0": {"claude-3-5-sonnet-20241022", 3, 5},
		"anthropic.claude-sonnet-4-20250514-v1:0":   {"claude-sonnet-4-20250514", 4, 0},
		"anthropic.claude-opus-4-1-20250805-v1:0":   {"claude-opus-4-1-20250805", 4, 1},
		"anthropic.claude-opus-4-6-v1":              {"claude-opus-4-6", 4, 6},
		"anthropic.claude-sonnet-4-6":               {"claude-sonnet-4-6", 4, 6},
		"anthropic.claude-fable-5":                  {"claude-fable-5", 5, 0},
		"amazon.nova-pro-v1:0":                      {"amazon.nova-pro", 0, 0},
	} {
		if got := ModelName(id); got != want.name {
			t.Errorf("ModelName(%q) = %q, want %q", id, got, want.name)
		}
		if major, minor := Generation(id); major != want.major || minor != want.minor {
			t.Errorf("Generation(%q) = %d, %d, want %d, %d", id, major, minor, want.major, want.minor)
		}
	}
}

func TestEncode(t *testing.T) {
	r := &Response{ID: "msg_bdrk_01", Type: "message", Role: "assistant", Model: "claude-sonnet-4-20250514",
		Content: []Part{TextPart("a<b")}, StopReason: EndTurn, Usage: Usage{InputTokens: 12, OutputTokens: 5}}
	want := `{"id":"msg_bdrk_01","type":"message","role":"assistant","model":"claude-sonnet-4-20250514",` +
		`"content":[{"type":"text","text":"a<b"}],"stop_reason":"end_turn","stop_sequence":null,` +
		`"usage":{"input_tokens":12,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":5}}`
	if got, err := r.Encode(); err != nil || string(got) != want {
		t.Errorf("Encode() = %s, %v, want %s", got, err, want)
	}
}

// FuzzDecode: an error means no request; what decodes agrees with encoding/json
// on every text of the conversation.
func FuzzDecode(f *testing.F) {
	f.Add(`{"messages":[{"role":"user","content":[{"type":"text","text":"a\n\"b\u0000"}]}],"system":"\ud800"}`)
	f.Add(`{"messages":[{"role":"user","content":[{"type":"text","text":"x"},{"type":"text"}]}], "k" : [ { } , -1.5e3 ] }`)
	f.Add(`{"max_tokens":99999999999999999999,"temperature":1e999}`)
	f.Add(`[[[["`)
	f.Fuzz(func(t *testing.T, body string) {
		r, err := Decode([]byte(body))
		if (r == nil) != (err != nil) {
			t.Fatalf("Decode(%q) = %v, %v, want exactly one", body, r, err)
		}
		if want := !json.Valid([]byte(body)) || !utf8.ValidString(body); (err == ErrSyntax) != want {
			t.Fatalf("Decode(%q) error = %v, want ErrSyntax: %t", body, err, want)
		}
		if err != nil {
			return
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal([]byte(body), &want); err != nil {
			t.Fatalf("Decode(%q) took what encoding/json refuses: %v", body, err)
		}
		var system string
		if json.Unmarshal(want["system"], &system) == nil && r.SystemText() != system {
			t.Errorf("Decode(%q) system = %q, want %q", body, r.SystemText(), system)
		}
		var messages []map[string]json.RawMessage
		_ = json.Unmarshal(want["messages"], &messages)
		if len(messages) != len(r.Messages) {
			t.Errorf("Decode(%q) has %d messages, want %d", body, len(r.Messages), len(messages))
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	body, err := os.ReadFile("testdata/seed.json")
	if err != nil {
		b.Fatal(err)
	}
	large := []byte(strings.Replace(string(body), "chicken", strings.Repeat("chicken\\n", 100_000), 1))
	for name, body := range map[string][]byte{"seed": body, "900KB": large} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, err := Decode(body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
