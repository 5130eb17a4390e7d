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
	InFlight int              `json:"in_flight"`            // calls that have not ended

	FirstContentMS    int64    `json:"first_content_ms,omitempty"`    // expected of a stream, or of a unary call where there were none
	QuotaLeft         *float64 `json:"quota_left,omitempty"`          // share of it, nil where no limit is known
	TokensPerMinute   int64    `json:"tokens_per_minute,omitempty"`   // the limit in force here, 0 for none
	RequestsPerMinute int64    `json:"requests_per_minute,omitempty"` // likewise
	QuotaLearned      bool     `json:"quota_learned,omitempty"`       // from throttles: the limits are not configured
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

// health holds a guard for each target that was ever planned. Readers take the
// table as it is; a new target replaces it.
type health struct {
	config  BreakerConfig
	retries budget
	hedges  budget
	purse   purse // of probes
	table   atomic.Pointer[table]

	adding sync.Mutex         // guards to the table
	paces  map[string]*pacing // of all targets under a model id
}

func newHealth(c BreakerConfig) *health {
	h := &health{config: c.withDefaults(), paces: make(map[string]*pacing)}
	h.table.Store(&table{})
	return h
}

// of is the guards of a pool, for reading.
func (h *health) of(p pool) map[inference.Region]*guard { return (*h.table.Load())[p] }

// guard is the target's guard, a new one when it is first seen.
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
	if h.paces[t.Model] == nil {
		h.paces[t.Model] = new(pacing)
	}
	g := &guard{target: t, breaker: breaker{config: &h.config}, load: load{peers: h.paces[t.Model]}}
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
			if g.used.Load() == 0 {
				continue
			}
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

// guard is all that is known of one target. It is safe for concurrent use.
type guard struct {
	target inference.Target
	load   load
	used   atomic.Int64 // when a call last began, in Unix nanoseconds; 0 for never

	mu          sync.Mutex
	breaker     breaker
	entitlement entitlement
	window      window
	bucket      bucket // written under mu

	// away and barred are the instants, in Unix nanoseconds, up to which calls go
	// elsewhere since the breaker is open, and since the account is not entitled: 0
	// where neither is so, the end of the hold, or never while one call is out to
	// see. Plan reads them without the lock.
	away, barred atomic.Int64

	hangs atomic.Bool // its last failure was long in coming
}

// quick is how soon a failure comes that costs a call nothing to meet.
const quick = time.Second

// outOfUse reports whether a call planned at now, in Unix nanoseconds, should
// try other targets first, since the breaker is open.
func (g *guard) outOfUse(now int64) bool { return now < g.away.Load() }

// notEntitled reports whether it should since the account may not use the target.
func (g *guard) notEntitled(now int64) bool { return now < g.barred.Load() }

// usable reports whether calls are admitted.
func (g *guard) usable(now time.Time) bool {
	at := now.UnixNano()
	return !g.outOfUse(at) && !g.notEntitled(at)
}

// never is an instant that no hold ends at.
const never = math.MaxInt64

// back is when the target comes back into use, in Unix nanoseconds: in the past where
// it is in use, never while one call is out to see.
func (g *guard) back() int64 { return max(g.away.Load(), g.barred.Load()) }

// isBefore reports whether the target is to be tried before another, where both are out
// of use: entitled ones first, then the one that was tried the longest ago.
func (g *guard) isBefore(other *guard, now time.Time) bool {
	at := now.UnixNano()
	if barred := g.notEntitled(at); barred != other.notEntitled(at) {
		return !barred
	}
	return g.used.Load() < other.used.Load()
}

// isDead reports whether nothing is to be hoped for from the target, which is out of
// use, within d: it has been out for as long, and was tried meanwhile.
func (g *guard) isDead(d time.Duration, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	tried := now.UnixNano()-g.used.Load() < int64(d)
	return g.entitlement.refusal != nil || tried && now.Sub(g.breaker.since) >= d
}

func (g *guard) admit(now time.Time) (admission, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer g.publish()
	check, ok := g.entitlement.admit(now)
	if !ok {
		return admission{}, false
	}
	a, ok := g.breaker.admit(now)
	a.check = check
	if !ok && check {
		g.entitlement.checking = false
	}
	return a, ok
}

func (g *guard) force() admission {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.breaker.force()
}

