package simulate

import (
	"context"
	"errors"
	"strconv"

	"fairway/internal/budget"
	"fairway/internal/inference"
)

// spending is the budgets of a world, which all gateways share as if one server kept
// them: package budget's own book in virtual time.
type spending struct {
	book  *budget.Book // nil where the scenario has no budgets
	users int
}

func (w *world) newSpending() spending {
	s := w.scenario
	of := spending{users: max(1, int(float64(s.Users.Count)/s.Divide))}
	if len(s.Budgets) == 0 {
		return of
	}
	c := budget.Config{Now: w.now}
	for _, b := range s.Budgets {
		c.Budgets = append(c.Budgets, s.book(b))
	}
	of.book = budget.New(c)
	return of
}

// book is a budget as the book has it, of everybody's calls. What all share is divided as
// the calls are; a user's is not, for there are fewer users.
func (s *Scenario) book(b Budget) budget.Budget {
	divide := s.Divide
	if b.Per == string(budget.PerUser) {
		divide = 1
	}
	part := func(limit int) int {
		if limit == 0 {
			return 0
		}
		return max(1, int(float64(limit)/divide))
	}
	dollars := func(limit inference.Money) inference.Money {
		if limit == 0 {
			return 0
		}
		return max(1, inference.Money(float64(limit)/divide))
	}
	return budget.Budget{
		Name: b.Name, Principals: []string{"*"}, Per: budget.Per(b.Per),
		DollarsPerDay: dollars(b.DollarsPerDay), DollarsPerMonth: dollars(b.DollarsPerMonth),
		TokensPerMinute: part(b.TokensPerMinute), RequestsPerMinute: part(b.RequestsPerMinute), Streams: part(b.Streams),
	}
}

// user draws who makes a call. One user takes no throw.
func (s *spending) user(d dice, heavy float64) int {
	if s.users == 1 || d.hits(heavy) {
		return 0
	}
	return d.IntN(s.users)
}

// admit reserves the most that a call may take; else it is refused, and counted as that.
func (s *spending) admit(c *call, w *world) bool {
	if s.book == nil {
		return true
	}
	most := inference.Usage{InputTokens: c.input, CacheWriteTokens: c.session.prefix, OutputTokens: c.maxTokens}
	c.id = strconv.FormatUint(c.number, 36)
	r, err := s.book.Reserve(context.Background(), &budget.Ask{
		ID: c.id, Principal: "simulated", Stream: c.Streams,
		Caller: inference.Caller{ID: strconv.Itoa(c.user)},
		Claims: []budget.Claim{{
			Model: c.Grant.Profile.Model, Named: w.scenario.Model,
			Tokens: most.InputTokens + most.CacheWriteTokens + most.OutputTokens, Cost: w.price.cost(most),
		}},
	})
	if err != nil {
		w.tally.refuse(c, limitOf(err))
		return false
	}
	c.charges = r.Charges
	return true
}

// limitOf is the limit that an error of the book is about: "everyone dollars_per_day".
func limitOf(err error) string {
	if e, ok := errors.AsType[*budget.Exceeded](err); ok {
		return e.Budget + " " + string(e.Measure)
	}
	return string(inference.AsError(err).Kind)
}

// settle charges a call with what it took.
func (s *spending) settle(c *call, w *world) {
	if s.book == nil {
		return
	}
	p := &c.Grant.Profile
	cost := w.price.cost(c.story.usage)
	named := p.Named()
	r := &inference.Record{ID: c.id, Profile: &named, Model: p.Model, Usage: c.story.usage, Cost: cost, Charges: c.charges}
	if c.legs > 0 {
		r.Attempts = []inference.Attempt{{Model: named, Outcome: inference.OK, Cost: cost}}
	}
	s.book.Settle(r)
}
