package simulate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fairway/internal/budget"
	"fairway/internal/catalog"
	"fairway/internal/inference"
)

// Bounds of a scenario, which keep a run to what a machine can do.
const (
	maxDuration = 31 * 24 * time.Hour
	maxRate     = 1e6
	maxCalls    = 1e8 // of each policy
	maxSpells   = 100_000
	maxSources  = 100
	maxSessions = 1e6 // open in all sources together
	maxUsers    = 1e9
	maxBudgets  = 100
)

// checker finds what a scenario may not say.
type checker struct {
	*Scenario
	refuse func(path, format string, args ...any)
}

// Check finds what is wrong with a scenario that no file was read for. The error joins
// what is wrong, by the path of the value.
func (s *Scenario) Check() error {
	var problems []error
	check(s, func(path, format string, args ...any) {
		problems = append(problems, fmt.Errorf(path+": "+format, args...))
	})
	return errors.Join(problems...)
}

// check tells refuse of everything that is wrong, by the path of the value.
func check(s *Scenario, refuse func(path, format string, args ...any)) {
	c := checker{s, refuse}
	c.whole()
	c.traffic()
	c.shape()
	c.spending()
	called := c.called()
	c.regions(called)
	c.faults(called)
	c.route(called)
}

// within wants a number of the range.
func within[T int | float64](c checker, path string, v, least, most T) {
	if v < least || v > most {
		c.refuse(path, "want %v to %v, got %v", least, most, v)
	}
}

// lasts wants a duration of the range.
func (c checker) lasts(path string, d, least, most time.Duration) {
	if d < least || d > most {
		c.refuse(path, "want %v to %v, got %v", least, most, d)
	}
}

func (c checker) whole() {
	if c.Model == "" {
		c.refuse("model", "want the id of a profile or model, such as apac.anthropic.claude-sonnet-4-20250514-v1:0")
	}
	c.lasts("duration", c.Duration, time.Second, maxDuration)
	c.lasts("within", c.Within, time.Millisecond, time.Hour)
	within(c, "divide", c.Divide, 1, 1e6)
	if len(c.Policies) == 0 {
		c.refuse("policies", "want one or more of %s", policyNames())
	}
	for i, p := range c.Policies {
		if err := CheckPolicy(p); err != nil {
			c.refuse(fmt.Sprintf("policies[%d]", i), "%w", err)
		} else if slices.Contains(c.Policies[:i], p) {
			c.refuse(fmt.Sprintf("policies[%d]", i), "%s is there already", p)
		}
	}
	if c.Gateway != "" && !catalog.IsRegion(c.Gateway) {
		c.refuse("gateway", "want a region, got %.40q", c.Gateway)
	}
}

// CheckPolicy says what is wrong with a policy's name.
func CheckPolicy(p inference.Policy) error {
	if !inference.IsPolicy(p) {
		return fmt.Errorf("unknown policy %.40q, want one of %s", p, policyNames())
	}
	return nil
}

