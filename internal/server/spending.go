package server

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"fairway/internal/budget"
	"fairway/internal/config"
	"fairway/internal/ledger"
	"fairway/internal/telemetry"
	"fairway/internal/tokens"
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
	keeping := ledger.Config{
		Store:      s.store,
		Durability: ledger.Durability(c.Ledger.Durability), Unknown: ledger.Unknown(c.Ledger.Unknown),
		JournalSize: int64(c.Ledger.Journal), WhenFull: ledger.WhenFull(c.Ledger.WhenFull),
		Keep: time.Duration(c.Ledger.Keep), KeepHours: time.Duration(c.Ledger.KeepSums),
		Patience: time.Duration(c.Ledger.Patience), Log: s.log, Now: s.now,
	}
	switch {
	case state != "":
		keeping.Dir = filepath.Join(state, "ledger")
	case c.Store == "":
		keeping.Durability = ledger.Settled
	}
	var err error
	if s.ledger, err = ledger.Open(ctx, keeping); err != nil {
		return fmt.Errorf("open ledger: %w", err)
	}
	settings, err := s.budgetSettings(c)
	if err != nil {
		return err
	}
	s.budgets = budget.New(settings)
	s.keeping.begin(s.budgets.Run)
	s.estimator = tokens.NewEstimator()
	if !s.explains {
		s.learning.begin(s.keepLessons)
	}
	return nil
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

// ledgerState is the ledger for the metrics.
func (s *Server) ledgerState() telemetry.Ledger {
	if s.ledger == nil {
		return telemetry.Ledger{}
	}
	status := s.ledger.Status()
	return telemetry.Ledger{Queued: status.Queued, JournalBytes: status.JournalBytes, Away: !status.Away.IsZero(), Lost: status.Lost}
}
