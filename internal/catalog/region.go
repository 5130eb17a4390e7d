package catalog

import (
	"maps"
	"slices"

	"fairway/internal/inference"
)

// IsRegion reports whether some inference profile can be called in region or
// runs in it, or some model is there by its bare id.
func IsRegion(region inference.Region) bool { return embedded().regions[region] }

// Sources are the regions from which a system-defined profile or a model can be called by
// that name, an id or an ARN, sorted.
func (c *Catalog) Sources(named string) []inference.Region {
	return slices.DeleteFunc(Regions(), func(source inference.Region) bool {
		_, err := c.known(named, source)
		return err != nil
	})
}

// Regions is every region that IsRegion knows, by name.
func Regions() []inference.Region { return slices.Sorted(maps.Keys(embedded().regions)) }
