package catalog

import (
	"cmp"
	"slices"
	"strings"

	"fairway/internal/inference"
)

// bedrock is the provider of the rows that are used; the data file has the list
// prices of others beside them.
const bedrock = "bedrock"

// priceRow is a row of a price file, with the members that it gives.
type priceRow struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	From Date   `json:"from,omitempty"`
	rateRow
	Tiers     []tierRow `json:"tiers,omitempty"`
	Source    string    `json:"source,omitempty"`
	AsOf      string    `json:"as_of,omitempty"`
	Uncertain bool      `json:"uncertain,omitempty"`
	Note      string    `json:"note,omitempty"`
}

// rateRow is a Rate of which members may be missing. Then cached tokens cost what
// input costs; writes for an hour cost twice the input of Anthropic's models that have
// a price for writes, else what writes for five minutes cost; and a batch costs half
// (facts: bedrock.md 3). Models without output are embeddings.
type rateRow struct {
	Input        *MicroDollars `json:"input_per_mtok,omitempty"`
	Output       *MicroDollars `json:"output_per_mtok,omitempty"`
	CacheRead    *MicroDollars `json:"cache_read_per_mtok,omitempty"`
	CacheWrite   *MicroDollars `json:"cache_write_5m_per_mtok,omitempty"`
	CacheWrite1h *MicroDollars `json:"cache_write_1h_per_mtok,omitempty"`
	BatchInput   *MicroDollars `json:"batch_input_per_mtok,omitempty"`
	BatchOutput  *MicroDollars `json:"batch_output_per_mtok,omitempty"`
}

type tierRow struct {
	Above int `json:"above_input_tokens"`
	rateRow
}

func (r *priceRow) price() Price {
	p := Price{ID: r.ID, From: r.From, Rate: r.rate(r.ID), AsOf: r.AsOf, Source: r.Source, Uncertain: r.Uncertain}
	for _, t := range r.Tiers {
		p.Tiers = append(p.Tiers, Tier{Above: t.Above, Rate: t.rate(r.ID)})
	}
	if len(p.Tiers) == 0 && hasLongContext(r.ID) {
		p.Tiers = []Tier{{Above: 200_000, Rate: p.Rate.long()}}
	}
	slices.SortFunc(p.Tiers, func(a, b Tier) int { return cmp.Compare(a.Above, b.Above) })
	return p
}

// rate is the whole rate of the model or profile id.
func (r *rateRow) rate(id string) Rate {
	none := MicroDollars(0)
	input := *cmp.Or(r.Input, &none)
	output := *cmp.Or(r.Output, &none)
	written := *cmp.Or(r.CacheWrite, &input)
	hour := written
	if r.CacheWrite != nil && isAnthropic(id) {
		hour = 2 * input
	}
	halfInput, halfOutput := (input+1)/2, (output+1)/2
	return Rate{
		Input: input, Output: output,
		CacheRead: *cmp.Or(r.CacheRead, &input), CacheWrite: written, CacheWrite1h: *cmp.Or(r.CacheWrite1h, &hour),
		BatchInput: *cmp.Or(r.BatchInput, &halfInput), BatchOutput: *cmp.Or(r.BatchOutput, &halfOutput),
	}
}

// hasLongContext reports whether a model or profile is Claude Sonnet 4 or 4.5, which
// take more than 200,000 input tokens at another rate alone (facts: the rules of
// pricing.json).
func hasLongContext(id string) bool {
	return strings.Contains(id, "anthropic.claude-sonnet-4-2025") || strings.Contains(id, "anthropic.claude-sonnet-4-5-")
}

// long is that rate: twice as much for input, half as much again for output.
func (r Rate) long() Rate {
	return Rate{
		Input: 2 * r.Input, Output: (3*r.Output + 1) / 2,
		CacheRead: 2 * r.CacheRead, CacheWrite: 2 * r.CacheWrite, CacheWrite1h: 2 * r.CacheWrite1h,
		BatchInput: 2 * r.BatchInput, BatchOutput: (3*r.BatchOutput + 1) / 2,
	}
}

// isAnthropic reports whether a model is one of Anthropic's, or a profile of one.
func isAnthropic(id string) bool {
	_, profiled, _ := strings.Cut(id, ".")
	return inference.ModelID(id).IsAnthropic() || inference.ModelID(profiled).IsAnthropic()
}
