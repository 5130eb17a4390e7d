package catalog

import (
	"encoding/json"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairway/internal/inference"
)

// factRow is a row of the facts, its numbers as fractions.
type factRow map[string]any

func (r factRow) rat(key string) *big.Rat {
	n, ok := r[key].(json.Number)
	if !ok {
		return nil
	}
	rat, _ := new(big.Rat).SetString(n.String())
	return rat
}

func factRows(t *testing.T) []factRow {
	t.Helper()
	text, err := files.ReadFile("data/pricing.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Models []factRow }
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.UseNumber()
	if err := dec.Decode(&file); err != nil {
		t.Fatal(err)
	}
	return file.Models
}

// billed is what the usage costs by a row or tier of the facts, in fractions of a
// dollar that know no rounding, then rounded half up.
func billed(row factRow, id string, u inference.Usage) inference.Money {
	input := row.rat("input_per_mtok")
	or := func(rat, other *big.Rat) *big.Rat {
		if rat == nil {
			return other
		}
		return rat
	}
	write := or(row.rat("cache_write_5m_per_mtok"), input)
	hour := write
	if strings.Contains(id, "anthropic.") && row.rat("cache_write_5m_per_mtok") != nil {
		hour = new(big.Rat).Mul(input, big.NewRat(2, 1))
	}
	sum := new(big.Rat)
	for _, part := range []struct {
		tokens int
		rate   *big.Rat
	}{
		{u.InputTokens, input},
		{u.OutputTokens, or(row.rat("output_per_mtok"), new(big.Rat))},
		{u.CacheReadTokens, or(row.rat("cache_read_per_mtok"), input)},
		{u.CacheWriteTokens - u.CacheWrite1h, write},
		{u.CacheWrite1h, hour},
	} {
		sum.Add(sum, new(big.Rat).Mul(big.NewRat(int64(part.tokens), 1_000_000), part.rate))
	}
	sum.Mul(sum, big.NewRat(int64(inference.Dollar), 1)).Add(sum, big.NewRat(1, 2))
	return inference.Money(new(big.Int).Quo(sum.Num(), sum.Denom()).Int64())
}

// TestEveryRow prices every row of the facts, and each of its tiers, beside a
// computation in fractions.
func TestEveryRow(t *testing.T) {
	c := New(Options{})
	rows, tiers := 0, 0
	for _, row := range factRows(t) {
		id := row["id"].(string)
		if row["provider"] != "bedrock" {
			continue
		}
		rows++
		price, ok := c.Price(id, someDay)
		if !ok || price.ID != id || price.Source != row["source"] || price.AsOf != row["as_of"] ||
			price.Uncertain != (row["uncertain"] != nil || row["conflict"] != nil) {
			t.Errorf("Price(%s) = %+v, %v, want that of %v", id, price, ok, row)
		}
		usage := inference.Usage{InputTokens: 12_345, OutputTokens: 6_789, CacheReadTokens: 3_211, CacheWriteTokens: 1_777, CacheWrite1h: 700}
		if got, want := price.Cost(usage), billed(row, id, usage); got != want {
			t.Errorf("%s: Cost(%+v) = %s, want %s", id, usage, got, want)
		}
		above, _ := row["tiers"].([]any)
		for _, tier := range above {
			tiers++
			tier := factRow(tier.(map[string]any))
			usage.InputTokens = int(tier.rat("above_input_tokens").Num().Int64()) + 1 - usage.CacheReadTokens - usage.CacheWriteTokens
			if got, want := price.Cost(usage), billed(tier, id, usage); got != want {
				t.Errorf("%s: Cost(%+v) = %s, want %s", id, usage, got, want)
			}
			usage.InputTokens--
			if got, want := price.Cost(usage), billed(row, id, usage); got != want {
				t.Errorf("%s: Cost(%+v) = %s, want %s", id, usage, got, want)
			}
		}
	}
	if rows != 167 || tiers != 11 {
		t.Errorf("priced %d rows and %d tiers, want 167 and 11", rows, tiers)
	}
}

func read(t *testing.T, text string) *Prices {
	t.Helper()
	p, err := ReadPrices("prices.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestDatedRows: of the rows of one id, the latest that has begun on the day of UTC
// holds.
func TestDatedRows(t *testing.T) {
	const nova = "apac.amazon.nova-pro-v1:0" // 0.84 by the facts
	c := New(Options{Prices: read(t, `
models:
  - {id: `+nova+`, from: 2026-12-01, input_per_mtok: 0.5}
  - {id: `+nova+`, from: "2027-02-01", input_per_mtok: 0.25}
  - {id: own.model, from: 2026-12-01, input_per_mtok: 7}
`)})
	singapore := time.FixedZone("", 8*60*60)
	for _, test := range []struct {
		named string
		at    time.Time
		want  string
	}{
		{nova, time.Time{}, "0.84"},
		{nova, time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC), "0.84"},
		{nova, time.Date(2026, 11, 30, 23, 59, 59, 999, time.UTC), "0.84"},
		{nova, time.Date(2026, 12, 1, 7, 59, 59, 0, singapore), "0.84"},
		{nova, time.Date(2026, 12, 1, 8, 0, 0, 0, singapore), "0.5"},
		{nova, time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), "0.5"},
		{nova, time.Date(2027, 1, 31, 23, 59, 59, 0, time.UTC), "0.5"},
		{nova, time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC), "0.25"},
		{nova, time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC), "0.25"},
		{"own.model", time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC), "none"},
		{"own.model", time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), "7"},
	} {
		got := "none"
		if p, ok := c.Price(test.named, test.at); ok {
			got = p.Input.String()
		}
		if got != test.want {
			t.Errorf("input of Price(%s, %s) = %s, want %s", test.named, test.at, got, test.want)
		}
	}
}

