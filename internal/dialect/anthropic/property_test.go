package anthropic

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// text draws what JSON has to escape, too.
var text = rapid.StringOf(rapid.RuneFrom([]rune("ab \"\\\n\t<&>\u0000\u2028é中😀")))

var word = rapid.StringMatching(`[a-z]{1,8}`)

var rawObject = rapid.Map(rapid.MapOfN(word, text, 0, 2), func(m map[string]string) json.RawMessage {
	raw, _ := dialect.WriteBody(m)
	return raw
})

func data(t *rapid.T) string {
	return base64.StdEncoding.EncodeToString(rapid.SliceOfN(rapid.Byte(), 1, 9).Draw(t, "data"))
}

func pointer[T any](t *rapid.T, g *rapid.Generator[T], name string) *T {
	return rapid.Ptr(g, true).Draw(t, name)
}

func drawMedia(t *rapid.T, of dialect.BlockType) *dialect.Media {
	m := &dialect.Media{}
	if of == dialect.Document {
		m.Name, m.Format = rapid.OneOf(rapid.Just(""), word).Draw(t, "name"), "pdf"
	}
	switch {
	case rapid.Bool().Draw(t, "by address"):
		m.URI = "https://example.com/" + word.Draw(t, "path")
	case of == dialect.Document && rapid.Bool().Draw(t, "plain"):
		m.Format, m.Text = "txt", text.Draw(t, "plain text")
	case of == dialect.Document:
		m.Data = data(t)
	default:
		m.Format, m.Data = rapid.SampledFrom([]string{"png", "jpeg", "gif", "webp"}).Draw(t, "format"), data(t)
	}
	return m
}

func drawBlock(t *rapid.T, types ...dialect.BlockType) dialect.Block {
	b := dialect.Block{Type: rapid.SampledFrom(types).Draw(t, "type")}
	switch b.Type {
	case dialect.Text:
		b.Text = text.Draw(t, "text")
	case dialect.Image, dialect.Document:
		b.Media = drawMedia(t, b.Type)
	case dialect.ToolUse:
		b.ID, b.Name, b.Input = word.Draw(t, "id"), word.Draw(t, "name"), rawObject.Draw(t, "input")
	case dialect.ToolResult:
		b.ID, b.IsError = word.Draw(t, "id"), rapid.Bool().Draw(t, "is error")
		for range rapid.IntRange(0, 2).Draw(t, "results") {
			b.Content = append(b.Content, drawBlock(t, dialect.Text, dialect.Image, dialect.Document))
		}
	case dialect.Reasoning:
		b.Text, b.Signature = text.Draw(t, "thought"), word.Draw(t, "signature")
	case dialect.Redacted:
		b.Text = data(t)
	}
	return b
}

// drawBlocks draws blocks of which some end a cached prefix.
func drawBlocks(t *rapid.T, types ...dialect.BlockType) []dialect.Block {
	var all []dialect.Block
	for range rapid.IntRange(1, 3).Draw(t, "blocks") {
		all = append(all, drawBlock(t, types...))
		if rapid.Bool().Draw(t, "cached") {
			all = append(all, dialect.Block{Type: dialect.CachePoint, TTL: drawTTL(t)})
		}
	}
	return all
}

func drawTTL(t *rapid.T) string { return rapid.SampledFrom([]string{"", "5m", "1h"}).Draw(t, "ttl") }

var spoken = []dialect.BlockType{dialect.Text, dialect.ToolUse, dialect.Reasoning, dialect.Redacted}

