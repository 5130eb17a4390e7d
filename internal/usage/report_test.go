package usage

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fairway/internal/inference"
)

// aQuery draws a question that Parse would read.
func aQuery(t *rapid.T) Query {
	var q Query
	q.Since, q.Until = now.AddDate(0, 0, -5).Truncate(3600e9), now.Add(3600e9).Truncate(3600e9)
	q.By = rapid.SliceOfNDistinct(rapid.SampledFrom(inference.Dimensions()), 0, maxBy, rapid.ID).Draw(t, "by")
	q.Top = rapid.IntRange(0, 6).Draw(t, "top")
	if !slices.ContainsFunc(q.By, inference.Dimension.IsTime) {
		q.Step = rapid.SampledFrom([]inference.Dimension{"", inference.ByHour, inference.ByDay, inference.ByMonth}).Draw(t, "step")
	}
	if rapid.Bool().Draw(t, "filtered") {
		q.Where = map[inference.Dimension]string{inference.ByTeam: "a"}
	}
	return q
}

// additive are the members of sums that rows add up in.
func additive(s Sums) Sums {
	s.PerCall, s.MeanLatencyMS = PerCall{}, 0
	return s
}

func plus(a, b Sums) Sums {
	return Sums{
		Calls: a.Calls + b.Calls, Failed: a.Failed + b.Failed, Unknown: a.Unknown + b.Unknown, Attempts: a.Attempts + b.Attempts,
		FailedOver: a.FailedOver + b.FailedOver, Hedged: a.Hedged + b.Hedged,
		InputTokens: a.InputTokens + b.InputTokens, OutputTokens: a.OutputTokens + b.OutputTokens,
		CacheReadTokens: a.CacheReadTokens + b.CacheReadTokens, CacheWriteTokens: a.CacheWriteTokens + b.CacheWriteTokens,
		WastedInputTokens: a.WastedInputTokens + b.WastedInputTokens, WastedOutputTokens: a.WastedOutputTokens + b.WastedOutputTokens,
		Cost: a.Cost + b.Cost, WastedCost: a.WastedCost + b.WastedCost, Saved: a.Saved + b.Saved,
	}
}

// TestConservation: by any dimensions, whatever is on top, rows and others are the
// total, that is the sum of the calls, and every series is its row.
func TestConservation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ledger, q := aMemory().Draw(t, "ledger"), aQuery(t)
		r, err := Make(t.Context(), ledger, q)
		if err != nil {
			t.Fatal(err)
		}
		var want Sums
		for _, c := range ledger {
			if !c.at.Before(q.Since) && c.at.Before(q.Until) && c.matches(q.Where) {
				want = plus(want, additive(sums(c.row)))
			}
		}
		if got := additive(r.Total.Sums); got != want {
			t.Errorf("total = %+v, want the sum of the calls %+v", got, want)
		}
		rows := r.Rows
		if r.Others != nil {
			rows = append(slices.Clone(rows), *r.Others)
		}
		var got Sums
		for _, row := range rows {
			got = plus(got, additive(row.Sums))
		}
		if len(q.By) > 0 && got != want {
			t.Errorf("rows by %v = %+v, want the total %+v", q.By, got, want)
		}
		if q.Top > 0 && len(r.Rows) > q.Top {
			t.Errorf("%d rows, want %d at most", len(r.Rows), q.Top)
		}
		checkSeries(t, r, append(rows, r.Total))
	})
}

func checkSeries(t *rapid.T, r *Report, rows []Row) {
	for _, row := range rows {
		if len(row.Series) != len(r.Steps) {
			t.Fatalf("series of %d points, want %d", len(row.Series), len(r.Steps))
		}
		var sum Point
		for _, p := range row.Series {
			sum.Calls += p.Calls
			sum.Cost += p.Cost
		}
		if want := row.point(); r.Step != "" && sum != want {
			t.Errorf("series of %v by %s is %v, want %v", row.Keys, r.Step, sum, want)
		}
	}
}

// TestTop: what costs most is shown, by time in the order of time.
func TestTop(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := Query{Top: 3}
		q.Since, q.Until = now.AddDate(0, 0, -20).Truncate(3600e9), now.Truncate(3600e9)
		q.By = []inference.Dimension{rapid.SampledFrom([]inference.Dimension{inference.ByDay, inference.ByUser}).Draw(t, "by")}
		ledger := aMemory().Draw(t, "ledger")
		r, _ := Make(t.Context(), ledger, q)
		all, _ := ledger.Usage(t.Context(), q.UsageQuery)
		least := inference.Money(0)
		for i, row := range r.Rows {
			if least = row.Cost; i == 0 {
				continue
			}
			before := r.Rows[i-1]
			if q.By[0].IsTime() && before.Keys[q.By[0]] >= row.Keys[q.By[0]] || !q.By[0].IsTime() && before.Cost < row.Cost {
				t.Errorf("row %v of %v comes after %v of %v", row.Keys, row.Cost, before.Keys, before.Cost)
			}
		}
		for _, row := range r.Rows {
			least = min(least, row.Cost)
		}
		dearer := 0
		for _, row := range all {
			if row.Cost > least {
				dearer++
			}
		}
		if dearer > len(r.Rows) {
			t.Errorf("%d rows cost more than the least that is shown, want fewer than %d", dearer, len(r.Rows))
		}
	})
}

// broken is a ledger that answers so often.
type broken struct{ answers int }

var errBroken = errors.New("the store is away")

func (b *broken) Usage(context.Context, inference.UsageQuery) ([]inference.UsageRow, error) {
	if b.answers--; b.answers < 0 {
		return nil, errBroken
	}
	return nil, nil
}

func TestBrokenLedger(t *testing.T) {
	q := Query{Step: inference.ByDay}
	q.Since, q.Until = now.AddDate(0, 0, -1), now
	for answers := range 2 {
		if _, err := Make(t.Context(), &broken{answers}, q); !errors.Is(err, errBroken) {
			t.Errorf("Make after %d answers = %v, want %v", answers, err, errBroken)
		}
	}
}

// TestWide: a series that would be of too many points is left out.
func TestWide(t *testing.T) {
	var ledger memory
	for i := range 600 {
		ledger = append(ledger, call{at: now, keys: map[inference.Dimension]string{inference.ByUser: string(rune('A' + i))}, row: inference.UsageRow{Calls: 1}})
	}
	q := Query{Step: inference.ByHour}
	q.Since, q.Until, q.By = now.AddDate(0, 0, -20), now.AddDate(0, 0, 1), []inference.Dimension{inference.ByUser}
	r, err := Make(t.Context(), ledger, q)
	if err != nil || r.Step != "" || r.Steps != nil || r.Rows[0].Series != nil || len(r.Rows) != 600 {
		t.Errorf("Make = %d rows, step %q, %v, want 600 without a series", len(r.Rows), r.Step, err)
	}
}

// TestReportJSON: a report is read again as it was.
func TestReportJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, err := Make(t.Context(), aMemory().Draw(t, "ledger"), aQuery(t))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var again Report
		if err := json.Unmarshal(raw, &again); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if diff := cmp.Diff(r, &again); diff != "" {
			t.Errorf("%s reads as another report:\n%s", raw, diff)
		}
	})
}
