package usage

import (
	"context"
	"slices"
	"strings"

	"fairway/internal/inference"
)

// maxPoints bounds the rows that the ledger may have to make for the series of a
// report: with more it has none.
const maxPoints = 100_000

// Point is what became of a row in one step.
type Point struct {
	Calls int64           `json:"calls"`
	Cost  inference.Money `json:"cost_usd"`
}

// draw adds the series to the rows, of which the ledger has so many. Calls that ended
// since the rows were made may be in the series already.
func (r *Report) draw(ctx context.Context, ledger Ledger, q Query, rows int) error {
	steps := q.steps(q.Step)
	if rows*len(steps) > maxPoints {
		return nil
	}
	fine := q.UsageQuery
	fine.By = append(slices.Clone(q.By), q.Step)
	points, err := ledger.Usage(ctx, fine)
	if err != nil {
		return err
	}
	r.Step, r.Steps = q.Step, steps
	at := map[string]int{}
	for i, step := range steps {
		at[step] = i
	}
	find := r.series(len(steps))
	for _, p := range points {
		last := len(p.Keys) - 1
		i, ok := at[p.Keys[last]]
		if !ok {
			continue
		}
		for _, series := range [][]Point{find(p.Keys[:last]), r.Total.Series} {
			if series != nil {
				series[i].Calls += p.Calls
				series[i].Cost += p.Cost
			}
		}
	}
	return nil
}

// series gives every row one of n points, and finds it by the row's keys. What is no
// row's own is the others'; where there are none it is nil.
func (r *Report) series(n int) (find func(keys []string) []Point) {
	r.Total.Series = make([]Point, n)
	var others []Point
	if r.Others != nil {
		others = make([]Point, n)
		r.Others.Series = others
	}
	byKeys := make(map[string][]Point, len(r.Rows))
	for i := range r.Rows {
		r.Rows[i].Series = make([]Point, n)
		var own []string
		for _, d := range r.By {
			own = append(own, r.Rows[i].Keys[d])
		}
		byKeys[strings.Join(own, "\x00")] = r.Rows[i].Series
	}
	return func(keys []string) []Point {
		if series, ok := byKeys[strings.Join(keys, "\x00")]; ok && len(r.By) > 0 {
			return series
		}
		return others
	}
}