// settle takes in how an admitted or forced call ended. It reports whether that
// ended a window: then the target is to be compared with its peers.
func (g *guard) settle(a admission, e ending, now time.Time) (compare bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.count(a, e, now)
}

// answered is settle for a call that began then and whose first content came after d.
func (g *guard) answered(a admission, streams bool, began time.Time, d time.Duration, now time.Time) (compare bool) {
	g.load.seen(streams, d, now)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.bucket.answered(began)
	compare = g.count(a, succeeded, now)
	g.window.seen(streams, d)
	return compare
}

func (g *guard) count(a admission, e ending, now time.Time) (compare bool) {
	g.breaker.settle(a, e, now)
	if a.check {
		g.entitlement.checking = false
	}
	if e == succeeded && g.entitlement.refusal != nil {
		g.entitlement = entitlement{}
	}
	g.publish()
	return g.window.count(e, now)
}

// fail is settle for a call that failed. Where it is excused, a region's refusal may
// be about something else than the model.
func (g *guard) fail(a admission, e *inference.Error, v verdict, excused bool, now time.Time) (compare bool) {
	switch {
	case e.Kind == inference.Throttling:
		g.throttled(e.RetryAfter, now)
	case refuses(e) && !excused:
		g.refuse(a, e, now)
		return false
	}
	return g.settle(a, v.ending(), now)
}

// cut takes in that an answer broke off after its first content, and told that one was
// told to its end. See count.
func (g *guard) cut(now time.Time) (compare bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.breaker.cut(now)
	g.publish()
	return g.window.count(failed, now)
}

func (g *guard) told() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.breaker.cuts = 0
}

// refuse is settle for a call that the region refused to the account.
func (g *guard) refuse(a admission, e *inference.Error, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer g.publish()
	g.breaker.settle(a, untold, now)
	g.entitlement.refuse(e, now)
}

// refusal is what the region last said where the account is not entitled, or nil.
func (g *guard) refusal() *inference.Error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.entitlement.refusal
}

// enter takes in that a call begins, which may use as many tokens.
func (g *guard) enter(tokens int, now time.Time) {
	g.load.enter()
	g.used.Store(now.UnixNano())
	g.mu.Lock()
	defer g.mu.Unlock()
	g.bucket.take(tokens, now)
}

// leave takes in that it has ended, having used burnt of the reserved tokens.
func (g *guard) leave(reserved, burnt int, now time.Time) {
	g.load.leave()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.bucket.settle(reserved, burnt, now)
}

// throttled takes in that the quota is used up.
func (g *guard) throttled(retryAfter time.Duration, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.bucket.throttled(retryAfter, now)
}

func (g *guard) publish() {
	switch b := &g.breaker; {
	case b.openUntil.IsZero():
		g.away.Store(0)
	case b.probing:
		g.away.Store(never)
	default:
		g.away.Store(b.openUntil.UnixNano())
	}
	switch e := &g.entitlement; {
	case e.refusal == nil:
		g.barred.Store(0)
	case e.checking:
		g.barred.Store(never)
	default:
		g.barred.Store(e.until.UnixNano())
	}
}

// state leaves the target's name to the caller.
func (g *guard) state(now time.Time) TargetState {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := TargetState{State: g.breaker.state(now), Failures: g.breaker.streak, InFlight: g.load.inFlight()}
	until := g.breaker.openUntil
	if g.entitlement.refusal != nil && until.IsZero() {
		s.State, until = NotEntitled, g.entitlement.until
	}
	if !until.IsZero() {
		s.Until = &until
	}
	g.measure(&s, now.UnixNano())
	return s
}

// measure adds what was measured.
func (g *guard) measure(s *TargetState, now int64) {
	for _, streams := range [...]bool{true, false} {
		if s.FirstContentMS == 0 && g.load.of(streams).at.Load() != 0 {
			usual := g.load.usual(streams)
			s.FirstContentMS = g.load.expected(streams, usual, now).Milliseconds()
		}
	}
	tokens, requests := &g.bucket.tokens, &g.bucket.requests
	s.TokensPerMinute, s.RequestsPerMinute = max(0, tokens.bound(now)), max(0, requests.bound(now))
	s.QuotaLearned = g.bucket.isLearned(now)
	if g.bucket.bounds(now) {
		_, left := g.bucket.look(0, now)
		share := left.Minutes()
		s.QuotaLeft = &share
	}
}
