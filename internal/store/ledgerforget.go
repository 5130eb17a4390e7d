package store

import (
	"context"
	"database/sql"
	"strings"
	"time"
)

// forgetAtOnce is how many rows are deleted in one statement.
const forgetAtOnce = 2000

// Forget deletes the records, with their attempts, of calls that began before a time,
// and the sums of hours and days that ended before another, with the names that no sum
// has any more, and counts the records. It does so bit by bit: others write in between.
// What is kept of the sums is condensed.
func (s *Store) Forget(ctx context.Context, before, hours time.Time) (int, error) {
	const op = "forget records"
	records, err := s.forget(ctx, op, old{"calls", "began, id", before})
	if err != nil {
		return records, err
	}
	// A row goes when what it sums is over, to the millisecond.
	hour, day := hours.Add(time.Millisecond-time.Hour), hours.Add(time.Millisecond-24*time.Hour)
	for _, o := range []old{
		{"attempts", "began, id, n", before},
		{"usage_hours", sumKeys, hour},
		{"past_hours", "starts, series", hour},
		{"usage_days", sumKeys, day},
		{"past_days", "starts, series", day},
		{"usage_series", "used, id", day},
	} {
		if _, err := s.forget(ctx, op, o); err != nil {
			return records, err
		}
	}
	_, err = s.Condense(ctx)
	return records, err
}

// old is the rows of a table whose key, of which the first column is a time in
// milliseconds, is of before a time.
type old struct {
	table, key string
	before     time.Time
}

// statement deletes some of the rows: $2 at most, of before $1.
func (o old) statement() string {
	first, _, _ := strings.Cut(o.key, ",")
	return `DELETE FROM ` + o.table + ` WHERE (` + o.key + `) IN
		(SELECT ` + o.key + ` FROM ` + o.table + ` WHERE ` + first + ` < $1 ORDER BY ` + o.key + ` LIMIT $2)`
}

// forget deletes rows and counts them.
func (s *Store) forget(ctx context.Context, op string, o old) (deleted int, err error) {
	for n := forgetAtOnce; n == forgetAtOnce; deleted += n {
		err = s.transact(ctx, op, func(tx *sql.Tx) error {
			if err := s.dialect.searchByKey(ctx, tx); err != nil {
				return err
			}
			n, err = affected(ctx, tx, o.statement(), millis(o.before), forgetAtOnce)
			return err
		})
		if err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}
