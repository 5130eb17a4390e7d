package catalog

import (
	"slices"
	"strings"
	"time"

	"fairway/internal/inference"
)

// ListProfiles is every system-defined profile that can be called from source, in
// the order of the data file. When each was made is not known: the launch of its model stands for
// it.
func (c *Catalog) ListProfiles(source inference.Region) []inference.ProfileListing {
	facts := embedded()
	var all []inference.ProfileListing
	for _, p := range c.Profiles(source) {
		all = append(all, facts.listing(p))
	}
	return all
}

func (f *facts) listing(p inference.Profile) inference.ProfileListing {
	launch := date(f.models[p.Model].lifecycle.Launch)
	return inference.ProfileListing{
		Profile:     p,
		Name:        f.profiles[p.ID].name,
		Description: "Routes requests to " + f.models[p.Model].Name + " " + whereabouts(p) + ".",
		Created:     launch,
		Updated:     launch,
	}
}

// whereabouts words a profile's destinations as the service does: "in us-east-1,
// us-east-2 and us-west-2".
func whereabouts(p inference.Profile) string {
	if p.Global {
		return "globally across all supported AWS Regions"
	}
	regions := make([]string, len(p.Destinations))
	for i, region := range p.Destinations {
		regions[i] = string(region)
	}
	last := len(regions) - 1
	if last == 0 {
		return "in " + regions[0]
	}
	return "in " + strings.Join(regions[:last], ", ") + " and " + regions[last]
}

// ListModels is every foundation model that can be called from source, by its own
// id or through a profile, in the order of the data file. Retired ones are among
// them for as long as they answer here.
func (c *Catalog) ListModels(source inference.Region) []inference.ModelListing {
	facts := embedded()
	var all []inference.ModelListing
	for _, id := range facts.modelOrder {
		if m := facts.models[id]; m.isIn(source) {
			all = append(all, m.listing(source))
		}
	}
	return all
}

func (m model) isIn(source inference.Region) bool {
	_, ok := m.onDemand[source]
	return ok || m.profileOnly[source]
}

func (m model) listing(source inference.Region) inference.ModelListing {
	var types []string
	if _, ok := m.onDemand[source]; ok {
		types = append(types, "ON_DEMAND")
	}
	if m.profileOnly[source] || m.profileAlso[source] {
		types = append(types, "INFERENCE_PROFILE")
	}
	return inference.ModelListing{
		ID:             m.ID,
		Name:           m.Name,
		Provider:       m.Provider,
		Input:          slices.Clone(m.input),
		Output:         slices.Clone(m.output),
		Streaming:      m.Streaming,
		InferenceTypes: types,
		Lifecycle:      m.lifecycle.listing(),
	}
}

// listing has LEGACY for a model at its end of life, for the service then has no
// word: it lists such a model no more.
func (l lifecycle) listing() inference.Lifecycle {
	status := l.Status
	if status == "EOL" {
		status = "LEGACY"
	}
	return inference.Lifecycle{
		Status:         status,
		Start:          date(l.Launch),
		Legacy:         date(l.Legacy),
		ExtendedAccess: date(l.Extended),
		EndOfLife:      date(l.EndOfLife),
	}
}

// date is the start of a day of a data file, YYYY-MM-DD; the zero time where the
// file says nothing.
func date(text string) time.Time {
	t, _ := time.Parse(time.DateOnly, text)
	return t
}
