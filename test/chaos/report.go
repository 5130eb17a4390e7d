package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// report is what came of a run.
type report struct {
	options    *options
	dir        string     // the server's, kept where there are violations
	quiet      []*outcome // calls before the storm
	calls      []*outcome
	took       time.Duration
	storm      *storm
	metrics    metrics // at the end
	totals     totals
	before     health
	after      health
	violations []violation
}

// shown is how many violations of a kind of call are printed in full.
const shown = 3

func (r *report) print(w io.Writer) {
	o := r.options
	fmt.Fprintf(w, "seed %d: %d calls by %d callers in %.1f s (%.0f a second), simulated regions at %v times real time\n",
		o.seed, o.calls, o.callers, r.took.Seconds(), float64(o.calls)/r.took.Seconds(), o.speed)
	r.printWeather(w)
	r.printCalls(w)
	t := r.totals
	fmt.Fprintf(w, "records %d, attempts %d, calls of more than one attempt %d, hedged calls %d\n", t.calls, t.attempts, t.failedOver, t.hedged)
	m := r.metrics
	fmt.Fprintf(w, "cuts after the first content %v, continuations %v, hedges %v (%v answered first), retries %v\n",
		m.sum("fairway_cuts_total"), m.sum("fairway_continuations_total"),
		m.sum("fairway_hedges_total"), m.sum("fairway_hedges_total", `outcome="ok"`), m.sum("fairway_retries_total"))
	fmt.Fprintf(w, "server: %d goroutines before, %d after; live heap %d MB, %d MB; resident %d MB, %d MB\n",
		r.before.goroutines, r.after.goroutines, r.before.heap, r.after.heap, r.before.resident, r.after.resident)
	if len(r.violations) == 0 {
		fmt.Fprintln(w, "no caller noticed anything but time")
		return
	}
	r.printViolations(w)
}

func (r *report) printWeather(w io.Writer) {
	s := r.storm
	var given []string
	for _, fault := range sortedKeys(s.given) {
		given = append(given, fmt.Sprintf("%s %d", fault, s.given[fault]))
	}
	share := func(part, whole time.Duration) float64 { return 100 * float64(part) / float64(max(1, whole)) }
	fmt.Fprintf(w, "faults: a change every %v on average: %s\n", r.options.every, strings.Join(given, ", "))
	fmt.Fprintf(w, "        regions were faulty %.0f%% of the time; %.0f%% of the time a profile had a single healthy one, and never none\n",
		share(s.faulty, s.took*time.Duration(len(s.weather.names))), share(s.onlyOne, s.took))
}

// printCalls is a table of the kinds.
func (r *report) printCalls(w io.Writer) {
	type row struct{ calls, continued, exceptions, bad int }
	rows, all := map[string]*row{}, row{}
	for i := range menu {
		rows[menu[i].name] = &row{}
	}
	for _, o := range r.calls {
		for _, row := range []*row{rows[o.kind.name], &all} {
			row.calls++
			if o.continued > 0 {
				row.continued++
			}
			if o.exception != "" {
				row.exceptions++
			}
			if o.problem != nil {
				row.bad++
			}
		}
	}
	fmt.Fprintf(w, "%-58s %7s %9s %9s %7s\n", "", "calls", "continued", "exception", "bad")
	for i := range menu {
		row := rows[menu[i].name]
		fmt.Fprintf(w, "%-58s %7d %9d %9d %7d\n", menu[i].name, row.calls, row.continued, row.exceptions, row.bad)
	}
	fmt.Fprintf(w, "%-58s %7d %9d %9d %7d\n", "all", all.calls, all.continued, all.exceptions, all.bad)
}

func (r *report) printViolations(w io.Writer) {
	failed := 0
	for _, o := range r.calls {
		if o.problem != nil {
			failed++
		}
	}
	fmt.Fprintf(w, "%d calls failed that should not have, %d things are wrong in all:\n", failed, len(r.violations))
	printed := map[string]int{}
	for _, v := range r.violations {
		name := "the server"
		if v.call.kind != nil {
			name = v.call.kind.name
		}
		if printed[name]++; printed[name] <= shown {
			fmt.Fprintf(w, "  %s, call %d, request %s: %v\n", name, v.call.number, v.call.id, v.err)
		}
	}
	for _, name := range sortedKeys(printed) {
		if more := printed[name] - shown; more > 0 {
			fmt.Fprintf(w, "  %s: %d more\n", name, more)
		}
	}
	fmt.Fprintf(w, "the server's configuration and log are in %s\n", r.dir)
	o := r.options
	fmt.Fprintf(w, "again: go run ./test/chaos -fairway %s -seed %d -n %d -c %d -every %v -speed %v -faults %s -no-failover=%v\n",
		o.fairway, o.seed, o.calls, o.callers, o.every, o.speed, o.faults, o.noFailover)
}
