package budget

import (
	"cmp"

	"fairway/internal/inference"
)

// Ask is what a call may take at most, and who makes it.
type Ask struct {
	ID        string // of the call's record, by which it is settled
	Principal string // name
	Budget    string // that the principal names, empty for none
	Caller    inference.Caller
	Team      string // empty for none
	Stream    bool
	Claims    []Claim // the called model, then those that may stand in for it, up to 64
}

// Claim is what an answer of one model may take at most.
type Claim struct {
	Model  inference.ModelID
	Named  string // the profile or model id that is called
	Tokens int
	Cost   inference.Money

	Unpriced bool // nobody knows what it costs: no budget of dollars admits it
}

// mostClaims is how many an Ask may have; further ones are not admitted.
const mostClaims = 64

// amount is what the claim takes of a measure.
func (c *Claim) amount(m inference.Measure) int64 {
	switch m {
	case inference.DollarsPerDay, inference.DollarsPerMonth:
		return max(0, int64(c.Cost))
	case inference.TokensPerMinute:
		return max(0, int64(c.Tokens))
	}
	return 1
}

// binds reports whether the budget is one of who asks, whatever is called.
func (b *budget) binds(ask *Ask) bool {
	if b.Name == ask.Caller.Budget || b.Name == ask.Budget {
		return true
	}
	if len(b.Principals)+len(b.Keys)+len(b.Users)+len(b.Teams)+len(b.Models) == 0 {
		return false
	}
	return among(b.Principals, ask.Principal) && among(b.Keys, ask.Caller.Key) &&
		among(b.Users, ask.Caller.Name, ask.Caller.ID, ask.Caller.Alias) && among(b.Teams, ask.Team)
}

// covers reports whether the budget counts what is called.
func (b *budget) covers(c *Claim) bool { return among(b.Models, string(c.Model), c.Named) }

// pot is the name of the one that a claim takes from.
func (b *budget) pot(ask *Ask, c *Claim) string {
	switch b.Per {
	case PerPrincipal:
		return ask.Principal
	case PerKey:
		return ask.Caller.Key
	case PerUser:
		return cmp.Or(ask.Caller.ID, ask.Caller.Name)
	case PerTeam:
		return ask.Team
	case PerModel:
		return string(c.Model)
	}
	return ""
}

// among reports whether one of the names is of one of the patterns, or there are none.
func among(patterns []string, names ...string) bool {
	return len(patterns) == 0 || inference.Matches(patterns, names...)
}
