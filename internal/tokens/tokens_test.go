package tokens

import (
	"bytes"
	"encoding/base64"
	stdimage "image"
	"image/png"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

func TestFamilyOf(t *testing.T) {
	for model, want := range map[inference.ModelID]Family{
		"anthropic.claude-v2:1":                     Claude2,
		"anthropic.claude-instant-v1":               Claude2,
		"anthropic.claude-3-5-sonnet-20240620-v1:0": Claude3,
		"anthropic.claude-sonnet-4-20250514-v1:0":   Claude3,
		"anthropic.claude-opus-4-1-20250805-v1:0":   Claude3,
		"anthropic.claude-haiku-4-5-20251001-v1:0":  Claude3,
		"anthropic.claude-opus-4-6-v1":              Claude3,
		"anthropic.claude-sonnet-4-6":               Claude3,
		"anthropic.claude-opus-4-7":                 Claude47,
		"anthropic.claude-sonnet-5":                 Claude47,
		"amazon.nova-pro-v1:0":                      O200K,
	} {
		if got := FamilyOf(model); got != want {
			t.Errorf("FamilyOf(%q) = %d, want %d", model, got, want)
		}
	}
}

// Characters per o200k token as ../shared/facts/bedrock.md section 4 has them;
// the texts are ours, so 12 per cent either way is close enough.
func TestTextPerScript(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want float64
	}{
		"english": {"The gateway answers an application's model calls across regions. When the first region is down, " +
			"the call goes to the next one that the policy allows, and the answer says where it came from.", 4.72},
		"german": {"Das Gateway beantwortet die Modellaufrufe einer Anwendung über mehrere Regionen. Fällt die erste Region aus, " +
			"geht der Aufruf an die nächste, die erlaubt ist, und die Antwort nennt sie.", 4.39},
		"vietnamese": {"Hãy gợi ý một món ăn từ các nguyên liệu này, với hướng dẫn từng bước và thời gian nấu. Tôi muốn nấu cho bốn người " +
			"và có nhiều rau củ, nhưng không dùng đường.", 3.83},
		"japanese": {"この材料を使ったレシピを提案してください。四人分で、野菜を多めに、砂糖は使わないでください。", 1.30},
		"chinese":  {"请用这些食材推荐一道菜，并写出每一步的做法和烹饪时间。我要为四个人做饭，多放蔬菜，不要放糖。", 1.39},
		"korean":   {"이 재료로 만들 수 있는 요리를 추천해 주세요. 네 사람이 먹을 양이고 채소를 많이 넣고 설탕은 쓰지 마세요.", 1.81},
		"thai":     {"ช่วยแนะนำเมนูอาหารจากวัตถุดิบเหล่านี้พร้อมวิธีทำทีละขั้นตอนและเวลาในการปรุง", 2.31},
		"hindi":    {"इन सामग्रियों से कोई व्यंजन सुझाइए और हर चरण की विधि तथा पकाने का समय भी बताइए।", 3.16},
		"go":       {"func (f Family) Text(s string) int {\n\treturn whole(f.weigh(s))\n}\n\nfor i, r := range s {\n\tif sum += w[r]; sum > limit {\n\t\treturn i\n\t}\n}\n", 3.33},
		"json":     {`{"type":"message","role":"assistant","model":"claude","content":[{"type":"text","text":"hello there"}],"stop_reason":"end_turn","usage":{"input_tokens":12,"output_tokens":5}}`, 3.23},
	} {
		got := float64(utf8.RuneCountInString(c.text)) / float64(O200K.Text(c.text))
		if got < c.want*0.88 || got > c.want*1.12 {
			t.Errorf("%s: %.2f characters a token, want about %.2f", name, got, c.want)
		}
	}
}

func TestFamilyFactors(t *testing.T) {
	prose := strings.Repeat("tokens are counted ", 500)
	base := float64(O200K.Text(prose))
	for f, want := range map[Family]float64{Claude2: 1.01, Claude3: 1.15, Claude47: 1.60} {
		if got := float64(f.Text(prose)) / base; got < want-0.01 || got > want+0.01 {
			t.Errorf("family %d: %.3f times o200k, want %.2f", f, got, want)
		}
	}
}

