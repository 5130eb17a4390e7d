package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"fairway/internal/inference"
)

// standingLease is how long a lease of a standing measure outlives the last Beat of its
// server.
const standingLease = time.Minute

// Take leases up to want of a slot to a server. What all servers hold or spent, each by
// whichever is more, never passes limit by it; that sum afterwards is taken. Want of
// nothing only asks. After an error nothing may be spent, though it may be held.
func (s *Store) Take(ctx context.Context, server string, slot inference.Slot, limit, want int64) (granted, taken int64, err error) {
	slot = storedSlot(slot)
	err = s.transact(ctx, "take of a budget", func(tx *sql.Tx) error {
		if s.dialect.slot != "" {
			if _, err := tx.ExecContext(ctx, s.dialect.slot, slotName(slot)); err != nil {
				return err
			}
		}
		now := s.now()
		if taken, err = takenOf(ctx, tx, server, slot, now); err != nil {
			return err
		}
		if granted = max(min(want, limit-taken), 0); granted == 0 {
			return nil
		}
		taken += granted
		return lease(ctx, tx, server, slot, granted, now)
	})
	if err != nil {
		return 0, 0, err
	}
	return granted, taken, nil
}

// storedSlot is a slot as the tables have it.
func storedSlot(slot inference.Slot) inference.Slot {
	slot.Budget, slot.Pot = text(slot.Budget), text(slot.Pot)
	return slot
}

// slotName is a text that no other slot has.
func slotName(slot inference.Slot) string {
	return fmt.Sprintf("%q %q %s %d", slot.Budget, slot.Pot, slot.Measure, slot.Starts)
}

// takenOf is what the servers hold or spent of a slot. Leases of others that ended do
// not count; those of the server itself do, as it is there to use them.
func takenOf(ctx context.Context, tx *sql.Tx, server string, slot inference.Slot, now time.Time) (taken int64, err error) {
	row := tx.QueryRowContext(ctx, `SELECT CAST(COALESCE(SUM(CASE WHEN held > spent THEN held ELSE spent END), 0) AS BIGINT)
		FROM budget_leases WHERE budget = $1 AND pot = $2 AND measure = $3 AND starts = $4
		AND (until = 0 OR until > $5 OR server = $6)`,
		slot.Budget, slot.Pot, slot.Measure, slot.Starts, millis(now), server)
	return taken, row.Scan(&taken)
}

// lease adds to what a server holds. What it spent beyond its leases it holds from now
// on, so that the grant is there to be spent.
func lease(ctx context.Context, tx *sql.Tx, server string, slot inference.Slot, granted int64, now time.Time) error {
	var until int64
	if slot.Measure.IsStanding() {
		until = millis(now.Add(standingLease))
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO servers (id, seen) VALUES ($1, $2) ON CONFLICT DO NOTHING`, server, millis(now)); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO budget_leases (budget, pot, measure, starts, server, held, spent, until)
		VALUES ($1, $2, $3, $4, $5, $6, 0, $7)
		ON CONFLICT (budget, pot, measure, starts, server) DO UPDATE SET until = EXCLUDED.until, held = EXCLUDED.held
			+ CASE WHEN budget_leases.held > budget_leases.spent THEN budget_leases.held ELSE budget_leases.spent END`,
		slot.Budget, slot.Pot, slot.Measure, slot.Starts, server, granted, until)
	return err
}

// Give takes back what a server leased and will not use, all of it or nothing. Who got
// an error does not know which, and must not give the same again.
func (s *Store) Give(ctx context.Context, server string, back []inference.Charge) error {
	back = slices.SortedFunc(slices.Values(back), func(a, b inference.Charge) int { return a.Slot.Compare(b.Slot) })
	return s.transact(ctx, "give back to a budget", func(tx *sql.Tx) error {
		statement, err := tx.PrepareContext(ctx, `UPDATE budget_leases SET held = CASE WHEN held > $6 THEN held - $6 ELSE 0 END
			WHERE budget = $1 AND pot = $2 AND measure = $3 AND starts = $4 AND server = $5`)
		if err != nil {
			return err
		}
		defer statement.Close()
		for _, c := range back {
			slot := storedSlot(c.Slot)
			if _, err := statement.ExecContext(ctx, slot.Budget, slot.Pot, slot.Measure, slot.Starts, server, max(c.Amount, 0)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Reclaim ends the leases of a server that starts, or is lost: of money it holds what
// its records spent, of anything else nothing. Its records are to be settled before.
func (s *Store) Reclaim(ctx context.Context, server string) error {
	return s.transact(ctx, "reclaim leases", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM budget_leases WHERE server = $1 AND measure NOT IN ($2, $3)`,
			server, inference.DollarsPerDay, inference.DollarsPerMonth); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE budget_leases SET held = CASE WHEN spent > 0 THEN spent ELSE 0 END
			WHERE server = $1 AND held <> spent`, server)
		return err
	})
}

// Taken is what is held and spent in the windows of now, by budget, pot and measure.
func (s *Store) Taken(ctx context.Context) ([]inference.Taken, error) {
	now := s.now()
	starts := func(m inference.Measure) int64 { from, _ := m.Window(now); return from.Unix() }
	rows, err := s.read.QueryContext(ctx, `SELECT budget, pot, measure, starts,
			CAST(SUM(CASE WHEN held > spent THEN held ELSE spent END) AS BIGINT), CAST(SUM(spent) AS BIGINT)
		FROM budget_leases
		WHERE measure = $1 AND starts = $2 OR measure = $3 AND starts = $4 OR measure IN ($5, $6) AND starts = $7
			OR measure = $8 AND starts = 0 AND until > $9
		GROUP BY budget, pot, measure, starts ORDER BY budget, pot, measure`,
		inference.DollarsPerDay, starts(inference.DollarsPerDay), inference.DollarsPerMonth, starts(inference.DollarsPerMonth),
		inference.TokensPerMinute, inference.RequestsPerMinute, starts(inference.RequestsPerMinute), inference.Streams, millis(now))
	return collect("list what is taken of budgets", rows, err, func(r row) (t inference.Taken, err error) {
		return t, r.Scan(&t.Budget, &t.Pot, &t.Measure, &t.Starts, &t.Held, &t.Spent)
	})
}

// Leases are those of a standing measure that live, by slot and server.
func (s *Store) Leases(ctx context.Context, m inference.Measure) ([]inference.Lease, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT budget, pot, measure, starts, server, held, until FROM budget_leases
		WHERE measure = $1 AND starts = 0 AND held > 0 AND until > $2 ORDER BY budget, pot, server`, m, millis(s.now()))
	return collect("list leases", rows, err, func(r row) (l inference.Lease, err error) {
		var until int64
		err = r.Scan(&l.Budget, &l.Pot, &l.Measure, &l.Starts, &l.Server, &l.Held, &until)
		l.Until = time.UnixMilli(until)
		return l, err
	})
}
