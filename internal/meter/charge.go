package meter

import (
	"context"
	"log/slog"
	"strings"

	"fairway/internal/inference"
)

// charge is what a call costs: its answer at the price of what answered, and what was
// used for nothing at the price of what used it. The part of an answer that broke off
// is in the usage of the whole.
func (m *Meter) charge(ctx context.Context, r *inference.Record) inference.Money {
	cost := m.price(ctx, r.Usage, ofAnswer(r))
	for _, a := range r.Attempts {
		if a.Usage != nil && !a.Cut {
			cost += m.price(ctx, *a.Usage, ofAttempt(r, a))
		}
	}
	return cost
}

// names are what a price may be known by, best first. Empty ones name nothing.
type names [4]string

// ofCall is what the caller called. A profile that only another control plane knows
// has no price of its own.
func ofCall(r *inference.Record) names {
	return names{r.CopiedFrom, profileOf(r), string(r.Model)}
}

// ofAnswer is what the answer came from.
func ofAnswer(r *inference.Record) names {
	if r.Fallback == "" {
		return ofCall(r)
	}
	answering, _ := r.Answering()
	return names{r.Fallback, answering.Model}
}

// ofAttempt is what an attempt called. The price of what the caller called holds for
// its model in every region; a fallback has its own.
func ofAttempt(r *inference.Record, a inference.Attempt) names {
	if strings.HasSuffix(a.Model, string(r.Model)) {
		return ofCall(r)
	}
	return names{a.Model, r.CopiedFrom, profileOf(r), string(r.Model)}
}

// price is what usage costs by the first name that has a price, nothing by none.
func (m *Meter) price(ctx context.Context, u inference.Usage, by names) inference.Money {
	if u == (inference.Usage{}) {
		return 0
	}
	last := ""
	for _, named := range by {
		if named == "" {
			continue
		}
		if cost, ok := m.pricer.Cost(named, u); ok {
			return cost
		}
		last = named
	}
	if m.firstUnpriced(last) {
		m.log.LogAttrs(ctx, slog.LevelWarn, "no price known, counted as free", slog.String("model", last))
	}
	return 0
}
