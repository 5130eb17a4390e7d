package catalog

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

// someDay is when the tests ask for prices.
var someDay = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestPrice(t *testing.T) {
	c := New(Options{})
	for _, test := range []struct {
		named string
		want  Price
	}{
		{"apac." + sonnet4, Price{
			ID: "apac." + sonnet4, Rate: Rate{3_000_000, 15_000_000, 300_000, 3_750_000, 6_000_000, 1_500_000, 7_500_000}, AsOf: "2026-11", Source: "cat-2026-11",
			Tiers: []Tier{{200_000, Rate{6_000_000, 22_500_000, 600_000, 7_500_000, 12_000_000, 3_000_000, 11_250_000}}}, // as Anthropic's own list has it
		}},
		{"apac." + sonnet35, Price{ // its model's row, without rates for cached tokens
			ID: sonnet35, Rate: Rate{3_000_000, 15_000_000, 3_000_000, 3_000_000, 3_000_000, 1_500_000, 7_500_000}, AsOf: "2026-05 (approx.)", Source: "pi-ai-0.73",
		}},
		{"anthropic.claude-haiku-5-5", Price{
			ID: "anthropic.claude-haiku-5-5", Rate: Rate{100_000, 500_000, 10_000, 125_000, 200_000, 50_000, 250_000}, AsOf: "2026-11", Source: "cat-2026-11",
			Tiers: []Tier{{100_000, Rate{500_000, 2_500_000, 50_000, 625_000, 1_000_000, 250_000, 1_250_000}}},
		}},
	} {
		got, ok := c.Price(test.named, someDay)
		if diff := cmp.Diff(test.want, got); !ok || diff != "" {
			t.Errorf("Price(%s) = %v (-want +got):\n%s", test.named, ok, diff)
		}
	}
	if p, ok := c.Price("au.anthropic.claude-sonnet-5", someDay); !ok || !p.Uncertain {
		t.Errorf("Price(au. Claude Sonnet 5) = %+v, %v, want it marked uncertain", p, ok)
	}
	for _, named := range []string{"", "gpt-5.4", "us.twelvelabs.pegasus-1-2-v1:0"} {
		if p, ok := c.Price(named, someDay); ok {
			t.Errorf("Price(%q) = %+v, want none", named, p)
		}
	}
}

func TestCost(t *testing.T) {
	flat := Price{Rate: Rate{3_000_000, 15_000_000, 300_000, 3_750_000, 6_000_000, 0, 0}}
	tiered := Price{Rate: Rate{100_000, 500_000, 10_000, 125_000, 200_000, 0, 0}, Tiers: []Tier{
		{100, Rate{500_000, 2_500_000, 50_000, 625_000, 1_000_000, 0, 0}},
		{200, Rate{Input: 1_000_000}},
	}}
	small := Price{Rate: Rate{Input: 499, Output: 1}}
	for _, test := range []struct {
		name  string
		price Price
		usage inference.Usage
		want  string
	}{
		{"the guide's call", flat, inference.Usage{InputTokens: 25, OutputTokens: 310}, "0.004725"}, // 25 * 3 + 310 * 15 millionths
		{"writes for five minutes", flat, inference.Usage{CacheWriteTokens: 1000}, "0.00375"},
		{"writes for an hour", flat, inference.Usage{CacheWriteTokens: 1000, CacheWrite1h: 1000}, "0.006"},
		{"writes of both kinds", flat, inference.Usage{CacheWriteTokens: 1000, CacheWrite1h: 400}, "0.00465"},
		{"more for an hour than written", flat, inference.Usage{CacheWriteTokens: 1000, CacheWrite1h: 4000}, "0.006"},
		{"nothing", flat, inference.Usage{}, "0"},
		{"input and output", flat, inference.Usage{InputTokens: 15, OutputTokens: 80}, "0.001245"},
		{"a million of each", flat, inference.Usage{InputTokens: 1e6, OutputTokens: 1e6, CacheReadTokens: 1e6, CacheWriteTokens: 1e6}, "22.05"},
		{"at the tier", tiered, inference.Usage{InputTokens: 100}, "0.00001"},
		{"above the tier", tiered, inference.Usage{InputTokens: 101}, "0.0000505"},
		{"cached input counts for the tier", tiered, inference.Usage{CacheReadTokens: 60, CacheWriteTokens: 60}, "0.0000405"},
		{"the second tier", tiered, inference.Usage{InputTokens: 201}, "0.000201"},
		{"under half a unit", small, inference.Usage{InputTokens: 1}, "0"},
		{"half a unit", small, inference.Usage{InputTokens: 1, OutputTokens: 1}, "0.000000001"},
	} {
		if got := test.price.Cost(test.usage).String(); got != test.want {
			t.Errorf("%s: Cost(%+v) = %s, want %s", test.name, test.usage, got, test.want)
		}
	}
}

