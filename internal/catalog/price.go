package catalog

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"fairway/internal/inference"
)

// Price is what the tokens of one model or profile cost on demand, by the
// standard tier of the region that the call enters.
type Price struct {
	ID        string // the row that answered, a model or profile id
	Rate             // up to the first tier
	Tiers     []Tier // by rising Above
	AsOf      string // when the row's source was read, as the data file words it
	Uncertain bool   // the row is remembered or contradicted, not read
}

// Rate is in millionths of a US dollar per million tokens. Where a model has no
// price for cached tokens they cost what input costs.
type Rate struct {
	Input, Output, CacheRead, CacheWrite int64
}

// Tier is the rate of the whole request once its input has more than Above tokens.
type Tier struct {
	Above int
	Rate
}

// Price is the price of what a caller invokes, a profile id or a bare model id.
// A profile without a row of its own costs what its model does.
func (c *Catalog) Price(named string) (Price, bool) {
	facts := embedded()
	if p, ok := facts.prices[named]; ok {
		return p, true
	}
	p, ok := facts.prices[string(facts.profiles[inference.ProfileID(named)].model)]
	return p, ok
}

// Cost is the price of the usage, exact and then rounded half up to Money's unit.
func (p Price) Cost(u inference.Usage) inference.Money {
	r := p.rate(u.InputTokens + u.CacheReadTokens + u.CacheWriteTokens)
	// Tokens times micro-dollars a million tokens is trillionths of a dollar.
	sum := countable(u.InputTokens)*r.Input + countable(u.OutputTokens)*r.Output +
		countable(u.CacheReadTokens)*r.CacheRead + countable(u.CacheWriteTokens)*r.CacheWrite
	return inference.Money((sum + 500) / 1000)
}

// countable is a count that an upstream reports, kept from turning the sum
// negative: below nothing is nothing, and no call has billions of tokens.
func countable(tokens int) int64 { return int64(min(max(tokens, 0), 1<<32)) }

// rate is the rate of a request by its total input, cached tokens included.
func (p Price) rate(input int) Rate {
	r := p.Rate
	for _, t := range p.Tiers {
		if input > t.Above {
			r = t.Rate
		}
	}
	return r
}

// priceRow is a row of pricing.json, in dollars per million tokens. The numbers
// stay text until they are integers, so no float ever holds money.
type priceRow struct {
	Provider string `json:"provider"`
	ID       string `json:"id"`
	rateRow
	Tiers []struct {
		Above int `json:"above_input_tokens"`
		rateRow
	} `json:"tiers"`
	AsOf      string          `json:"as_of"`
	Uncertain bool            `json:"uncertain"`
	Conflict  json.RawMessage `json:"conflict"` // what another source says
}

type rateRow struct {
	Input      json.Number `json:"input_per_mtok"`
	Output     json.Number `json:"output_per_mtok"`
	CacheRead  json.Number `json:"cache_read_per_mtok"`
	CacheWrite json.Number `json:"cache_write_5m_per_mtok"`
}

func (r priceRow) price() Price {
	p := Price{ID: r.ID, Rate: r.rate(), AsOf: r.AsOf, Uncertain: r.Uncertain || r.Conflict != nil}
	for _, t := range r.Tiers {
		p.Tiers = append(p.Tiers, Tier{Above: t.Above, Rate: t.rate()})
	}
	slices.SortFunc(p.Tiers, func(a, b Tier) int { return cmp.Compare(a.Above, b.Above) })
	return p
}

func (r rateRow) rate() Rate {
	return Rate{
		Input:      micro(r.Input),
		Output:     micro(cmp.Or(r.Output, "0")), // embeddings have no output
		CacheRead:  micro(cmp.Or(r.CacheRead, r.Input)),
		CacheWrite: micro(cmp.Or(r.CacheWrite, r.Input)),
	}
}

// micro is a decimal number of dollars in millionths. It panics on a number
// with more than six decimals: the data files have none.
func micro(dollars json.Number) int64 {
	m, err := inference.ParseMoney(dollars.String())
	if err != nil || m%1000 != 0 {
		panic(fmt.Sprintf("catalog: price %q is not a decimal of at most six places", dollars))
	}
	return int64(m / 1000)
}
