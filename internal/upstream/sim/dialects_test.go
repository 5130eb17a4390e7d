package sim

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fairway/internal/dialect"
	"fairway/internal/dialect/anthropic"
	"fairway/internal/dialect/converse"
	"fairway/internal/dialect/nova"
	"fairway/internal/dialect/openai"
	templates "fairway/internal/dialect/prompt"
)

// sayings are what people say: no blanks around it, which templates leave out.
var sayings = rapid.Custom(func(t *rapid.T) string {
	words := rapid.SliceOfN(rapid.SampledFrom([]string{
		"suggest", "a", "recipe", "for:", "chicken,", "rice,", "cà rốt", "鶏肉", "Hähnchen", "ap-southeast-1", "\n", "100%", `"quoted"`, "<b>",
	}), 1, 12).Draw(t, "words")
	return "Please " + strings.TrimSpace(strings.Join(words, " "))
})

func said(role dialect.Role, text string) dialect.Message {
	return dialect.Message{Role: role, Content: []dialect.Block{{Type: dialect.Text, Text: text}}}
}

// conversations have a system prompt or none, tools or none, and turns that end
// with the user's, in part with a tool's answer.
var conversations = rapid.Custom(func(t *rapid.T) *dialect.Conversation {
	limit := 1000
	c := &dialect.Conversation{MaxTokens: &limit}
	if rapid.Bool().Draw(t, "system") {
		c.System = []dialect.Block{{Type: dialect.Text, Text: sayings.Draw(t, "system prompt")}}
	}
	for range rapid.IntRange(0, 2).Draw(t, "turns before") {
		c.Messages = append(c.Messages, said(dialect.User, sayings.Draw(t, "asked")), said(dialect.Assistant, sayings.Draw(t, "answered")))
	}
	c.Messages = append(c.Messages, said(dialect.User, sayings.Draw(t, "asked")))
	if rapid.Bool().Draw(t, "tools") {
		c.Tools = []dialect.Tool{{
			Name: "weather", Description: "tells the weather",
			Schema: json.RawMessage(`{"properties":{"city":{"type":"string"},"days":{"minimum":2,"type":"integer"}},"required":["city","days"],"type":"object"}`),
		}}
		if rapid.Bool().Draw(t, "answered by the tool") {
			c.Messages = append(c.Messages,
				dialect.Message{Role: dialect.Assistant, Content: []dialect.Block{{Type: dialect.ToolUse, ID: "call_1", Name: "weather", Input: json.RawMessage(`{"city":"Oslo","days":2}`)}}},
				dialect.Message{Role: dialect.User, Content: []dialect.Block{{Type: dialect.ToolResult, ID: "call_1", Content: []dialect.Block{{Type: dialect.Text, Text: "rain"}}}}})
		} else if rapid.Bool().Draw(t, "forced") {
			c.ToolChoice = &dialect.ToolChoice{Mode: dialect.AnyTool}
		}
	}
	return c
})

// inNova is a Converse body as Nova's own, which has the same members.
func inNova(t *rapid.T, body []byte) []byte {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		t.Fatal(err)
	}
	members["schemaVersion"] = json.RawMessage(`"messages-v1"`)
	body, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// replyTo is what is replied to a body of the dialect.
func replyTo(t *rapid.T, d dialect.Server, body []byte) string {
	c, err := d.DecodeRequest(body)
	if err != nil {
		t.Fatalf("%T refuses %s: %v", d, body, err)
	}
	reply, err := Written{}.Reply(context.Background(), sonnet4, c)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(reply)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// One conversation has one reply, whatever dialect it comes in.
func TestTheSameInEveryDialect(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := conversations.Draw(t, "conversation")
		reply, err := Written{}.Reply(context.Background(), sonnet4, c)
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(reply)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range []interface {
			dialect.Client
			dialect.Server
		}{anthropic.Dialect{}, converse.Dialect{}, openai.Dialect{}} {
			body, err := d.EncodeRequest(c)
			if err != nil {
				t.Fatal(err)
			}
			if got := replyTo(t, d, body); got != string(want) {
				t.Fatalf("reply in %T = %s, want %s", d, got, want)
			}
			if d == (converse.Dialect{}) {
				if got := replyTo(t, nova.Dialect{}, inNova(t, body)); got != string(want) {
					t.Fatalf("reply in Nova = %s, want %s", got, want)
				}
			}
		}
	})
}

// A single turn has the reply of its conversation in the dialects of one prompt.
func TestTheSameForAPrompt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := sayings.Draw(t, "prompt")
		reply, err := Written{}.Reply(context.Background(), sonnet4, &dialect.Conversation{Messages: []dialect.Message{said(dialect.User, text)}})
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(reply)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			d    dialect.Server
			body string
		}{
			{templates.Titan{}, `{"inputText":` + quoted(text) + `}`},
			{templates.Llama{}, `{"prompt":` + quoted(text) + `}`},
			{templates.Llama{}, `{"prompt":` + quoted("<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n"+text+
				"<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n") + `}`},
			{templates.Mistral{}, `{"prompt":` + quoted(text) + `}`},
			{templates.Mistral{}, `{"prompt":` + quoted("<s>[INST] "+text+" [/INST]") + `}`},
		} {
			if got := replyTo(t, c.d, []byte(c.body)); got != string(want) {
				t.Fatalf("reply to %s = %s, want %s", c.body, got, want)
			}
		}
	})
}
