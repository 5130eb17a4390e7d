package route

import (
	"slices"
	"time"

	"fairway/internal/inference"
)

// Targets says what there is to call for a profile. Each method is asked for i from
// 0 up to the first that is not there: there is one for each account.
type Targets interface {
	// Enter is the i-th target that enters in region and runs the model of p.
	Enter(p *inference.Profile, region inference.Region, i int) (inference.Target, bool)

	// Own is the i-th target that calls p itself from its source region.
	Own(p *inference.Profile, i int) (inference.Target, bool)
}

// Pinning is what becomes of a target that may run where the call may not.
type Pinning string

// The settings. A target that cannot run where the call may is never used.
const (
	Strict     Pinning = "strict"      // it is not used
	BestEffort Pinning = "best-effort" // it is used after all others
)

// Plan appends to buf the targets of a call, best first: those that enter in
//
//  1. destinations that the configured order names, in that order
//  2. destinations that a statement names, as written
//  3. the source region
//  4. the others, in catalog order
//
// and last the caller's own, the profile in its source region, where that is not
// among them. A target whose whole run set lies in the grant is used as it is;
// Pinning decides about one whose run set leaves it, and such targets go behind.
// Targets whose breaker is open go last, in the same order, and are never left
// out. Plan depends on nothing but the grant, the breakers and now. It allocates
// only when buf is too small.
func (r *Router) Plan(buf []inference.Target, g *inference.Grant, now time.Time) []inference.Target {
	p := planner{router: r, grant: g, now: now.UnixNano(), start: len(buf)}
	for c := range p.ends {
		p.ends[c] = len(buf)
	}
	var space [64]int
	for _, rank := range r.ranked(space[:0], g) {
		buf = p.enter(buf, g.Destinations[rank&maxIndex].Region)
	}
	return p.own(buf)
}

// planner is one Plan under way. The plan itself is handed from step to step, so
// that it may live on its caller's stack.
type planner struct {
	router *Router
	grant  *inference.Grant
	now    int64        // Unix nanoseconds
	start  int          // of the plan in its buffer
	ends   [classes]int // where the targets of each class end in the plan

	pool   pool // of the last target
	guards map[inference.Region]*guard

	runSet []inference.Region // of the last target that has one
	within int                // how many of its regions are granted
}

// The classes of targets are in the order to try them. Each bit makes a target
// worse than all that do not have it.
const (
	strays  = 1 << iota // its run set leaves the grant
	open                // its breaker is
	classes = 1 << iota
)

// enter adds the targets that enter in a destination of the grant.
func (p *planner) enter(plan []inference.Target, region inference.Region) []inference.Target {
	for i := 0; ; i++ {
		t, ok := p.router.targets.Enter(&p.grant.Profile, region, i)
		switch {
		case !ok:
			return plan
		case t.RunSet == nil: // it runs where it enters
			plan = p.add(plan, &t, 0)
		default:
			plan = p.admit(plan, &t)
		}
	}
}

// own adds the caller's own targets, where they are not there yet.
func (p *planner) own(plan []inference.Target) []inference.Target {
	for i := 0; ; i++ {
		t, ok := p.router.targets.Own(&p.grant.Profile, i)
		if !ok {
			return plan
		}
		if !slices.ContainsFunc(plan[p.start:], func(o inference.Target) bool { return poolOf(o) == poolOf(t) && o.Region == t.Region }) {
			plan = p.admit(plan, &t)
		}
	}
}

// admit adds a target if its run set lets it be used.
func (p *planner) admit(plan []inference.Target, t *inference.Target) []inference.Target {
	switch granted := p.granted(t); {
	case granted == max(len(t.RunSet), 1):
		return p.add(plan, t, 0)
	case granted > 0 && p.router.pinning == BestEffort:
		return p.add(plan, t, strays)
	}
	return plan
}

// granted counts the granted regions that t may run in. A profile mostly has the
// same run set wherever it is entered: the last one is not counted again.
func (p *planner) granted(t *inference.Target) int {
	if t.RunSet != nil && slices.Equal(t.RunSet, p.runSet) {
		return p.within
	}
	p.runSet, p.within = t.RunSet, 0
	for _, d := range p.grant.Destinations {
		if t.RunsIn(d.Region) {
			p.within++
		}
	}
	return p.within
}

// add puts a target behind those of its class.
func (p *planner) add(plan []inference.Target, t *inference.Target, class int) []inference.Target {
	if pool := (pool{t.Account, t.Model}); p.guards == nil || pool != p.pool {
		p.pool, p.guards = pool, p.router.health.of(pool)
	}
	if guard := p.guards[t.Region]; guard != nil && guard.outOfUse(p.now) {
		class |= open
	}
	if at := p.ends[class]; at == len(plan) {
		plan = append(plan, *t)
	} else {
		plan = slices.Insert(plan, at, *t)
	}
	for ; class < classes; class++ {
		p.ends[class]++
	}
	return plan
}

// A rank carries the index of its destination in the low bits: ranks are all
// different, and equal places keep the grant's order.
const (
	indexBits = 16
	maxIndex  = 1<<indexBits - 1
)

// ranked appends the destinations' ranks to the empty ranks, the lowest first.
// It is an insertion sort, since grants come nearly in order.
func (r *Router) ranked(ranks []int, g *inference.Grant) []int {
	for i := range g.Destinations {
		rank, to := r.place(g, &g.Destinations[i])<<indexBits|i, i
		ranks = append(ranks, rank)
		for ; to > 0 && ranks[to-1] > rank; to-- {
			ranks[to] = ranks[to-1]
		}
		ranks[to] = rank
	}
	return ranks
}

// place is where a destination stands, 0 the first.
func (r *Router) place(g *inference.Grant, d *inference.Destination) int {
	if len(r.order) > 0 {
		if place, ok := r.order[d.Region]; ok {
			return place
		}
	}
	switch {
	case d.Named:
		return len(r.order)
	case d.Region == g.Profile.SourceRegion:
		return len(r.order) + 1
	default:
		return len(r.order) + 2
	}
}

// pinned targets are the foundation model in each destination, under its own id.
type pinned struct{ simulated bool }

// Enter is the model in region.
func (p pinned) Enter(profile *inference.Profile, region inference.Region, i int) (inference.Target, bool) {
	return inference.Target{Region: region, Model: string(profile.Model), Simulated: p.simulated}, i == 0
}

// Own is none: such regions have no profiles.
func (pinned) Own(*inference.Profile, int) (inference.Target, bool) { return inference.Target{}, false }
