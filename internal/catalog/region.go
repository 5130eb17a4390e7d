package catalog

import (
	"maps"
	"slices"

	"fairway/internal/inference"
)

// IsRegion reports whether some inference profile can be called in region or
// runs in it, or some model is there by its bare id.
func IsRegion(region inference.Region) bool { return embedded().regions[region] }

// Regions is every region that IsRegion knows, by name.
func Regions() []inference.Region { return slices.Sorted(maps.Keys(embedded().regions)) }