func policyNames() string {
	names := []string{}
	for _, p := range []inference.Policy{
		inference.Adaptive, inference.Ordered, inference.RoundRobin, inference.LeastLoad,
		inference.Latency, inference.Weighted, inference.Cost,
	} {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}

func (c checker) traffic() {
	if len(c.Traffic) == 0 {
		c.refuse("traffic", "want one or more sources with a rate")
	}
	calls, sources := 0.0, 0
	for i, t := range c.Traffic {
		at := fmt.Sprintf("traffic[%d]", i)
		if len(t.Sources) == 0 {
			c.refuse(at+".sources", "want one or more regions")
		}
		within(c, at+".rate", t.Rate, 1e-6, maxRate)
		if b := t.Bursts; b != (Bursts{}) {
			c.lasts(at+".bursts.every", b.Every, time.Millisecond, maxDuration)
			c.lasts(at+".bursts.last", b.Last, time.Millisecond, b.Every)
			within(c, at+".bursts.times", b.Times, 0, 1000)
		}
		sources += len(t.Sources)
		c.lasts(at+".day.peak", t.Day.Peak, 0, 24*time.Hour)
		within(c, at+".day.night", t.Day.Night, 0, 1)
		calls += t.Rate * max(1, t.Bursts.Times) * float64(len(t.Sources)) * c.Duration.Seconds() / max(1, c.Divide)
	}
	if sources > maxSources {
		c.refuse("traffic", "%d sources are too many to simulate, want at most %d", sources, maxSources)
	}
	if open := float64(c.Sessions.Open) / max(1, c.Divide) * float64(sources); open > maxSessions {
		c.refuse("sessions.open", "%.0f sessions are too many to simulate", open)
	}
	if calls > maxCalls {
		c.refuse("traffic", "up to %.0f calls are too many to simulate: divide rates and quotas, or simulate less time", calls)
	}
}

// shape checks prompts, answers, latencies, quotas and prices.
func (c checker) shape() {
	distribution := func(path string, of Lognormal) {
		within(c, path+".median", of.Median, 1, maxPrompt)
		within(c, path+".sigma", of.Sigma, 0, 3)
	}
	distribution("tokens.input", c.Tokens.Input)
	distribution("tokens.output", c.Tokens.Output)
	within(c, "tokens.max", c.Tokens.Max, 1, maxPrompt)
	within(c, "sessions.share", c.Sessions.Share, 0, 1)
	within(c, "sessions.open", c.Sessions.Open, 1, 1e9)
	within(c, "sessions.calls", c.Sessions.Calls, 1, 1e6)
	distribution("sessions.prefix", c.Sessions.Prefix)
	c.lasts("sessions.cache", c.Sessions.Cache, 0, 24*time.Hour)
	c.lasts("latency.first", c.Latency.First, 0, 10*time.Minute)
	within(c, "latency.sigma", c.Latency.Sigma, 0, 3)
	within(c, "latency.read", c.Latency.Read, 1, 1e9)
	within(c, "latency.write", c.Latency.Write, 0.1, 1e9)
	within(c, "latency.capacity", c.Latency.Capacity, 0, 1e9)
	c.lasts("latency.rush.peak", c.Latency.Rush.Peak, 0, 24*time.Hour)
	within(c, "latency.rush.times", c.Latency.Rush.Times, 0, 100)
	within(c, "quota.tokens", c.Quota.Tokens, 0, 1e12)
	within(c, "quota.requests", c.Quota.Requests, 0, 1e12)
	for key, amount := range map[string]inference.Money{
		"input": c.Price.Input, "output": c.Price.Output, "cache_read": c.Price.CacheRead, "cache_write": c.Price.CacheWrite,
	} {
		if amount < 0 || amount > 1000*inference.Dollar {
			c.refuse("price."+key, "want an amount of 0 to 1000 dollars")
		}
	}
}

// spending checks users and budgets.
func (c checker) spending() {
	within(c, "users.count", c.Users.Count, 1, maxUsers)
	within(c, "users.heavy", c.Users.Heavy, 0, 1)
	within(c, "budgets", len(c.Budgets), 0, maxBudgets)
	names := map[string]bool{}
	for i, b := range c.Budgets {
		at := fmt.Sprintf("budgets[%d]", i)
		if b.Name == "" || names[b.Name] {
			c.refuse(at+".name", "want a name of its own, got %.40q", b.Name)
		}
		names[b.Name] = true
		if b.Per != "" && b.Per != string(budget.PerUser) {
			c.refuse(at+".per", "want user, or nothing, got %.40q", b.Per)
		}
		for key, amount := range map[string]inference.Money{"dollars_per_day": b.DollarsPerDay, "dollars_per_month": b.DollarsPerMonth} {
			if amount < 0 || amount > maxDollars {
				c.refuse(at+"."+key, "want an amount of 0 to %v dollars", maxDollars)
			}
		}
		within(c, at+".tokens_per_minute", b.TokensPerMinute, 0, 1e12)
		within(c, at+".requests_per_minute", b.RequestsPerMinute, 0, 1e12)
		within(c, at+".streams", b.Streams, 0, 1e9)
		if (b == Budget{Name: b.Name, Per: b.Per}) {
			c.refuse(at, "want one limit at least: dollars_per_day, dollars_per_month, tokens_per_minute, requests_per_minute, streams")
		}
	}
}

// maxDollars is the most that a budget may have.
const maxDollars = 1_000_000_000 * inference.Dollar

// called are all regions that calls may run in, and says which sources cannot call
// the model.
func (c checker) called() []inference.Region {
	known := catalog.New(catalog.Options{})
	called := slices.Clone(c.Destinations)
	for i, in := range c.Destinations {
		if !catalog.IsRegion(in) {
			c.refuse(fmt.Sprintf("destinations[%d]", i), "want a region, got %.40q", in)
		} else if slices.Contains(c.Destinations[:i], in) {
			c.refuse(fmt.Sprintf("destinations[%d]", i), "%s is there already", in)
		}
	}
	for i, t := range c.Traffic {
		for j, in := range t.Sources {
			p, err := known.Lookup(context.Background(), c.Model, in)
			if err != nil && c.Model != "" {
				c.refuse(fmt.Sprintf("traffic[%d].sources[%d]", i, j), "%.80q cannot be called in %.40q", c.Model, in)
			} else if len(c.Destinations) == 0 {
				called = append(called, p.Destinations...)
			}
		}
	}
	return called
}

// among wants a region that calls may run in.
func (c checker) among(path string, region inference.Region, called []inference.Region) {
	if !slices.Contains(called, region) {
		c.refuse(path, "no call may run in %.40q", region)
	}
}

func (c checker) regions(called []inference.Region) {
	for _, name := range slices.Sorted(maps.Keys(c.Regions)) {
		at, r := "regions."+string(name), c.Regions[name]
		c.among(at, name, called)
		c.lasts(at+".first", r.First, 0, 10*time.Minute)
		within(c, at+".capacity", r.Capacity, 0, 1e9)
		within(c, at+".tokens", r.Tokens, 0, 1e12)
		within(c, at+".requests", r.Requests, 0, 1e12)
	}
}

func (c checker) faults(called []inference.Region) {
	spells := 0.0
	for i, f := range c.Faults {
		at := fmt.Sprintf("faults[%d]", i)
		if len(f.Regions) == 0 {
			c.refuse(at+".regions", "want one or more regions")
		}
		for j, in := range f.Regions {
			c.among(fmt.Sprintf("%s.regions[%d]", at, j), in, called)
		}
		if !slices.Contains(faultKinds, f.Kind) {
			c.refuse(at+".kind", "unknown fault %.40q, want one of %s", f.Kind, kindNames())
		}
		c.lasts(at+".from", f.From, 0, c.Duration)
		if f.To != 0 {
			c.lasts(at+".to", f.To, f.From, maxDuration)
		}
		if f.Every != 0 || f.Last != 0 {
			c.lasts(at+".every", f.Every, time.Second, maxDuration)
			c.lasts(at+".last", f.Last, time.Millisecond, f.Every)
			spells += float64(c.Duration) / float64(max(f.Every, time.Second)) * float64(len(f.Regions))
		}
		within(c, at+".share", f.Share, 0, 1)
		within(c, at+".times", f.Times, 0, 1e4)
	}
	if spells > maxSpells {
		c.refuse("faults", "%.0f spells are too many to simulate", spells)
	}
}

func kindNames() string {
	names := make([]string, len(faultKinds))
	for i, k := range faultKinds {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

func (c checker) route(called []inference.Region) {
	r := c.Route
	for i, in := range r.Order {
		c.among(fmt.Sprintf("route.order[%d]", i), in, called)
	}
	for _, in := range slices.Sorted(maps.Keys(r.Weights)) {
		c.among("route.weights."+string(in), in, called)
		within(c, "route.weights."+string(in), r.Weights[in], 0, 1e6)
	}
	for _, of := range []struct {
		key string
		d   time.Duration
	}{
		{"attempt_timeout", r.AttemptTimeout}, {"stall_timeout", r.StallTimeout}, {"chunk_timeout", r.ChunkTimeout},
		{"first_content", r.FirstContent}, {"call_timeout", r.CallTimeout}, {"keep_cache", r.KeepCache},
		{"hedge.least", r.Hedge.Least}, {"retry.wait", r.Retry.Wait},
		{"breaker.window", r.Breaker.Window}, {"breaker.open_for", r.Breaker.OpenFor}, {"breaker.max_open_for", r.Breaker.MaxOpenFor},
	} {
		c.lasts("route."+of.key, of.d, 0, time.Hour)
	}
	within(c, "route.max_attempts", r.MaxAttempts, 0, 32)
	within(c, "route.hedge.budget", r.Hedge.Budget, 0, 1)
	within(c, "route.retry.budget", r.Retry.Budget, 0, 100)
	within(c, "route.retry.reserve", r.Retry.Reserve, 0, 1e6)
	within(c, "route.breaker.failures", r.Breaker.Failures, 0, 1e6)
	within(c, "route.breaker.failure_rate", r.Breaker.FailureRate, 0, 1)
	within(c, "route.breaker.min_calls", r.Breaker.MinCalls, 0, 1e6)
}