func drawConversation(t *rapid.T) *dialect.Conversation {
	maxTokens := rapid.IntRange(1, 1<<20).Draw(t, "max tokens")
	c := &dialect.Conversation{
		MaxTokens:     &maxTokens,
		Temperature:   pointer(t, rapid.Float64Range(0, 1), "temperature"),
		TopP:          pointer(t, rapid.Float64Range(0, 1), "top p"),
		TopK:          pointer(t, rapid.IntRange(0, 500), "top k"),
		StopSequences: rapid.OneOf(rapid.Just[[]string](nil), rapid.SliceOfN(text, 1, 3)).Draw(t, "stop"),
	}
	if rapid.Bool().Draw(t, "has system") {
		c.System = drawBlocks(t, dialect.Text)
	}
	for range rapid.IntRange(1, 3).Draw(t, "messages") {
		if rapid.Bool().Draw(t, "user") {
			c.Messages = append(c.Messages, dialect.Message{Role: dialect.User,
				Content: drawBlocks(t, dialect.Text, dialect.Image, dialect.Document, dialect.ToolResult)})
		} else {
			c.Messages = append(c.Messages, dialect.Message{Role: dialect.Assistant, Content: drawBlocks(t, spoken...)})
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "tools") {
		tool := dialect.Tool{Name: word.Draw(t, "tool"), Description: text.Draw(t, "description"), Schema: rawObject.Draw(t, "schema"), Strict: rapid.Bool().Draw(t, "strict")}
		if rapid.Bool().Draw(t, "cached tool") {
			ttl := drawTTL(t)
			tool.TTL = &ttl
		}
		c.Tools = append(c.Tools, tool)
	}
	if mode := rapid.SampledFrom([]dialect.ToolMode{"", dialect.AutoTool, dialect.AnyTool, dialect.OneTool, dialect.NoTool}).Draw(t, "choice"); mode != "" {
		c.ToolChoice = &dialect.ToolChoice{Mode: mode}
		if mode == dialect.OneTool {
			c.ToolChoice.Name = word.Draw(t, "chosen")
		}
	}
	if mode := rapid.SampledFrom([]string{"", "enabled", "adaptive", "disabled"}).Draw(t, "thinking"); mode != "" {
		c.Thinking = &dialect.Thinking{Mode: mode, Budget: pointer(t, rapid.IntRange(1024, 4096), "budget")}
	}
	if rapid.Bool().Draw(t, "has effort") {
		if c.Thinking == nil {
			c.Thinking = &dialect.Thinking{}
		}
		c.Thinking.Effort = "low"
	}
	if rapid.Bool().Draw(t, "has output") {
		c.Output = &dialect.OutputFormat{Schema: rawObject.Draw(t, "output"), Strict: true}
	}
	if rapid.Bool().Draw(t, "has user") {
		c.Metadata = map[string]string{"user_id": word.Draw(t, "user id")}
	}
	return c
}

// What is written is read back the same.
func TestRequestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawConversation(t)
		body, err := Dialect{}.EncodeRequest(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Dialect{}.DecodeRequest(body)
		if err != nil {
			t.Fatalf("DecodeRequest(%s) error = %v", body, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("DecodeRequest(%s) (-want +got):\n%s", body, diff)
		}
	})
}

var stops = []dialect.StopReason{
	dialect.EndTurn, dialect.StopToolUse, dialect.MaxTokens, dialect.StopSequence,
	dialect.ContentFiltered, dialect.ContextWindowExceeded,
}

func drawAnswer(t *rapid.T) *dialect.Answer {
	count := rapid.IntRange(0, 1000)
	a := &dialect.Answer{
		Head: dialect.Head{ID: rapid.StringMatching(`[0-9a-f]{32}`).Draw(t, "id"), Model: word.Draw(t, "model")},
		Stop: dialect.Stop{Reason: rapid.SampledFrom(stops).Draw(t, "stop")},
		Usage: inference.Usage{
			InputTokens: count.Draw(t, "input"), OutputTokens: count.Draw(t, "output"),
			CacheReadTokens: count.Draw(t, "read"), CacheWriteTokens: count.Draw(t, "write"), Caching: true,
		},
	}
	a.Usage.CacheWrite1h = rapid.IntRange(0, a.Usage.CacheWriteTokens).Draw(t, "hour")
	if a.Stop.Reason == dialect.StopSequence {
		a.Stop.Sequence = word.Draw(t, "sequence")
	}
	for range rapid.IntRange(0, 3).Draw(t, "blocks") {
		a.Content = append(a.Content, drawBlock(t, spoken...))
	}
	return a
}

var sameAnswer = cmpopts.IgnoreFields(dialect.Answer{}, "Head")

func TestAnswerRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawAnswer(t)
		body, err := Dialect{}.EncodeAnswer(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Dialect{}.DecodeAnswer(body)
		if err != nil {
			t.Fatalf("DecodeAnswer(%s) error = %v", body, err)
		}
		if diff := cmp.Diff(want, got, sameAnswer); diff != "" || got.Model != want.Model {
			t.Fatalf("DecodeAnswer(%s) (-want +got):\n%s", body, diff)
		}
	})
}