// TestWeigh: counting by classes weighs what the runes do one by one.
func TestWeigh(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~\n]*`), rapid.Custom(func(t *rapid.T) string {
			return string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		})).Draw(t, "text")
		want := int64(0)
		for _, r := range s {
			want += int64(weights[Claude3][classOf(r)])
		}
		if got := Claude3.weigh(s); got != want {
			t.Fatalf("weigh(%q) = %d, want %d", s, got, want)
		}
	})
	long := strings.Repeat("a1 ", laneMax)
	if got, want := Claude3.weigh(long), laneMax*Claude3.weigh("a1 "); got != want {
		t.Errorf("weigh(%d bytes) = %d, want %d", len(long), got, want)
	}
}

func TestCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := Family(rapid.IntRange(0, int(families)-1).Draw(t, "family"))
		s := rapid.String().Draw(t, "text")
		n := rapid.IntRange(0, 50).Draw(t, "tokens")
		cut := f.Cut(s, n)
		if got := f.Text(s[:cut]); got > n {
			t.Fatalf("Text(%q) = %d, want at most %d", s[:cut], got, n)
		}
		if cut == len(s) {
			return
		}
		_, size := utf8.DecodeRuneInString(s[cut:])
		if got := f.Text(s[:cut+size]); got <= n {
			t.Fatalf("Cut(%q, %d) = %d, one more rune still has %d tokens", s, n, cut, got)
		}
	})
}

func TestCutAlwaysMoves(t *testing.T) {
	for _, s := range []string{"a", "漢", "😀", "한", "\xff"} {
		for f := range families {
			if got := f.Cut(s, 1); got != len(s) {
				t.Errorf("family %d: Cut(%q, 1) = %d, want %d", f, s, got, len(s))
			}
		}
	}
}

// Each figure is the one that the same content had as an Anthropic body.
func TestConversation(t *testing.T) {
	text := func(s string) []dialect.Block { return []dialect.Block{{Type: dialect.Text, Text: s}} }
	user := func(content ...dialect.Block) []dialect.Message {
		return []dialect.Message{{Role: dialect.User, Content: content}}
	}
	hello := user(text("hello there")...)
	hi := perCall + perMessage + Claude3.Text("hello there")
	for _, c := range []struct {
		name string
		c    dialect.Conversation
		want int
	}{
		{"one message", dialect.Conversation{Messages: hello}, hi},
		{"a system prompt", dialect.Conversation{System: text("be kind"), Messages: hello}, hi + Claude3.Text("be kind")},
		{
			"a tool",
			dialect.Conversation{Messages: hello, Tools: []dialect.Tool{{Name: "f", Description: "does", Schema: []byte(`{"type":"object"}`)}}},
			hi + toolPrompt + perTool + Claude3.Text("f") + Claude3.Text("does") + Claude3.Text(`{"type":"object"}`),
		},
		{
			"a tool result",
			dialect.Conversation{Messages: user(dialect.Block{Type: dialect.ToolResult, ID: "x", Content: text("hello there")})},
			hi,
		},
		{
			"a tool call",
			dialect.Conversation{Messages: user(dialect.Block{Type: dialect.ToolUse, ID: "x", Name: "f", Input: []byte(`{"a":1}`)})},
			perCall + perMessage + Claude3.Text("f") + Claude3.Text(`{"a":1}`),
		},
		{
			"a cache point and reasoning that was redacted",
			dialect.Conversation{Messages: user(text("hello there")[0], dialect.Block{Type: dialect.CachePoint, TTL: "1h"}, dialect.Block{Type: dialect.Redacted, Text: "c2VjcmV0"})},
			hi,
		},
		{
			"a PDF",
			dialect.Conversation{Messages: user(dialect.Block{Type: dialect.Document, Media: &dialect.Media{Format: "pdf", Name: "menu", Data: strings.Repeat("AAAA", 20_000)}})},
			perCall + perMessage + Claude3.Text("menu") + 2*tokensPerPage,
		},
		{
			"a document of plain text",
			dialect.Conversation{Messages: user(dialect.Block{Type: dialect.Document, Media: &dialect.Media{Format: "txt", Text: "hello there"}})},
			hi,
		},
		{
			"the same in base64",
			dialect.Conversation{Messages: user(dialect.Block{Type: dialect.Document, Media: &dialect.Media{Format: "txt", Data: base64.StdEncoding.EncodeToString([]byte("hello there"))}})},
			hi,
		},
	} {
		if got := Claude3.Conversation(&c.c); got != c.want {
			t.Errorf("Conversation(%s) = %d, want %d", c.name, got, c.want)
		}
	}
}

// TestWhiteSpace: JSON counts the same with white space around its values and without.
func TestWhiteSpace(t *testing.T) {
	call := func(text string) *dialect.Conversation {
		return &dialect.Conversation{
			Tools:    []dialect.Tool{{Name: "f", Schema: []byte(text)}},
			Messages: []dialect.Message{{Role: dialect.User, Content: []dialect.Block{{Type: dialect.ToolUse, Input: []byte(text)}}}},
		}
	}
	spread, compact := call("{\n  \"a b\" : [ 1, 2 ]\n}"), call(`{"a b":[1,2]}`)
	if got, want := Claude3.Conversation(spread), Claude3.Conversation(compact); got != want {
		t.Errorf("Conversation(with white space) = %d, want %d", got, want)
	}
}

func TestImage(t *testing.T) {
	encode := func(width, height int) string {
		var buf bytes.Buffer
		if err := png.Encode(&buf, stdimage.NewGray(stdimage.Rect(0, 0, width, height))); err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(buf.Bytes())
	}
	for _, c := range []struct {
		name string
		m    dialect.Media
		want int
	}{
		{"small", dialect.Media{Format: "png", Data: encode(300, 200)}, 80},
		{"one pixel", dialect.Media{Format: "png", Data: encode(1, 1)}, 1},
		{"large", dialect.Media{Format: "png", Data: encode(2000, 1000)}, imageCap},
		{"webp", dialect.Media{Format: "webp", Data: "UklGRg=="}, imageCap},
		{"broken", dialect.Media{Format: "png", Data: "AAAA"}, imageCap},
		{"elsewhere", dialect.Media{Format: "png", URI: "s3://bucket/menu.png"}, imageCap},
	} {
		if got := image(&c.m); got != c.want {
			t.Errorf("image(%s) = %d, want %d", c.name, got, c.want)
		}
	}
}

func FuzzCut(f *testing.F) {
	f.Add("gà, cơm, cà rốt \xff😀", 3)
	f.Fuzz(func(t *testing.T, s string, n int) {
		if got := Claude3.Text(s[:Claude3.Cut(s, n)]); got > max(n, 0) {
			t.Errorf("Text of Cut(%q, %d) = %d", s, n, got)
		}
	})
}

func BenchmarkText(b *testing.B) {
	text := strings.Repeat("Suggest a recipe idea using these ingredients: gà, cơm, cà rốt. ", 16)
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Claude3.Text(text)
	}
}
