package tokens

import (
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"fairway/internal/inference"
)

var update = flag.Bool("update", false, "rewrite the tables of errors in the documentation")

// A model that nobody knows, so that all that is known of it is what its answers tell.
const stranger inference.ModelID = "example.stranger-v1:0"

// calibrated is an estimator for which the stranger answered: it counts as the vocabulary
// does. Its calls are of five texts for fitting, since a short one teaches nothing, and
// each is made ten times.
func calibrated(t testing.TB, v vocabulary) *Estimator {
	e := NewEstimator()
	for _, l := range corpus(t) {
		for i := range l.fit {
			text := strings.Join(slices.Concat(l.fit[i+1:], l.fit[:i]), "\n\n")
			r, real := FamilyOf(stranger).ReadText(text), v.Tokens(text)
			for range 10 {
				e.Calibrate(stranger, r, real)
			}
		}
	}
	return e
}

// miss is how far estimates are from what a vocabulary counts.
type miss struct {
	off    []float64 // |estimate/real - 1|
	inside int       // how many times real was within the interval
}

func (m *miss) add(e Estimate, real int) {
	m.off = append(m.off, math.Abs(float64(e.Tokens)/float64(real)-1))
	if e.Low <= real && real <= e.High {
		m.inside++
	}
}

func (m *miss) merge(o miss) {
	m.off = append(m.off, o.off...)
	m.inside += o.inside
}

// at is a percentile of the misses in per cent.
func (m *miss) at(percent int) float64 {
	slices.Sort(m.off)
	return 100 * m.off[(len(m.off)*percent+99)/100-1]
}

func (m *miss) cells() string {
	return fmt.Sprintf(" %.0f %% | %.0f %% | %d/%d |", m.at(50), m.at(95), m.inside, len(m.off))
}

// way is one to estimate a text of the stranger.
type way func(text string) Estimate

func quick(e *Estimator) way {
	return func(text string) Estimate { return e.Quick(stranger, FamilyOf(stranger).ReadText(text)) }
}

func full(e *Estimator) way {
	return func(text string) Estimate { return e.Text(stranger, text) }
}

// errorTable is how far estimates are off for each language, for a model that counts by the
// vocabulary, before it has answered and after.
func errorTable(t testing.TB, v vocabulary) string {
	var b strings.Builder
	b.WriteString("| texts | script | before | p95 | inside | after | p95 | inside | with o200k | p95 | inside |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	taught := calibrated(t, v)
	ways := []way{quick(NewEstimator()), quick(taught), full(taught)}
	all := make([]miss, len(ways))
	for _, l := range corpus(t) {
		fmt.Fprintf(&b, "| %s | %s |", l.name, O200K.ReadText(strings.Join(l.held, "\n")).Script)
		for i, estimate := range ways {
			var m miss
			for _, text := range l.held {
				m.add(estimate(text), v.Tokens(text))
			}
			b.WriteString(m.cells())
			all[i].merge(m)
		}
		b.WriteString("\n")
	}
	b.WriteString("| **all** | |")
	for i := range all {
		b.WriteString(all[i].cells())
	}
	return b.String() + "\n"
}

const docs = "../../docs/tokens.md"

// TestErrorTable holds the documentation to what is measured here.
func TestErrorTable(t *testing.T) {
	page, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	for name, v := range map[string]vocabulary{"o200k": newO200K(), "claude2": newClaude2()} {
		begin, end := "<!-- "+name+": made by TestErrorTable -->\n", "<!-- end of "+name+" -->"
		before, rest, ok := strings.Cut(text, begin)
		shown, after, ended := strings.Cut(rest, end)
		if !ok || !ended {
			t.Fatalf("docs/tokens.md has no table between %q and %q", begin, end)
		}
		want := errorTable(t, v)
		if shown != want && !*update {
			t.Errorf("the %s table of docs/tokens.md is\n%s\nwant (go test ./internal/tokens -run TestErrorTable -update)\n%s", name, shown, want)
		}
		text = before + begin + want + end + after
	}
	if *update {
		if err := os.WriteFile(docs, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestIntervals: nine in ten counts are within the interval once the model has answered.
func TestIntervals(t *testing.T) {
	for name, v := range map[string]vocabulary{"o200k": newO200K(), "claude 2": newClaude2()} {
		taught := calibrated(t, v)
		for i, estimate := range []way{quick(taught), full(taught)} {
			var all miss
			for _, l := range corpus(t) {
				for _, text := range l.held {
					all.add(estimate(text), v.Tokens(text))
				}
			}
			if got := all.inside * 100 / len(all.off); got < 90 {
				t.Errorf("%s, way %d: %d per cent within the interval, want 90", name, i, got)
			}
		}
	}
}
