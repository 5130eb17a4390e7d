package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"fairway/internal/inference"
)

// Routing is how calls go: those that no route matches, or those of one route.
type Routing struct {
	Policy        Policy                       `yaml:"policy"`          // empty: destinations that a statement names as written, the others by adaptive
	Order         []inference.Region           `yaml:"order"`           // destinations tried first, where granted
	Weights       map[inference.Region]float64 `yaml:"weights"`         // for the policies weighted and least-load; 1 where there is none
	Residency     Residency                    `yaml:"residency"`       // where calls have to stay
	OnCut         OnCut                        `yaml:"on_cut"`          // what becomes of a stream that is cut
	OnCutInstruct bool                         `yaml:"on_cut_instruct"` // a model that takes no prefill is told in words to go on
	Fallbacks     []string                     `yaml:"fallbacks"`       // profiles and models to call when no target of the one called answers
}

// Residency is where calls have to stay, by geographies and regions. An empty one is
// everywhere.
type Residency []string

// Regions are all regions of r, sorted.
func (r Residency) Regions() []inference.Region {
	var all []inference.Region
	for _, name := range r {
		if regions, ok := inference.Geography(name); ok {
			all = append(all, regions...)
		} else {
			all = append(all, inference.Region(name))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Retry bounds what calls may try again.
type Retry struct {
	Budget  Ratio    `yaml:"budget"`  // retries as a share of the calls
	Reserve float64  `yaml:"reserve"` // retries a second that are there in any case
	Wait    Duration `yaml:"wait"`    // of a call that has no target left, in all
}

// Hedge is when a call that is slow to answer is sent to a second target.
type Hedge struct {
	Budget Ratio    `yaml:"budget"` // hedges as a share of the calls; 0 makes none
	Least  Duration `yaml:"least"`  // that is waited in any case
}

// Probe is how a target that is out of use is tried before a call has to.
type Probe struct {
	Every  Duration `yaml:"every"`  // 0 makes none
	Budget Dollars  `yaml:"budget"` // a day, of all targets together
}

// maxWeight is so large that nobody means more, and small enough to add up.
const maxWeight = 1e6

// namedForm is what a call may name: the id or ARN of a profile or model.
var namedForm = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._:/-]*$`)

// validateRouting finds what is wrong with settings, or with what a route has in
// their place; prefix is its path with a dot behind.
func validateRouting(found *findings, r *Routing, prefix string) {
	for _, region := range r.Order {
		found.region(region, prefix+"order")
	}
	for _, region := range slices.Sorted(maps.Keys(r.Weights)) {
		weight := r.Weights[region]
		found.region(region, prefix+"weights")
		found.check(weight > 0 && weight <= maxWeight, prefix+"weights", "%s: want a number above 0, up to a million, got %v", region, weight)
	}
	found.residency(r.Residency, prefix+"residency")
	seen := map[string]bool{}
	for _, name := range r.Fallbacks {
		found.named(name, prefix+"fallbacks")
		unique(found, seen, name, prefix+"fallbacks")
	}
}

func (found *findings) residency(r Residency, path string) {
	for _, name := range r {
		_, ok := inference.Geography(name)
		found.check(ok || regionForm.MatchString(name), path, `want a region such as "eu-west-1", or one of %s, got %q`, strings.Join(inference.Geographies(), ", "), name)
	}
}

func (found *findings) named(name, path string) {
	found.check(namedForm.MatchString(name), path, "want the id or ARN of a profile or model, got %q", name)
}
