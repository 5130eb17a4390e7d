package catalog

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

func TestReadPrices(t *testing.T) {
	got := read(t, `# ours since the contract
models:
  - id: apac.amazon.nova-pro-v1:0
    name: Nova Pro
    input_per_mtok: 0.5
    output_per_mtok: "2"
    as_of: 2026-11-20
    source: contract
  - id: own.anthropic.model
    from: 2026-12-01
    input_per_mtok: 1
    output_per_mtok: 5
    cache_read_per_mtok: 0.1
    cache_write_5m_per_mtok: 1.25
    batch_input_per_mtok: 0.000001
    uncertain: true
    tiers:
      - {above_input_tokens: 200000, input_per_mtok: 2, output_per_mtok: null}
      - {above_input_tokens: 1000, input_per_mtok: 1.5, cache_write_5m_per_mtok: 1, cache_write_1h_per_mtok: 9}
  - {provider: openai, id: gpt-5, input_per_mtok: 1}
`).List()
	want := []Price{
		{ID: "apac.amazon.nova-pro-v1:0", Rate: Rate{500_000, 2_000_000, 500_000, 500_000, 500_000, 250_000, 1_000_000}, AsOf: "2026-11-20", Source: "contract"},
		{
			ID: "own.anthropic.model", From: DateOf(someDay) + 8, Uncertain: true,
			Rate: Rate{1_000_000, 5_000_000, 100_000, 1_250_000, 2_000_000, 1, 2_500_000},
			Tiers: []Tier{
				{1000, Rate{1_500_000, 0, 1_500_000, 1_000_000, 9_000_000, 750_000, 0}},
				{200_000, Rate{2_000_000, 0, 2_000_000, 2_000_000, 2_000_000, 1_000_000, 0}},
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ReadPrices: (-want +got):\n%s", diff)
	}
}

// TestReadFacts: the facts themselves are a price file, and change nothing.
func TestReadFacts(t *testing.T) {
	text, err := files.ReadFile("data/pricing.json")
	if err != nil {
		t.Fatal(err)
	}
	p, err := ReadPrices("pricing.json", text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(BuiltinPrices().List(), p.List()); diff != "" {
		t.Errorf("ReadPrices(the facts) (-built in +read):\n%s", diff)
	}
	for _, c := range BuiltinPrices().Changes(p) {
		if c.Changed || c.Old == nil {
			t.Errorf("Changes(the facts) has %+v, want no change", c)
		}
	}
}

// TestDocument: the price file that the document shows is one.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/prices.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(text), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	c := New(Options{Prices: read(t, example)})
	for day, want := range map[time.Time]string{someDay: "0.7", time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC): "0.65"} {
		if p, ok := c.Price("apac.amazon.nova-pro-v1:0", day); !ok || p.Input.String() != want {
			t.Errorf("Price(%s) by the document = %+v, %v, want input %s", day, p, ok, want)
		}
	}
}

func TestReadPricesRefuses(t *testing.T) {
	row := func(members string) string { return "models:\n  - {id: a.b, input_per_mtok: 1, " + members + "}" }
	for text, want := range map[string]string{
		"models: 3":                         "p:1: models: want a list of rows",
		"modles: []":                        `p:1: unknown key "modles": want models`,
		"- a":                               "p:1: the file: want keys and values",
		"models:\n- 3":                      "p:2: a row: want keys and values",
		"models:\n- input_per_mtok: 1":      "p:2: a row without an id: want that of a model or inference profile",
		"models:\n- id: a.b":                "p:2: a.b: want input_per_mtok",
		"models:\n- id: a b":                `p:2: id: want the id of a model or inference profile, got "a b"`,
		"models: []\nmodels: []":            `p:2: mapping key "models" already defined at [1:1]`,
		row("input: 3"):                     `p:2: unknown key "input" in a row: want one of ` + rowKeys,
		row("output_per_mtok: -1"):          `p:2: output_per_mtok: want at least 0 and at most 1000 dollars per million tokens, got "-1"`,
		row("output_per_mtok: 1001"):        `p:2: output_per_mtok: want at least 0 and at most 1000 dollars per million tokens, got "1001"`,
		row("output_per_mtok: 1e3"):         `p:2: output_per_mtok: want dollars per million tokens with at most six decimals, such as 0.075, got "1e3"`,
		row("output_per_mtok: 0.1234567"):   `p:2: output_per_mtok: want dollars per million tokens with at most six decimals, such as 0.075, got "0.1234567"`,
		row("output_per_mtok: [1]"):         `p:2: output_per_mtok: want dollars per million tokens with at most six decimals, such as 0.075, got ""`,
		row("output_per_mtok: &a 1"):        `p:2: output_per_mtok: want dollars per million tokens with at most six decimals, such as 0.075, got ""`,
		row("from: tomorrow"):               `p:2: from: want a date such as "2026-11-23", after 1970, got "tomorrow"`,
		row("from: 1970-01-01"):             `p:2: from: want a date such as "2026-11-23", after 1970, got "1970-01-01"`,
		row("uncertain: maybe"):             `p:2: uncertain: want true or false, got "maybe"`,
		row("name: [a]"):                    "p:2: name: want a text of at most 256 bytes",
		row("tiers: 3"):                     "p:2: tiers: want a list of at most 16",
		row("tiers: [{input_per_mtok: 1}]"): "p:2: a tier: want above_input_tokens and input_per_mtok",
		row("tiers: [{above_input_tokens: 0, input_per_mtok: 1}]"):                                             `p:2: above_input_tokens: want a number of tokens above 0, got "0"`,
		row("tiers: [{above_input_tokens: 9, input_per_mtok: 1, x: 1}]"):                                       `p:2: unknown key "x" in a tier: want one of ` + tierKeys,
		row("tiers: [{above_input_tokens: 9, input_per_mtok: 1}, {above_input_tokens: 9, input_per_mtok: 2}]"): "p:2: tiers: two above 9 input tokens",
		"models:\n- {id: a.b, input_per_mtok: 1}\n- {id: a.b, input_per_mtok: 2}":                              "p:3: a.b: a second row of that id and date: give it another from, or take one out",
		"models: []\n---\nmodels: []":   "p:3: one document is enough",
		"\xff":                          "p: want UTF-8 text",
		strings.Repeat("[", 21):         "p: want brackets at most 20 deep, up to line 1",
		strings.Repeat("- ", 21):        "p: want at most 20 dashes and question marks on line 1",
		strings.Repeat("\n", 1001):      "p: want at most 1000 blank lines, up to line 1001",
		strings.Repeat("#\n", 10_001):   "p: want at most 10000 lines",
		strings.Repeat("#", 512<<10+1):  "p: want at most 524288 bytes",
		row("x: 1") + "\n  - {id: c.d}": `p:2: unknown key "x" in a row: want one of ` + rowKeys + "\np:3: c.d: want input_per_mtok",
	} {
		p, err := ReadPrices("p", []byte(text))
		if err == nil || err.Error() != want {
			t.Errorf("ReadPrices(%.60q) = %v, %v, want %s", text, p, err, want)
		}
	}
	if _, err := ReadPrices("p", []byte("models:\n"+strings.Repeat("- 3\n", 30))); strings.Count(err.Error(), "\n") != 20 ||
		!strings.HasSuffix(err.Error(), "p: 10 more problems") {
		t.Errorf("ReadPrices(thirty problems) = %v, want twenty of them and their rest", err)
	}
}

// TestChanges: a row changes what holds from its date on, be it that of its id or of
// the profile's model.
func TestChanges(t *testing.T) {
	const twice = "models: [{id: a.b, input_per_mtok: 1}, {id: a.b, from: 2026-12-01, input_per_mtok: 2}]"
	base := BuiltinPrices().With(read(t, twice))
	over := read(t, `
models:
  - {id: a.b, from: 2026-12-02, input_per_mtok: 3}
  - {id: a.b, input_per_mtok: 1, as_of: yesterday}
  - {id: apac.`+sonnet35+`, input_per_mtok: 3, output_per_mtok: 16}
  - {id: new.model, input_per_mtok: 3}
  - {id: anthropic.claude-haiku-5-5, input_per_mtok: 0.1, output_per_mtok: 0.5, cache_read_per_mtok: 0.01, cache_write_5m_per_mtok: 0.125}
`)
	var got []string
	for _, c := range base.Changes(over) {
		old := "none"
		if c.Old != nil {
			old = c.Old.Input.String() + "/" + c.Old.Output.String()
		}
		changed := "same"
		if c.Changed {
			changed = "changed"
		}
		got = append(got, strings.Join([]string{c.ID, c.From.String(), old, changed}, " "))
	}
	want := []string{
		"a.b  1/0 same", "a.b 2026-12-02 2/0 changed", "anthropic.claude-haiku-5-5  0.1/0.5 changed", // it had a tier
		"apac." + sonnet35 + "  3/15 changed", "new.model  none same",
	}
	if !slices.Equal(got, want) {
		t.Errorf("Changes = %q, want %q", got, want)
	}
}

// everything is more than any call uses.
var everything = inference.Usage{
	InputTokens: math.MaxInt, OutputTokens: math.MaxInt, CacheReadTokens: math.MaxInt, CacheWriteTokens: math.MaxInt, CacheWrite1h: math.MaxInt / 2,
}

// FuzzReadPrices: what is read is priced without a panic, and written it reads the same.
func FuzzReadPrices(f *testing.F) {
	f.Add("models:\n  - {id: a.b, from: 2026-12-01, input_per_mtok: 0.000001, tiers: [{above_input_tokens: 3, input_per_mtok: 1000}]}", false)
	f.Add(`{"_about": {"a": 1}, "models": [{"id": "a.b", "name": "\u00e9 # \\ \" '", "input_per_mtok": 3, "note": "<&>: ["}]}`, true)
	f.Add("models: []", true)
	f.Fuzz(func(t *testing.T, text string, asJSON bool) {
		p, err := ReadPrices("fuzz", []byte(text))
		if err != nil {
			return
		}
		name := "p.yaml"
		if asJSON {
			name = "p.json"
		}
		written, err := p.Text(name)
		if err != nil {
			t.Fatalf("Text(%q) = %v", text, err)
		}
		again, err := ReadPrices(name, written)
		if err != nil {
			t.Fatalf("ReadPrices(%q) = %v", written, err)
		}
		if diff := cmp.Diff(p.List(), again.List()); diff != "" {
			t.Errorf("read %q, written %q, read again (-first +again):\n%s", text, written, diff)
		}
		for _, price := range p.List() {
			if price.Cost(everything) < 0 {
				t.Errorf("%+v: cost of %+v below zero", price, everything)
			}
		}
	})
}
