package inference_test

import (
	"slices"
	"strings"
	"testing"

	"fairway/internal/catalog"
	"fairway/internal/inference"
)

// Every region that models run in has a geography, and so has Hong Kong, where AWS has
// a region without Bedrock.
func TestGeographiesCoverRegions(t *testing.T) {
	if names := inference.Geographies(); !slices.IsSorted(names) {
		t.Errorf("Geographies() = %v, want them sorted", names)
	}
	of := map[inference.Region][]string{}
	for _, name := range inference.Geographies() {
		regions, ok := inference.Geography(name)
		if !ok || len(regions) == 0 {
			t.Errorf("Geography(%s) = %v, %t, want its regions", name, regions, ok)
		}
		for _, region := range regions {
			of[region] = append(of[region], name)
		}
	}
	for _, region := range append(catalog.Regions(), "ap-east-1") {
		names := of[region]
		if len(names) == 0 {
			t.Errorf("geographies of %s = none, want at least one", region)
		}
		if strings.HasPrefix(string(region), "ap-") != slices.Contains(names, "apac") {
			t.Errorf("geographies of %s = %v, want apac for all of ap- and for nothing else", region, names)
		}
		delete(of, region)
	}
	if len(of) > 0 {
		t.Errorf("geographies have the regions %v, which AWS has not", of)
	}
}

// London and Zurich are named eu- and are not in the European Union.
func TestGeographyIsNotThePrefix(t *testing.T) {
	eu, _ := inference.Geography("eu")
	for name, region := range map[string]inference.Region{"uk": "eu-west-2", "ch": "eu-central-2"} {
		if slices.Contains(eu, region) {
			t.Errorf("Geography(eu) = %v, want it without %s", eu, region)
		}
		if got, _ := inference.Geography(name); !slices.Equal(got, []inference.Region{region}) {
			t.Errorf("Geography(%s) = %v, want %s", name, got, region)
		}
	}
	if got, ok := inference.Geography("global"); ok || got != nil {
		t.Errorf("Geography(global) = %v, %t, want none of that name", got, ok)
	}
}
