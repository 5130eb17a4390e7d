package simulate

import (
	"math"
	"math/rand/v2"
	"time"
)

// dice is chance that can be started anew from a seed at no cost.
type dice struct {
	source *rand.PCG
	*rand.Rand
}

func newDice(seed, stream uint64) dice {
	source := rand.NewPCG(seed, stream)
	return dice{source, rand.New(source)}
}

// count draws a number of tokens, from 1 to most.
func (d dice) count(of Lognormal, most int) int {
	n := of.Median * math.Exp(of.Sigma*d.NormFloat64())
	return int(min(max(n, 1), float64(most)))
}

// spread draws a duration around a median.
func (d dice) spread(median time.Duration, sigma float64) time.Duration {
	return time.Duration(float64(median) * math.Exp(sigma*d.NormFloat64()))
}

// hits reports true for a share of the throws. What is sure takes no throw.
func (d dice) hits(share float64) bool {
	return share > 0 && (share >= 1 || d.Float64() < share)
}
