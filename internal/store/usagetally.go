package store

import (
	"bytes"
	"database/sql"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"fairway/internal/inference"
)

// maxUsageRows bounds what one report holds in memory.
const maxUsageRows = 200_000

// tally adds up the rows of a report.
type tally struct {
	op      string
	by      []inference.Dimension
	columns []string // of usage_series: those of by that are no times
	most    int      // rows

	mutex sync.Mutex
	rows  map[string]*inference.UsageRow
}

func newTally(op string, by []inference.Dimension) (*tally, error) {
	t := &tally{op: op, by: by, most: maxUsageRows, rows: map[string]*inference.UsageRow{}}
	for _, d := range by {
		column := seriesColumn(d)
		if column == "" && !d.IsTime() {
			return nil, invalid(op, "no such dimension: "+strconv.Quote(text(string(d))))
		}
		if column != "" {
			t.columns = append(t.columns, column)
		}
	}
	return t, nil
}

// selected is what add reads.
func (t *tally) selected() string {
	return strings.Join(slices.Concat([]string{"starts", "outcome"}, t.columns, []string{sumCols, "costs"}), ", ")
}

// summed are the sums of sumCols, and as costs the text "BUCKET CALLS BUCKET CALLS": it
// costs less than rows by bucket do.
func summed() string {
	return eachOf(sumCols, "CAST(SUM(@) AS BIGINT) AS @") + `, STRING_AGG(CAST(bucket AS TEXT) || ' ' || CAST(calls AS TEXT), ' ') AS costs`
}

// sumRow is what is selected of one row, read into the same place again and again.
type sumRow struct {
	starts  int64
	outcome inference.Outcome
	texts   []string // of tally.columns
	sums    inference.UsageRow
	costs   sql.RawBytes
	into    []any
}

func (t *tally) newRow() *sumRow {
	r := &sumRow{texts: make([]string, len(t.columns))}
	r.into = []any{&r.starts, &r.outcome}
	for i := range r.texts {
		r.into = append(r.into, &r.texts[i])
	}
	for _, field := range sumsOf(&r.sums) {
		r.into = append(r.into, field)
	}
	r.into = append(r.into, &r.costs)
	return r
}

// add adds a row of what is selected.
func (t *tally) add(r *sumRow) error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	sum, err := t.row(t.keys(r.starts, r.texts))
	if err != nil {
		return err
	}
	r.sums.Failed, r.sums.Unknown = 0, 0
	switch r.outcome {
	case inference.Failed:
		r.sums.Failed = r.sums.Calls
	case inference.Unknown:
		r.sums.Unknown = r.sums.Calls
	}
	sum.Add(&r.sums)
	return addCosts(sum.Costs, r.costs)
}

// keys are those of a row in the order of by.
func (t *tally) keys(starts int64, texts []string) []string {
	keys := make([]string, len(t.by))
	for i, d := range t.by {
		if layout := d.Layout(); layout != "" {
			keys[i] = time.UnixMilli(starts).UTC().Format(layout)
			continue
		}
		keys[i], texts = texts[0], texts[1:]
	}
	return keys
}

// row is the one of some keys, new at first.
func (t *tally) row(keys []string) (*inference.UsageRow, error) {
	name := strings.Join(keys, "\x00") // which no text holds
	if sum, ok := t.rows[name]; ok {
		return sum, nil
	}
	if len(t.rows) == t.most {
		return nil, invalid(t.op, "more than "+strconv.Itoa(t.most)+" rows: ask for less time or fewer dimensions")
	}
	sum := &inference.UsageRow{Keys: keys, Costs: map[int]int64{}}
	t.rows[name] = sum
	return sum, nil
}

// sumsOf is where a row has the values of sumCols.
func sumsOf(r *inference.UsageRow) [14]*int64 {
	return [...]*int64{
		&r.Calls, &r.Attempts, &r.FailedOver, &r.Hedged, &r.InputTokens, &r.OutputTokens, &r.CacheReadTokens, &r.CacheWriteTokens,
		&r.WastedInputTokens, &r.WastedOutputTokens, (*int64)(&r.Cost), (*int64)(&r.WastedCost), (*int64)(&r.Saved), &r.LatencyMS,
	}
}

// addCosts adds calls by the bucket of their cost, as summed has them.
func addCosts(to map[int]int64, costs []byte) error {
	var bucket, calls []byte
	for len(costs) > 0 {
		bucket, costs, _ = bytes.Cut(costs, []byte(" "))
		calls, costs, _ = bytes.Cut(costs, []byte(" "))
		b, err := strconv.Atoi(string(bucket))
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(string(calls), 10, 64)
		if err != nil {
			return err
		}
		to[b] += n
	}
	return nil
}

// sorted is the rows of any call, by their keys.
func (t *tally) sorted() []inference.UsageRow {
	var all []inference.UsageRow
	for _, sum := range t.rows {
		maps.DeleteFunc(sum.Costs, func(_ int, calls int64) bool { return calls == 0 })
		if sum.Calls > 0 {
			all = append(all, *sum)
		}
	}
	if len(all) == 0 && len(t.by) == 0 {
		return []inference.UsageRow{{}}
	}
	slices.SortFunc(all, func(a, b inference.UsageRow) int { return slices.Compare(a.Keys, b.Keys) })
	return all
}
