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
			r := New(Config{Route: Route{Order: test.order}})
			got := planned(r, test.grant, epoch)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("Plan() regions (-want +got):\n%s", diff)
			}
		})
	}
}

// planned are the regions of a plan by the default route.
func planned(r *Router, g *inference.Grant, now time.Time) []inference.Region {
	return regionsOf(targetsOf(r.Plan(nil, plain(r, g), now)))
}

// plain is a call that asks for nothing.
func plain(r *Router, g *inference.Grant) *Call { return &Call{Grant: g, Route: r.Route("", "")} }

func targetsOf(plan []Choice) []inference.Target {
	var ts []inference.Target
	for _, c := range plan {
		ts = append(ts, *c.Target)
	}
	return ts
}

func TestPlanAppends(t *testing.T) {
	r, grant := New(Config{Simulated: true}), seedGrant()
	first := Choice{Target: &inference.Target{Region: "before"}}
	plan := r.Plan([]Choice{first}, plain(r, grant), epoch)
	want := []inference.Target{*first.Target, {Region: "ap-southeast-1", Model: model, Simulated: true}}
	if diff := cmp.Diff(want, targetsOf(plan[:2])); diff != "" {
		t.Errorf("Plan() (-want +got):\n%s", diff)
	}
	if got := plan[1].Profile; got != &grant.Profile {
		t.Errorf("Plan() has a choice of %v, want the grant's profile", got)
	}
}

// Classes come before all else, in their order.
func TestPlanClasses(t *testing.T) {
	r := New(Config{
		Pinning: BestEffort,
		Targets: fixed{in: map[inference.Region][]inference.Target{
			"a": {bare("a")}, "b": {bare("b")}, "c": {through("c", "c", "x")}, "d": {bare("d")}, "e": {bare("e")},
		}},
	})
	trip(r, "b", epoch)
	refuse(r, bare("a"), epoch)
	r.health.guard(bare("d")).bucket.throttled(time.Minute, epoch)
	want := []inference.Region{"e", "d", "c", "b", "a"}
	if got := planned(r, granted("a", "b", "c", "d", "e"), epoch); !slices.Equal(got, want) {
		t.Errorf("Plan() = %v, want %v: usable, throttled, stray, open, not entitled", got, want)
	}
	later := epoch.Add(time.Hour)
	want = []inference.Region{"a", "b", "d", "e", "c"}
	if got := planned(r, granted("a", "b", "c", "d", "e"), later); !slices.Equal(got, want) {
		t.Errorf("Plan() when all holds are over = %v, want %v", got, want)
	}
}

// refuse has the target tell that its account is not entitled to it.
func refuse(r *Router, target inference.Target, now time.Time) {
	g := r.health.guard(target)
	a, _ := g.admit(now)
	g.refuse(a, &inference.Error{Kind: inference.AccessDenied}, now)
}

// A target that was planned and never called is not among the states.
func TestPlannedIsNotTried(t *testing.T) {
	r := New(Config{})
	planned(r, seedGrant(), epoch)
	if got := r.States(epoch); len(got) > 0 {
		t.Errorf("States() after a plan = %v, want none", got)
	}
}

func TestPlanPutsOpenTargetsLast(t *testing.T) {
	r, now := New(Config{}), epoch
	for _, region := range []inference.Region{"ap-southeast-1", "ap-southeast-2"} {
		trip(r, region, now)
	}
	want := []inference.Region{"ap-northeast-1", "ap-northeast-2", "ap-northeast-3",
		"ap-south-1", "ap-south-2", "ap-southeast-4", "ap-southeast-1", "ap-southeast-2"}
	if got := planned(r, seedGrant(), now); !slices.Equal(got, want) {
		t.Errorf("Plan() with two breakers open = %v, want %v", got, want)
	}
	healed := now.Add(r.health.config.OpenFor)
	if got := planned(r, seedGrant(), healed)[0]; got != "ap-southeast-1" {
		t.Errorf("Plan()[0] when the hold is over = %s, want ap-southeast-1", got)
	}
}

func TestPlanPutsProbedTargetLast(t *testing.T) {
	r, now := New(Config{}), epoch
	trip(r, "ap-southeast-1", now)
	healed := now.Add(time.Hour)
	g := r.health.guard(inference.Target{Region: "ap-southeast-1", Model: model})
	probe, _ := g.admit(healed)
	if got := planned(r, seedGrant(), healed); got[len(got)-1] != "ap-southeast-1" {
		t.Errorf("Plan() while ap-southeast-1 is probed = %v, want it last", got)
	}
	g.settle(probe, untold, healed)
	if got := planned(r, seedGrant(), healed); got[0] != "ap-southeast-1" {
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

// A plan is a permutation of the grant's destinations: it never leaves the grant and
// never loses a target, whatever the policy, the state of targets and the order, and
// classes come first.
func TestPlanStaysInGrant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		regions := rapid.SliceOfNDistinct(rapid.SampledFrom(thirtyRegions()), 0, 30, rapid.ID).Draw(t, "granted")
		grant := &inference.Grant{Profile: inference.Profile{Model: model, SourceRegion: "r07"}}
		for _, region := range regions {
			grant.Destinations = append(grant.Destinations, inference.Destination{Region: region, Named: rapid.Bool().Draw(t, "named")})
		}
		r := New(Config{Route: Route{
			Order:   rapid.SliceOfNDistinct(rapid.SampledFrom(thirtyRegions()), 0, 8, rapid.ID).Draw(t, "order"),
			Weights: map[inference.Region]float64{"r01": 0, "r02": 3},
		}})
		for _, region := range rapid.SliceOfDistinct(rapid.SampledFrom(thirtyRegions()), rapid.ID).Draw(t, "open") {
			trip(r, region, epoch)
		}
		for _, region := range thirtyRegions() {
			stir(t, r.health.guard(inference.Target{Region: region, Model: model}))
		}
		call := drawCall(t, r, grant)
		plan := r.Plan(nil, call, epoch)

		got := regionsOf(targetsOf(plan))
		slices.Sort(got)
		slices.Sort(regions)
		if !slices.Equal(got, regions) {
			t.Fatalf("Plan() = %v, want a permutation of %v", got, regions)
		}
		if !slices.IsSortedFunc(plan, func(a, b Choice) int { return int(a.why.class) - int(b.why.class) }) {
			t.Fatalf("Plan() by %q = %v, want the better classes first", call.Policy, Ranking(plan))
		}
	})
}