// split cuts the deltas of text into more, as a model streams them.
func split(t *rapid.T, pieces []dialect.Piece) []dialect.Piece {
	var all []dialect.Piece
	var of dialect.BlockType
	for _, p := range pieces {
		if p.Kind == dialect.BlockBegan {
			of = p.Block.Type
		}
		if p.Kind != dialect.Delta || of == dialect.Redacted || !rapid.Bool().Draw(t, "split") {
			all = append(all, p)
			continue
		}
		for r := range strings.SplitSeq(p.Text, "") {
			part := p
			part.Text = r
			all = append(all, part)
		}
	}
	return all
}

// A streamed answer is read back the same, and its events are in Anthropic's
// order.
func TestStreamRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawAnswer(t)
		encoder, decoder, collector := Dialect{}.NewEncoder(want.Head), Dialect{}.NewDecoder(), dialect.NewCollector(want.Head)
		var order strings.Builder
		for _, p := range split(t, want.Pieces()) {
			payloads, err := encoder.Encode(p)
			if err != nil {
				t.Fatalf("Encode(%+v) error = %v", p, err)
			}
			for _, payload := range payloads {
				order.WriteString(payload.Type + " ")
				pieces, err := decoder.Decode(payload)
				if err != nil {
					t.Fatalf("Decode(%s) error = %v", payload.JSON, err)
				}
				for _, p := range pieces {
					if err := collector.Add(p); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		got, err := collector.Answer()
		if err != nil {
			t.Fatalf("%v after %s", err, order.String())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("stream (-want +got):\n%s", diff)
		}
		if !wellFormed(order.String()) {
			t.Fatalf("events = %s, not in order", order.String())
		}
	})
}

// wellFormed holds the names of a stream's events against their grammar.
func wellFormed(names string) bool {
	rest, ok := strings.CutPrefix(names, "message_start ")
	for ok && strings.HasPrefix(rest, "content_block_start ") {
		rest = strings.TrimPrefix(rest, "content_block_start ")
		for strings.HasPrefix(rest, "content_block_delta ") {
			rest = strings.TrimPrefix(rest, "content_block_delta ")
		}
		rest, ok = strings.CutPrefix(rest, "content_block_stop ")
	}
	return ok && rest == "message_delta message_stop "
}

// Whatever the order of the pieces, what an encoder has written so far is the
// beginning of a well-formed stream, and an error ends nothing that was not begun.
func TestEncoderRefusesDisorder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		encoder := Dialect{}.NewEncoder(dialect.Head{})
		collector := dialect.NewCollector(dialect.Head{})
		kinds := rapid.SliceOf(rapid.Uint8Range(uint8(dialect.Began), uint8(dialect.Ended))).Draw(t, "kinds")
		var order strings.Builder
		for _, kind := range kinds {
			p := dialect.Piece{Kind: dialect.PieceKind(kind), Index: rapid.IntRange(0, 1).Draw(t, "index"),
				Block: dialect.Block{Type: dialect.Text}, Text: "x", Stop: dialect.Stop{Reason: dialect.EndTurn}}
			payloads, err := encoder.Encode(p)
			if err != nil {
				continue
			}
			if err := collector.Add(p); err != nil {
				t.Fatalf("Encode took what is out of order: %v", err)
			}
			for _, payload := range payloads {
				order.WriteString(payload.Type + " ")
			}
		}
		if strings.HasSuffix(order.String(), "message_stop ") && !wellFormed(order.String()) {
			t.Fatalf("events = %s, not in order", order.String())
		}
	})
}

// A body without some members is the same JSON object without them.
func TestBodyWith(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members := rapid.MapOfN(rapid.SampledFrom([]string{"model", "stream_", "a", "b\"", "messages", "é"}), text, 0, 6).Draw(t, "members")
		raw, err := json.MarshalIndent(members, "", rapid.SampledFrom([]string{"", " ", "\t"}).Draw(t, "indent"))
		if err != nil {
			t.Fatal(err)
		}
		body, err := Open(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got := body.With(nil, ""); string(got) != string(raw) {
			t.Fatalf("With(nothing) = %s, want %s", got, raw)
		}
		drop := rapid.SliceOf(rapid.SampledFrom([]string{"model", "a", "b\"", "é", "other"})).Draw(t, "drop")
		got := body.With(drop, `"added":"x"`)
		for _, key := range drop {
			delete(members, key)
		}
		members["added"] = "x"
		var read map[string]string
		if err := json.Unmarshal(got, &read); err != nil {
			t.Fatalf("With(%q) = %s: %v", drop, got, err)
		}
		if diff := cmp.Diff(members, read); diff != "" {
			t.Fatalf("With(%q) of %s (-want +got):\n%s", drop, raw, diff)
		}
	})
}
