package prompt

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

func ptr[T any](v T) *T { return &v }

// spelled is a conversation as lines "role: text".
func spelled(c *dialect.Conversation) string {
	var lines []string
	for _, b := range c.System {
		lines = append(lines, "system: "+b.Text)
	}
	for _, m := range c.Messages {
		lines = append(lines, string(m.Role)+": "+m.Text())
	}
	return strings.Join(lines, "\n")
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "",
		" Hello \n":           "user:  Hello \n",
		"Explain <s> in HTML": "user: Explain <s> in HTML",
		"<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n": "user: Hello",
		"<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|>" +
			"<|start_header_id|>assistant<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>ipython<|end_header_id|>\n\n7<|eot_id|>" +
			"<|start_header_id|>assistant<|end_header_id|>\n\nIt is": "system: Be brief\nuser: Hello\nassistant: Hi\nuser: 7\nassistant: It is",
		"\n<|begin_of_text|>before<|start_header_id|>user<|end_header_id|>Hello": "user: before\nuser: Hello",
		"<|begin_of_text|><|header_start|>user<|header_end|>\n\nHello<|eot|>":    "user: Hello",
		"<s>[INST] Hello [/INST]":                                                              "user: Hello",
		"[INST] Hello [/INST] Hi</s>[INST] How are you? [/INST] I":                             "user: Hello\nassistant: Hi\nuser: How are you?\nassistant: I",
		"<s>[INST] <<SYS>>\nBe brief\n<</SYS>>\n\nHello [/INST] Hi </s><s>[INST] You? [/INST]": "system: Be brief\nuser: Hello\nassistant: Hi\nuser: You?",
	} {
		if got := spelled(parse(text)); got != want {
			t.Errorf("parse(%q) = %q, want %q", text, got, want)
		}
	}
}

// hello is what the user says in every family.
var hello = []dialect.Message{{Role: dialect.User, Content: []dialect.Block{{Type: dialect.Text, Text: "Hello"}}}}

func TestDecodeRequest(t *testing.T) {
	for _, test := range []struct {
		dialect dialect.Server
		body    string
		want    *dialect.Conversation
	}{
		{Titan{}, `{"inputText":"Hello","textGenerationConfig":{"maxTokenCount":7,"temperature":0.5,"topP":0.9,"stopSequences":["x"]}}`,
			&dialect.Conversation{Messages: hello, MaxTokens: ptr(7), Temperature: ptr(0.5), TopP: ptr(0.9), StopSequences: []string{"x"}}},
		{Llama{}, `{"prompt":"Hello","max_gen_len":7,"temperature":0.5,"top_p":0.9}`,
			&dialect.Conversation{Messages: hello, MaxTokens: ptr(7), Temperature: ptr(0.5), TopP: ptr(0.9)}},
		{Mistral{}, `{"prompt":"<s>[INST] Hello [/INST]","max_tokens":7,"temperature":0.5,"top_p":0.9,"top_k":3,"stop":["x"]}`,
			&dialect.Conversation{Messages: hello, MaxTokens: ptr(7), Temperature: ptr(0.5), TopP: ptr(0.9), TopK: ptr(3), StopSequences: []string{"x"}}},
		{Titan{}, `{"inputText":"Hello"}`, &dialect.Conversation{Messages: hello}},
	} {
		got, err := test.dialect.DecodeRequest([]byte(test.body))
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%T.DecodeRequest(%s) error %v (-want +got):\n%s", test.dialect, test.body, err, diff)
		}
	}
}

func TestDecodeRequestRefuses(t *testing.T) {
	for _, test := range []struct {
		dialect    dialect.Server
		body, want string
	}{
		{Titan{}, `{}`, ": #: required key [inputText] not found"},
		{Llama{}, `{}`, ": #: required key [prompt] not found"},
		{Mistral{}, `{}`, ": #: required key [prompt] not found"},
		{Titan{}, `{"inputText":""}`, ": #/inputText: expected minLength: 1, actual: 0"},
		{Llama{}, `{"prompt":""}`, ": #/prompt: expected minLength: 1, actual: 0"},
		{Mistral{}, `{"prompt":"[INST] <<SYS>>Be brief<</SYS>> [/INST]"}`, ": #/prompt: expected minLength: 1, actual: 0"},
		{Titan{}, `{"inputText":"a","max_tokens":1}`, ": #: extraneous key [max_tokens] is not permitted"},
		{Llama{}, `{"prompt":"a","images":[]}`, ": #: extraneous key [images] is not permitted"},
		{Mistral{}, `{"messages":[]}`, ": #: extraneous key [messages] is not permitted"},
		{Llama{}, `{"prompt":7}`, ": #/prompt: expected type: String, found: Number"},
		{Titan{}, `{`, ""}, {Llama{}, ``, ""}, {Mistral{}, `[]`, ""},
	} {
		want := "Malformed input request" + test.want + ", please reformat your input and try again."
		c, err := test.dialect.DecodeRequest([]byte(test.body))
		if e, ok := errors.AsType[*inference.Error](err); !ok || c != nil || e.Kind != inference.Validation || e.Message != want {
			t.Errorf("%T.DecodeRequest(%s) = %v, %v, want %s", test.dialect, test.body, c, err, want)
		}
	}
}

// TestTurns: a prompt becomes so many messages and no more.
func TestTurns(t *testing.T) {
	body := func(mark string, n int) []byte { return []byte(`{"prompt":"` + strings.Repeat(mark+"a", n) + `"}`) }
	if c, err := (Mistral{}).DecodeRequest(body(instruction, dialect.MaxNested)); err != nil || len(c.Messages) != dialect.MaxNested {
		t.Errorf("DecodeRequest(%d turns) error = %v, want as many messages", dialect.MaxNested, err)
	}
	for _, mark := range []string{instruction, llama3.header, llama4.header} {
		c, err := Llama{}.DecodeRequest(body(mark, dialect.MaxNested+1))
		if e, ok := errors.AsType[*inference.Error](err); !ok || c != nil || e.Kind != inference.Validation || !strings.Contains(e.Message, "more than 50000 turns") {
			t.Errorf("DecodeRequest(%d %s) error = %v, want a Validation", dialect.MaxNested+1, mark, err)
		}
	}
}

