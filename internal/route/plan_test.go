package route

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fairway/internal/inference"
)

// seedGrant is what the guide's statement grants: five regions by name in the
// order written, three more by its wildcard.
func seedGrant() *inference.Grant {
	g := &inference.Grant{Profile: inference.Profile{
		ID: "apac." + model, Model: model, SourceRegion: "ap-southeast-1",
	}}
	for _, r := range []inference.Region{"ap-southeast-1", "ap-northeast-1", "ap-southeast-2", "ap-northeast-2", "ap-northeast-3"} {
		g.Destinations = append(g.Destinations, inference.Destination{Region: r, Named: true})
	}
	for _, r := range []inference.Region{"ap-south-1", "ap-south-2", "ap-southeast-4"} {
		g.Destinations = append(g.Destinations, inference.Destination{Region: r})
	}
	return g
}

func TestPlanOrder(t *testing.T) {
	wildcard := &inference.Grant{
		Profile:      inference.Profile{Model: model, SourceRegion: "c"},
		Destinations: []inference.Destination{{Region: "a"}, {Region: "b"}, {Region: "c"}, {Region: "d"}},
	}
	mixed := &inference.Grant{
		Profile:      inference.Profile{Model: model, SourceRegion: "c"},
		Destinations: []inference.Destination{{Region: "d", Named: true}, {Region: "b", Named: true}, {Region: "a"}, {Region: "c"}},
	}
	for _, test := range []struct {
		name  string
		order []inference.Region
		grant *inference.Grant
		want  []inference.Region
	}{
		{"seed", nil, seedGrant(), []inference.Region{
			"ap-southeast-1", "ap-northeast-1", "ap-southeast-2", "ap-northeast-2", "ap-northeast-3",
			"ap-south-1", "ap-south-2", "ap-southeast-4"}},
		{"source first among wildcards", nil, wildcard, []inference.Region{"c", "a", "b", "d"}},
		{"named before source", nil, mixed, []inference.Region{"d", "b", "c", "a"}},
		{"order before all, ungranted skipped", []inference.Region{"a", "x", "b"}, mixed, []inference.Region{"a", "b", "d", "c"}},
		{"nothing granted", nil, &inference.Grant{}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := New(Config{Order: test.order})
			got := regionsOf(r.Plan(nil, test.grant, time.Now()))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("Plan() regions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPlanTarget(t *testing.T) {
	r := New(Config{Simulated: true})
	first := inference.Target{Region: "before"}
	got := r.Plan([]inference.Target{first}, seedGrant(), time.Now())[:2]
	want := []inference.Target{first, {Region: "ap-southeast-1", Model: model, Simulated: true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Plan() (-want +got):\n%s", diff)
	}
}

func TestPlanPutsOpenTargetsLast(t *testing.T) {
	r := New(Config{})
	now := time.Now()
	for _, region := range []inference.Region{"ap-southeast-1", "ap-southeast-2"} {
		trip(r, region, now)
	}
	want := []inference.Region{"ap-northeast-1", "ap-northeast-2", "ap-northeast-3",
		"ap-south-1", "ap-south-2", "ap-southeast-4", "ap-southeast-1", "ap-southeast-2"}
	if got := regionsOf(r.Plan(nil, seedGrant(), now)); !slices.Equal(got, want) {
		t.Errorf("Plan() with two breakers open = %v, want %v", got, want)
	}
	healed := now.Add(r.health.config.OpenFor)
	if got := regionsOf(r.Plan(nil, seedGrant(), healed))[0]; got != "ap-southeast-1" {
		t.Errorf("Plan()[0] when the hold is over = %s, want ap-southeast-1", got)
	}
}

func TestPlanPutsProbedTargetLast(t *testing.T) {
	r, now := New(Config{}), time.Now()
	trip(r, "ap-southeast-1", now)
	healed := now.Add(time.Hour)
	g := r.health.guard(inference.Target{Region: "ap-southeast-1", Model: model})
	probe, _ := g.admit(healed)
	if got := regionsOf(r.Plan(nil, seedGrant(), healed)); got[len(got)-1] != "ap-southeast-1" {
		t.Errorf("Plan() while ap-southeast-1 is probed = %v, want it last", got)
	}
	g.settle(probe, untold, healed)
	if got := regionsOf(r.Plan(nil, seedGrant(), healed)); got[0] != "ap-southeast-1" {
		t.Errorf("Plan() when the probe told nothing = %v, want ap-southeast-1 first", got)
	}
}

// trip opens the breaker of a region.
func trip(r *Router, region inference.Region, now time.Time) {
	g := r.health.guard(inference.Target{Region: region, Model: model})
	for range r.health.config.Failures {
		a, _ := g.admit(now)
		g.settle(a, failed, now)
	}
}

// A plan is a permutation of the grant's destinations: it never leaves the grant
// and never loses a target, whatever the breakers and the configured order.
func TestPlanStaysInGrant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		regions := rapid.SliceOfNDistinct(rapid.SampledFrom(thirtyRegions()), 0, 30, rapid.ID).Draw(t, "granted")
		grant := &inference.Grant{Profile: inference.Profile{Model: model, SourceRegion: "r07"}}
		for _, region := range regions {
			grant.Destinations = append(grant.Destinations, inference.Destination{Region: region, Named: rapid.Bool().Draw(t, "named")})
		}
		r := New(Config{Order: rapid.SliceOfNDistinct(rapid.SampledFrom(thirtyRegions()), 0, 8, rapid.ID).Draw(t, "order")})
		now := time.Unix(1_000_000, 0)
		for _, region := range rapid.SliceOfDistinct(rapid.SampledFrom(thirtyRegions()), rapid.ID).Draw(t, "open") {
			trip(r, region, now)
		}
		plan := regionsOf(r.Plan(nil, grant, now))
		slices.Sort(plan)
		slices.Sort(regions)
		if !slices.Equal(plan, regions) {
			t.Fatalf("Plan() = %v, want a permutation of %v", plan, regions)
		}
	})
}

func thirtyRegions() []inference.Region {
	regions := make([]inference.Region, 30)
	for i := range regions {
		regions[i] = inference.Region(fmt.Sprintf("r%02d", i))
	}
	return regions
}

func BenchmarkPlan(b *testing.B) {
	for _, test := range []struct{ open, order int }{{0, 0}, {15, 0}, {0, 8}} {
		b.Run(fmt.Sprintf("targets=30/open=%d/order=%d", test.open, test.order), func(b *testing.B) {
			grant := &inference.Grant{Profile: inference.Profile{Model: model, SourceRegion: "ap-southeast-07"}}
			var regions []inference.Region
			for i := range 30 {
				region := inference.Region(fmt.Sprintf("ap-southeast-%02d", i))
				regions = append(regions, region)
				grant.Destinations = append(grant.Destinations, inference.Destination{Region: region, Named: i < 5})
			}
			r := New(Config{Order: regions[20 : 20+test.order]})
			now := time.Now()
			for _, region := range regions {
				r.health.guard(inference.Target{Region: region, Model: model})
			}
			for _, region := range regions[:test.open] {
				trip(r, region, now)
			}
			buf := make([]inference.Target, 0, 30)
			b.ReportAllocs()
			for b.Loop() {
				buf = r.Plan(buf[:0], grant, now)
			}
		})
	}
}

// everywhere enters a profile that runs in all of its destinations from each of them.
type everywhere struct{}

func (everywhere) Enter(p *inference.Profile, region inference.Region, i int) (inference.Target, bool) {
	return inference.Target{Region: region, Model: string(p.ID), RunSet: p.Destinations}, i == 0
}

func (everywhere) Own(p *inference.Profile, i int) (inference.Target, bool) {
	return everywhere{}.Enter(p, p.SourceRegion, i)
}

// BenchmarkPlanRunSets is the plan of a profile of real regions.
func BenchmarkPlanRunSets(b *testing.B) {
	regions := thirtyRegions()[:8]
	grant := granted(regions...)
	grant.Profile.Destinations, grant.Profile.SourceRegion = regions, regions[3]
	r := New(Config{Targets: everywhere{}})
	var room [16]inference.Target
	b.ReportAllocs()
	for b.Loop() {
		if plan := r.Plan(room[:0], grant, time.Time{}); len(plan) != len(regions) {
			b.Fatalf("Plan() has %d targets, want %d", len(plan), len(regions))
		}
	}
}
