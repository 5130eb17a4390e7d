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

// Plan appends to buf the targets of a call, best first. Where nothing else counts
// they are those that enter in
//
//  1. destinations that the route's order names, in that order
//  2. destinations that a statement names, as written
//  3. the source region
//  4. the others, in catalog order
//
// and last the caller's own, the profile in its source region, where that is not among
// them. A policy that was chosen orders all that the route's order does not name; where
// none was, Adaptive orders those behind the named ones, and the accounts of a region.
// A call that shares its prompt with others goes to its home first, see affinity.go.
//
// Class comes before all of that, see the classes. Nothing is left out but what could
// run outside of the grant, unless pinning allows it, or of the residency.
//
// Plan reads the state of targets without waiting for anyone. It allocates only when
// buf is too small, or for a grant that is not shared.
func (r *Router) Plan(buf []Choice, c *Call, now time.Time) []Choice {
	p := planner{
		router: r, call: c, slate: r.slate(c), now: now.UnixNano(),
		ruling: rulingOf(c.policy(), c.Route), written: c.policy() == "",
	}
	var views [roomy]view
	var ranks [roomy]rank
	seen, order := p.look(views[:0]), ranks[:0]
	p.weigh(seen)
	order = p.rank(order, seen)
	p.lookAround(order, seen)
	p.bringHome(order, seen)
	sortRanks(order)
	for _, at := range order {
		from := &p.slate.candidates[at.index()]
		buf = append(buf, Choice{Target: &from.target, Profile: &c.Grant.Profile, guard: from.guard})
		p.explain(&buf[len(buf)-1].why, from, &seen[at.index()], at)
	}
	return buf
}

// roomy is how many targets are planned without asking for memory.
const roomy = 64

// planner is one Plan under way.
type planner struct {
	router  *Router
	call    *Call
	slate   *slate
	now     int64 // Unix nanoseconds
	ruling  ruling
	written bool // no policy was chosen: named destinations stay as written
	tokens  int  // that the call reserves, 0 where no quota asks

	soonest float64 // charge of the cold
	steps   float64 // differences that count in a nanosecond
}

// class is how usable a target is. Each bit makes it worse than all that have only
// lower ones.
type class uint8

const (
	tight  class = 1 << iota // its quota has no room for the call
	strays                   // its run set leaves the grant
	open                     // its breaker is
	barred                   // our account is not entitled there
)

// view is what a plan saw of a target.
type view struct {
	expected time.Duration // to first content
	charge   float64       // that the policy sees in its place, dearer where quota is low
	inFlight int32
	class    class
	home     home
	hot      bool
	around   bool // it is first to be looked at
	scarce   bool // hot for the little that is left of its quota
}

// look takes in the state of each candidate.
func (p *planner) look(seen []view) []view {
	metered, prior := p.survey()
	if metered {
		outline := p.call.outline()
		p.tokens = outline.InputTokens + outline.MaxTokens
	}
	for i := range p.slate.candidates {
		c := &p.slate.candidates[i]
		v := view{
			expected: c.guard.load.expected(p.call.Streams, prior, p.now),
			inFlight: c.guard.load.flying.Load(),
			class:    p.class(c),
		}
		v.charge = float64(v.expected)
		if metered {
			wait, left := c.guard.bucket.look(p.tokens, p.now)
			if wait > 0 {
				v.class |= tight
				c.guard.bucket.miss(p.now)
			}
			v.scarce = left < scarce
			v.charge = dearer(v.expected, left)
		}
		v.hot = v.scarce || c.guard.load.hot(v.inFlight)
		seen = append(seen, v)
	}
	return seen
}

// survey reports whether any candidate has a quota, and what to expect of one that was
// not seen of late: somewhat more than is usual, so that it is not preferred to one that
// is as usual, nor shunned when that is slow.
func (p *planner) survey() (metered bool, prior time.Duration) {
	var peers *pacing
	for i := range p.slate.candidates {
		g := p.slate.candidates[i].guard
		metered = metered || g.bucket.bounds(p.now)
		if g.load.peers != peers {
			peers = g.load.peers
			prior = max(prior, g.load.usual(p.call.Streams))
		}
	}
	return metered, prior + prior/4
}

// class is all but whether the target's quota is tight.
func (p *planner) class(c *candidate) class {
	var is class
	if c.strays {
		is |= strays
	}
	if c.guard.outOfUse(p.now) {
		is |= open
	}
	if c.guard.notEntitled(p.now) {
		is |= barred
	}
	return is
}

// rank is what targets are sorted by, from the high bits to the low ones: class, place,
// whether it is the home, whether it is hot, what the policy says, and the index on the
// slate, so that ranks are all different and equal ones keep its order.
type rank uint64

const (
	indexBits = 12
	scoreBits = 38
	hotBit    = 1 << (indexBits + scoreBits)
	awayBit   = hotBit << 1
	placeBits = 8
	placeAt   = indexBits + scoreBits + 2
	classAt   = placeAt + placeBits
	worst     = 1<<scoreBits - 1 // score
)

func (r rank) index() int { return int(r & (1<<indexBits - 1)) }

// tier is class and place.
func (r rank) tier() rank { return r >> placeAt }

// rank appends the candidates' ranks, as the policy has them.
func (p *planner) rank(ranks []rank, seen []view) []rank {
	for i := range seen {
		c, v := &p.slate.candidates[i], &seen[i]
		place := c.chosen
		if p.written {
			place = c.written
		}
		at := rank(v.class)<<classAt | rank(place)<<placeAt | awayBit | rank(min(p.score(c, v), worst))<<indexBits | rank(i)
		if v.hot && p.ruling == byPrequal {
			at |= hotBit
		}
		ranks = append(ranks, at)
	}
	if p.ruling == inTurn {
		p.rotate(ranks)
	}
	return ranks
}

// sortRanks is slices.Sort, in half the time for as few as there mostly are.
func sortRanks(ranks []rank) {
	if len(ranks) > roomy {
		slices.Sort(ranks)
		return
	}
	for i, at := range ranks {
		for ; i > 0 && ranks[i-1] > at; i-- {
			ranks[i] = ranks[i-1]
		}
		ranks[i] = at
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
