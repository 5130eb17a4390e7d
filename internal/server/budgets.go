package server

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"fairway/internal/budget"
	"fairway/internal/config"
	"fairway/internal/inference"
	"fairway/internal/telemetry"
	"fairway/internal/usage"
)

// budgetSettings are c's budgets. The error wraps ErrConfig: of a webhook that cannot be
// read.
func (s *Server) budgetSettings(c *config.Config) (budget.Config, error) {
	settings := budget.Config{
		Server: s.ledger.Server(), Bank: s.store, Shared: s.store.IsShared(), Block: float64(c.Leases.Block),
		Away: budget.Away(c.Leases.Away), Log: s.log, Now: s.now,
	}
	for i, b := range c.Budgets {
		webhook, err := b.Webhook.Read(s.env)
		if err != nil {
			return budget.Config{}, fmt.Errorf("%w: budgets[%d].webhook: %w", ErrConfig, i, err)
		}
		settings.Budgets = append(settings.Budgets, budget.Budget{
			Name: b.Name, Principals: b.Principals, Keys: b.Keys, Users: b.Users, Teams: b.Teams, Models: b.Models,
			Per:           budget.Per(b.Per),
			DollarsPerDay: inference.Money(b.DollarsPerDay), DollarsPerMonth: inference.Money(b.DollarsPerMonth),
			TokensPerMinute: b.TokensPerMinute, RequestsPerMinute: b.RequestsPerMinute, Streams: b.Streams,
			Soft: int(b.Soft*100 + 0.5), Webhook: webhook,
		})
	}
	return settings, nil
}

// budgetsOf are the names of c's budgets.
func budgetsOf(c *config.Config) []string {
	names := make([]string, len(c.Budgets))
	for i, b := range c.Budgets {
		names[i] = b.Name
	}
	return names
}

// namesUsers reports whether a budget or a team of c is of some users and not of others.
func namesUsers(c *config.Config) bool {
	named := func(patterns []string) bool {
		return len(patterns) > 0 && !slices.Contains(patterns, "*")
	}
	return slices.ContainsFunc(c.Budgets, func(b config.Budget) bool { return named(b.Users) }) ||
		slices.ContainsFunc(c.Teams, func(t config.Team) bool { return named(t.Users) })
}

// budgetNames are the budgets that c's principals name.
func budgetNames(c *config.Config) func(principal string) string {
	all := map[string]string{}
	for _, p := range c.Principals {
		if p.Budget != "" {
			all[p.Name] = p.Budget
		}
	}
	return func(principal string) string { return all[principal] }
}

// teams says which of c's teams a caller is of.
func teams(c *config.Config) func(principal string, caller inference.Caller) string {
	if len(c.Teams) == 0 {
		return nil
	}
	return func(principal string, caller inference.Caller) string {
		for i := range c.Teams {
			t := &c.Teams[i]
			if inference.Matches(t.Principals, principal) || inference.Matches(t.Keys, caller.Key) ||
				inference.Matches(t.Users, caller.Name, caller.ID, caller.Alias) || inference.Matches(t.Groups, caller.Group) {
				return t.Name
			}
		}
		return ""
	}
}

// BudgetStates is how the pots of budgets stand that were used in the windows of now, by
// budget, pot and measure: those that other servers used too, where they spend money.
func (s *Server) BudgetStates(ctx context.Context) ([]usage.BudgetState, error) {
	taken, err := s.store.Taken(ctx)
	if err != nil {
		return nil, err
	}
	states := map[inference.Slot]usage.BudgetState{}
	limits := limitsOf(s.app.Load().config)
	for _, p := range taken {
		limit, ok := limits[budgetLimit{p.Budget, p.Measure}]
		if !ok {
			continue // not configured any more
		}
		_, ends := p.Measure.Window(s.now())
		states[p.Slot] = usage.BudgetState{Budget: p.Budget, Pot: p.Pot, Measure: p.Measure, Limit: limit, Spent: p.Spent, Ends: ends}
	}
	for _, b := range s.budgets.State() {
		state := usage.BudgetState{Budget: b.Budget, Pot: b.Pot, Measure: b.Measure, Limit: b.Limit, Spent: states[b.Slot].Spent, Ends: b.Ends}
		if !b.Measure.IsMoney() {
			state.Spent = b.Taken // the book does not tell the two apart
		}
		state.Reserved = max(0, b.Taken-state.Spent)
		states[b.Slot] = state
	}
	return slices.SortedFunc(maps.Values(states), func(a, b usage.BudgetState) int {
		return slotOf(a).Compare(slotOf(b))
	}), nil
}

func slotOf(b usage.BudgetState) inference.Slot {
	return inference.Slot{Budget: b.Budget, Pot: b.Pot, Measure: b.Measure}
}

// budgetLimit names a limit of the configuration.
type budgetLimit struct {
	budget  string
	measure inference.Measure
}

func limitsOf(c *config.Config) map[budgetLimit]int64 {
	all := map[budgetLimit]int64{}
	for _, b := range c.Budgets {
		for measure, limit := range map[inference.Measure]int64{
			inference.DollarsPerDay: int64(b.DollarsPerDay), inference.DollarsPerMonth: int64(b.DollarsPerMonth),
			inference.TokensPerMinute: int64(b.TokensPerMinute), inference.RequestsPerMinute: int64(b.RequestsPerMinute),
			inference.Streams: int64(b.Streams),
		} {
			if limit > 0 {
				all[budgetLimit{b.Name, measure}] = limit
			}
		}
	}
	return all
}

// budgetStates is how far the budgets are for the metrics.
func (s *Server) budgetStates() []telemetry.Budget {
	if s.budgets == nil {
		return nil
	}
	var all []telemetry.Budget
	for _, b := range s.budgets.State() {
		all = append(all, telemetry.Budget{Name: b.Budget, Measure: b.Measure, Used: float64(b.Taken) / float64(b.Limit)})
	}
	return all
}
