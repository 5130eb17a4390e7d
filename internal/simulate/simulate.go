// Package simulate runs scenarios of traffic, latencies, quotas and faults through
// the routing engine in virtual time. Planner, breakers, buckets, budgets and the way
// of a call are package route's own; what stands here is the world around them.
//
//	scenario.go    what a scenario says
//	read.go        YAML -> scenario, strict, with lines
//	check.go       what a scenario may not say
//	shipped.go     the scenarios that come with the program
//	world.go       one policy's run: the loop over events
//	events.go      what is to happen, the soonest first
//	traffic.go     when calls come, and what they ask for
//	call.go        one call's way, as route.Course tells it
//	attempt.go     one attempt in its region
//	spending.go    what callers may spend, as package budget has it
//	region.go      quota, prompt cache and load of a region
//	fault.go       what is wrong with a region, and when
//	dice.go        chance
//	tally.go       what is counted
//	report.go      what came out
//	table.go plot.go  a report for the eye
//
// A run depends on its scenario and seed alone. Every policy meets the same calls,
// and a call that goes to the same region meets the same luck there.
package simulate

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"

	"fairway/internal/inference"
)

// Options are what a run changes of its scenario. The zero Options change nothing.
type Options struct {
	Policies []inference.Policy // in place of the scenario's
	Seed     *uint64            // in place of the scenario's
}

// Run simulates a checked scenario once for each policy. The only error is that of
// ctx, when it ends before the run does.
func Run(ctx context.Context, s *Scenario, o Options) (*Report, error) {
	scenario := *s
	if o.Policies != nil {
		scenario.Policies = o.Policies
	}
	if o.Seed != nil {
		scenario.Seed = *o.Seed
	}
	results := make([]Result, len(scenario.Policies))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, policy := range scenario.Policies {
		group.Go(func() (err error) {
			results[i], err = newWorld(&scenario, policy).run(ctx)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return newReport(&scenario, results), nil
}

// destinations are where calls of source may run, in catalog order.
func (s *Scenario) destinations(p inference.Profile) []inference.Region {
	if len(s.Destinations) == 0 {
		return p.Destinations
	}
	return s.Destinations
}
