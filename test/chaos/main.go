// Command chaos puts a real fairway serve under load while the regions behind it
// break at random, and holds every answer against the one that a quiet server gives.
//
//	go build -o bin/fairway ./cmd/fairway && go run ./test/chaos -fairway bin/fairway
//
// What it asks of the server: with one healthy region left for each profile no caller
// notices anything but time.
//
//   - Every call is answered with the status 200 and with the answer that the same
//     conversation has on a quiet server: the same blocks, letter for letter, also
//     where a stream was cut on its way and another region went on with it.
//   - Streams are well-formed: one start, blocks in order, one stop, the terminal
//     event last, usage and trailers that agree.
//   - Streams with a call of a tool or with thinking, which nobody can go on with, may
//     end with an exception in place of their end, after a proper beginning. They are
//     counted apart.
//   - Calls that are wrong are told so, whatever the weather.
//   - Every call has one record, which says what its caller was told. Metrics count
//     what the records do. Nothing is left behind.
//
// With -kill the server itself dies, by SIGKILL at random moments, and starts again on
// the same folder, before regions that live on and note which calls reach them. Then it
// is the ledger that has to be whole:
//
//   - Every call that reached a region has exactly one record, settled or unknown.
//   - Every call that was answered has one that says what the caller was told, settled
//     unless the server was killed right after.
//   - Unknown calls cost what was reserved for them.
//   - Reports by each dimension, and what budgets spent, are the sums of the records.
//   - Calls that no kill struck are answered as on a quiet server.
//
// The seed decides which calls are made and which faults the regions are given in
// which order. When what happens is left to the clock, so that a run with the same
// seed is alike, not the same.
//
//	conversation.go what callers say        menu.go    the kinds of calls
//	caller.go       a call and its check     answer.go  what was answered, well-formed or not
//	faults.go       the faults               server.go  the server
//	ledger.go       its records              report.go  what came of it
//	kill.go         calls to a server that   reaper.go  kills
//	regions.go      the regions it calls     reply.go   and what they answer
//	books.go        what it kept             audit.go   whether each call is in it once
//	sums.go         and all sums agree       toll.go    what came of it
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// options are the flags.
type options struct {
	fairway    string
	calls      uint64
	seed       uint64
	callers    int
	every      time.Duration
	speed      float64
	faults     string
	noFailover bool

	kill       time.Duration // 0 kills nobody
	durability string
	store      string
}

// Exit codes.
const (
	sound    = 0
	violated = 1 // the server did what it should not
	unable   = 2 // there was no run
)

func main() {
	var o options
	flag.StringVar(&o.fairway, "fairway", "bin/fairway", "the `BINARY`")
	flag.Uint64Var(&o.calls, "n", 100_000, "calls")
	flag.Uint64Var(&o.seed, "seed", rand.Uint64()>>32, "which calls and which faults")
	flag.IntVar(&o.callers, "c", 64, "callers at a time")
	flag.DurationVar(&o.every, "every", 100*time.Millisecond, "a region's fault changes, on average")
	flag.Float64Var(&o.speed, "speed", 100, "of the simulated regions, times real time")
	flag.StringVar(&o.faults, "faults", strings.Join(faults, ","), "that regions are given")
	flag.BoolVar(&o.noFailover, "no-failover", false, "one attempt a call and no continuation: a run that has to find failures")
	flag.DurationVar(&o.kill, "kill", 0, "kill the server, so far apart on average, in place of breaking its regions")
	flag.StringVar(&o.durability, "durability", "intent", "of the ledger of a server that is killed; settled is a run that has to find missing records")
	flag.StringVar(&o.store, "store", "", "`URL` of an empty database for a server that is killed (default: SQLite in its folder)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	violations, err := o.run(ctx)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(unable)
	case violations > 0:
		os.Exit(violated)
	}
}

// run runs what the flags say, prints what came of it, and counts what should not be.
func (o *options) run(ctx context.Context) (violations int, err error) {
	if o.kill > 0 {
		a, err := runKilled(ctx, o)
		if err != nil {
			return 0, err
		}
		a.print(os.Stdout)
		return len(a.violations), nil
	}
	r, err := run(ctx, o)
	if err != nil {
		return 0, err
	}
	r.print(os.Stdout)
	return len(r.violations), nil
}

// violation is something that should not be, of a call or of the server.
type violation struct {
	call *outcome
	err  error
}

