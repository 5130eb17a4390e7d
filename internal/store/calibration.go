package store

import (
	"cmp"
	"context"
	"database/sql"
	"math"
	"slices"

	"fairway/internal/inference"
)

// Calibrations is what all servers learned of every model, by model and script.
func (s *Store) Calibrations(ctx context.Context) ([]inference.Calibration, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT model, script, samples, sum, squares, updated FROM token_calibration ORDER BY model, script`)
	return collect("list calibrations", rows, err, func(r row) (c inference.Calibration, err error) {
		var updated int64
		err = r.Scan(&c.Model, &c.Script, &c.Samples, &c.Sum, &c.Squares, &updated)
		c.Updated = fromMillis(updated)
		return c, err
	})
}

// AddCalibrations adds what a server learned, all of it or nothing, to rows that fade
// first: what is there counts decay, 0 to 1, of what it did. Rows of others it leaves
// alone. The error is of kind Validation for a number that is none.
func (s *Store) AddCalibrations(ctx context.Context, learned []inference.Calibration, decay float64) error {
	const op = "add calibrations"
	learned = slices.SortedFunc(slices.Values(learned), func(a, b inference.Calibration) int {
		return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Script, b.Script))
	})
	for _, c := range learned {
		if sum := c.Samples + c.Sum + c.Squares + decay; math.IsNaN(sum) || math.IsInf(sum, 0) {
			return &inference.Error{Kind: inference.Validation, Op: op, Message: op + ": " + c.Model + ": not a number"}
		}
	}
	return s.transact(ctx, op, func(tx *sql.Tx) error {
		for _, c := range learned {
			if _, err := tx.ExecContext(ctx, `INSERT INTO token_calibration (model, script, samples, sum, squares, updated)
				VALUES ($1, $2, $3, $4, $5, $6)
				ON CONFLICT (model, script) DO UPDATE SET
					samples = token_calibration.samples * $7 + EXCLUDED.samples,
					sum = token_calibration.sum * $7 + EXCLUDED.sum,
					squares = token_calibration.squares * $7 + EXCLUDED.squares,
					updated = EXCLUDED.updated`,
				c.Model, c.Script, c.Samples, c.Sum, c.Squares, millis(c.Updated), decay); err != nil {
				return err
			}
		}
		return nil
	})
}
