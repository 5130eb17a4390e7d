package simulate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

// least is a scenario of nothing but what it must have.
const least = `# What it shows,
# on two lines.
model: apac.anthropic.claude-sonnet-4-20250514-v1:0
traffic:
  - sources: [ap-southeast-1]
    rate: 2
`

func TestParse(t *testing.T) {
	s, err := Parse("mine.yaml", []byte(least+`
duration: 90s
seed: 7
policies: [latency, cost]
tokens: {input: {median: 10, sigma: 0}, max: 1_000}
faults:
  - kind: slow
    regions: [ap-southeast-1]
    times: 3
price: {input: 0.5, output: 1}
regions:
  ap-south-1: {capacity: 3}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := Defaults()
	want.Name, want.About = "mine.yaml", "What it shows, on two lines."
	want.Model = "apac.anthropic.claude-sonnet-4-20250514-v1:0"
	want.Traffic = []Traffic{{Sources: []inference.Region{"ap-southeast-1"}, Rate: 2}}
	want.Duration, want.Seed = 90*time.Second, 7
	want.Policies = []inference.Policy{inference.Latency, inference.Cost}
	want.Tokens.Input, want.Tokens.Max = Lognormal{Median: 10}, 1000
	want.Faults = []Fault{{Kind: Slow, Regions: []inference.Region{"ap-southeast-1"}, Times: 3}}
	want.Price = Price{Input: inference.Dollar / 2, Output: inference.Dollar}
	want.Regions = map[inference.Region]Region{"ap-south-1": {Capacity: 3}}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("Parse (-want +got):\n%s", diff)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "s.yaml: model: want the id"},
		{"not a mapping", "- a", "s.yaml:1: want keys and values"},
		{"syntax", "model: [", "s.yaml:1: "},
		{"two documents", least + "---\nmodel: x\n", "s.yaml:8: one document is enough"},
		{"no UTF-8", "model: \xff", "s.yaml: want UTF-8 text"},
		{"brackets", strings.Repeat("[", maxDepth+1), "s.yaml: want brackets at most 100 deep"},
		{"size", strings.Repeat("#", MaxBytes+1), "s.yaml: want at most 65536 bytes"},
		{"dashes", "traffic:\n  " + strings.Repeat("- ", 30_000) + "a", "s.yaml: want at most 100 dashes and question marks on line 2"},
		{"question marks", strings.Repeat("? ", 30_000) + "a", "s.yaml: want at most 100 dashes and question marks on line 1"},
		{"blank lines", "model: |\n" + strings.Repeat(" \n", 30_000), "s.yaml: want at most 2000 lines"},
		{"blank lines of Macintosh", "model: |\r" + strings.Repeat(" \r", 30_000), "s.yaml: want at most 2000 lines"},
		{"alias", least + "seed: &a 1\ndivide: *a\n", "s.yaml:7: seed: want a plain value"},
		{"unknown key", least + "ratee: 1\n", `s.yaml:7: unknown key "ratee", want one of model, destinations, duration`},
		{"unknown section", least + "token:\n  input: 1\n", `s.yaml:7: unknown key "token"`},
		{"unknown key inside", least + "tokens:\n  inputs: 1\n", `s.yaml:8: unknown key "inputs" under tokens, want one of input, output, max`},
		{"unknown key in a list", "traffic:\n  - rates: 1\n", `s.yaml:2: unknown key "rates" under traffic[0], want one of sources, rate, bursts, day`},
		{"no list", "traffic: 3\n", "s.yaml:1: traffic: want a list"},
		{"no mapping", least + "tokens: 3\n", "s.yaml:7: want keys and values under tokens"},
		{"no scalar", least + "seed: [1]\n", "s.yaml:7: seed: want a plain value"},
		{"no duration", least + "duration: 10\n", `s.yaml:7: duration: want a duration with its unit such as "250ms", got "10"`},
		{"no number", least + "divide: many\n", `s.yaml:7: divide: want a number, got "many"`},
		{"infinite", least + "divide: .inf\n", `s.yaml:7: divide: want a plain value`},
		{"not whole", least + "tokens: {max: 1.5}\n", `s.yaml:7: tokens.max: want a whole number, got "1.5"`},
		{"negative seed", least + "seed: -1\n", `s.yaml:7: seed: want a whole number that is not negative`},
		{"no truth", least + "quota: {known: yes}\n", `s.yaml:7: quota.known: want true or false, got "yes"`},
		{"no money", least + "price: {input: cheap}\n", `s.yaml:7: price.input: want an amount of dollars such as 0.30, got "cheap"`},
		{"short", least + "duration: 1ms\n", "s.yaml:7: duration: want 1s to 744h0m0s, got 1ms"},
		{"policy", least + "policies: [fair]\n", `s.yaml:7: policies[0]: unknown policy "fair", want one of adaptive,`},
		{"policy twice", least + "policies: [cost, cost]\n", "s.yaml:7: policies[1]: cost is there already"},
		{"no policy", least + "policies: []\n", "s.yaml:7: policies: want one or more of adaptive"},
		{"gateway", least + "gateway: here\n", `s.yaml:7: gateway: want a region, got "here"`},
		{"destination", least + "destinations: [ap-south-1, there]\n", `s.yaml:7: destinations[1]: want a region, got "there"`},
		{"rate", "model: m\ntraffic:\n  - sources: [ap-south-1]\n    rate: 0\n", "s.yaml:4: traffic[0].rate: want 1e-06 to 1e+06, got 0"},
		{"no rate", "model: m\ntraffic:\n  - sources: [ap-south-1]\n", "s.yaml:3: traffic[0].rate: want"},
		{"too much", least + "  - sources: [ap-south-1]\n    rate: 1000000\nduration: 24h\n", "s.yaml:5: traffic: up to 86400172800 calls are too many"},
		{"too many sessions", least + "sessions: {open: 10000000}\n", "s.yaml:7: sessions.open: 10000000 sessions are too many"},
		{"too many sources", least + "  - sources: [" + strings.Repeat("ap-south-1, ", 100) + "]\n    rate: 1\n", "s.yaml:5: traffic: 101 sources are too many"},
		{"source", strings.Replace(least, "[ap-southeast-1]", "[us-east-1]", 1), `s.yaml:5: traffic[0].sources[0]: "apac.anthropic.claude-sonnet-4-20250514-v1:0" cannot be called in "us-east-1"`},
		{"burst", strings.Replace(least, "rate: 2", "rate: 2\n    bursts: {every: 1m, last: 2m, times: 2}", 1), "s.yaml:7: traffic[0].bursts.last: want 1ms to 1m0s, got 2m0s"},
		{"fault", least + "faults:\n  - {kind: fire, regions: [ap-south-1]}\n", `s.yaml:8: faults[0].kind: unknown fault "fire", want one of down, hang`},
		{"fault elsewhere", least + "faults:\n  - {kind: down, regions: [us-east-1]}\n", `s.yaml:8: faults[0].regions[0]: no call may run in "us-east-1"`},
		{"fault that ends first", least + "faults:\n  - {kind: down, regions: [ap-south-1], from: 2m, to: 1m}\n", `s.yaml:8: faults[0].to: want 2m0s to`},
		{"share", least + "faults:\n  - {kind: stall, regions: [ap-south-1], share: 2}\n", `s.yaml:8: faults[0].share: want 0 to 1, got 2`},
		{"region", least + "regions:\n  us-east-1: {capacity: 1}\n", `s.yaml:8: regions.us-east-1: no call may run in "us-east-1"`},
		{"order", least + "route:\n  order: [us-east-1]\n", `s.yaml:8: route.order[0]: no call may run in "us-east-1"`},
		{"hedge", least + "route:\n  hedge: {budget: 2}\n", `s.yaml:8: route.hedge.budget: want 0 to 1, got 2`},
	} {
		s, err := Parse("s.yaml", []byte(c.text))
		if err == nil || s != nil {
			t.Errorf("%s: Parse = %v, %v, want an error alone", c.name, s, err)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Parse fails with\n%v\nwant\n%s", c.name, err, c.want)
		}
	}
}

// numbered is a line for each number below n.
func numbered(line string, n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, line, i)
	}
	return text.String()
}

// TestParseRefusesTheHostileAtOnce hands over files that the parser takes minutes and
// gigabytes for.
func TestParseRefusesTheHostileAtOnce(t *testing.T) {
	for name, text := range map[string]string{
		"dashes":      "traffic:\n  " + strings.Repeat("- ", 300_000) + "a",
		"keys":        numbered("k%d: 1\n", 100_000),
		"blank lines": "model: |\n" + strings.Repeat(" \n", 400_000),
	} {
		start := time.Now()
		_, err := Parse("s.yaml", []byte(text))
		if err == nil || err.Error() != "s.yaml: want at most 65536 bytes" {
			t.Errorf("%s: Parse fails with %v, want at most 65536 bytes", name, err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("%s: Parse takes %v", name, took)
		}
	}
}

func TestParseShowsTwentyProblems(t *testing.T) {
	_, err := Parse("s.yaml", []byte(numbered("k%d: 1\n", 30)))
	if err == nil || strings.Count(err.Error(), "unknown key") != 20 || !strings.HasSuffix(err.Error(), "\nand 10 more") {
		t.Errorf("Parse of 30 unknown keys fails with\n%v\nwant 20 of them, and 10 more", err)
	}
}

// FuzzParse wants a scenario that can be simulated, or an error alone.
func FuzzParse(f *testing.F) {
	f.Add([]byte(least))
	files, err := scenarios.ReadDir("scenarios")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := scenarios.ReadFile("scenarios/" + file.Name())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse("fuzz.yaml", data)
		if (s == nil) == (err == nil) {
			t.Fatalf("Parse = %v, %v, want one of them", s, err)
		}
		if s != nil {
			newWorld(s, s.Policies[0])
		}
	})
}