// run is a server from its start to its end.
func run(ctx context.Context, o *options) (*report, error) {
	settings := fmt.Sprintf(configuration, o.speed, o.seed)
	c := &caller{seed: o.seed, pool: pool(o.seed), onCut: "continue"}
	if o.noFailover {
		settings, c.onCut = settings+withoutFailover, "fail"
	}
	s, err := serve(ctx, o.fairway, settings)
	if err != nil {
		return nil, err
	}
	defer s.command.Process.Kill()
	c.server, c.client = s, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: o.callers, DisableCompression: true}}

	r := &report{options: o, dir: s.dir}
	fresh, err := s.metrics()
	if err != nil {
		return nil, err
	}
	if r.quiet, err = c.learn(ctx, o.callers); err != nil {
		return nil, err
	}
	if err := r.rehearse(ctx, c); err != nil {
		return nil, err
	}
	c.client.CloseIdleConnections()
	m, err := s.idle(ctx, fresh.health().goroutines+spare)
	if err != nil {
		return nil, err
	}
	r.before = m.health()
	if err := r.weather(ctx, c); err != nil {
		return nil, err
	}
	c.client.CloseIdleConnections()
	if m, err = s.idle(ctx, fresh.health().goroutines+spare); err != nil {
		return nil, err
	}
	r.after, r.metrics = m.health(), m
	if err := s.stop(); err != nil {
		return nil, err
	}
	return r, r.settle()
}

// rehearse makes a call of each kind while all is well: what fails then is not the
// weather's doing.
func (r *report) rehearse(ctx context.Context, c *caller) error {
	for i := range menu {
		o := c.make(ctx, 0, &menu[i], rand.New(rand.NewPCG(c.seed, uint64(i))))
		if o.problem != nil {
			return fmt.Errorf("on a quiet server: %s: request %s: %w", o.kind.name, o.id, o.problem)
		}
		r.quiet = append(r.quiet, o)
	}
	return nil
}

// weather makes the calls while regions break.
func (r *report) weather(ctx context.Context, c *caller) error {
	var sets [][]string
	for _, model := range []string{claude, nova} {
		for _, source := range sources {
			set, err := c.server.destinations(model, source)
			if err != nil {
				return err
			}
			sets = append(sets, set)
		}
	}
	r.storm = &storm{
		weather: newWeather(c.seed, strings.Split(r.options.faults, ","), sets),
		every:   r.options.every, set: c.server.set, given: map[string]int{},
	}
	if err := r.storm.gather(); err != nil {
		return err
	}
	raging, calm := context.WithCancel(ctx)
	defer calm()
	over := make(chan error, 1)
	go func() { over <- r.storm.rage(raging) }()
	began := time.Now()
	r.calls = make([]*outcome, r.options.calls)
	var next atomic.Uint64
	var callers sync.WaitGroup
	for range r.options.callers {
		callers.Go(func() {
			for n := next.Add(1) - 1; n < r.options.calls && ctx.Err() == nil; n = next.Add(1) - 1 {
				r.calls[n] = c.call(ctx, n)
			}
		})
	}
	callers.Wait()
	r.took = time.Since(began)
	calm()
	return errors.Join(<-over, ctx.Err())
}

// settle finds what should not be.
func (r *report) settle() error {
	l, err := readLedger(filepath.Join(r.dir, logFile))
	if err != nil {
		return err
	}
	for _, o := range r.calls {
		if o.problem != nil {
			r.violations = append(r.violations, violation{o, o.problem})
		}
	}
	r.totals = l.totals()
	r.violations = slices.Concat(r.violations, l.check(slices.Concat(r.quiet, r.calls)), r.totals.check(r.metrics), r.leaks())
	if len(r.violations) == 0 {
		return os.RemoveAll(r.dir)
	}
	return nil
}

// What may be there after a run that was not before it: goroutines of connections
// that the server has not closed yet, and caches that have filled up, in MB.
const (
	spare     = 48
	spareHeap = 32
)

func (r *report) leaks() (found []violation) {
	leak := func(format string, args ...any) {
		found = append(found, violation{&outcome{}, fmt.Errorf(format, args...)})
	}
	if n := r.metrics["fairway_in_flight"]; n != 0 {
		leak("%v calls are in flight when all have been answered", n)
	}
	if n := r.metrics["fairway_held_bytes"]; n != 0 {
		leak("%v bytes of requests are held when all have been answered", n)
	}
	if r.after.goroutines > r.before.goroutines+spare {
		leak("%d goroutines, %d before the run", r.after.goroutines, r.before.goroutines)
	}
	if r.after.heap > r.before.heap+spareHeap {
		leak("%d MB of live heap, %d before the run", r.after.heap, r.before.heap)
	}
	return found
}

// sortedKeys are the keys of a count, the largest first.
func sortedKeys(count map[string]int) []string {
	return slices.SortedFunc(maps.Keys(count), func(a, b string) int {
		if count[a] != count[b] {
			return count[b] - count[a]
		}
		return strings.Compare(a, b)
	})
}
