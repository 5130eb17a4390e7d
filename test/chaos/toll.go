package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"fairway/internal/inference"
)

// print tells what came of the run.
func (a *audit) print(w io.Writer) {
	o := a.options
	store := "SQLite"
	if o.store != "" {
		store = "the given store"
	}
	fmt.Fprintf(w, "seed %d: %d calls by %d callers, %d kills (%d of a server that was starting) in %.1f s, durability %s on %s\n",
		o.seed, len(a.trials), o.callers, len(a.kills), a.early, a.took.Seconds(), o.durability, store)
	struck, left := 0, 0
	for _, t := range a.trials {
		if t.struck != nil {
			struck++
		} else if t.left {
			left++
		}
	}
	fmt.Fprintf(w, "callers: %d answered, %d left, %d struck by a kill\n", len(a.trials)-struck-left, left, struck)
	requests := 0
	for _, n := range a.reached {
		requests += n
	}
	fmt.Fprintf(w, "regions: %d requests of %d calls\n", requests, len(a.reached))
	a.printRecords(w)
	if len(a.violations) == 0 {
		fmt.Fprintln(w, "every call that reached a region has one record, and all sums agree")
		return
	}
	a.printViolations(w)
}

func (a *audit) printRecords(w io.Writer) {
	outcomes, unreached := map[inference.Outcome]int{}, 0
	cost := map[inference.Outcome]inference.Money{}
	for _, r := range a.books.records {
		outcomes[r.Outcome]++
		cost[r.Outcome] += r.Cost
		if r.Outcome == inference.Unknown && a.reached[r.ID] == 0 {
			unreached++
		}
	}
	fmt.Fprintf(w, "records: %d ok, %d failed, %d unknown (%d of them reached no region); cost %s, %s and %s dollars\n",
		outcomes[inference.OK], outcomes[inference.Failed], outcomes[inference.Unknown], unreached,
		cost[inference.OK], cost[inference.Failed], cost[inference.Unknown])
	if len(a.late) > 0 {
		fmt.Fprintf(w, "         %d unknown ones were answered, up to %d ms before the kill\n", len(a.late), slices.Max(a.late)/time.Millisecond)
	}
}

// shownWrong is how many things that are wrong are printed in full.
const shownWrong = 10

func (a *audit) printViolations(w io.Writer) {
	missing := 0
	for _, v := range a.violations {
		if errors.Is(v.err, errMissing) {
			missing++
		}
	}
	fmt.Fprintf(w, "%d calls reached a region and have no record, %d things are wrong in all:\n", missing, len(a.violations))
	for _, v := range a.violations[:min(shownWrong, len(a.violations))] {
		name := ""
		if v.call.kind != nil {
			name = fmt.Sprintf("%s, call %d, ", v.call.kind.name, v.call.number)
		}
		fmt.Fprintf(w, "  %srequest %s: %v\n", name, v.call.id, v.err)
	}
	o := a.options
	fmt.Fprintf(w, "the server's folder is %s\n", a.dir)
	again := ""
	if o.store != "" {
		again = " -store URL" // of an empty one; this one's may have a password
	}
	fmt.Fprintf(w, "again: go run ./test/chaos -fairway %s -seed %d -n %d -c %d -kill %v -durability %s%s\n",
		o.fairway, o.seed, o.calls, o.callers, o.kill, o.durability, again)
}
