package capacity

import (
	"math"

	"fairway/internal/inference"
)

// Load is how many calls come.
type Load struct {
	PerMinute float64 `json:"calls_per_minute"` // at the peak
	Seconds   float64 `json:"seconds_per_call"` // that one is under way
}

// Demand is what calls at the peak take. A region's quota is a bucket of tokens that is
// refilled in a minute: a call takes its input and max_tokens when it begins, and when it
// ends it has taken its input and each token of output as many times as the model's
// burndown says (facts bedrock.md 2.2).
type Demand struct {
	Load
	Input  int `json:"input_tokens_per_minute"` // as they are billed, at the peak
	Output int `json:"output_tokens_per_minute"`

	Burndown int     `json:"output_burndown"`
	Reserved int     `json:"reserved_tokens_per_call"` // when it begins
	Burnt    int     `json:"burnt_tokens_per_call"`    // when it has ended
	InFlight float64 `json:"calls_in_flight"`
	Needed   int     `json:"needed_tokens_per_minute"` // of quota, in one region
}

// spare is how many standard deviations of a Poisson process the quota has to spare for
// minutes in which more calls come than on average: 3 are one minute of 700.
const spare = 3

func demand(q *Quote, burndown int, load Load) Demand {
	d := Demand{
		Load:     load,
		Input:    up(load.PerMinute * float64(q.High)),
		Output:   up(load.PerMinute * float64(q.Output)),
		Burndown: burndown,
		Reserved: q.High + q.MaxTokens,
		Burnt:    q.High + burndown*q.Output,
		InFlight: load.PerMinute / 60 * load.Seconds,
	}
	d.Needed = d.needs(1)
	return d
}

// needs is the tokens a minute that each of some targets has to grant when they share the
// calls evenly: what has been burnt, what calls in flight hold beyond that, and some to
// spare, but no less than one call reserves. It falls with the number of targets.
func (d *Demand) needs(targets int) int {
	share := d.PerMinute / float64(targets)
	burnt := (share + spare*math.Sqrt(share)) * float64(d.Burnt)
	held := d.InFlight / float64(targets) * float64(max(0, d.Reserved-d.Burnt))
	return max(d.Reserved, up(burnt+held))
}

// targets is the fewest that bear the calls when each grants quota tokens a minute; false
// where no number does, for one call reserves more than that, or so many would that it is
// no plan.
func (d *Demand) targets(quota int) (int, bool) {
	for n := 1; n <= maxTargets; n++ {
		if d.needs(n) <= quota {
			return n, true
		}
	}
	return 0, false
}

// maxTargets is how many regions of accounts a plan has at most.
const maxTargets = 10_000

func up(tokens float64) int { return int(math.Ceil(min(tokens, 1e15))) }

// KnownQuota is what new accounts are told to have, where the facts say (bedrock.md 2.2): tokens a
// minute of a model by a profile, 0 where they do not. Accounts differ: theirs are in
// Service Quotas.
func KnownQuota(p *inference.Profile) int {
	if p.ID == "" {
		return 0
	}
	return knownQuotas[p.Model]
}

// knownQuotas are of calls by a profile.
var knownQuotas = map[inference.ModelID]int{
	"anthropic.claude-sonnet-4-20250514-v1:0": 200_000, // L-59759B4A
	"anthropic.claude-opus-4-8":               30_000_000,
}
