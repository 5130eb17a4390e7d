package catalog

import (
	"time"

	"fairway/internal/inference"
)

// Price is what the tokens of one model or profile cost on demand, by the
// standard tier of the region that the call enters. Its JSON has the keys of a
// price file.
type Price struct {
	ID        string `json:"id"`             // the row that answered, a model or profile id
	From      Date   `json:"from,omitempty"` // 0 holds since ever
	Rate             // up to the first tier
	Tiers     []Tier `json:"tiers,omitempty"`     // by rising Above
	AsOf      string `json:"as_of,omitempty"`     // when the row's source was read, as the row words it
	Source    string `json:"source,omitempty"`    // as the row names it
	Uncertain bool   `json:"uncertain,omitempty"` // the row is remembered or contradicted, not read
}

// Rate is by the kind of token. Where a row leaves one out it follows from the others,
// see rateRow.
type Rate struct {
	Input        MicroDollars `json:"input_per_mtok"`
	Output       MicroDollars `json:"output_per_mtok"`
	CacheRead    MicroDollars `json:"cache_read_per_mtok"`
	CacheWrite   MicroDollars `json:"cache_write_5m_per_mtok"`
	CacheWrite1h MicroDollars `json:"cache_write_1h_per_mtok"`
	BatchInput   MicroDollars `json:"batch_input_per_mtok"`
	BatchOutput  MicroDollars `json:"batch_output_per_mtok"`
}

// Tier is the rate of the whole request once its input has more than Above tokens.
type Tier struct {
	Above int `json:"above_input_tokens"`
	Rate
}

// Price is the price of what a caller invokes, a profile id or a bare model id, at a
// time; the zero time asks for rows without a date alone. A profile without a row of
// its own costs what its model does.
func (c *Catalog) Price(named string, at time.Time) (Price, bool) {
	return c.pricing().At(named, DateOf(at))
}

// Cost is the price of the usage, exact and then rounded half up to Money's unit. Of
// cache writes, those that are not for an hour are for five minutes.
func (p *Price) Cost(u inference.Usage) inference.Money {
	input, output := countable(u.InputTokens), countable(u.OutputTokens)
	read, written := countable(u.CacheReadTokens), countable(u.CacheWriteTokens)
	hour := min(countable(u.CacheWrite1h), written)
	r := p.RateOf(int(input + read + written))
	// Tokens times micro-dollars a million tokens is trillionths of a dollar.
	sum := input*int64(r.Input) + output*int64(r.Output) + read*int64(r.CacheRead) +
		(written-hour)*int64(r.CacheWrite) + hour*int64(r.CacheWrite1h)
	return inference.Money((sum + 500) / 1000)
}

// countable is a count that an upstream reports, kept from turning the sum negative
// at any rate that a row can have: below nothing is nothing, and no call has a hundred
// million tokens.
func countable(tokens int) int64 { return int64(min(max(tokens, 0), 1e8)) }

// RateOf is the rate of a request by all its input tokens, cached ones included.
func (p *Price) RateOf(input int) Rate {
	r := p.Rate
	for _, t := range p.Tiers {
		if input > t.Above {
			r = t.Rate
		}
	}
	return r
}
