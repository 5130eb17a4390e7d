package budget

import (
	"slices"
	"strings"

	"fairway/internal/inference"
)

// Settle puts what a call took in place of what it reserved, in the book and in the
// Charges of its record, which it copies before. It does so once for each reservation,
// also when the window of a charge is over by now. The record has its Cost, with the
// shares of its attempts.
func (b *Book) Settle(r *inference.Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.running[r.ID]
	if k == nil {
		return
	}
	delete(b.running, r.ID)
	r.Charges = slices.Clone(r.Charges)
	for i, h := range k.holds {
		took := k.took(h, r)
		h.cell.used += took - h.most
		h.cell.spent += took
		h.cell.running--
		b.watch(h.cell)
		if i < len(r.Charges) {
			r.Charges[i].Amount = took
		}
	}
}

// share is what a call took, or one attempt of it.
type share struct {
	claim  int // that the attempt was made for
	cost   inference.Money
	tokens int
}

// whole is what a call took in all.
func whole(r *inference.Record) share {
	return share{cost: r.Cost, tokens: tokens(r.Usage) + tokens(r.Wasted)}
}

// shares are those of the attempts. What they did not use for nothing is the answering
// one's; the part of an answer that broke off is in the usage of the whole.
func (k *booking) shares(r *inference.Record) []share {
	if len(r.Attempts) == 0 {
		return nil
	}
	all, rest := make([]share, len(r.Attempts)), tokens(r.Usage)
	for i, a := range r.Attempts {
		all[i] = share{claim: k.claimOf(a.Model), cost: a.Cost}
		if a.Usage != nil {
			all[i].tokens = tokens(*a.Usage)
			if a.Cut {
				rest -= all[i].tokens
			}
		}
	}
	answering := &all[r.AnsweringAt()]
	answering.tokens += rest
	if r.Fallback != "" {
		answering.claim = k.claimOf(r.Fallback)
	}
	return all
}

// tokens are those that a limit counts: a cache's reads are free of it (User Guide,
// "How tokens are counted").
func tokens(u inference.Usage) int {
	return max(0, u.InputTokens) + max(0, u.CacheWriteTokens) + max(0, u.OutputTokens)
}

// claimOf is the index of the claim that a target was called for: the called model's
// where its name tells nothing, as that of an equivalent.
func (k *booking) claimOf(target string) int {
	for i := range k.claims {
		if c := &k.claims[i]; target == c.Named || strings.HasSuffix(target, string(c.Model)) {
			return i
		}
	}
	return 0
}

// took is what a call took of a hold: of a budget that counts whatever it calls all of
// it, else what its attempts for those claims did.
func (k *booking) took(h hold, r *inference.Record) int64 {
	sum, made := whole(r), len(r.Attempts) > 0
	if h.claims != k.admitted {
		sum, made = share{}, false
		for _, s := range k.shares(r) {
			if h.claims>>s.claim&1 == 1 {
				sum.cost += s.cost
				sum.tokens += s.tokens
				made = true
			}
		}
	}
	switch m := h.cell.slot.Measure; {
	case m.IsMoney():
		return max(0, int64(sum.cost))
	case m == inference.TokensPerMinute:
		return max(0, int64(sum.tokens))
	case m == inference.RequestsPerMinute && made:
		return 1
	}
	return 0
}
