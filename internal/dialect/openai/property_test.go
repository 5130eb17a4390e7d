package openai_test

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fairway/internal/dialect"
	"fairway/internal/dialect/openai"
)

// conversations are those that chat completions carry whole: turns alternate, and
// the user answers every tool call.
func conversations() *rapid.Generator[*dialect.Conversation] {
	return rapid.Custom(func(t *rapid.T) *dialect.Conversation {
		c := &dialect.Conversation{
			MaxTokens: optional(t, "max_tokens", rapid.IntRange(0, 1e6)), TopK: optional(t, "top_k", rapid.IntRange(0, 500)),
			Temperature: optional(t, "temperature", rapid.Float64Range(0, 2)), TopP: optional(t, "top_p", rapid.Float64Range(0, 1)),
			ToolChoice: optional(t, "choice", rapid.SampledFrom([]dialect.ToolChoice{
				{Mode: dialect.AutoTool}, {Mode: dialect.AnyTool}, {Mode: dialect.NoTool}, {Mode: dialect.OneTool, Name: "find"},
			})),
			Thinking: optional(t, "thinking", rapid.SampledFrom([]dialect.Thinking{{Mode: "disabled"}, {Effort: "low"}, {Effort: "high"}})),
			Output: optional(t, "output", rapid.SampledFrom([]dialect.OutputFormat{
				{}, {Name: "dish", Schema: json.RawMessage(`{"type":"object"}`)}, {Name: "dish", Schema: json.RawMessage(`{}`), Strict: true},
			})),
		}
		for range rapid.IntRange(0, 2).Draw(t, "system") {
			c.System = append(c.System, say(t))
		}
		for range rapid.IntRange(0, 2).Draw(t, "stop") {
			c.StopSequences = append(c.StopSequences, text(t, "stop sequence"))
		}
		for range rapid.IntRange(0, 2).Draw(t, "tools") {
			c.Tools = append(c.Tools, dialect.Tool{
				Name: text(t, "tool"), Description: rapid.SampledFrom([]string{"", "finds"}).Draw(t, "description"),
				Schema: json.RawMessage(`{"type":"object","properties":{"a":{}}}`), Strict: rapid.Bool().Draw(t, "strict"),
			})
		}
		if rapid.Bool().Draw(t, "metadata") {
			c.Metadata = map[string]string{"team": text(t, "team"), "user_id": text(t, "user")}
		}
		var open []dialect.Block // tool calls to answer
		for i := range rapid.IntRange(1, 4).Draw(t, "turns") {
			m := dialect.Message{Role: dialect.User, Content: userTurn(t, open)}
			if open = nil; i%2 == 1 {
				m = dialect.Message{Role: dialect.Assistant}
				m.Content, open = assistantTurn(t, i)
			}
			c.Messages = append(c.Messages, m)
		}
		return c
	})
}

func optional[T any](t *rapid.T, label string, g *rapid.Generator[T]) *T {
	if !rapid.Bool().Draw(t, label+" given") {
		return nil
	}
	return new(g.Draw(t, label))
}

func say(t *rapid.T) dialect.Block { return dialect.Block{Type: dialect.Text, Text: text(t, "text")} }

func userTurn(t *rapid.T, calls []dialect.Block) []dialect.Block {
	var blocks []dialect.Block
	for _, call := range calls {
		result := dialect.Block{Type: dialect.ToolResult, ID: call.ID, Content: []dialect.Block{say(t)}}
		if rapid.Bool().Draw(t, "two texts") {
			result.Content = append(result.Content, say(t))
		}
		blocks = append(blocks, result)
	}
	media := []dialect.Block{
		{Type: dialect.Image, Media: &dialect.Media{Format: "webp", Data: "AAAA"}},
		{Type: dialect.Image, Media: &dialect.Media{URI: "https://example.com/a.png"}},
		{Type: dialect.Audio, Media: &dialect.Media{Format: "mp3", Data: "AAAA"}},
		{Type: dialect.Document, Media: &dialect.Media{Format: "csv", Name: "list", Data: "AAAA"}},
	}
	for range rapid.IntRange(0, 2).Draw(t, "media") {
		blocks = append(blocks, rapid.SampledFrom(media).Draw(t, "medium"))
	}
	return append(blocks, say(t))
}

func assistantTurn(t *rapid.T, turn int) (blocks, calls []dialect.Block) {
	if rapid.Bool().Draw(t, "reasons") {
		blocks = append(blocks, dialect.Block{Type: dialect.Reasoning, Text: text(t, "reasoning"), Signature: rapid.SampledFrom([]string{"", "c2ln"}).Draw(t, "signature")})
	}
	for range rapid.IntRange(1, 2).Draw(t, "texts") {
		blocks = append(blocks, say(t))
	}
	for range rapid.IntRange(0, 2).Draw(t, "calls") {
		c := call(t, len(calls))
		c.ID += strconv.Itoa(turn)
		calls = append(calls, c)
	}
	return append(blocks, calls...), calls
}

// TestRequestRoundTrip: what is written is read as the same conversation.
func TestRequestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := conversations().Draw(t, "conversation")
		body, err := openai.Dialect{}.EncodeRequest(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := openai.Dialect{}.DecodeRequest(body)
		if err != nil {
			t.Fatalf("DecodeRequest(%s): %v", body, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("DecodeRequest(%s) (-want +got):\n%s", body, diff)
		}
	})
}
