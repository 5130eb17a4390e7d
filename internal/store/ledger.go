package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"

	"fairway/internal/inference"
)

// Keep puts entries of a server into the ledger, all or none. It may be told of an
// entry again: each record is kept once, by its id and time. An open entry never takes
// the place of anything, a settled one that of an open or unknown one, and an unknown
// one that of an open one. The sums of hours and days, and what money was spent of the
// budgets, are those of the settled and the unknown records that are kept. Texts are
// kept without zero bytes and up to a length. A few thousand entries at a time hold
// SQLite's writer for less than a tenth of a second.
func (s *Store) Keep(ctx context.Context, server string, entries []inference.Entry) error {
	_, err := s.keep(ctx, "keep records", server, entries)
	return err
}

// maxRivals bounds how often others may keep a record of a batch while it is kept.
const maxRivals = 50

// keep is Keep. It counts the records that have ended by it.
func (s *Store) keep(ctx context.Context, op, server string, entries []inference.Entry) (ended int, err error) {
	if len(entries) == 0 {
		return 0, nil
	}
	statements, err := s.statements.of(ctx, s.write, s.dialect, ledgerStatements)
	if err != nil {
		return 0, failed(op, err)
	}
	open, closed, err := sift(entries)
	if err != nil {
		return 0, failed(op, err)
	}
	for turn := range maxRivals {
		k := keeping{server: server, series: s.series, hold: s.dialect.hold}
		err = s.transact(ctx, op, func(tx *sql.Tx) error {
			if err := s.dialect.searchByKey(ctx, tx); err != nil {
				return err
			}
			k.batch = &batch{ctx: ctx, tx: tx, prepared: statements}
			ended, err = k.all(open, closed, turn > 0) // at first as if none was kept before
			return err
		})
		if err == nil {
			s.series.remember(k.added)
			return ended, nil
		}
		if !errors.Is(err, errKept) {
			break
		}
	}
	return 0, err
}

// entryKey finds a record.
type entryKey struct {
	began int64
	id    string
}

func keyOf(e *inference.Entry) entryKey { return entryKey{millis(e.Record.Time), text(e.Record.ID)} }

func (k entryKey) compare(other entryKey) int {
	return cmp.Or(cmp.Compare(k.began, other.began), cmp.Compare(k.id, other.id))
}

// entryRow is an entry on its way into the tables.
type entryRow struct {
	entryKey
	*inference.Entry
	json string // of one that is open or unknown
}

func (r entryRow) isUnknown() bool { return r.Record.Outcome == inference.Unknown }

// rank is which of two entries of one record is the truth.
func (r entryRow) rank() int {
	switch {
	case r.Open:
		return 0
	case r.isUnknown():
		return 1
	}
	return 2
}

// sift is the entries by whether they are open, one a record: the first of those that
// know most. They are in one order, so that servers do not stand in each other's way.
func sift(entries []inference.Entry) (open, closed []entryRow, err error) {
	rows := make([]entryRow, len(entries))
	for i := range entries {
		rows[i] = entryRow{entryKey: keyOf(&entries[i]), Entry: &entries[i]}
	}
	slices.SortStableFunc(rows, func(a, b entryRow) int {
		return cmp.Or(a.compare(b.entryKey), cmp.Compare(b.rank(), a.rank()))
	})
	rows = slices.CompactFunc(rows, func(a, b entryRow) bool { return a.entryKey == b.entryKey })
	for _, r := range rows {
		if r.rank() < 2 {
			if r.json, err = r.marshal(); err != nil {
				return nil, nil, err
			}
		}
		if r.Open {
			open = append(open, r)
		} else {
			closed = append(closed, r)
		}
	}
	return open, closed, nil
}

// marshal is the entry's JSON, without the long list of how targets were ranked.
func (r entryRow) marshal() (string, error) {
	e := *r.Entry
	e.Record.Plan = nil
	raw, err := json.Marshal(&e)
	return string(raw), err
}

// closeAtOnce is how many open records are closed in one transaction.
const closeAtOnce = 500

// CloseUnsettled ends the open records of a server that is gone, or was before it
// started again, as of an unknown outcome, and counts them. They cost what was reserved
// for them where charge says so, else nothing. One that is settled later all the same
// takes their place.
func (s *Store) CloseUnsettled(ctx context.Context, server string, charge bool) (closed int, err error) {
	const op = "close unsettled records"
	for {
		rows, err := s.write.QueryContext(ctx, `SELECT entry FROM open_calls WHERE server = $1 ORDER BY began, id LIMIT $2`, server, closeAtOnce)
		entries, err := collect(op, rows, err, scanEntry)
		if err != nil || len(entries) == 0 {
			return closed, err
		}
		for i := range entries {
			end(&entries[i], charge)
		}
		n, err := s.keep(ctx, op, server, entries)
		if closed += n; err != nil {
			return closed, err
		}
	}
}

func scanEntry(r row) (e inference.Entry, err error) {
	var raw string
	if err := r.Scan(&raw); err != nil {
		return e, err
	}
	return e, json.Unmarshal([]byte(raw), &e)
}

// end makes an open entry an unknown one.
func end(e *inference.Entry, charge bool) {
	e.Open, e.Record.Outcome, e.Record.Cost = false, inference.Unknown, 0
	if !charge {
		e.Charges = nil
		return
	}
	e.Record.Cost = e.Record.Reserved
	e.Charges = slices.DeleteFunc(e.Charges, func(c inference.Charge) bool { return !c.Measure.IsMoney() })
}
