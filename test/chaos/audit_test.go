package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"fairway/internal/inference"
)

// moment is when the calls of these tests were made.
var moment = time.Date(2026, 11, 23, 4, 30, 0, 0, time.UTC)

// soundAudit is of three calls: one that was answered, one that its caller left, one that
// a kill struck.
func soundAudit() *audit {
	record := func(id string, model inference.ModelID, outcome inference.Outcome, cost inference.Money) inference.Record {
		return inference.Record{
			ID: id, Time: moment, Principal: "chaos", Model: model, Outcome: outcome, Cost: cost, Reserved: 500,
			Usage: inference.Usage{InputTokens: 7, OutputTokens: 9}, Attempts: []inference.Attempt{{}},
		}
	}
	a := &audit{
		reached: map[string]int{"a": 1, "b": 2, "c": 1},
		trials: []*trial{
			{outcome: &outcome{id: "a", got: &answer{input: 7, output: 9}}, ended: moment},
			{outcome: &outcome{id: "b", left: true}, ended: moment},
			{outcome: &outcome{}, ended: moment, struck: errors.New("no answer")},
		},
		kills: []time.Time{moment.Add(time.Second)},
		books: books{records: []inference.Record{
			record("a", "claude", inference.OK, 100), record("b", "nova", inference.Failed, 30), record("c", "nova", inference.Unknown, 500),
		}},
	}
	a.books.reports = map[inference.Dimension]map[string]sums{}
	for _, by := range inference.Dimensions() {
		a.books.reports[by] = map[string]sums{}
		for i := range a.books.records {
			r := &a.books.records[i]
			row := a.books.reports[by][keyOf(r, by)]
			row.add(r)
			a.books.reports[by][keyOf(r, by)] = row
		}
	}
	for i := range a.books.records {
		a.books.total.add(&a.books.records[i])
	}
	_, day := inference.DollarsPerDay.Window(moment)
	_, month := inference.DollarsPerMonth.Window(moment)
	a.books.budgets = []budgetState{
		{"everything", "", inference.DollarsPerDay, inference.Money(630).String(), day},
		{"everything", "", inference.DollarsPerMonth, inference.Money(630).String(), month},
		{"everything", "", inference.Streams, "3", time.Time{}},
		{"each-model", "claude", inference.DollarsPerDay, inference.Money(100).String(), day},
		{"each-model", "nova", inference.DollarsPerDay, inference.Money(530).String(), day},
	}
	return a
}

// TestAudit: each thing that can be wrong with the books of a run is found, and nothing
// where all is right.
func TestAudit(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*audit)
		want  string // in one of the violations; empty for none
	}{
		"all is right":           {func(*audit) {}, ""},
		"a record is missing":    {func(a *audit) { a.reached["d"] = 1 }, errMissing.Error()},
		"a record comes twice":   {func(a *audit) { a.books.records = append(a.books.records, a.books.records[0]) }, errTwice.Error()},
		"a request has no id":    {func(a *audit) { a.nameless = 1 }, "without the id"},
		"no region knows a call": {func(a *audit) { delete(a.reached, "a") }, "no region knows"},
		"a call nobody made":     {func(a *audit) { a.trials = a.trials[:2] }, "2 were made"},
		"an answer is free":      {func(a *audit) { a.books.records[0].Cost = 0 }, "an answer cost 0"},
		"an unknown call costs else": {func(a *audit) {
			a.books.records[2].Cost = 499
		}, "and 0.0000005 were reserved"},
		"an open record":       {func(a *audit) { a.books.records[2].Outcome = "" }, `says ""`},
		"told otherwise":       {func(a *audit) { a.books.records[0].Outcome = inference.Failed }, "told otherwise"},
		"told other tokens":    {func(a *audit) { a.trials[0].got.output = 8 }, "told 7 and 8"},
		"failed without kill":  {func(a *audit) { a.trials[1].problem = errors.New("status 503") }, "status 503"},
		"unknown for no kill":  {func(a *audit) { a.unsettle(); a.kills = nil }, "nobody killed"},
		"unknown for long":     {func(a *audit) { a.unsettle(); a.kills[0] = moment.Add(time.Minute) }, "nobody killed"},
		"answered, unrecorded": {func(a *audit) { a.trials[0].id = "e" }, "it has 0 records"},
		"the total is off":     {func(a *audit) { a.books.total.Cost++ }, "the report's total"},
		"a row is off": {func(a *audit) {
			row := a.books.reports[inference.ByModel]["nova"]
			row.Output--
			a.books.reports[inference.ByModel]["nova"] = row
		}, `by model, "nova"`},
		"a row is missing":       {func(a *audit) { delete(a.books.reports[inference.ByOutcome], "unknown") }, `by outcome, "unknown"`},
		"a row too many":         {func(a *audit) { a.books.reports[inference.ByTeam]["x"] = sums{} }, "by team: the report has 2 rows"},
		"a budget spent more":    {func(a *audit) { a.books.budgets[0].Spent = "1" }, "budget everything"},
		"a pot spent less":       {func(a *audit) { a.books.budgets[4].Spent = "0" }, `pot "nova"`},
		"a pot is missing":       {func(a *audit) { a.books.budgets = a.books.budgets[:4] }, "3 pots of money"},
		"a window is the next":   {func(a *audit) { a.books.budgets[0].Ends = a.books.budgets[0].Ends.AddDate(0, 0, 1) }, "budget everything"},
		"killed after an answer": {func(a *audit) { a.unsettle() }, ""},
	} {
		a := soundAudit()
		c.spoil(a)
		if err := a.settle(); err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, v := range a.violations {
			all.WriteString(v.err.Error() + "\n")
		}
		if c.want == "" && len(a.violations) > 0 || !strings.Contains(all.String(), c.want) {
			t.Errorf("%s: settle() finds %q, want %q", name, all.String(), c.want)
		}
	}
}

// unsettle makes the call that was answered an unknown one, in all books.
func (a *audit) unsettle() {
	a.books.records[0].Outcome, a.books.records[0].Reserved = inference.Unknown, 100
	for by, rows := range a.books.reports {
		clear(rows)
		for i := range a.books.records {
			r := &a.books.records[i]
			row := rows[keyOf(r, by)]
			row.add(r)
			rows[keyOf(r, by)] = row
		}
	}
	a.books.total.Unknown++
}
