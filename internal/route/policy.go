package route

import (
	"math/bits"
	"time"

	"fairway/internal/inference"
)

// ruling is what decides among the targets of a tier.
type ruling uint8

const (
	listing ruling = iota // the slate's order
	byLatency
	byChance
	byLoad
	byPrice
	inTurn
	byPrequal
)

// rulingOf is what a policy comes to on a route.
func rulingOf(p inference.Policy, r *Route) ruling {
	switch p {
	case inference.Latency:
		return byLatency
	case inference.LeastLoad:
		return byLoad
	case inference.Cost:
		return byPrice
	case inference.RoundRobin:
		return inTurn
	case inference.Adaptive, "":
		return byPrequal
	case inference.Weighted:
		if len(r.Weights) > 0 {
			return byChance
		}
	}
	return listing
}

// score is what the ruling makes of a target: the lower the sooner it is tried, equal
// scores keep the slate's order.
func (p *planner) score(c *candidate, v *view) uint64 {
	switch p.ruling {
	case byPrequal:
		return p.prequal(v)
	case byLatency:
		return uint64(v.expected / time.Microsecond)
	case byLoad:
		return scaled(float64(max(v.inFlight, 0)) / c.weight)
	case byPrice:
		return uint64(min(c.price, worst))
	case byChance:
		return chance(p.call.Seed, c)
	}
	return 0 // inTurn rotates that
}

// prequal is after Prequal (Wydrowski et al., NSDI 2024): among the cold the soonest
// answer, among the hot the fewest calls in flight. The hot bit puts those behind.
// Answers that come about as soon are equal: the order decides, not chance.
func (p *planner) prequal(v *view) uint64 {
	if v.hot {
		return uint64(max(v.inFlight, 0))
	}
	return uint64(max(0, v.charge-p.soonest) * p.steps)
}

// near is the difference that counts, as a share of the soonest: about as much as a
// region that is near has before one that is not.
const near = 1. / 16

// weigh finds what the soonest of the best class is expected to take, the cold first.
func (p *planner) weigh(seen []view) {
	if p.ruling != byPrequal {
		return
	}
	best, hot := ^class(0), true
	for i := range seen {
		switch v := &seen[i]; {
		case v.class > best, v.class == best && v.hot && !hot:
		case v.class < best, hot && !v.hot, v.charge < p.soonest:
			best, hot, p.soonest = v.class, v.hot, v.charge
		}
	}
	p.steps = 1 / max(1, near*p.soonest)
}

// lookEvery is of how many calls one goes to the target that was seen longest ago, for
// expectations to have something to go by: three in a hundred tell that a far region
// has become the better one, and cost little while it has not.
const lookEvery = 32

// isBrisk reports whether enough calls come to spare one of them: a few by hand go where
// they are expected to.
func (p *planner) isBrisk() bool {
	peers := p.slate.candidates[0].guard.load.peers
	if peers == nil {
		return false
	}
	all := peers.of(p.call.Streams)
	return halved(all.count.Load(), p.now-all.at.Load(), countHalfBits) >= longRun*3/4
}

// lookAround puts the target first that was seen longest ago, for the calls whose seed
// says so.
func (p *planner) lookAround(ranks []rank, seen []view) {
	best, _ := tierOf(ranks)
	if p.ruling != byPrequal || mix(p.call.Seed)%lookEvery != 0 || best&lastPlace != lastPlace || !p.isBrisk() {
		return
	}
	oldest, since := -1, int64(0)
	for i, at := range ranks {
		if at.tier() != best || seen[i].hot {
			continue
		}
		if last := p.slate.candidates[i].guard.load.of(p.call.Streams).at.Load(); oldest < 0 || last < since {
			oldest, since = i, last
		}
	}
	if oldest >= 0 {
		ranks[oldest] &^= awayBit
		seen[oldest].around = true
	}
}

// chance draws without putting back: the exponential race, whose first is each with
// the probability of its weight.
func chance(seed uint64, c *candidate) uint64 {
	return scaled(waited(mix(seed^c.seed)) / c.weight)
}

// waited is -log2 of n as a share of 2^64, to 0.0002: a polynomial fitted to the logarithm
// of the fraction, since a plan takes one for each target.
func waited(n uint64) float64 {
	zeros := bits.LeadingZeros64(n | 1)
	f := float64(n<<zeros<<1>>11) / (1 << 53)
	return float64(zeros+1) - f - f*(1-f)*(0.438073+f*(0.080307*f-0.236693))
}

// scaled is f as a score, to a millionth. What is divided by no weight is the worst.
func scaled(f float64) uint64 {
	if f *= 1e6; f < worst {
		return uint64(f)
	}
	return worst
}

// rotate gives each target of the best tier its turn.
func (p *planner) rotate(ranks []rank) {
	best, size := tierOf(ranks)
	if size == 0 {
		return
	}
	nth := -(int(p.slate.turn.Add(1)-1) % size)
	for i, at := range ranks {
		if at.tier() != best {
			continue
		}
		after := nth
		if after < 0 {
			after += size
		}
		ranks[i] |= rank(after) << indexBits
		nth++
	}
}

// tierOf is the best tier, and how many are in it.
func tierOf(ranks []rank) (best rank, size int) {
	for _, at := range ranks {
		switch tier := at.tier(); {
		case size == 0 || tier < best:
			best, size = tier, 1
		case tier == best:
			size++
		}
	}
	return best, size
}

// What is left of a quota counts before it is used up, so that load moves before it
// throttles: with less than half a minute's left a target is by and by taken for slower,
// up to half as slow again, and with scarce left for hot.
const (
	low    = time.Minute / 2
	scarce = time.Minute / 8
)

// dearer is how long a target is taken to need which has as much quota left.
func dearer(expected, left time.Duration) float64 {
	d := float64(expected)
	if left < low {
		d += d * (low - left).Minutes()
	}
	return d
}
