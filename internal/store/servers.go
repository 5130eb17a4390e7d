package store

import (
	"context"
	"database/sql"
	"time"

	"fairway/internal/inference"
)

// How long the leases of a window are kept from its begin: those of money past the
// longest month, so that a report has them and a late record finds them.
const (
	keepMinutes = 5 * time.Minute
	keepMoney   = 40 * 24 * time.Hour
)

// Beat says that a server runs, which its standing leases live by. Streams run on
// whatever ended; a share of a quota that ended may be another server's by now. Leases of
// windows that are long over go with it, and servers that are. Servers that share a
// database go by their own clocks: these are to agree within seconds.
func (s *Store) Beat(ctx context.Context, server string) error {
	const op = "say that this server runs"
	now := s.now()
	err := s.transact(ctx, op, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO servers (id, seen) VALUES ($1, $2)
			ON CONFLICT (id) DO UPDATE SET seen = EXCLUDED.seen`, server, millis(now)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE budget_leases SET until = $4
			WHERE server = $1 AND held > 0 AND (measure = $2 OR measure = $3 AND until > $5)`,
			server, inference.Streams, inference.QuotaShare, millis(now.Add(standingLease)), millis(now))
		return err
	})
	if err != nil {
		return err
	}
	return s.transact(ctx, op, func(tx *sql.Tx) error { return purge(ctx, tx, now) })
}

// purge forgets what the next window does not need.
func purge(ctx context.Context, tx *sql.Tx, now time.Time) error {
	minutes, money := now.Add(-keepMinutes), now.Add(-keepMoney)
	for _, old := range []struct {
		statement string
		args      []any
	}{
		{`DELETE FROM budget_leases WHERE measure IN ($1, $2) AND starts < $3`,
			[]any{inference.TokensPerMinute, inference.RequestsPerMinute, minutes.Unix()}},
		{`DELETE FROM budget_leases WHERE measure IN ($1, $2) AND starts < $3`,
			[]any{inference.DollarsPerDay, inference.DollarsPerMonth, money.Unix()}},
		{`DELETE FROM budget_leases WHERE measure IN ($1, $2) AND until < $3`,
			[]any{inference.Streams, inference.QuotaShare, millis(minutes)}},
		{`DELETE FROM servers WHERE seen < $1`, []any{millis(money)}},
	} {
		if _, err := tx.ExecContext(ctx, old.statement, old.args...); err != nil {
			return err
		}
	}
	return nil
}

// Lost is the servers that have open records, or leases that they did not spend, and
// were not seen since then.
func (s *Store) Lost(ctx context.Context, since time.Time) ([]string, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id FROM servers WHERE seen < $1
			AND EXISTS (SELECT 1 FROM budget_leases WHERE server = id AND held > spent)
		UNION SELECT server FROM open_calls
			WHERE NOT EXISTS (SELECT 1 FROM servers WHERE id = server AND seen >= $1)
		ORDER BY 1`, millis(since))
	return collect("list lost servers", rows, err, func(r row) (id string, err error) { return id, r.Scan(&id) })
}
