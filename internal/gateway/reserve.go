package gateway

import (
	"context"
	"slices"

	"fairway/internal/budget"
	"fairway/internal/inference"
	"fairway/internal/route"
)

// reserve takes of the budgets the most that a call may spend, and has the ledger keep
// that it is about to be made. Fallbacks that the budgets do not admit leave the plan.
// The error is the budgets', or the ledger's; the call has not been made.
func (g *Gateway) reserve(ctx context.Context, c *call) error {
	claims := g.claims(ctx, c)
	admitted, err := g.charge(ctx, c, claims)
	if err != nil {
		return err
	}
	for i, claim := range claims {
		if admitted[i] {
			c.record.Reserved = max(c.record.Reserved, claim.Cost)
		}
	}
	return g.Meter.Intend(ctx, c.record)
}

// charge asks the budgets for what the claims may take, and takes those that are not
// admitted out of the plan.
func (g *Gateway) charge(ctx context.Context, c *call, claims []budget.Claim) ([]bool, error) {
	if g.Budgets == nil {
		return slices.Repeat([]bool{true}, len(claims)), nil
	}
	r := c.record
	taken, err := g.Budgets.Reserve(ctx, &budget.Ask{
		ID: r.ID, Principal: r.Principal, Budget: g.budgetOf(r.Principal), Caller: c.request.Caller, Team: r.Team,
		Stream: c.request.Operation.Streams(), Claims: claims,
	})
	if err != nil {
		return nil, err
	}
	r.Charges, r.Nearing = taken.Charges, taken.Nearing
	for i, claim := range claims {
		if !taken.Admitted[i] {
			c.plan = slices.DeleteFunc(c.plan, func(choice route.Choice) bool { return choice.Profile.Named() == claim.Named })
		}
	}
	return taken.Admitted, nil
}

// budgetOf is the budget that a principal names, empty for none.
func (g *Gateway) budgetOf(principal string) string {
	if g.Named == nil {
		return ""
	}
	return g.Named(principal)
}

// claims are what the call may take of each model that its plan has, in the order of the
// plan: its prompt, at the upper end of the estimate, and an answer of the greatest
// length.
func (g *Gateway) claims(ctx context.Context, c *call) []budget.Claim {
	claims := make([]budget.Claim, 0, 1)
	var last *inference.Profile
	for _, choice := range c.plan {
		p := choice.Profile
		if p == last || slices.ContainsFunc(claims, func(known budget.Claim) bool { return known.Named == p.Named() }) {
			continue
		}
		last = p
		most := g.most(c, p)
		cost, priced := g.Meter.Price(ctx, p, most)
		claims = append(claims, budget.Claim{
			Model: p.Model, Named: p.Named(),
			Tokens: most.InputTokens + most.CacheWriteTokens + most.OutputTokens, Cost: cost, Unpriced: !priced,
		})
	}
	return claims
}

// most is what a call of a model may use. What its prompt has up to a cache point may be
// written to the cache, which is dearest for an hour.
func (g *Gateway) most(c *call, p *inference.Profile) inference.Usage {
	if g.Outline == nil {
		return inference.Usage{}
	}
	var o inference.Outline
	if p.Model == c.routing.Grant.Profile.Model {
		o = c.routing.Outline()
	} else {
		o = g.Outline(c.request, p.Model)
	}
	input, prefix := bounded(max(o.MostInput, o.InputTokens)), 0
	if o.PrefixTokens > 0 {
		prefix = min(input, input*bounded(o.PrefixTokens)/max(o.InputTokens, 1)+1)
	}
	return inference.Usage{InputTokens: input - prefix, CacheWriteTokens: prefix, CacheWrite1h: prefix, OutputTokens: bounded(o.MaxTokens)}
}

// bounded is a count of tokens that no model passes, of which sums and prices do not
// wrap.
func bounded(tokens int) int {
	const most = 100_000_000
	return min(max(tokens, 0), most)
}
