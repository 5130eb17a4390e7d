package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"fairway/internal/inference"
)

// audit is what came of a run whose server was killed.
type audit struct {
	options *options
	dir     string // the server's, kept where there are violations
	began   time.Time
	took    time.Duration

	reached  map[string]int // requests that regions had, by the id of their call
	nameless int            // those without one
	trials   []*trial
	kills    []time.Time
	early    int // of them before the server was ready
	books    books

	byID       map[string][]*inference.Record
	late       []time.Duration // from the answer to the kill, of answered calls that are unknown
	violations []violation
}

// settlesWithin is how soon after its answer a call has to be safe from a kill as what it
// was: the ledger's patience with its store.
const settlesWithin = 2 * time.Second

var (
	errMissing = errors.New("the call reached a region and has no record")
	errTwice   = errors.New("the call has more than one record")
)

// settle finds what should not be.
func (a *audit) settle() error {
	a.byID = map[string][]*inference.Record{}
	for i := range a.books.records {
		r := &a.books.records[i]
		a.byID[r.ID] = append(a.byID[r.ID], r)
	}
	a.checkRecords()
	a.checkTrials()
	a.checkSums()
	a.checkBudgets()
	if len(a.violations) == 0 {
		return os.RemoveAll(a.dir)
	}
	return nil
}

func (a *audit) wrong(id, format string, args ...any) {
	a.violations = append(a.violations, violation{&outcome{id: id}, fmt.Errorf(format, args...)})
}

// checkRecords holds the records against the requests that came to the regions.
func (a *audit) checkRecords() {
	if a.nameless > 0 {
		a.wrong("", "%d requests came to a region without the id of their call", a.nameless)
	}
	for id := range a.reached {
		if len(a.byID[id]) == 0 {
			a.wrong(id, "%w", errMissing)
		}
	}
	for id, records := range a.byID {
		if len(records) > 1 {
			a.wrong(id, "%w: %d", errTwice, len(records))
		}
		for _, r := range records {
			a.checkRecord(r)
		}
	}
	if n := len(a.byID); n > len(a.trials) {
		a.wrong("", "there are records of %d calls, and %d were made", n, len(a.trials))
	}
}

func (a *audit) checkRecord(r *inference.Record) {
	switch r.Outcome {
	case inference.OK:
		if a.reached[r.ID] == 0 {
			a.wrong(r.ID, "the record says ok, and no region knows the call")
		}
		if r.Cost <= 0 {
			a.wrong(r.ID, "an answer cost %s dollars", r.Cost)
		}
	case inference.Unknown:
		if r.Cost != r.Reserved || r.Cost <= 0 {
			a.wrong(r.ID, "an unknown call cost %s dollars, and %s were reserved", r.Cost, r.Reserved)
		}
	case inference.Failed:
	default:
		a.wrong(r.ID, "the record says %q", r.Outcome)
	}
}

// checkTrials holds the records against what callers were told.
func (a *audit) checkTrials() {
	for _, t := range a.trials {
		err := t.problem
		if err == nil && t.id != "" {
			err = a.checkTrial(t)
		}
		if err != nil {
			a.violations = append(a.violations, violation{t.outcome, err})
		}
	}
}

func (a *audit) checkTrial(t *trial) error {
	records := a.byID[t.id]
	if len(records) != 1 {
		if a.reached[t.id] > 0 {
			return nil // is told already
		}
		return fmt.Errorf("the call was answered, no region knows it, and it has %d records", len(records))
	}
	r := records[0]
	switch {
	case t.struck != nil:
		return nil
	case r.Outcome == inference.Unknown:
		return a.checkLate(t)
	case t.left:
		return nil
	case r.Outcome != inference.OK:
		return fmt.Errorf("the record says %s, the caller was told otherwise", r.Outcome)
	case r.Usage.InputTokens != t.got.input || r.Usage.OutputTokens != t.got.output:
		return fmt.Errorf("the record has %d tokens in and %d out, the caller was told %d and %d",
			r.Usage.InputTokens, r.Usage.OutputTokens, t.got.input, t.got.output)
	}
	return nil
}

// checkLate wants a kill near the end of a call that was answered and is unknown.
func (a *audit) checkLate(t *trial) error {
	from := t.ended.Add(-settlesWithin / 4) // the caller may have read the end late
	i := slices.IndexFunc(a.kills, from.Before)
	if i < 0 || a.kills[i].Sub(t.ended) > settlesWithin {
		return errors.New("the call was answered and is unknown, and nobody killed the server right after")
	}
	a.late = append(a.late, max(a.kills[i].Sub(t.ended), 0))
	return nil
}
