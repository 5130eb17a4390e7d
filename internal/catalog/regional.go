package catalog

import (
	"context"
	"maps"
	"slices"

	"fairway/internal/inference"
)

// Equivalents are what stands for a guardrail or a regional resource in other
// regions: by its id or ARN, as calls name it, then by region.
type Equivalents map[string]map[inference.Region]string

// Equivalent is what stands in region for a guardrail or a regional resource.
func (c *Catalog) Equivalent(named string, region inference.Region) (string, bool) {
	equivalent, ok := c.equivalents[named][region]
	return equivalent, ok
}

// resource is a regional resource of any account, which it is for the region to
// know: a call of it stays there, or goes to what is configured to be equivalent.
func (c *Catalog) resource(_ context.Context, named string, source inference.Region) (inference.Profile, bool, error) {
	kind, id := identified(named, source)
	if c.remote == nil || !IsRegion(source) || !inference.IsRegionalKind(kind) || !isIdentifier(id, "/_") {
		return inference.Profile{}, false, nil
	}
	p := inference.Profile{
		ARN: inference.ARN(named), Model: inference.ModelID(named), SourceRegion: source,
		Destinations: []inference.Region{source}, Remote: true,
	}
	for _, region := range slices.Sorted(maps.Keys(c.equivalents[named])) {
		if region == source {
			continue
		}
		if p.Equivalents == nil {
			p.Equivalents = map[inference.Region]inference.ARN{}
		}
		p.Equivalents[region] = inference.ARN(c.equivalents[named][region])
		p.Destinations = append(p.Destinations, region)
	}
	return p, true, nil
}
