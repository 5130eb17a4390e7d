package capacity

import (
	"context"
	"fmt"
	"time"

	"fairway/internal/inference"
	"fairway/internal/simulate"
)

// Trial is what the routing simulator makes of a load: ten minutes of it, without the
// first two, in which buckets are still full from before.
type Trial struct {
	Regions   []inference.Region `json:"regions"`
	Accounts  int                `json:"accounts"`
	Calls     int                `json:"calls"`           // simulated
	Throttled float64            `json:"throttled_share"` // of the attempts, those that met a quota
	Failed    float64            `json:"failed_share"`    // calls that no region had room for
	Divided   float64            `json:"divided,omitempty"`
}

const (
	trialLasts = 10 * time.Minute
	trialFrom  = 2 * time.Minute
	trialCalls = 50_000 // more are divided, and the quotas with them
)

// try simulates the plan, and the source region alone where the plan has more.
func (p *Plan) try(ctx context.Context, q *Quote) (err error) {
	if p.Quota == 0 {
		return nil
	}
	if p.Alone, err = p.trial(ctx, q, []inference.Region{p.Source}, 1); err != nil || p.Regions == 0 {
		return err
	}
	if p.Recommended = p.Alone; p.Regions*p.Accounts > 1 {
		p.Recommended, err = p.trial(ctx, q, p.entered(), p.Accounts)
	}
	return err
}

// trial simulates the load on some regions. All calls are alike but for when they come and
// how fast they are answered. Accounts of a region are one bucket, as wide as all of theirs.
func (p *Plan) trial(ctx context.Context, q *Quote, regions []inference.Region, accounts int) (*Trial, error) {
	s := simulate.Defaults()
	s.Name, s.Model, s.Destinations, s.Duration = "capacity", p.Named, regions, trialLasts
	s.Policies = []inference.Policy{inference.Adaptive}
	rate := p.Demand.PerMinute / 60
	s.Traffic = []simulate.Traffic{{Sources: []inference.Region{p.Source}, Rate: rate}}
	s.Divide = max(1, rate*trialLasts.Seconds()/trialCalls)
	s.Tokens = simulate.Tokens{
		Input:  simulate.Lognormal{Median: float64(max(1, q.High))},
		Output: simulate.Lognormal{Median: float64(q.Output)},
		Max:    q.MaxTokens,
	}
	s.Quota = simulate.Quota{Tokens: p.Quota * accounts, Known: true}
	if err := s.Check(); err != nil {
		return nil, fmt.Errorf("simulate the peak: %w", err)
	}
	report, err := simulate.Run(ctx, s, simulate.Options{})
	if err != nil {
		return nil, err
	}
	t := settled(report.Policies[0].Series)
	t.Regions, t.Accounts = regions, accounts
	if s.Divide > 1 {
		t.Divided = s.Divide
	}
	return &t, nil
}

// settled sums up what came once the buckets were no longer full from before.
func settled(series []simulate.Point) (t Trial) {
	slot := trialLasts.Seconds() / float64(max(1, len(series)))
	throttled, attempts, failed := 0.0, 0, 0
	for _, point := range series {
		if point.At < trialFrom.Seconds() {
			continue
		}
		t.Calls += point.Calls
		attempts += point.Attempts
		failed += point.Failed
		throttled += point.Throttled * slot
	}
	if t.Calls > 0 {
		t.Throttled, t.Failed = throttled/float64(max(1, attempts)), float64(failed)/float64(t.Calls)
	}
	return t
}

// SecondsPerCall is how long a call of the quote is under way, by the latencies that
// simulated regions have.
func (q *Quote) SecondsPerCall() float64 {
	l := simulate.Defaults().Latency
	return l.First.Seconds() + float64(q.High)/l.Read + float64(q.Output)/l.Write
}