func TestSuccessor(t *testing.T) {
	c := New(Options{})
	for _, test := range []struct {
		model  inference.ModelID
		source inference.Region
		want   Successor
	}{
		{sonnet4, singapore, Successor{
			"anthropic.claude-sonnet-4-6", "global.anthropic.claude-sonnet-4-6", "inferred",
			Retirement{Date: "2026-10-14", Uncertain: true},
		}},
		{sonnet4, tokyo, Successor{ // a geography is nearer than the globe
			"anthropic.claude-sonnet-4-6", "jp.anthropic.claude-sonnet-4-6", "inferred",
			Retirement{Date: "2026-10-14", Uncertain: true},
		}},
		{sonnet4, "eu-west-2", Successor{ // the bare id works
			"anthropic.claude-sonnet-4-6", "anthropic.claude-sonnet-4-6", "inferred",
			Retirement{Date: "2026-10-14", Uncertain: true},
		}},
		{sonnet35, singapore, Successor{
			"anthropic.claude-sonnet-4-5-20250929-v1:0", "global.anthropic.claude-sonnet-4-5-20250929-v1:0", "documented",
			Retirement{Date: "2026-07-30"},
		}},
		{"anthropic.claude-3-opus-20240229-v1:0", "eu-west-1", Successor{ // by way of a legacy model
			"anthropic.claude-opus-4-8", "eu.anthropic.claude-opus-4-8", "inferred",
			Retirement{Date: "2026-01-15"},
		}},
		{"amazon.nova-reel-v1:0", "us-gov-east-1", Successor{ // nothing there reaches it
			"luma.ray-v2:0", "", "inferred", Retirement{Date: "2026-09-30"},
		}},
	} {
		got, ok := c.Successor(test.model, test.source)
		if diff := cmp.Diff(test.want, got); !ok || diff != "" {
			t.Errorf("Successor(%s, %s) = %v (-want +got):\n%s", test.model, test.source, ok, diff)
		}
	}
	for _, model := range []inference.ModelID{"anthropic.claude-sonnet-4-6", "cohere.command-text-v14", "no-such-model"} {
		if got, ok := c.Successor(model, singapore); ok {
			t.Errorf("Successor(%s) = %+v, want none", model, got)
		}
	}
}

func BenchmarkCost(b *testing.B) {
	p, _ := New(Options{}).Price("anthropic.claude-haiku-5-5", someDay)
	b.ReportAllocs()
	for b.Loop() {
		p.Cost(inference.Usage{InputTokens: 120_000, OutputTokens: 900})
	}
}

// TestCostOfNonsense: no usage costs less than nothing.
func TestCostOfNonsense(t *testing.T) {
	p, _ := New(Options{}).Price("apac.anthropic.claude-sonnet-4-20250514-v1:0", someDay)
	for _, u := range []inference.Usage{{InputTokens: -5}, {OutputTokens: math.MaxInt}, {InputTokens: math.MaxInt, CacheReadTokens: math.MaxInt}} {
		if cost := p.Cost(u); cost < 0 {
			t.Errorf("Cost(%+v) = %s, want no negative amount", u, cost)
		}
	}
}
