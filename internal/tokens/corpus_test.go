package tokens

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// language is a file of texts of our own writing, in turn for fitting and for measuring.
type language struct {
	name      string
	fit, held []string
}

func corpus(t testing.TB) (all []language) {
	t.Helper()
	files, err := filepath.Glob("testdata/corpus/*.txt")
	if err != nil || len(files) < 12 {
		t.Fatalf("testdata/corpus has %d files, want 12 or more: %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		l := language{name: strings.TrimSuffix(filepath.Base(file), ".txt")}
		for i, sample := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n%%\n") {
			if i%2 == 0 {
				l.fit = append(l.fit, sample)
			} else {
				l.held = append(l.held, sample)
			}
		}
		all = append(all, l)
	}
	return all
}

func TestCorpus(t *testing.T) {
	for _, l := range corpus(t) {
		if n := len(l.fit) + len(l.held); n < 12 {
			t.Errorf("%s has %d texts, want 12 or more", l.name, n)
		}
		for _, text := range slices.Concat(l.fit, l.held) {
			if n := utf8.RuneCountInString(text); n < 150 || n > 800 {
				t.Errorf("a text in %s has %d characters, want 150 to 800: %.40q", l.name, n, text)
			}
		}
	}
}

// fitted are mean and deviation of log(real/counted) by script, of the half for fitting.
func fitted(t testing.TB, f Family, v vocabulary) (all [scripts]spread) {
	var of [scripts][]float64
	for _, l := range corpus(t) {
		for _, text := range l.fit {
			r := f.ReadText(text)
			of[r.Script] = append(of[r.Script], math.Log(float64(v.Tokens(text))/float64(r.Text)))
		}
	}
	for s, logs := range of {
		if len(logs) < 3 {
			continue
		}
		sum, squares := 0.0, 0.0
		for _, x := range logs {
			sum += x
		}
		mean := sum / float64(len(logs))
		for _, x := range logs {
			squares += (x - mean) * (x - mean)
		}
		all[s] = spread{mean, math.Sqrt(squares / float64(len(logs)-1))}
	}
	return all
}

// TestPriors holds the two tables to the texts they were fitted to.
func TestPriors(t *testing.T) {
	for _, c := range []struct {
		name   string
		family Family
		v      vocabulary
		table  [scripts]spread
	}{
		{"openai", O200K, newO200K(), ofOpenAI},
		{"claude 2", Claude2, newClaude2(), ofClaude2},
	} {
		for s, want := range fitted(t, c.family, c.v) {
			got := c.table[s]
			if want == (spread{}) {
				continue
			}
			if math.Abs(got.mean-want.mean) > 0.006 || math.Abs(got.deviation-want.deviation) > 0.006 {
				t.Errorf("prior of %s for %s = {%.2f, %.2f}, want {%.2f, %.2f}", c.name, Script(s), got.mean, got.deviation, want.mean, want.deviation)
			}
		}
	}
}

func TestScripts(t *testing.T) {
	of := map[string]Script{
		"english": Latin, "german": Accented, "french": Accented, "spanish": Accented, "vietnamese": Vietnamese,
		"russian": Cyrillic, "arabic": Arabic, "hindi": Indic, "thai": Thai, "chinese": Chinese, "japanese": Japanese,
		"korean": Korean, "go": Code, "scripts": Code, "json": Code, "logs": Data,
	}
	for _, l := range corpus(t) {
		got := map[Script]int{}
		for _, text := range slices.Concat(l.fit, l.held) {
			got[O200K.ReadText(text).Script]++
		}
		if got[of[l.name]] < 10 {
			t.Errorf("scripts of the texts in %s = %v, want %s of 10 or more", l.name, got, of[l.name])
		} else {
			t.Log(l.name, got)
		}
	}
}
