package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// sumTable is one of the two pairs of tables of sums.
type sumTable struct {
	recent, past string
	lasts        time.Duration // what a row is of
}

var (
	hourly = sumTable{"usage_hours", "past_hours", time.Hour}
	daily  = sumTable{"usage_days", "past_days", 24 * time.Hour}
)

// The rows of an hour or a day are condensed a while after its end, when calls that
// began in it have ended. So many go at once: enough for all buckets of a series.
const (
	condenseAfter  = time.Hour
	condenseAtOnce = 4000
)

// Condense makes the sums of what is over fast to read, and counts the rows that went
// into fewer. It does so bit by bit: others write in between, and several servers may do
// it at once; rows that another changes just then wait for the next time. Reports tell
// the same before and after, and without it they only become slow.
func (s *Store) Condense(ctx context.Context) (int, error) {
	condensed := 0
	for _, t := range []sumTable{hourly, daily} {
		before := millis(s.now().Add(-condenseAfter - t.lasts))
		for {
			n, err := s.condense(ctx, t, before)
			condensed += n
			if n == 0 && err == nil || outdated(err) || deadlocked(err) {
				break
			}
			if err != nil {
				return condensed, failed("condense usage", err)
			}
		}
	}
	return condensed, nil
}

// condense moves some rows that start before a time, and counts them. It reads and
// deletes the same ones: PostgreSQL refuses where another server changed one in between.
func (s *Store) condense(ctx context.Context, t sumTable, before int64) (int, error) {
	tx, err := s.write.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	if err := s.dialect.searchByKey(ctx, tx); err != nil {
		return 0, err
	}
	next := before
	series := int64(0)
	err = tx.QueryRowContext(ctx, `SELECT starts, series FROM `+t.recent+` WHERE starts < $1
		ORDER BY starts, series LIMIT 1 OFFSET $2`, before, condenseAtOnce).Scan(&next, &series)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO `+t.past+` (starts, series, `+sumCols+`, costs)
		SELECT starts, series, `+summed()+` FROM `+t.recent+` WHERE (starts, series) < ($1, $2) GROUP BY starts, series
		ON CONFLICT (starts, series) DO UPDATE SET `+adding(t.past)+`, costs = `+t.past+`.costs || ' ' || excluded.costs`, next, series); err != nil {
		return 0, err
	}
	n, err := affected(ctx, tx, `DELETE FROM `+t.recent+` WHERE (starts, series) < ($1, $2)`, next, series)
	if err != nil {
		return 0, err
	}
	return n, tx.Commit()
}

// outdated reports PostgreSQL's serialization_failure (PostgreSQL documentation,
// Appendix A).
func outdated(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "40001"
}
