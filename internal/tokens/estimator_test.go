package tokens

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

const (
	gptOSS inference.ModelID = "openai.gpt-oss-20b-1:0"
	sonnet inference.ModelID = "anthropic.claude-sonnet-4-20250514-v1:0"
)

func TestEstimateText(t *testing.T) {
	e := NewEstimator()
	const text = "The gateway answers an application's model calls across regions."
	for _, c := range []struct {
		model    inference.ModelID
		text     string
		want     Basis
		from, to int // of the tokens
	}{
		{gptOSS, text, Exact, 10, 10},
		{"anthropic.claude-v2:1", text, Exact, 10, 14},
		{"anthropic.claude-instant-v1", "hello world!", Exact, 3, 3},
		{sonnet, text, Estimated, 11, 14},
		{"anthropic.claude-opus-4-7", text, Estimated, 15, 20},
		{stranger, text, Estimated, 10, 14},
		{gptOSS, "", Exact, 0, 0},
		{stranger, "", Estimated, 0, 0},
		{gptOSS, strings.Repeat("too long ", maxExact/9+1), Estimated, 400_000, 500_000},
	} {
		got := e.Text(c.model, c.text)
		if got.Basis != c.want || got.Tokens < c.from || got.Tokens > c.to {
			t.Errorf("Text(%s, %.20q) = %+v, want %s, %d to %d tokens", c.model, c.text, got, c.want, c.from, c.to)
		}
		if exact := got.Low == got.High; exact != (c.want == Exact || c.text == "") {
			t.Errorf("Text(%s, %.20q) = %+v, want an interval where it is not exact", c.model, c.text, got)
		}
	}
}

// TestEstimateConversation: what is no text widens the interval, also of an exact count.
func TestEstimateConversation(t *testing.T) {
	e := NewEstimator()
	hello := []dialect.Block{{Type: dialect.Text, Text: "hello world"}}
	c := &dialect.Conversation{Messages: []dialect.Message{{Role: dialect.User, Content: hello}}}
	frame := perCall + perMessage
	if got, want := e.Conversation(gptOSS, c), (Estimate{2 + frame, 2 + frame - frame/2, 2 + frame + frame/2, Exact}); got != want {
		t.Errorf("Conversation(%s, hello world) = %+v, want %+v", gptOSS, got, want)
	}
	plain := e.Conversation(sonnet, c)
	c.Messages[0].Content = append(c.Messages[0].Content, dialect.Block{Type: dialect.Image, Media: &dialect.Media{Format: "webp", Data: "UklGRg=="}})
	seen := e.Conversation(sonnet, c)
	if seen.Tokens != plain.Tokens+imageCap || seen.High-seen.Low < plain.High-plain.Low+imageCap {
		t.Errorf("Conversation(%s, with an image) = %+v, want %d tokens more than %+v, and an interval as much wider", sonnet, seen, imageCap, plain)
	}
}

// TestRead: a reading has the tokens that Conversation counts, and the script of the texts.
func TestRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := Family(rapid.IntRange(0, int(families)-1).Draw(t, "family"))
		texts := rapid.SliceOfN(rapid.String(), 1, 6).Draw(t, "texts")
		c := &dialect.Conversation{}
		for _, s := range texts {
			c.Messages = append(c.Messages, dialect.Message{Content: []dialect.Block{{Type: dialect.Text, Text: s}}})
		}
		r := f.Read(c)
		if got, want := r.Text+r.Frame, f.Conversation(c); got != want {
			t.Fatalf("Read(%q) has %d tokens, want %d", texts, got, want)
		}
		if got, want := f.ReadText(texts[0]).Text, f.Text(texts[0]); got != want {
			t.Fatalf("ReadText(%q) = %d tokens, want %d", texts[0], got, want)
		}
	})
}

