package capacity

import (
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairway/internal/catalog"
	"fairway/internal/inference"
	"fairway/internal/tokens"
)

const sonnet4 = "apac.anthropic.claude-sonnet-4-20250514-v1:0"

var november = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newDesk() *Desk {
	return &Desk{Catalog: catalog.New(catalog.Options{}), Estimator: tokens.NewEstimator(), Now: november}
}

// quoted is the one quote of the recipe's body.
func quoted(t testing.TB, d *Desk, model string, asked Asked) (inference.Profile, Quote) {
	t.Helper()
	given, err := os.ReadFile("testdata/askbedrock.json")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Read(given, "")
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := d.Choose(t.Context(), Choice{Patterns: []string{model}})
	if err != nil {
		t.Fatal(err)
	}
	return chosen[0], d.Quote(p, chosen[0], asked)
}

// TestQuoteByHand: at 3 and 15 dollars a million, 310 tokens of output are 4,650,000
// billionths of a dollar, and a token of input is 3,000.
func TestQuoteByHand(t *testing.T) {
	_, q := quoted(t, newDesk(), sonnet4, Asked{Output: 310})
	if q.Low > q.Tokens || q.Tokens > q.High || q.Tokens < 20 || q.Tokens > 50 {
		t.Errorf("%d to %d to %d tokens", q.Low, q.Tokens, q.High)
	}
	want := Cost{
		Estimate: inference.Money(q.Tokens*3_000 + 4_650_000),
		Low:      inference.Money(q.Low*3_000 + 4_650_000),
		High:     inference.Money(q.High*3_000 + 4_650_000),
		Most:     inference.Money(q.High*3_000 + 15_000_000), // max_tokens is 1000
	}
	if q.Cost == nil || *q.Cost != want {
		t.Errorf("cost %+v, want %+v", q.Cost, want)
	}
	if q.Source != "ap-southeast-1" || q.MaxTokens != 1000 || q.Guessed || !q.Fits {
		t.Errorf("quote %+v", q)
	}
	if q.Price.AsOf == "" || q.Price.Source == "" {
		t.Errorf("price %+v has no date or source", q.Price)
	}
}

func TestQuoteWithoutBody(t *testing.T) {
	d := newDesk()
	p, err := Read([]byte("hi"), "")
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := d.Choose(t.Context(), Choice{})
	if err != nil {
		t.Fatal(err)
	}
	if len(chosen) != len(usual) {
		t.Errorf("%d usual models can be called from %s, want %d", len(chosen), chosen[0].SourceRegion, len(usual))
	}
	for _, c := range chosen {
		q := d.Quote(p, c, Asked{})
		m, _ := d.Catalog.Model(c.Model)
		if q.Output != UsualOutput || !q.Guessed || q.MaxTokens != m.MaxOutput || q.Cost == nil {
			t.Errorf("%s: %+v", c.Named(), q)
		}
	}
	if q := d.Quote(p, chosen[0], Asked{MaxTokens: 20}); q.Output != 20 || q.MaxTokens != 20 {
		t.Errorf("an answer of at most 20 tokens is expected to have %d", q.Output)
	}
}

