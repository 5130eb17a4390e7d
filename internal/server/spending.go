package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"fairway/internal/budget"
	"fairway/internal/catalog"
	"fairway/internal/config"
	"fairway/internal/inference"
	"fairway/internal/ledger"
	"fairway/internal/telemetry"
	"fairway/internal/tokens"
	"fairway/internal/usage"
)

// spending is what is kept of calls, and what bounds them.
type spending struct {
	ledger    *ledger.Ledger
	budgets   *budget.Book
	estimator *tokens.Estimator
	lesson    atomic.Int64 // when the estimator last learned, Unix nanoseconds
	learning  loop         // sharing of what it learned
	keeping   loop         // upkeep of the budgets
}

// openSpending opens the ledger over the store, and budgets that nothing is in yet. What
// ends with the process is not waited for.
func (s *Server) openSpending(ctx context.Context, c *config.Config, state string) error {
	settings := ledger.Config{
		Store:      s.store,
		Durability: ledger.Durability(c.Ledger.Durability), Unknown: ledger.Unknown(c.Ledger.Unknown),
		JournalSize: int64(c.Ledger.Journal), WhenFull: ledger.WhenFull(c.Ledger.WhenFull),
		Keep: time.Duration(c.Ledger.Keep), KeepHours: time.Duration(c.Ledger.KeepHours),
		Patience: time.Duration(c.Ledger.Patience), Log: s.log, Now: s.now,
	}
	switch {
	case state != "":
		settings.Dir = filepath.Join(state, "ledger")
	case c.Store == "":
		settings.Durability = ledger.Settled
	}
	var err error
	if s.ledger, err = ledger.Open(ctx, settings); err != nil {
		return fmt.Errorf("open ledger: %w", err)
	}
	s.budgets = budget.New(s.budgetSettings(c))
	s.keeping.begin(s.budgets.Run)
	s.estimator = tokens.NewEstimator()
	if !s.explains {
		s.learning.begin(s.keepLessons)
	}
	return nil
}

// readPrices reads the file of prices that c names, else the one that "fairway prices
// update" makes; nil without any.
func (s *Server) readPrices(c *config.Config) (*catalog.Prices, error) {
	name := string(c.Prices)
	if name == "" && s.state != "" {
		name = filepath.Join(s.state, "prices.yaml")
	}
	if name == "" {
		return nil, nil
	}
	prices, err := catalog.OpenPrices(name)
	if c.Prices == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: prices: %w", ErrConfig, err)
	}
	return prices, nil
}

// closeSpending gives back what is leased and keeps what is queued.
func (s *Server) closeSpending() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	s.learning.end()
	s.keeping.end()
	if s.estimator != nil {
		s.shareLessons(ctx)
	}
	var failed error
	if s.budgets != nil {
		failed = s.budgets.Close(ctx)
	}
	if s.ledger != nil {
		failed = errors.Join(failed, s.ledger.Close(ctx))
	}
	return failed
}

// closeWithin is how long the store may take for the last records.
const closeWithin = 10 * time.Second

// budgetSettings are c's budgets.
func (s *Server) budgetSettings(c *config.Config) budget.Config {
	settings := budget.Config{
		Server: s.ledger.Server(), Bank: s.store, Shared: s.store.IsShared(), Block: float64(c.Leases.Block),
		Away: budget.Away(c.Leases.Away), Log: s.log, Now: s.now,
	}
	for _, b := range c.Budgets {
		settings.Budgets = append(settings.Budgets, budget.Budget{
			Name: b.Name, Principals: b.Principals, Keys: b.Keys, Users: b.Users, Teams: b.Teams, Models: b.Models,
			Per:           budget.Per(b.Per),
			DollarsPerDay: inference.Money(b.DollarsPerDay), DollarsPerMonth: inference.Money(b.DollarsPerMonth),
			TokensPerMinute: b.TokensPerMinute, RequestsPerMinute: b.RequestsPerMinute, Streams: b.Streams,
			Soft: int(b.Soft*100 + 0.5), Webhook: string(b.Webhook),
		})
	}
	return settings
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
				inference.Matches(t.Users, caller.Name, caller.ID) || inference.Matches(t.Groups, caller.Group) {
				return t.Name
			}
		}
		return ""
	}
}

// BudgetStates is how the pots of budgets stand that were used in the windows of now, by
// budget, pot and measure: those that other servers used too, where they spend money.
func (s *Server) BudgetStates(ctx context.Context) ([]usage.BudgetState, error) {
	pots, err := s.store.Pots(ctx)
	if err != nil {
		return nil, err
	}
	states := map[inference.Slot]usage.BudgetState{}
	limits := limitsOf(s.app.Load().config)
	for _, p := range pots {
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
		return cmp.Or(cmp.Compare(a.Budget, b.Budget), cmp.Compare(a.Pot, b.Pot), cmp.Compare(a.Measure, b.Measure))
	}), nil
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

// ledgerState is the ledger for the metrics.
func (s *Server) ledgerState() telemetry.Ledger {
	if s.ledger == nil {
		return telemetry.Ledger{}
	}
	status := s.ledger.Status()
	return telemetry.Ledger{Queued: status.Queued, JournalBytes: status.JournalBytes, Away: !status.Away.IsZero(), Lost: status.Lost}
}
