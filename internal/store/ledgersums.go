package store

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"fairway/internal/inference"
)

const (
	sumKeys = `starts, series, bucket`
	sumCols = `calls, attempts, failed_over, hedged, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
		wasted_input_tokens, wasted_output_tokens, cost, wasted_cost, saved, latency_ms`
)

var (
	addHours = addTo("usage_hours")
	addDays  = addTo("usage_days")
	addSpent = &many{
		head: `INSERT INTO budget_leases (budget, pot, measure, starts, server, held, spent, until) VALUES `,
		row:  `(?, ?, ?, ?, ?, 0, ?, 0)`,
		tail: ` ON CONFLICT (budget, pot, measure, starts, server) DO UPDATE SET spent = budget_leases.spent + excluded.spent`,
	}
)

// addTo is the statement that adds sums to the rows of a table.
func addTo(table string) *many {
	const all = sumKeys + ", " + sumCols
	return &many{
		head: `INSERT INTO ` + table + ` (` + all + `) VALUES `,
		row:  marks(all),
		tail: ` ON CONFLICT (` + sumKeys + `) DO UPDATE SET ` + adding(table),
	}
}

// adding is how a row of a table takes in the sums of another.
func adding(table string) string { return eachOf(sumCols, "@ = "+table+".@ + excluded.@") }

// eachOf is a list of columns of which each is written so, @ being its name.
func eachOf(columns, so string) string {
	var list []string
	for column := range strings.SplitSeq(columns, ",") {
		list = append(list, strings.ReplaceAll(so, "@", strings.TrimSpace(column)))
	}
	return strings.Join(list, ", ")
}

// sumKey is the key of a row of usage_hours or usage_days.
type sumKey struct {
	starts, series int64
	bucket         int
}

func (k sumKey) compare(o sumKey) int {
	return cmp.Or(cmp.Compare(k.starts, o.starts), cmp.Compare(k.series, o.series), cmp.Compare(k.bucket, o.bucket))
}

// sums are what a batch adds to the hours: the values of sumCols.
type sums map[sumKey]*[14]int64

// of is the sum of a key, zero at first.
func (s sums) of(key sumKey) *[14]int64 {
	sum := s[key]
	if sum == nil {
		sum = new([14]int64)
		s[key] = sum
	}
	return sum
}

// add counts a row of a series so many times: once, or minus once.
func (s sums) add(e entryRow, series, times int64) {
	r := &e.Record
	wasted, wastedCost := r.Waste()
	u, w := r.Usage.Bounded(), wasted.Bounded()
	sum := s.of(sumKey{startOf(e.began, time.Hour), series, inference.CostBucket(r.Cost)})
	for i, n := range [...]int64{
		1, int64(len(r.Attempts)), one(r.FailedOver()), one(r.Hedged()),
		int64(u.InputTokens), int64(u.OutputTokens), int64(u.CacheReadTokens), int64(u.CacheWriteTokens),
		int64(w.InputTokens), int64(w.OutputTokens),
		int64(r.Cost), int64(wastedCost), int64(r.Saved), r.LatencyMS,
	} {
		sum[i] += times * min(max(n, -mostOfOne), mostOfOne)
	}
}

// mostOfOne is more than a call adds to any sum: a million dollars in billionths, which a
// sum has room for nine thousand times. A record of a server that did not bound usage
// leaves room for those beside it.
const mostOfOne = int64(1_000_000 * inference.Dollar)

func one(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// startOf is the begin of the hour or the day that a time falls in, in milliseconds.
func startOf(ms int64, of time.Duration) int64 {
	return time.UnixMilli(ms).Truncate(of).UnixMilli()
}

// days is the sums by day.
func (s sums) days() sums {
	days := make(sums, len(s))
	for key, hour := range s {
		key.starts = startOf(key.starts, 24*time.Hour)
		for i, n := range hour {
			days.of(key)[i] += n
		}
	}
	return days
}

// put adds the sums to the tables.
func (s sums) put(b *batch) error {
	if _, err := b.put(addHours, s.values()); err != nil {
		return err
	}
	_, err := b.put(addDays, s.days().values())
	return err
}

// values are the rows, in one order for all servers.
func (s sums) values() []any {
	values := make([]any, 0, len(s)*addHours.width())
	for _, k := range slices.SortedFunc(maps.Keys(s), sumKey.compare) {
		values = append(values, k.starts, k.series, k.bucket)
		for _, n := range s[k] {
			values = append(values, n)
		}
	}
	return values
}

// spent is what a batch adds to the money that servers spent of budgets.
type spent map[spender]int64

type spender struct {
	inference.Slot
	server string
}

func (a spender) compare(b spender) int {
	return cmp.Or(a.Slot.Compare(b.Slot), cmp.Compare(a.server, b.server))
}

// add counts the charges of a row so many times.
func (s spent) add(server string, e entryRow, times int64) {
	for _, c := range e.Charges {
		if c.Measure.IsMoney() {
			s[spender{c.Slot, server}] += times * c.Amount
		}
	}
}

func (s spent) put(b *batch) error {
	var values []any
	for _, k := range slices.SortedFunc(maps.Keys(s), spender.compare) {
		if s[k] != 0 {
			values = append(values, text(k.Budget), text(k.Pot), string(k.Measure), k.Starts, k.server, s[k])
		}
	}
	_, err := b.put(addSpent, values)
	return err
}
