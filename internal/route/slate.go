package route

import (
	"cmp"
	"hash/fnv"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"fairway/internal/inference"
)

// slate is all of a plan that does not change from call to call: the targets of a
// grant that a route and a principal's residency admit, in the order that every policy
// keeps where nothing else counts.
type slate struct {
	candidates []candidate
	turn       *atomic.Uint32 // of RoundRobin
}

// candidate is a target with what policies ask about it.
type candidate struct {
	target      inference.Target
	guard       *guard
	destination *inference.Destination // that it enters in, nil for the caller's own
	source      source
	nth         int // of those from there
	strays      bool

	written uint8   // its place where no policy was chosen
	chosen  uint8   // and where one was
	weight  float64 // 0 is never first
	price   inference.Money
	seed    uint64 // of its rendezvous
}

// source is what names a target.
type source uint8

const (
	byOrder     source = iota // the configured order
	byStatement               // a statement names its region
	bySource                  // it is in the source region
	byCatalog
	byProfile // the caller's own
)

// A place is worse than all below it. The policy decides among the targets of one
// place: those that neither the order nor, where no policy was chosen, a statement
// names are all in the last.
const lastPlace = math.MaxUint8

// maxCandidates is how many targets are planned for one model; further ones are not
// used. It is all regions times a hundred accounts.
const maxCandidates = 1 << indexBits

// unpriced is behind every price.
const unpriced inference.Money = math.MaxInt64

// slates keeps those of grants that come again, by what they are made of.
type slates struct {
	mu   sync.RWMutex
	kept map[slateKey]*slate
	turn atomic.Uint32 // of all that are not kept
}

type slateKey struct {
	grant     *inference.Grant
	route     *Route
	residency *Residency
}

// maxSlates is how many are kept before all are forgotten: grants of a backend that
// was replaced do not come again.
const maxSlates = 4096

// slate is the call's, mostly one that is there already.
func (r *Router) slate(c *Call) *slate {
	key := slateKey{c.Grant, c.Route, r.residency[c.Principal]}
	if !c.Grant.Shared {
		return r.draw(key)
	}
	r.slates.mu.RLock()
	s := r.slates.kept[key]
	r.slates.mu.RUnlock()
	if s != nil {
		return s
	}
	r.slates.mu.Lock()
	defer r.slates.mu.Unlock()
	if s := r.slates.kept[key]; s != nil {
		return s
	}
	if r.slates.kept == nil || len(r.slates.kept) >= maxSlates {
		r.slates.kept = make(map[slateKey]*slate)
	}
	s = r.draw(key)
	s.turn = new(atomic.Uint32)
	r.slates.kept[key] = s
	return s
}

// draw makes a slate: the targets that enter in the destinations, and last the
// caller's own, the profile in its source region, where that is not among them.
func (r *Router) draw(key slateKey) *slate {
	d := drawing{router: r, slateKey: key, slate: &slate{turn: &r.slates.turn}}
	d.slate.candidates = make([]candidate, 0, len(key.grant.Destinations)+1)
	for _, ranked := range d.ranked() {
		for i := 0; ; i++ {
			t, ok := r.targets.Enter(&key.grant.Profile, ranked.destination.Region, i)
			if !ok {
				break
			}
			d.add(t, ranked)
		}
	}
	for i := 0; ; i++ {
		t, ok := r.targets.Own(&key.grant.Profile, i)
		if !ok {
			return d.slate
		}
		if !slices.ContainsFunc(d.slate.candidates, func(c candidate) bool { return poolOf(c.target) == poolOf(t) && c.target.Region == t.Region }) {
			d.add(t, rankedDestination{source: byProfile})
		}
	}
}

// drawing is one draw under way.
type drawing struct {
	router *Router
	slateKey
	slate *slate

	runSet []inference.Region // of the last target that has one
	within int                // how many of its regions are granted
}

// rankedDestination is a destination with what gave it its rank.
type rankedDestination struct {
	destination *inference.Destination
	source      source
	nth         int
}

// ranked are the grant's destinations: those of the route's order, then those that a
// statement names, as written, then the source region, then the others in catalog
// order.
func (d *drawing) ranked() []rankedDestination {
	ranked := make([]rankedDestination, len(d.grant.Destinations))
	for i := range d.grant.Destinations {
		to := &d.grant.Destinations[i]
		ranked[i] = rankedDestination{to, byCatalog, i}
		if nth := slices.Index(d.route.Order, to.Region); nth >= 0 {
			ranked[i].source, ranked[i].nth = byOrder, nth
		} else if to.Named {
			ranked[i].source = byStatement
		} else if to.Region == d.grant.Profile.SourceRegion {
			ranked[i].source = bySource
		}
	}
	slices.SortStableFunc(ranked, func(a, b rankedDestination) int {
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.nth, b.nth))
	})
	for i, named := 0, 0; i < len(ranked); i++ {
		if ranked[i].source == byStatement {
			ranked[i].nth = named
			named++
		}
	}
	return ranked
}

// add puts a target behind the others, if residency and its run set let it be used.
func (d *drawing) add(t inference.Target, at rankedDestination) {
	granted, whole := d.granted(&t, at.destination), max(len(t.RunSet), 1)
	switch {
	case len(d.slate.candidates) == maxCandidates,
		granted == 0,
		granted < whole && d.router.pinning != BestEffort,
		!d.route.Residency.Admits(&t),
		d.residency != nil && !d.residency.Admits(&t):
		return
	}
	c := candidate{
		target: t, guard: d.router.health.guard(t),
		destination: at.destination, source: at.source, nth: at.nth, strays: granted < whole,
		written: lastPlace, chosen: lastPlace,
		weight: 1, price: d.router.priceOf(t.Model), seed: seedOf(&t),
	}
	switch at.source {
	case byOrder:
		c.chosen = uint8(min(at.nth, lastPlace-1))
		c.written = c.chosen
	case byStatement:
		c.written = uint8(min(len(d.route.Order)+at.nth, lastPlace-1))
	}
	if weight, ok := d.route.Weights[t.Region]; ok {
		c.weight = weight
	}
	c.guard.meter(d.router.quotaOf(&t), d.router.start, d.router.clock)
	d.slate.candidates = append(d.slate.candidates, c)
}

// granted counts the granted regions that t may run in. A profile mostly has the
// same run set wherever it is entered: the last one is not counted again.
func (d *drawing) granted(t *inference.Target, in *inference.Destination) int {
	if t.RunSet == nil && in != nil && t.Region == in.Region {
		return 1
	}
	if t.RunSet != nil && slices.Equal(t.RunSet, d.runSet) {
		return d.within
	}
	d.runSet, d.within = t.RunSet, 0
	for _, to := range d.grant.Destinations {
		if t.RunsIn(to.Region) {
			d.within++
		}
	}
	return d.within
}

func (r *Router) priceOf(model string) inference.Money {
	if r.price != nil {
		if price, ok := r.price(model); ok {
			return price
		}
	}
	return unpriced
}

// quotaOf is what is configured for a target, the zero Quota where nothing is.
func (r *Router) quotaOf(t *inference.Target) Quota {
	for _, q := range r.quotas {
		if among(q.Regions, t.Region) && among(q.Accounts, t.Account) && matches(q.Models, t.Model) {
			return q
		}
	}
	return Quota{}
}

// seedOf is the same in every process: gateways side by side agree about homes.
func seedOf(t *inference.Target) uint64 {
	h := fnv.New64a()
	h.Write([]byte(t.Region))
	h.Write([]byte{0})
	h.Write([]byte(t.Account))
	return h.Sum64()
}