// TestSetPrices: rows can be put in force while calls are priced, and taken back.
func TestSetPrices(t *testing.T) {
	const nova = "apac.amazon.nova-pro-v1:0"
	c := New(Options{})
	over := read(t, `models: [{id: `+nova+`, input_per_mtok: 0.5}, {id: eu.amazon.nova-lite-v1:0, input_per_mtok: 1}]`)
	var calls sync.WaitGroup
	for range 4 {
		calls.Go(func() {
			for range 1000 {
				if p, ok := c.Price(nova, someDay); !ok || p.Input != 840_000 && p.Input != 500_000 {
					t.Errorf("Price(%s) = %+v, %v, want one of the two", nova, p, ok)
				}
			}
		})
	}
	for range 100 {
		c.SetPrices(over)
	}
	calls.Wait()
	if p, _ := c.Price(nova, someDay); p.Input != 500_000 {
		t.Errorf("Price(%s) = %+v, want the row that was put over it", nova, p)
	}
	if p, ok := c.Price("apac."+sonnet4, someDay); !ok || p.Input != 3_000_000 {
		t.Errorf("Price(%s) = %+v, %v, want the built-in row", sonnet4, p, ok)
	}
	c.SetPrices(nil)
	if p, _ := c.Price(nova, someDay); p.Input != 840_000 {
		t.Errorf("Price(%s) = %+v, want the built-in row", nova, p)
	}
}

// drawRate is a rate at which no kind of cached token is cheaper than it may be.
func drawRate(t *rapid.T, least Rate) Rate {
	rate := func(name string, least MicroDollars) MicroDollars {
		return rapid.Custom(func(t *rapid.T) MicroDollars {
			return min(maxRate, least+MicroDollars(rapid.Int64Range(0, 100_000_000).Draw(t, name)))
		}).Draw(t, name)
	}
	r := Rate{
		Input: rate("input", least.Input), Output: rate("output", least.Output),
		CacheRead: rate("read", least.CacheRead), CacheWrite: rate("write", least.CacheWrite),
	}
	r.CacheWrite1h = rate("hour", max(r.CacheWrite, least.CacheWrite1h))
	return r
}

func drawUsage(t *rapid.T, name string) inference.Usage {
	tokens := rapid.IntRange(0, 300_000)
	u := inference.Usage{
		InputTokens: tokens.Draw(t, name+" input"), OutputTokens: tokens.Draw(t, name+" output"),
		CacheReadTokens: tokens.Draw(t, name+" read"), CacheWriteTokens: tokens.Draw(t, name+" write"),
	}
	u.CacheWrite1h = rapid.IntRange(0, u.CacheWriteTokens).Draw(t, name+" hour")
	return u
}

// TestCostProperties: more tokens never cost less, at a flat rate the parts cost what
// the whole does but for rounding, and where tiers only rise they cost no more.
func TestCostProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Price{Rate: drawRate(t, Rate{})}
		a, b := drawUsage(t, "a"), drawUsage(t, "b")
		whole, parts := p.Cost(a.Plus(b)), p.Cost(a)+p.Cost(b)
		if d := whole - parts; d < -1 || d > 1 {
			t.Fatalf("Cost(a+b) = %s, Cost(a)+Cost(b) = %s, want them within rounding", whole, parts)
		}
		p.Tiers = []Tier{{200_000, drawRate(t, p.Rate)}}
		p.Tiers = append(p.Tiers, Tier{500_000, drawRate(t, p.Tiers[0].Rate)})
		whole, parts = p.Cost(a.Plus(b)), p.Cost(a)+p.Cost(b)
		if whole < p.Cost(a) || whole < p.Cost(b) || whole < parts-1 {
			t.Fatalf("Cost(a+b) = %s, Cost(a) = %s, Cost(b) = %s, want no less for more", whole, p.Cost(a), p.Cost(b))
		}
	})
}

func BenchmarkPrice(b *testing.B) {
	c := New(Options{})
	b.ReportAllocs()
	for b.Loop() {
		c.Price("apac.anthropic.claude-sonnet-4-20250514-v1:0", someDay)
	}
}