func TestChoose(t *testing.T) {
	d := newDesk()
	for _, c := range []struct {
		choice Choice
		want   string // names
	}{
		{Choice{Patterns: []string{sonnet4}}, sonnet4},
		{Choice{Patterns: []string{"eu.amazon.nova-*"}, Source: "eu-west-1"}, "eu.amazon.nova-2-lite-v1:0 eu.amazon.nova-lite-v1:0 eu.amazon.nova-micro-v1:0 eu.amazon.nova-pro-v1:0"},
		{Choice{Patterns: []string{"us.amazon.nova-pro-v1:0", "us.amazon.nova-p*"}}, "us.amazon.nova-pro-v1:0"},
		{Choice{Patterns: []string{"apac.anthropic.claude-sonnet-4-2*"}}, "ended: no model that can be called in us-east-1 matches"},
		{Choice{Patterns: []string{sonnet4}, Source: "us-east-1"}, "cannot be called in us-east-1"},
		{Choice{Patterns: []string{"[a"}}, "is no pattern"},
		{Choice{Source: "nowhere"}, `unknown region "nowhere"`},
	} {
		chosen, err := d.Choose(t.Context(), c.choice)
		if err != nil {
			if !strings.Contains("ended: "+err.Error(), c.want) {
				t.Errorf("Choose(%v) fails with %v, want %q", c.choice, err, c.want)
			}
			continue
		}
		var names []string
		for _, p := range chosen {
			names = append(names, p.Named())
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("Choose(%v) = %s, want %s", c.choice, got, c.want)
		}
	}
	all, err := d.Choose(t.Context(), Choice{All: true, Source: "us-east-1"})
	if err != nil || len(all) < 60 {
		t.Errorf("%d models in all, %v", len(all), err)
	}
}

func TestCallsByHand(t *testing.T) {
	got := Calls(1000, 500, time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))
	// 31 days of 1000; 31 of 1050; 28 of 1102.5; 31 of 1157.625; 30 of 1215.50625; ...
	want := [12]int64{31_000, 32_550, 30_870, 35_886, 36_465, 39_565, 40_203, 43_620, 45_801, 46_540, 50_496, 51_310}
	if got != want {
		t.Errorf("Calls = %v, want %v", got, want)
	}
	for i, n := range Calls(1, -Growth(whole), november) {
		if want := []int64{30, 0}[min(i, 1)]; n != want {
			t.Errorf("month %d of calls that end has %d, want %d", i, n, want)
		}
	}
}

// TestCalls compares with a calculation in floating point of great precision.
func TestCalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, MaxCallsPerDay).Draw(t, "calls")
		g := Growth(rapid.Int64Range(-whole, int64(MaxGrowth)).Draw(t, "growth"))
		month := time.Date(2026, time.Month(rapid.IntRange(1, 40).Draw(t, "month")), 1, 0, 0, 0, 0, time.UTC)
		exact := new(big.Float).SetPrec(2000).SetInt64(n)
		factor := new(big.Float).SetPrec(2000).Quo(big.NewFloat(float64(whole+g)).SetPrec(2000), big.NewFloat(whole))
		for i, got := range Calls(n, g, month) {
			days := month.AddDate(0, i+1, 0).Sub(month.AddDate(0, i, 0)) / (24 * time.Hour)
			sum := new(big.Float).Mul(exact, big.NewFloat(float64(days)))
			off, _ := sum.Sub(sum, new(big.Float).SetInt64(got)).Float64()
			if off < -0.5-1e-9 || off > 0.5+1e-9 {
				t.Fatalf("month %d has %d calls, off by %v", i, got, off)
			}
			exact.Mul(exact, factor)
		}
	})
}

func TestYear(t *testing.T) {
	q := Quote{Named: "m", Cost: &Cost{Estimate: 4_725_000, Low: 4_700_000, High: 4_800_000}}
	y, err := q.Year(1000, 0, november)
	if err != nil {
		t.Fatal(err)
	}
	if len(y.Months) != 12 || y.Months[0].Month != "2026-11" || y.Months[11].Month != "2027-10" {
		t.Errorf("months %+v", y.Months)
	}
	if y.Calls != 365_000 || y.Cost != 365_000*4_725_000 || y.Low != 365_000*4_700_000 || y.High != 365_000*4_800_000 {
		t.Errorf("year %+v", y)
	}
	sum := inference.Money(0)
	for _, m := range y.Months {
		sum += m.Cost
	}
	if sum != y.Cost {
		t.Errorf("the months cost %v, the year %v", sum, y.Cost)
	}
	q.Cost.High = 10_000 * inference.Dollar
	if y, err := q.Year(MaxCallsPerDay, MaxGrowth, november); err == nil {
		t.Errorf("Year = %v, want an error for a sum that is too large", y)
	}
}
