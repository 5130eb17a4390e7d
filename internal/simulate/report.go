package simulate

import (
	"time"

	"fairway/internal/catalog"
	"fairway/internal/inference"
)

// Report is what came out of a scenario, policy by policy.
type Report struct {
	Scenario string   `json:"scenario"`
	About    string   `json:"about"`
	Model    string   `json:"model"`
	Seed     uint64   `json:"seed"`
	Duration float64  `json:"duration_seconds"`
	Divide   float64  `json:"divide"`
	Within   float64  `json:"within_seconds"`
	Policies []Result `json:"policies"`
}

// Result is how one policy did.
type Result struct {
	Policy        inference.Policy         `json:"policy"`
	Calls         int                      `json:"calls"`
	Good          int                      `json:"good"` // complete within the stated time
	Goodput       float64                  `json:"goodput_per_second"`
	Failed        int                      `json:"failed"` // as callers see it
	Failures      map[inference.Kind]int   `json:"failures"`
	Refused       int                      `json:"refused"`            // by budgets, and not among those that failed
	Refusals      map[string]int           `json:"refusals,omitempty"` // by limit: "everyone dollars_per_day"
	RefusedHeavy  int                      `json:"refused_heavy"`      // of the heavy user
	FirstP50      float64                  `json:"first_token_p50_ms"`
	FirstP99      float64                  `json:"first_token_p99_ms"`
	Attempts      int                      `json:"attempts"`
	Failovers     int                      `json:"failovers"` // attempts made since another had failed
	Hedges        int                      `json:"hedges"`
	Throttled     int                      `json:"throttled"` // attempts that were
	Cost          inference.Money          `json:"cost_usd"`
	CacheHitShare float64                  `json:"cache_hit_share"` // of the tokens of prefixes
	Regions       map[inference.Region]int `json:"regions"`         // calls that each answered
	Series        []Point                  `json:"series"`

	left int // calls and attempts that never ended: more than none is a broken program
}

// Point is what became of the calls that came in a part of the time.
type Point struct {
	At            float64 `json:"at_seconds"` // its start
	Calls         int     `json:"calls"`
	Failed        int     `json:"failed"`
	Refused       int     `json:"refused"`
	Attempts      int     `json:"attempts"`
	Goodput       float64 `json:"goodput_per_second"`
	FirstP50      float64 `json:"first_token_p50_ms"`
	FirstP99      float64 `json:"first_token_p99_ms"`
	Failovers     float64 `json:"failovers_per_second"`
	Throttled     float64 `json:"throttled_per_second"`
	CostPerCall   float64 `json:"cost_usd_per_call"`
	CacheHitShare float64 `json:"cache_hit_share"`
}

func newReport(s *Scenario, results []Result) *Report {
	return &Report{
		Scenario: s.Name,
		About:    s.About,
		Model:    s.Model,
		Seed:     s.Seed,
		Duration: s.Duration.Seconds(),
		Divide:   s.Divide,
		Within:   s.Within.Seconds(),
		Policies: results,
	}
}

// result is what the tally says once everything has ended.
func (w *world) result() Result {
	t, seconds := &w.tally, w.scenario.Duration.Seconds()
	r := Result{
		Policy:        w.policy,
		Calls:         t.whole.calls,
		Good:          t.whole.good,
		Goodput:       float64(t.whole.good) / seconds,
		Failed:        t.whole.failed,
		Failures:      t.kinds,
		Refused:       t.whole.refused,
		Refusals:      t.limits,
		RefusedHeavy:  t.heavy,
		FirstP50:      milliseconds(t.whole.first.quantile(0.5)),
		FirstP99:      milliseconds(t.whole.first.quantile(0.99)),
		Attempts:      t.whole.attempts,
		Failovers:     t.whole.failovers,
		Hedges:        t.whole.hedges,
		Throttled:     t.whole.throttled,
		Cost:          t.whole.cost,
		CacheHitShare: ratio(t.whole.read, t.whole.prefix),
		Regions:       map[inference.Region]int{},
		left:          w.inFlight,
	}
	for i, region := range w.regions {
		r.Regions[region.name] = t.regions[i]
		r.left += len(region.visits)
	}
	for i := range t.slots {
		if at := time.Duration(i) * t.length; at < w.scenario.Duration {
			r.Series = append(r.Series, t.slots[i].point(at, min(t.length, w.scenario.Duration-at)))
		}
	}
	return r
}

func (s *slot) point(at, length time.Duration) Point {
	return Point{
		At:            at.Seconds(),
		Calls:         s.calls,
		Failed:        s.failed,
		Refused:       s.refused,
		Attempts:      s.attempts,
		Goodput:       float64(s.good) / length.Seconds(),
		FirstP50:      milliseconds(s.first.quantile(0.5)),
		FirstP99:      milliseconds(s.first.quantile(0.99)),
		Failovers:     float64(s.failovers) / length.Seconds(),
		Throttled:     float64(s.throttled) / length.Seconds(),
		CostPerCall:   float64(s.cost) / float64(inference.Dollar) / float64(max(1, s.calls)),
		CacheHitShare: ratio(s.read, s.prefix),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func ratio(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// pricing is the scenario's price list, or the catalog's.
func (s *Scenario) pricing() Price {
	if s.Price != (Price{}) {
		return s.Price
	}
	// The catalog has millionths of a dollar.
	const micro = inference.Dollar / 1_000_000
	p, _ := catalog.New(catalog.Options{}).Price(s.Model, time.Time{}) // a scenario has no date
	return Price{
		Input: micro * inference.Money(p.Input), Output: micro * inference.Money(p.Output),
		CacheRead: micro * inference.Money(p.CacheRead), CacheWrite: micro * inference.Money(p.CacheWrite),
	}
}

// cost rounds down.
func (p Price) cost(u inference.Usage) inference.Money {
	sum := inference.Money(u.InputTokens)*p.Input + inference.Money(u.OutputTokens)*p.Output +
		inference.Money(u.CacheReadTokens)*p.CacheRead + inference.Money(u.CacheWriteTokens)*p.CacheWrite
	return sum / 1_000_000
}
