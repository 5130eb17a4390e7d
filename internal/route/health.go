package route

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"fairway/internal/inference"
)

// TargetState is the health of one target as route sees it.
type TargetState struct {
	Region   inference.Region `json:"region"`
	Model    string           `json:"model"`
	Account  string           `json:"account,omitempty"`
	State    State            `json:"state"`
	Until    *time.Time       `json:"open_until,omitempty"` // end of the hold, nil while closed
	Failures int              `json:"failures"`             // in a row, 0 once open
}

// pool is an account's use of a model. A pool in a region is a target and has a
// breaker of its own; the catalog bounds how many there are.
type pool struct {
	account string
	model   string
}

func poolOf(t inference.Target) pool { return pool{t.Account, t.Model} }

// table is guards by pool and region. It is never modified.
type table map[pool]map[inference.Region]*guard

// health holds a breaker for each target that was ever tried. Readers take the
// table as it is; a new target replaces it.
type health struct {
	config BreakerConfig
	adding sync.Mutex
	table  atomic.Pointer[table]
}

func newHealth(c BreakerConfig) *health {
	h := &health{config: c.withDefaults()}
	h.table.Store(&table{})
	return h
}

// of is the guards of a pool, for reading.
func (h *health) of(p pool) map[inference.Region]*guard { return (*h.table.Load())[p] }

// guard is the target's guard, a new one at its first attempt.
func (h *health) guard(t inference.Target) *guard {
	p := poolOf(t)
	if g := h.of(p)[t.Region]; g != nil {
		return g
	}
	h.adding.Lock()
	defer h.adding.Unlock()
	if g := h.of(p)[t.Region]; g != nil {
		return g
	}
	g := &guard{breaker: breaker{config: &h.config}}
	regions := map[inference.Region]*guard{t.Region: g}
	maps.Copy(regions, h.of(p))
	pools := maps.Clone(*h.table.Load())
	pools[p] = regions
	h.table.Store(&pools)
	return g
}

func (h *health) states(now time.Time) []TargetState {
	states := []TargetState{}
	for p, regions := range *h.table.Load() {
		for region, g := range regions {
			s := g.state(now)
			s.Region, s.Account, s.Model = region, p.account, p.model
			states = append(states, s)
		}
	}
	slices.SortFunc(states, func(a, b TargetState) int {
		return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Account, b.Account))
	})
	return states
}

// guard is a breaker for concurrent use.
type guard struct {
	mu      sync.Mutex
	breaker breaker

	// away is the instant, in Unix nanoseconds, up to which calls go elsewhere:
	// 0 while closed, the end of the hold, or never while a probe is out. Plan
	// reads it without the lock.
	away atomic.Int64
}

// outOfUse reports whether a call planned at now, in Unix nanoseconds, should
// try other targets first.
func (g *guard) outOfUse(now int64) bool { return now < g.away.Load() }

func (g *guard) admit(now time.Time) (admission, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer g.publish()
	return g.breaker.admit(now)
}

func (g *guard) force() admission {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.breaker.force()
}

func (g *guard) settle(a admission, e ending, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer g.publish()
	g.breaker.settle(a, e, now)
}

func (g *guard) publish() {
	switch b := &g.breaker; {
	case b.openUntil.IsZero():
		g.away.Store(0)
	case b.probing:
		g.away.Store(math.MaxInt64)
	default:
		g.away.Store(b.openUntil.UnixNano())
	}
}

// state leaves the target's name to the caller.
func (g *guard) state(now time.Time) TargetState {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := TargetState{State: g.breaker.state(now), Failures: g.breaker.streak}
	if until := g.breaker.openUntil; !until.IsZero() {
		s.Until = &until
	}
	return s
}
