package tokens

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The vectors are those of the package that publishes the vocabulary, but for the names of
// special tokens, which are text here.
func TestClaude2(t *testing.T) {
	v := newClaude2()
	for text, want := range map[string]int{"": 0, "hello world!": 3, "™": 1, "ϰ": 1} {
		if got := v.Tokens(text); got != want {
			t.Errorf("claude 2: Tokens(%q) = %d, want %d", text, got, want)
		}
	}
	if got := v.Tokens("<EOT>"); got < 2 {
		t.Errorf("claude 2: Tokens(%q) = %d, want it as text", "<EOT>", got)
	}
}

func TestO200K(t *testing.T) {
	v := newO200K()
	for text, want := range map[string]int{"": 0, "hello world": 2, "hello  world": 3, "hello world!": 3} {
		if got := v.Tokens(text); got != want {
			t.Errorf("o200k: Tokens(%q) = %d, want %d", text, got, want)
		}
	}
}

func TestPieces(t *testing.T) {
	for text, want := range map[string]string{
		"it's fine":        "it|'s| fine",
		"we'll go, now!":   "we|'ll| go|,| now|!",
		"a  b\n\n c":       "a| | b|\n\n| c",
		"x=10 ;  ":         "x|=|10| ;|  ",
		"\tfoo":            "\t|foo",
		"Straße №5":        "Straße| №|5",
		"क्या":             "क|्|य|ा",
		"don't 'tis o'clo": "don|'t| '|tis| o|'|clo",
	} {
		var got []string
		for p := range pieces(text) {
			got = append(got, p)
		}
		if strings.Join(got, "|") != want {
			t.Errorf("pieces(%q) = %q, want %q", text, strings.Join(got, "|"), want)
		}
	}
}

// slow joins the pair with the lowest rank until there is none: what count does, plainly.
func (r ranks) slow(piece string) int {
	var parts []string
	for i := range len(piece) {
		parts = append(parts, piece[i:i+1])
	}
	for {
		best, lowest := -1, uint32(0)
		for i := range len(parts) - 1 {
			if rank, ok := r[parts[i]+parts[i+1]]; ok && (best < 0 || rank < lowest) {
				best, lowest = i, rank
			}
		}
		if best < 0 {
			return len(parts)
		}
		parts[best] += parts[best+1]
		parts = append(parts[:best+1], parts[best+2:]...)
	}
}

func TestCount(t *testing.T) {
	claude := newClaude2().(claude2s).ranks
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.OneOf(
			rapid.StringMatching(`[a-zA-Z]{1,40}`), rapid.StringMatching(`[ab]{1,60}`), rapid.StringN(1, 20, -1),
			rapid.StringMatching(`[а-яё]{1,30}`), rapid.StringMatching(`[=\-.]{1,50}`),
		).Draw(t, "piece")
		if _, whole := claude[piece]; whole {
			return
		}
		if got, want := claude.count(piece), claude.slow(piece); got != want {
			t.Fatalf("count(%q) = %d, want %d", piece, got, want)
		}
	})
}

func FuzzPieces(f *testing.F) {
	f.Add("it's  10\u00a0o'clock\n\n\tसमय \xff😀 ")
	f.Fuzz(func(t *testing.T, s string) {
		var b strings.Builder
		for p := range pieces(s) {
			if p == "" {
				t.Fatalf("pieces(%q) has an empty piece", s)
			}
			b.WriteString(p)
		}
		if b.String() != s {
			t.Errorf("pieces(%q) together = %q", s, b.String())
		}
	})
}

func FuzzReadRanks(f *testing.F) {
	f.Add(claude2File[:2_000])
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if ranks, err := readRanks(file); err != nil && ranks != nil {
			t.Errorf("readRanks failed with %v and %d ranks", err, len(ranks))
		}
	})
}

// TestLongPieces: a text that is one piece is joined in n log n; in the square of its
// length this one would take hours.
func TestLongPieces(t *testing.T) {
	text := strings.Repeat("ab", 100_000)
	for name, v := range map[string]vocabulary{"o200k": newO200K(), "claude 2": newClaude2()} {
		if got := v.Tokens(text); got < 1_000 || got > len(text) {
			t.Errorf("%s: Tokens(one long piece) = %d, want 1000 to %d", name, got, len(text))
		}
	}
}

// tally is a vocabulary of bytes that knows how often it was asked.
type tally struct{ asked int }

func (v *tally) Tokens(s string) int {
	v.asked++
	return len(s)
}

func TestRemembered(t *testing.T) {
	inner := &tally{}
	v := newRemembered(inner)
	long, longer := strings.Repeat("a", worthKnowing), strings.Repeat("a", worthKnowing+1)
	for range 3 {
		for _, text := range []string{"short", long, longer} {
			if got := v.Tokens(text); got != len(text) {
				t.Errorf("Tokens(%d bytes) = %d, want %d", len(text), got, len(text))
			}
		}
	}
	if want := 3 + 1 + 1; inner.asked != want {
		t.Errorf("the vocabulary was asked %d times, want %d", inner.asked, want)
	}
}

func BenchmarkVocabulary(b *testing.B) {
	text := strings.Repeat("Suggest a recipe idea using these ingredients: gà, cơm, cà rốt. ", 22) // about 1,500 bytes
	for name, v := range map[string]vocabulary{"o200k": newO200K(), "claude2": newClaude2()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				v.Tokens(text)
			}
		})
	}
}

// BenchmarkLoad is of the vocabulary that is read; that of OpenAI is made once a process.
func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		newClaude2()
	}
}
