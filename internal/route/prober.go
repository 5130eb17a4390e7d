package route

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"fairway/internal/inference"
)

// Probes are calls of our own to targets whose breaker waits for a probe, so that no
// caller's call has to be it.
type Probes struct {
	Every  time.Duration                             // from one look at the targets to the next
	Budget inference.Money                           // that they may cost a day
	Cost   func(inference.Target) inference.Money    // of one
	Build  func(inference.Target) *inference.Request // the smallest that the target answers; nil for none
	Made   func(Probed)                              // is told of each, since it costs as any call does
}

// Probed is a probe that was made. Failure is nil where the target answered.
type Probed struct {
	Request *inference.Request
	Target  inference.Target
	Attempt inference.Attempt
	Usage   inference.Usage
	Failure *inference.Error
}

// usedOfLate is how long ago a target may have been called last to be probed.
const usedOfLate = 15 * time.Minute

// Probe makes probes until ctx ends, one after the other, each admitted by the breaker
// as a caller's call would be.
func (r *Router) Probe(ctx context.Context, p Probes) {
	look := make(chan struct{}, 1)
	for {
		stop := r.clock.AfterFunc(p.Every, func() { look <- struct{}{} })
		select {
		case <-look:
		case <-ctx.Done():
			stop()
			return
		}
		for _, g := range r.health.suspects(r.clock.Now()) {
			req := p.Build(g.target)
			if req != nil && r.health.purse.pay(p.Cost(g.target), p.Budget, r.clock.Now()) {
				r.probe(ctx, g, req, p.Made)
			}
		}
	}
}

// suspects are the targets to probe at now, those that were used last first.
func (h *health) suspects(now time.Time) []*guard {
	var due []*guard
	for _, regions := range *h.table.Load() {
		for _, g := range regions {
			if now.UnixNano()-g.used.Load() < int64(usedOfLate) && g.isSuspect(now) {
				due = append(due, g)
			}
		}
	}
	slices.SortFunc(due, func(a, b *guard) int { return cmp.Compare(b.used.Load(), a.used.Load()) })
	return due
}

func (g *guard) isSuspect(now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.breaker.state(now) == HalfOpen && !g.breaker.probing && g.entitlement.refusal == nil
}

// probe calls a target and reads up to the first content.
func (r *Router) probe(ctx context.Context, g *guard, req *inference.Request, made func(Probed)) {
	began := r.clock.Now()
	a, ok := g.admit(began)
	if !ok {
		return
	}
	attempt, cancel := context.WithCancelCause(ctx)
	s := relay{router: r, request: req, leg: Leg{Target: &g.target}, attempt: attempt, cancel: cancel}
	err := errPanic
	defer func() {
		s.close()
		now, t := r.clock.Now(), g.target
		p := Probed{Request: req, Target: t, Attempt: inference.Attempt{
			Region: t.Region, Model: t.Model, Account: t.Account, Outcome: inference.OK, Status: 200, MS: now.Sub(began).Milliseconds(),
		}, Usage: s.usage}
		switch {
		case err == nil:
			g.settle(a, succeeded, now)
		case ctx.Err() != nil:
			g.settle(a, untold, now)
			return
		default:
			p.Failure = regional(err, t.Region)
			p.Attempt.Outcome, p.Attempt.Kind, p.Attempt.Status = inference.Failed, p.Failure.Kind, p.Failure.Status()
			g.fail(a, p.Failure, judge(p.Failure), false, now)
		}
		made(p)
	}()
	err = s.begin(attempt, r.timeout)
}

// purse is what probes may still cost: it fills in a day. The zero purse is full. It is
// safe for concurrent use.
type purse struct {
	mu    sync.Mutex
	spent inference.Money
	at    time.Time
}

// pay takes out cost, where it is there.
func (p *purse) pay(cost, day inference.Money, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at.IsZero() {
		p.at = now
	}
	if earned := inference.Money(float64(day) * now.Sub(p.at).Hours() / 24); earned > 0 {
		p.spent, p.at = max(0, p.spent-earned), now
	}
	if p.spent+cost > day {
		return false
	}
	p.spent += cost
	return true
}
