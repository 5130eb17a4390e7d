package meter

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"fairway/internal/inference"
)

// charge fills what a call cost: its answer at the price of what answered, and what was
// used for nothing at the price of what used it. The part of an answer that broke off is
// in the usage of the whole. Each attempt has its share, and the answering one the rest.
func (m *Meter) charge(ctx context.Context, r *inference.Record) {
	of := ofAnswer(r)
	answer, _ := m.price(ctx, r.Usage, of, r.Time)
	r.Saved = m.saved(ctx, r, answer, of)
	r.WastedCost = 0
	rest := answer
	for i := range r.Attempts {
		a := &r.Attempts[i]
		a.Cost = 0
		if a.Usage == nil {
			continue
		}
		a.Cost, _ = m.price(ctx, *a.Usage, ofAttempt(r, *a), r.Time)
		if a.Cut {
			rest -= a.Cost
		} else {
			r.WastedCost += a.Cost
		}
	}
	if i := r.AnsweringAt(); i >= 0 {
		r.Attempts[i].Cost += rest
	}
	r.Cost = answer + r.WastedCost
}

// saved is how much less an answer cost than without a prompt cache.
func (m *Meter) saved(ctx context.Context, r *inference.Record, cost inference.Money, of names) inference.Money {
	u := r.Usage
	cached := u.CacheReadTokens + u.CacheWriteTokens
	if cached == 0 {
		return 0
	}
	u.InputTokens += cached
	u.CacheReadTokens, u.CacheWriteTokens, u.CacheWrite1h = 0, 0, 0
	whole, _ := m.price(ctx, u, of, r.Time)
	return whole - cost
}

// Price is what usage costs of a profile or model that is called. It reports false, and
// nothing, where that has no price; no usage costs nothing of any.
func (m *Meter) Price(ctx context.Context, p *inference.Profile, u inference.Usage) (inference.Money, bool) {
	return m.price(ctx, u, names{p.CopiedFrom, string(p.ID), string(p.Model)}, m.Now())
}

// names are what a price may be known by, best first. Empty ones name nothing.
type names [4]string

// ofCall is what the caller called. A profile that only another control plane knows
// has no price of its own.
func ofCall(r *inference.Record) names {
	return names{r.CopiedFrom, r.Called(), string(r.Model)}
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
	return names{a.Model, r.CopiedFrom, r.Called(), string(r.Model)}
}

// price is what usage costs at a time by the first name that has a price. It reports false
// where none has.
func (m *Meter) price(ctx context.Context, u inference.Usage, by names, at time.Time) (inference.Money, bool) {
	if u == (inference.Usage{}) {
		return 0, true
	}
	last := ""
	for _, named := range by {
		if named == "" {
			continue
		}
		if cost, ok := m.Pricer.Cost(named, u, at); ok {
			return cost, true
		}
		last = named
	}
	if m.firstUnpriced(last) {
		m.Log.LogAttrs(ctx, slog.LevelWarn, "no price known, counted as free", slog.String("model", last))
	}
	return 0, false
}