// stir gives a target a state that rapid draws.
func stir(t *rapid.T, g *guard) {
	for range rapid.IntRange(0, 20).Draw(t, "in flight") {
		g.load.enter()
	}
	if rapid.Bool().Draw(t, "seen") {
		g.load.seen(true, time.Duration(rapid.IntRange(1, 5000).Draw(t, "ms"))*time.Millisecond, epoch)
	}
	if rapid.Bool().Draw(t, "throttled") {
		g.bucket.take(1000, epoch)
		g.bucket.throttled(0, epoch)
	}
}

func drawCall(t *rapid.T, r *Router, grant *inference.Grant) *Call {
	return &Call{
		Grant: grant, Route: r.Route("", ""), Streams: rapid.Bool().Draw(t, "streams"),
		Policy: rapid.SampledFrom(append(policies, "")).Draw(t, "policy"),
		Seed:   rapid.Uint64().Draw(t, "seed"), Session: rapid.Uint64Range(0, 3).Draw(t, "session"),
		Outline: func() inference.Outline { return inference.Outline{InputTokens: 100, MaxTokens: 500, Prefix: 7} },
	}
}

var policies = []inference.Policy{
	inference.Ordered, inference.Latency, inference.Weighted, inference.LeastLoad,
	inference.Cost, inference.RoundRobin, inference.Adaptive,
}

func thirtyRegions() []inference.Region {
	regions := make([]inference.Region, 30)
	for i := range regions {
		regions[i] = inference.Region(fmt.Sprintf("r%02d", i))
	}
	return regions
}

// BenchmarkPlan plans for thirty targets of which all but the best are busy or slow.
func BenchmarkPlan(b *testing.B) {
	for _, policy := range append(policies, "") {
		b.Run("targets=30/policy="+string(policy), func(b *testing.B) {
			r, call, now := loaded(policy)
			benchmarkPlan(b, r, call, now)
		})
	}
	b.Run("targets=30/policy=adaptive/open=15", func(b *testing.B) {
		r, call, now := loaded(inference.Adaptive)
		for _, d := range call.Grant.Destinations[:15] {
			trip(r, d.Region, now)
		}
		benchmarkPlan(b, r, call, now)
	})
	b.Run("targets=30/policy=adaptive/session", func(b *testing.B) {
		r, call, now := loaded(inference.Adaptive)
		call.Session = 42
		benchmarkPlan(b, r, call, now)
	})
	b.Run("targets=30/policy=adaptive/unshared", func(b *testing.B) {
		r, call, now := loaded(inference.Adaptive)
		call.Grant.Shared = false
		benchmarkPlan(b, r, call, now)
	})
}

// loaded is a router of thirty targets with history, load and quotas, and a call.
func loaded(policy inference.Policy) (*Router, *Call, time.Time) {
	grant := &inference.Grant{Profile: inference.Profile{Model: model, SourceRegion: "ap-southeast-07"}, Shared: true}
	r := New(Config{
		Quotas: []Quota{{TokensPerMinute: 200_000}},
		Route:  Route{Weights: map[inference.Region]float64{"ap-southeast-03": 2}},
	})
	now := time.Now()
	for i := range 30 {
		region := inference.Region(fmt.Sprintf("ap-southeast-%02d", i))
		grant.Destinations = append(grant.Destinations, inference.Destination{Region: region, Named: i < 5})
		g := r.health.guard(inference.Target{Region: region, Model: model})
		g.bucket.take(i*1000, now)
		for range i * 7 % 23 {
			g.load.enter()
		}
		g.load.seen(true, time.Duration(300+i*37%200)*time.Millisecond, now.Add(-time.Duration(i)*time.Second))
	}
	outline := inference.Outline{InputTokens: 500, MaxTokens: 1000}
	return r, &Call{
		Grant: grant, Route: r.Route("", ""), Policy: policy, Streams: true, Seed: 1,
		Outline: func() inference.Outline { return outline },
	}, now
}

func benchmarkPlan(b *testing.B, r *Router, call *Call, now time.Time) {
	buf := make([]Choice, 0, 30)
	b.ReportAllocs()
	for b.Loop() {
		buf = r.Plan(buf[:0], call, now)
	}
	if len(buf) != 30 {
		b.Fatalf("Plan() has %d targets, want 30", len(buf))
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

// BenchmarkRunSets is the plan of a profile of real regions by a grant of its own.
func BenchmarkRunSets(b *testing.B) {
	regions := thirtyRegions()[:8]
	grant := granted(regions...)
	grant.Profile.Destinations, grant.Profile.SourceRegion = regions, regions[3]
	r := New(Config{Targets: everywhere{}})
	call := plain(r, grant)
	var room [16]Choice
	b.ReportAllocs()
	for b.Loop() {
		if plan := r.Plan(room[:0], call, epoch); len(plan) != len(regions) {
			b.Fatalf("Plan() has %d targets, want %d", len(plan), len(regions))
		}
	}
}
