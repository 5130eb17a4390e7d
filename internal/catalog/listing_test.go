package catalog

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

func TestListProfiles(t *testing.T) {
	c := New(Options{})
	descriptions := map[inference.ProfileID]string{}
	for _, region := range []inference.Region{singapore, "us-east-2"} {
		all := c.ListProfiles(region)
		if len(all) != len(c.Profiles(region)) {
			t.Errorf("ListProfiles(%s) has %d, want %d", region, len(all), len(c.Profiles(region)))
		}
		for _, p := range all {
			if p.Name == "" || p.ARN == "" || p.SourceRegion != region {
				t.Errorf("ListProfiles(%s) has %+v", region, p)
			}
			descriptions[p.ID] = p.Description
		}
	}
	for id, want := range map[inference.ProfileID]string{
		"us." + sonnet35:                     "Routes requests to Claude 3.5 Sonnet in us-east-1 and us-west-2.",
		"global.anthropic.claude-sonnet-4-6": "Routes requests to Claude Sonnet 4.6 globally across all supported AWS Regions.",
	} {
		if got := descriptions[id]; got != want {
			t.Errorf("description of %s = %q, want %q", id, got, want)
		}
	}
	all := c.ListProfiles(singapore)
	i := slices.IndexFunc(all, func(p inference.ProfileListing) bool { return p.ID == "apac."+sonnet4 })
	if launch := time.Date(2025, 5, 22, 0, 0, 0, 0, time.UTC); !all[i].Created.Equal(launch) || !all[i].Updated.Equal(launch) {
		t.Errorf("apac Sonnet 4 was created %v and updated %v, want %v, when its model was launched", all[i].Created, all[i].Updated, launch)
	}
	if got := c.ListProfiles("nowhere-1"); len(got) != 0 {
		t.Errorf("ListProfiles(nowhere-1) = %v, want none", got)
	}
}

func TestListModels(t *testing.T) {
	c := New(Options{})
	find := func(id inference.ModelID, region inference.Region) inference.ModelListing {
		t.Helper()
		all := c.ListModels(region)
		i := slices.IndexFunc(all, func(m inference.ModelListing) bool { return m.ID == id })
		if i < 0 {
			t.Fatalf("ListModels(%s) lacks %s", region, id)
		}
		return all[i]
	}
	want := inference.ModelListing{
		ID: sonnet4, Name: "Claude Sonnet 4", Provider: "Anthropic",
		Input: []string{"TEXT", "IMAGE"}, Output: []string{"TEXT"}, Streaming: true,
		InferenceTypes: []string{"INFERENCE_PROFILE"},
		Lifecycle: inference.Lifecycle{
			Status: "LEGACY", // at its end of life
			Start:  time.Date(2025, 5, 22, 0, 0, 0, 0, time.UTC), Legacy: time.Date(2026, 4, 14, 0, 0, 0, 0, time.UTC),
			ExtendedAccess: find(sonnet4, singapore).Lifecycle.ExtendedAccess, EndOfLife: time.Date(2026, 10, 14, 0, 0, 0, 0, time.UTC),
		},
	}
	if diff := cmp.Diff(want, find(sonnet4, singapore)); diff != "" {
		t.Errorf("ListModels(%s) of Sonnet 4 (-want +got):\n%s", singapore, diff)
	}
	if got := find(sonnet35, singapore).InferenceTypes; !slices.Contains(got, "ON_DEMAND") {
		t.Errorf("inference types of %s in %s = %v, want ON_DEMAND among them", sonnet35, singapore, got)
	}
	for region := range embedded().regions {
		for _, m := range c.ListModels(region) {
			status := m.Lifecycle.Status
			if len(m.InferenceTypes) == 0 || len(m.Input) == 0 || len(m.Output) == 0 || status != "ACTIVE" && status != "LEGACY" {
				t.Errorf("ListModels(%s) has %+v", region, m)
			}
		}
	}
	if got := c.ListModels("nowhere-1"); len(got) != 0 {
		t.Errorf("ListModels(nowhere-1) = %v, want none", got)
	}
}
