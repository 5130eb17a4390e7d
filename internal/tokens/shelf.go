package tokens

import (
	"context"
	"fmt"
	"math"
	"time"

	"fairway/internal/inference"
)

// Shelf keeps calibrations. Several servers may share one: AddCalibrations multiplies the
// rows of the same model and script by decay and adds to them.
type Shelf interface {
	Calibrations(ctx context.Context) ([]inference.Calibration, error)
	AddCalibrations(ctx context.Context, deltas []inference.Calibration, decay float64) error
}

// decay is what is left of older samples each time newer ones are stored: with a store
// each minute, of busy models half after 34 minutes.
const decay = 0.98

// Load takes what the shelf has in place of what was stored before. Samples since then
// stay. What makes no sense is passed over.
func (e *Estimator) Load(ctx context.Context, shelf Shelf) error {
	rows, err := shelf.Calibrations(ctx)
	if err != nil {
		return fmt.Errorf("load calibrations: %w", err)
	}
	for _, row := range rows {
		stored := moments{row.Samples, row.Sum, row.Squares}
		script, ok := scriptOf(row.Script)
		if !ok || !stored.sane() {
			continue
		}
		if m := e.model(inference.ModelID(row.Model)); m != nil {
			m.cells[script].load(stored)
		}
	}
	return nil
}

// sane reports whether samples could have added up to these, in any cell.
func (m moments) sane() bool {
	const most = 4 // is more than any prior's mean and lost together
	return m.samples > 0 && !math.IsInf(m.samples, 1) &&
		math.Abs(m.sum) <= m.samples*most && m.squares >= 0 && m.squares <= m.samples*most*most
}

func (c *cell) load(stored moments) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stored = stored
	c.rescale()
}

// Flush puts the samples since the last time on the shelf. Where that fails they are kept
// for the next. It must not be called concurrently, nor with Load.
func (e *Estimator) Flush(ctx context.Context, shelf Shelf, now time.Time) error {
	var deltas []inference.Calibration
	var cells []*cell
	for id, m := range *e.models.Load() {
		for s := range m.cells {
			if fresh := m.cells[s].take(); fresh.samples > 0 {
				cells = append(cells, &m.cells[s])
				deltas = append(deltas, inference.Calibration{
					Model: string(id), Script: Script(s).String(), Updated: now,
					Samples: fresh.samples, Sum: fresh.sum, Squares: fresh.squares,
				})
			}
		}
	}
	if len(deltas) == 0 {
		return nil
	}
	err := shelf.AddCalibrations(ctx, deltas, decay)
	if err == nil {
		return nil
	}
	for i, c := range cells {
		c.putBack(moments{deltas[i].Samples, deltas[i].Sum, deltas[i].Squares})
	}
	return fmt.Errorf("store calibrations: %w", err)
}

// take counts what is fresh as stored.
func (c *cell) take() moments {
	c.mu.Lock()
	defer c.mu.Unlock()
	fresh := c.fresh
	if fresh.samples > 0 {
		c.stored, c.fresh = c.stored.times(decay).plus(fresh), moments{}
	}
	return fresh
}

// putBack makes samples fresh again that take counted as stored.
func (c *cell) putBack(fresh moments) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stored, c.fresh = c.stored.plus(fresh.times(-1)), c.fresh.plus(fresh)
}
