package main

import (
	"cmp"
	"time"

	"fairway/internal/inference"
)

// checkSums holds the reports against the records, by each dimension.
func (a *audit) checkSums() {
	total := sums{}
	for i := range a.books.records {
		total.add(&a.books.records[i])
	}
	if a.books.total != total {
		a.wrong("", "the report's total is %+v, the records have %+v", a.books.total, total)
	}
	for _, by := range inference.Dimensions() {
		want := map[string]sums{}
		for i := range a.books.records {
			r := &a.books.records[i]
			key := keyOf(r, by)
			row := want[key]
			row.add(r)
			want[key] = row
		}
		got := a.books.reports[by]
		for key, row := range want {
			if got[key] != row {
				a.wrong("", "by %s, %q: the report has %+v, the records %+v", by, key, got[key], row)
			}
		}
		if len(got) > len(want) {
			a.wrong("", "by %s: the report has %d rows, the records make %d", by, len(got), len(want))
		}
	}
}

func (s *sums) add(r *inference.Record) {
	s.Calls++
	switch r.Outcome {
	case inference.Failed:
		s.Failed++
	case inference.Unknown:
		s.Unknown++
	}
	s.Attempts += int64(len(r.Attempts))
	s.Input += int64(r.Usage.InputTokens)
	s.Output += int64(r.Usage.OutputTokens)
	wasted, wastedCost := r.Waste()
	s.WastedInput += int64(wasted.InputTokens)
	s.WastedOutput += int64(wasted.OutputTokens)
	s.Cost += r.Cost
	s.WastedCost += wastedCost
}

// keyOf is where a report by a dimension counts a record (docs/usage.md, Dimensions).
func keyOf(r *inference.Record, by inference.Dimension) string {
	at := r.Time.UTC()
	switch by {
	case inference.ByHour:
		return at.Format("2006-01-02T15Z")
	case inference.ByDay:
		return at.Format(time.DateOnly)
	case inference.ByMonth:
		return at.Format("2006-01")
	case inference.ByModel:
		return string(r.AnsweringModel())
	case inference.ByProfile:
		if r.Profile != nil {
			return *r.Profile
		}
	case inference.ByRegion:
		return cmp.Or(r.Destination, string(r.DestinationRegion))
	case inference.BySource:
		return string(r.SourceRegion)
	case inference.ByPrincipal:
		return r.Principal
	case inference.ByUser:
		return r.Caller
	case inference.ByKey:
		return r.Key
	case inference.ByTeam:
		return r.Team
	case inference.ByDoor:
		return r.Door
	case inference.ByOutcome:
		return string(r.Outcome)
	}
	return ""
}

// checkBudgets holds what budgets spent against what the calls of their windows cost.
func (a *audit) checkBudgets() {
	checked := 0
	for _, b := range a.books.budgets {
		if !b.Measure.IsMoney() {
			continue
		}
		checked++
		want := inference.Money(0)
		for i := range a.books.records {
			r := &a.books.records[i]
			from, to := b.Measure.Window(r.Time)
			if to.Equal(b.Ends) && !r.Time.Before(from) && (b.Pot == "" || b.Pot == string(r.Model)) {
				want += r.Cost
			}
		}
		if spent, err := inference.ParseMoney(b.Spent); err != nil || spent != want {
			a.wrong("", "budget %s, pot %q: %s are spent (%v), its calls cost %s", b.Budget, b.Pot, b.Spent, err, want)
		}
	}
	if want := 2 + 2; checked != want { // a day and a month of everything, a day of each model
		a.wrong("", "%d pots of money are told, want %d", checked, want)
	}
}