func answer(reason dialect.StopReason) *dialect.Answer {
	return &dialect.Answer{
		Content: []dialect.Block{{Type: dialect.Text, Text: "Hi"}, {Type: dialect.Text, Text: " you"}},
		Stop:    dialect.Stop{Reason: reason}, Usage: inference.Usage{InputTokens: 12, OutputTokens: 5},
	}
}

func TestEncodeAnswer(t *testing.T) {
	for _, test := range []struct {
		dialect dialect.Server
		reason  dialect.StopReason
		want    string
	}{
		{Titan{}, dialect.EndTurn, `{"inputTextTokenCount":12,"results":[{"tokenCount":5,"outputText":"Hi you","completionReason":"FINISH"}]}`},
		{Titan{}, dialect.MaxTokens, `{"inputTextTokenCount":12,"results":[{"tokenCount":5,"outputText":"Hi you","completionReason":"LENGTH"}]}`},
		{Titan{}, dialect.StopSequence, `{"inputTextTokenCount":12,"results":[{"tokenCount":5,"outputText":"Hi you","completionReason":"STOP_CRITERIA_MET"}]}`},
		{Titan{}, dialect.ContentFiltered, `{"inputTextTokenCount":12,"results":[{"tokenCount":5,"outputText":"Hi you","completionReason":"CONTENT_FILTERED"}]}`},
		{Llama{}, dialect.EndTurn, `{"generation":"Hi you","prompt_token_count":12,"generation_token_count":5,"stop_reason":"stop"}`},
		{Llama{}, dialect.MaxTokens, `{"generation":"Hi you","prompt_token_count":12,"generation_token_count":5,"stop_reason":"length"}`},
		{Mistral{}, dialect.StopSequence, `{"outputs":[{"text":"Hi you","stop_reason":"stop"}]}`},
		{Mistral{}, dialect.MaxTokens, `{"outputs":[{"text":"Hi you","stop_reason":"length"}]}`},
	} {
		if got, err := test.dialect.EncodeAnswer(answer(test.reason)); err != nil || string(got) != test.want {
			t.Errorf("%T.EncodeAnswer(%s) = %s, %v, want %s", test.dialect, test.reason, got, err, test.want)
		}
		tool := &dialect.Answer{Content: []dialect.Block{{Type: dialect.ToolUse}}}
		if got, err := test.dialect.EncodeAnswer(tool); err == nil {
			t.Errorf("%T.EncodeAnswer(a tool call) = %s, want an error", test.dialect, got)
		}
	}
}

func TestEncoder(t *testing.T) {
	for _, test := range []struct {
		dialect dialect.Server
		want    []string
	}{
		{Titan{}, []string{
			`{"outputText":"Hi","index":0,"totalOutputTextTokenCount":null,"completionReason":null,"inputTextTokenCount":12}`,
			`{"outputText":" you","index":0,"totalOutputTextTokenCount":null,"completionReason":null,"inputTextTokenCount":12}`,
			`{"outputText":"","index":0,"totalOutputTextTokenCount":5,"completionReason":"LENGTH","inputTextTokenCount":12}`,
		}},
		{Llama{}, []string{
			`{"generation":"Hi","prompt_token_count":null,"generation_token_count":null,"stop_reason":null}`,
			`{"generation":" you","prompt_token_count":null,"generation_token_count":null,"stop_reason":null}`,
			`{"generation":"","prompt_token_count":12,"generation_token_count":5,"stop_reason":"length"}`,
		}},
		{Mistral{}, []string{
			`{"outputs":[{"text":"Hi","stop_reason":null}]}`,
			`{"outputs":[{"text":" you","stop_reason":null}]}`,
			`{"outputs":[{"text":"","stop_reason":"length"}]}`,
		}},
	} {
		encoder := test.dialect.NewEncoder(dialect.Head{})
		var got []string
		for _, p := range answer(dialect.MaxTokens).Pieces() {
			payloads, err := encoder.Encode(p)
			if err != nil {
				t.Fatal(err)
			}
			for _, payload := range payloads {
				got = append(got, string(payload.JSON))
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%T (-want +got):\n%s", test.dialect, diff)
		}
		tool := dialect.Piece{Kind: dialect.BlockBegan, Block: dialect.Block{Type: dialect.ToolUse}}
		if got, err := encoder.Encode(tool); err == nil {
			t.Errorf("%T: Encode(a tool call) = %v, want an error", test.dialect, got)
		}
	}
}

// FuzzParse: every turn says something, and no text is made up.
func FuzzParse(f *testing.F) {
	f.Add("<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|>")
	f.Add("<s>[INST] <<SYS>>a<</SYS>> b [/INST] c</s>[INST]")
	f.Fuzz(func(t *testing.T, text string) {
		c := parse(text)
		blocks := c.System
		for _, m := range c.Messages {
			if m.Role != dialect.User && m.Role != dialect.Assistant {
				t.Errorf("parse(%q) has the role %q", text, m.Role)
			}
			blocks = append(blocks, m.Content...)
		}
		plain := strings.ReplaceAll(text, begin, "")
		for _, b := range blocks {
			if b.Text == "" || !strings.Contains(text, b.Text) && !strings.Contains(plain, b.Text) {
				t.Errorf("parse(%q) has the text %q", text, b.Text)
			}
		}
	})
}