// TestQuick: no reading has an estimate outside of its own interval, whatever was learned.
func TestQuick(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := NewEstimator()
		id := rapid.SampledFrom([]inference.ModelID{gptOSS, sonnet, stranger, "anthropic.claude-v2:1"}).Draw(t, "model")
		reading := rapid.Custom(func(t *rapid.T) Reading {
			return Reading{rapid.IntRange(0, 1<<24).Draw(t, "text"), rapid.IntRange(0, 1<<20).Draw(t, "frame"), Script(rapid.Byte().Draw(t, "script"))}
		})
		for range rapid.IntRange(0, 20).Draw(t, "answers") {
			e.Calibrate(id, reading.Draw(t, "taught"), rapid.IntRange(-5, 1<<26).Draw(t, "real"))
		}
		r := reading.Draw(t, "asked")
		got := e.Quick(id, r)
		if got.Low > got.Tokens || got.Tokens > got.High || got.Low < 0 || (got.Tokens == 0) != (r.Text+r.Frame == 0) {
			t.Fatalf("Quick(%s, %+v) = %+v, want low <= tokens <= high", id, r, got)
		}
	})
}

func TestScriptOf(t *testing.T) {
	for text, want := range map[string]Script{
		"": Latin, "plain words and no more": Latin, "ein größerer und schönerer Tag": Accented, "đã được gửi đến": Vietnamese,
		"привет, мир": Cyrillic, "Ελληνικά γράμματα": Cyrillic, "שלום עולם": Arabic, "नमस्ते": Indic, "สวัสดี": Thai,
		"你好，世界": Chinese, "東京へ行きます": Japanese, "안녕하세요": Korean, "if (a[i] != b[j]) { return -1; }": Code,
		"2026-03-14 09:26:53.589 1532 418": Data, "🙂🙃😉": Other, "翻译: please translate this long English sentence": Latin,
	} {
		if got := O200K.ReadText(text).Script; got != want {
			t.Errorf("script of %q = %s, want %s", text, got, want)
		}
	}
}

// TestRoom: models beyond the limit are estimated as well, and not kept.
func TestRoom(t *testing.T) {
	e := NewEstimator()
	r := Reading{Text: 1_000, Script: Latin}
	for i := range maxModels + 5 {
		e.Calibrate(inference.ModelID(fmt.Sprint("example.model-", i)), r, 1_500)
	}
	if got := len(*e.models.Load()); got != maxModels {
		t.Errorf("%d models are kept, want %d", got, maxModels)
	}
	if got := e.Quick("example.one-more", r); got.Tokens < 900 || got.Tokens > 1_100 {
		t.Errorf("Quick(one more) = %+v, want about 1000", got)
	}
	long := inference.ModelID(strings.Repeat("x", maxModelLen+1))
	if got := NewEstimator().model(long); got != nil {
		t.Errorf("a model with a name of %d characters is kept", len(long))
	}
}

func TestConcurrentUse(t *testing.T) {
	e := NewEstimator()
	shelf := newFakeShelf()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 200 {
				id := inference.ModelID(fmt.Sprint("example.", n%20))
				e.Calibrate(id, Reading{Text: 500, Script: Script(i)}, 600)
				e.Quick(id, Reading{Text: 500, Script: Script(i)})
			}
			e.Corrections()
		})
	}
	if err := e.Flush(t.Context(), shelf, noon); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if got := len(e.Corrections()); got != 20*8 {
		t.Errorf("%d corrections, want %d", got, 20*8)
	}
}

func BenchmarkQuick(b *testing.B) {
	e := NewEstimator()
	r := Reading{Text: 1_500, Script: Code}
	b.ReportAllocs()
	for b.Loop() {
		e.Quick(sonnet, r)
	}
}

func BenchmarkCalibrate(b *testing.B) {
	e := NewEstimator()
	r := Reading{Text: 1_500, Script: Code}
	b.ReportAllocs()
	for b.Loop() {
		e.Calibrate(sonnet, r, 1_700)
	}
}

func BenchmarkReadText(b *testing.B) {
	text := strings.Repeat("Suggest a recipe idea using these ingredients: gà, cơm, cà rốt. ", 16)
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Claude3.ReadText(text)
	}
}

func BenchmarkEstimateText(b *testing.B) {
	e := NewEstimator()
	text := strings.Repeat("Suggest a recipe idea using these ingredients: gà, cơm, cà rốt. ", 12) // too short to be remembered
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		e.Text(sonnet, text)
	}
}
