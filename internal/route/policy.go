package route

import (
	"math"
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
		return prequal(v)
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
func prequal(v *view) uint64 {
	if v.hot {
		return uint64(max(v.inFlight, 0))
	}
	return uint64(v.expected / time.Microsecond)
}

// chance draws without putting back: the exponential race, whose first is each with
// the probability of its weight.
func chance(seed uint64, c *candidate) uint64 {
	u := (float64(mix(seed^c.seed)>>11) + 0.5) / (1 << 53)
	return scaled(-math.Log(u) / c.weight)
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

// A target is hot with more calls in flight than most usable ones have, and more than a
// few; or with little of its quota left, so that load moves before it throttles.
const (
	most   = 0.84 // Prequal's quantile
	few    = 16
	scarce = time.Minute / 8
)

// crowd is the number of calls in flight above which a target is hot, to a 64th.
func crowd(seen []view) int32 {
	peak, usable := int32(0), 0
	for i := range seen {
		if seen[i].class == 0 {
			peak = max(peak, seen[i].inFlight)
			usable++
		}
	}
	if peak <= few {
		return few
	}
	var counts [64]int
	shift := max(bits.Len32(uint32(peak))-6, 0)
	for i := range seen {
		if seen[i].class == 0 {
			counts[max(seen[i].inFlight, 0)>>shift]++
		}
	}
	within := 0
	for i := range counts {
		if within += counts[i]; within > int(most*float64(usable-1)) {
			return max(few, int32(i+1)<<shift-1)
		}
	}
	return peak
}
