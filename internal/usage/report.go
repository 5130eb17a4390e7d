package usage

import (
	"cmp"
	"context"
	"slices"
	"time"

	"fairway/internal/inference"
)

// Ledger has the sums of calls, one row for each set of keys.
type Ledger interface {
	Usage(ctx context.Context, q inference.UsageQuery) ([]inference.UsageRow, error)
}

// Report answers a question. Rows and Others together are Total. Its JSON is in
// docs/usage.md.
type Report struct {
	Since  time.Time                      `json:"since"`
	Until  time.Time                      `json:"until"`
	By     []inference.Dimension          `json:"by"`
	Where  map[inference.Dimension]string `json:"where,omitempty"`
	Step   inference.Dimension            `json:"step,omitempty"`
	Steps  []string                       `json:"steps,omitempty"` // of each Series
	Rows   []Row                          `json:"rows"`            // by time where the first of By is one, else those first that cost most
	Others *Row                           `json:"others,omitempty"`
	Total  Row                            `json:"total"`
}

// Row is the sum of some calls.
type Row struct {
	Keys map[inference.Dimension]string `json:"keys,omitempty"`
	Of   int                            `json:"rows,omitempty"` // that Others is the sum of
	Sums
	Series []Point `json:"series,omitempty"` // one for each of the report's Steps
}

// Make answers a question. Errors are the ledger's.
func Make(ctx context.Context, ledger Ledger, q Query) (*Report, error) {
	all, err := ledger.Usage(ctx, q.UsageQuery)
	if err != nil {
		return nil, err
	}
	r := &Report{Since: q.Since, Until: q.Until, By: slices.Concat([]inference.Dimension{}, q.By), Where: q.Where, Total: Row{Sums: sums(sum(all))}}
	kept, others := q.choose(all)
	r.Rows = make([]Row, len(kept))
	for i, row := range kept {
		r.Rows[i] = Row{Keys: keys(q.By, row.Keys), Sums: sums(row)}
	}
	if len(others) > 0 {
		r.Others = &Row{Of: len(others), Sums: sums(sum(others))}
	}
	if q.Step == "" {
		return r, nil
	}
	return r, r.draw(ctx, ledger, q, len(all))
}

// choose parts the rows into those that are shown, in their order, and the others.
func (q Query) choose(all []inference.UsageRow) (kept, others []inference.UsageRow) {
	if len(q.By) == 0 {
		return nil, nil // there is but the total
	}
	slices.SortFunc(all, func(a, b inference.UsageRow) int {
		return cmp.Or(cmp.Compare(b.Cost, a.Cost), cmp.Compare(b.Calls, a.Calls), slices.Compare(a.Keys, b.Keys))
	})
	n := min(cmp.Or(q.Top, maxRows), len(all))
	kept, others = all[:n], all[n:]
	if q.By[0].IsTime() {
		slices.SortStableFunc(kept, func(a, b inference.UsageRow) int { return cmp.Compare(a.Keys[0], b.Keys[0]) })
	}
	return kept, others
}

// keys are a row's by what they are of.
func keys(by []inference.Dimension, values []string) map[inference.Dimension]string {
	out := make(map[inference.Dimension]string, len(by))
	for i, d := range by {
		out[d] = values[i]
	}
	return out
}
