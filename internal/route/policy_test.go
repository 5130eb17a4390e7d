package route

import (
	"cmp"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairway/internal/inference"
)

// seen is a state of targets: by region, how many calls are in flight, and how long
// calls took to their first content.
type seenState struct {
	inFlight map[inference.Region]int
	pace     map[inference.Region]time.Duration
}

func (s seenState) apply(r *Router) {
	for range 256 { // so many that expectations are nearly of them alone
		for region, d := range s.pace {
			r.health.guard(bare(region)).load.seen(true, d, epoch)
		}
	}
	for region, n := range s.inFlight {
		for range n {
			r.health.guard(bare(region)).load.enter()
		}
	}
}

func TestPolicies(t *testing.T) {
	type flights = map[inference.Region]int
	type paces = map[inference.Region]time.Duration
	const ms = time.Millisecond
	for _, test := range []struct {
		name   string
		policy inference.Policy
		route  Route
		state  seenState
		want   []inference.Region
	}{
		{"ordered minds no load", inference.Ordered, Route{},
			seenState{flights{"a": 50}, paces{"a": 9000 * ms, "b": 1 * ms}}, []inference.Region{"a", "b", "c"}},
		{"latency: the soonest", inference.Latency, Route{},
			seenState{nil, paces{"a": 900 * ms, "b": 500 * ms, "c": 400 * ms}}, []inference.Region{"c", "b", "a"}},
		{"latency: the unknown after what is as usual, before what is slow", inference.Latency, Route{},
			seenState{nil, paces{"a": 900 * ms, "c": 300 * ms}}, []inference.Region{"c", "b", "a"}},
		{"latency minds no load", inference.Latency, Route{},
			seenState{flights{"c": 100}, paces{"a": 900 * ms, "b": 500 * ms, "c": 400 * ms}}, []inference.Region{"c", "b", "a"}},
		{"least load", inference.LeastLoad, Route{},
			seenState{flights{"a": 3, "b": 2, "c": 1}, nil}, []inference.Region{"c", "b", "a"}},
		{"least load for its weight", inference.LeastLoad, Route{Weights: map[inference.Region]float64{"a": 4}},
			seenState{flights{"a": 3, "b": 2, "c": 1}, nil}, []inference.Region{"a", "c", "b"}},
		{"least load: no weight is never first", inference.LeastLoad, Route{Weights: map[inference.Region]float64{"c": 0}},
			seenState{flights{"a": 3, "b": 2, "c": 1}, nil}, []inference.Region{"b", "a", "c"}},
		{"weighted: no weight is last", inference.Weighted, Route{Weights: map[inference.Region]float64{"a": 0, "b": 0}},
			seenState{}, []inference.Region{"c", "a", "b"}},
		{"adaptive: all cold, the soonest", inference.Adaptive, Route{},
			seenState{flights{"c": 8}, paces{"a": 900 * ms, "b": 500 * ms, "c": 400 * ms}}, []inference.Region{"c", "b", "a"}},
		{"adaptive: the hot after all cold", inference.Adaptive, Route{},
			seenState{flights{"c": 20}, paces{"a": 900 * ms, "b": 500 * ms, "c": 400 * ms}}, []inference.Region{"b", "a", "c"}},
		{"none chosen: named as written", "", Route{},
			seenState{flights{"a": 50}, paces{"a": 9000 * ms, "b": 1 * ms}}, []inference.Region{"a", "b", "c"}},
		{"an order before every policy", inference.Latency, Route{Order: []inference.Region{"b"}},
			seenState{nil, paces{"a": 900 * ms, "b": 9000 * ms, "c": 400 * ms}}, []inference.Region{"b", "c", "a"}},
		{"the route's policy", "", Route{Policy: inference.Latency},
			seenState{nil, paces{"a": 900 * ms, "b": 500 * ms, "c": 400 * ms}}, []inference.Region{"c", "b", "a"}},
	} {
		r := New(Config{Route: test.route})
		test.state.apply(r)
		call := plain(r, granted("a", "b", "c"))
		call.Policy, call.Streams = test.policy, true
		if got := regionsOf(targetsOf(r.Plan(nil, call, epoch))); !slices.Equal(got, test.want) {
			t.Errorf("%s: Plan() = %v, want %v", test.name, got, test.want)
		}
	}
}

// Regions that only a wildcard grants are the policy's when none was chosen.
func TestAdaptiveIsForWildcards(t *testing.T) {
	r, grant := New(Config{}), seedGrant()
	for range 256 {
		for region, d := range map[inference.Region]time.Duration{"ap-south-1": time.Second, "ap-southeast-4": 300 * time.Millisecond} {
			r.health.guard(inference.Target{Region: region, Model: model}).load.seen(false, d, epoch)
		}
	}
	want := []inference.Region{"ap-southeast-1", "ap-northeast-1", "ap-southeast-2", "ap-northeast-2", "ap-northeast-3",
		"ap-southeast-4", "ap-south-2", "ap-south-1"}
	if got := planned(r, grant, epoch); !slices.Equal(got, want) {
		t.Errorf("Plan() = %v, want %v", got, want)
	}
}

func TestCost(t *testing.T) {
	prices := map[string]inference.Money{"dear": 18 * inference.Dollar, "cheap": 3 * inference.Dollar}
	r := New(Config{
		Targets: fixed{in: map[inference.Region][]inference.Target{
			"a": {{Region: "a", Model: "unpriced"}}, "b": {{Region: "b", Model: "dear"}}, "c": {{Region: "c", Model: "cheap"}},
		}},
		Price: func(model string) (inference.Money, bool) { price, ok := prices[model]; return price, ok },
	})
	call := plain(r, granted("a", "b", "c"))
	call.Policy = inference.Cost
	want := []inference.Region{"c", "b", "a"}
	if got := regionsOf(targetsOf(r.Plan(nil, call, epoch))); !slices.Equal(got, want) {
		t.Errorf("Plan() = %v, want %v", got, want)
	}
}

// Each target of the best tier has its turn as often as the others, whatever stands
// beside them.
func TestRoundRobin(t *testing.T) {
	r := New(Config{Route: Route{Policy: inference.RoundRobin}})
	trip(r, "b", epoch)
	grant := granted("a", "b", "c", "d")
	grant.Shared = true
	var first []inference.Region
	for range 6 {
		plan := planned(r, grant, epoch)
		first = append(first, plan[0])
		if plan[3] != "b" {
			t.Errorf("Plan() = %v, want b last, whose breaker is open", plan)
		}
	}
	if want := []inference.Region{"a", "c", "d", "a", "c", "d"}; !slices.Equal(first, want) {
		t.Errorf("Plan() in six turns begins with %v, want %v", first, want)
	}
}

// Weighted puts each target first in proportion to its weight, and calls of one seed
// alike.
func TestWeighted(t *testing.T) {
	r := New(Config{Route: Route{Policy: inference.Weighted, Weights: map[inference.Region]float64{"a": 6, "b": 3, "c": 1}}})
	grant := granted("a", "b", "c")
	grant.Shared = true
	first := map[inference.Region]int{}
	const calls = 20_000
	for seed := range uint64(calls) {
		call := plain(r, grant)
		call.Seed = seed
		plan := regionsOf(targetsOf(r.Plan(nil, call, epoch)))
		if again := regionsOf(targetsOf(r.Plan(nil, call, epoch))); !slices.Equal(plan, again) {
			t.Fatalf("Plan() of seed %d = %v and then %v", seed, plan, again)
		}
		first[plan[0]]++
	}
	for region, share := range map[inference.Region]float64{"a": 0.6, "b": 0.3, "c": 0.1} {
		if got := float64(first[region]) / calls; got < share-0.02 || got > share+0.02 {
			t.Errorf("Plan() puts %s first in %.3f of the calls, want %.1f", region, got, share)
		}
	}
}

// Without load and history every policy keeps the order: the route's, then named
// regions as written, then the source region, then the catalog's.
func TestPoliciesKeepTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		order := rapid.SliceOfNDistinct(rapid.SampledFrom(thirtyRegions()), 0, 4, rapid.ID).Draw(t, "order")
		granted := rapid.SliceOfNDistinct(rapid.SampledFrom(thirtyRegions()), 1, 30, rapid.ID).Draw(t, "granted")
		named := rapid.IntRange(0, len(granted)).Draw(t, "named")
		grant := &inference.Grant{Profile: inference.Profile{Model: model, SourceRegion: "r07"}}
		for i, region := range granted {
			grant.Destinations = append(grant.Destinations, inference.Destination{Region: region, Named: i < named})
		}
		want := slices.Clone(granted)
		slices.SortStableFunc(want, func(a, b inference.Region) int {
			return cmp.Compare(place(a, order, granted[:named]), place(b, order, granted[:named]))
		})

		r := New(Config{Route: Route{Order: order}})
		call := plain(r, grant)
		call.Policy = rapid.SampledFrom(append(policies, "")).Draw(t, "policy")
		if got := regionsOf(targetsOf(r.Plan(nil, call, epoch))); !slices.Equal(got, want) {
			t.Fatalf("Plan() by %q = %v, want %v", call.Policy, got, want)
		}
	})
}

func place(region inference.Region, order, named []inference.Region) int {
	if i := slices.Index(order, region); i >= 0 {
		return i
	}
	switch {
	case slices.Contains(named, region):
		return 100
	case region == "r07":
		return 101
	}
	return 102
}

// Prequal's rule: whatever the state, no hot target stands before a cold one of its
// class, the cold stand by what is expected of them and the hot by calls in flight.
func TestAdaptiveOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := New(Config{Route: Route{Policy: inference.Adaptive}})
		for _, region := range thirtyRegions() {
			stir(t, r.health.guard(bare(region)))
		}
		plan := r.Plan(nil, plain(r, granted(thirtyRegions()...)), epoch)
		sorted := slices.IsSortedFunc(plan, func(a, b Choice) int {
			if a, b := a.why, b.why; a.hot && b.hot {
				return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.inFlight, b.inFlight))
			}
			soonest := time.Duration(plan[0].why.charge)
			return cmp.Or(cmp.Compare(a.why.class, b.why.class), heat(a)-heat(b),
				cmp.Compare(time.Duration(a.why.charge-b.why.charge)/max(1, soonest/8), 0))
		})
		if !sorted {
			t.Fatalf("Plan() = %v", Ranking(plan))
		}
	})
}

func heat(c Choice) int {
	if c.why.hot {
		return 1
	}
	return 0
}

// Load leaves a target before its quota is used up: whoever reserves what plans say
// first never finds a target throttled while another has room.
func TestAdaptiveLeavesBeforeTheBucketIsEmpty(t *testing.T) {
	r := New(Config{Route: Route{Policy: inference.Adaptive}, Quotas: []Quota{{TokensPerMinute: 100_000}}})
	grant := granted("a", "b", "c")
	r.health.guard(bare("a")).load.seen(true, 100*time.Millisecond, epoch)
	r.health.guard(bare("b")).load.seen(true, 400*time.Millisecond, epoch)
	r.health.guard(bare("c")).load.seen(true, 400*time.Millisecond, epoch)
	left, moved := 1., false
	for range 400 {
		call := plain(r, grant)
		call.Streams = true
		call.Outline = func() inference.Outline { return inference.Outline{InputTokens: 500, MaxTokens: 500} }
		first := r.Plan(nil, call, epoch)[0]
		if first.why.class != 0 {
			break
		}
		if first.Target.Region != "a" && !moved {
			_, room := r.health.guard(bare("a")).bucket.look(1000, epoch.UnixNano())
			left, moved = float64(room)/float64(time.Minute), true
		}
		first.guard.bucket.take(1000, epoch)
	}
	if !moved || left < 0.05 {
		t.Errorf("Plan() leaves the target with %.2f of its quota, want at least 0.05", left)
	}
	for _, region := range []inference.Region{"a", "b", "c"} {
		if wait := r.health.guard(bare(region)).bucket.wait(1000, epoch); wait == 0 {
			t.Errorf("bucket of %s has room when the first choice has none", region)
		}
	}
}

// drive lets the first of each plan answer calls until so many have been made, one each
// 50 ms, and counts who answered them.
func drive(r *Router, grant *inference.Grant, calls int, at time.Time, takes func(inference.Region, int) time.Duration) (map[inference.Region]int, time.Time) {
	answered := map[inference.Region]int{}
	for i := range calls {
		call := plain(r, grant)
		call.Policy, call.Streams, call.Seed = inference.Adaptive, true, uint64(i)
		first := r.Plan(nil, call, at)[0]
		first.guard.load.seen(true, takes(first.Target.Region, i), at)
		answered[first.Target.Region]++
		at = at.Add(50 * time.Millisecond)
	}
	return answered, at
}

// ordinary is d with the spread of real answers, a quarter to either side.
func ordinary(d time.Duration, i int) time.Duration {
	return d + d*time.Duration(int(mix(uint64(i))%51)-25)/100
}

// The draw's logarithm is that of math.
func TestWaited(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64Min(1).Draw(t, "n")
		want := 64 - math.Log2(float64(n))
		if got := waited(n); math.Abs(got-want) > 0.0002 {
			t.Fatalf("waited(%d) = %v, want %v", n, got, want)
		}
	})
}

// Low quota is charged by and by.
func TestDearer(t *testing.T) {
	for _, test := range []struct {
		left time.Duration
		want float64
	}{{time.Minute, 1000}, {low, 1000}, {15 * time.Second, 1250}, {0, 1500}} {
		if got := dearer(1000, test.left); math.Abs(got-test.want) > 1 {
			t.Errorf("dearer(1000, %v) = %v, want %v", test.left, got, test.want)
		}
	}
}

// What a region's way makes it faster is seen through ordinary spread, wherever the
// region stands in the order; where the difference is small the order holds.
func TestAdaptivePrefersTheNearRegion(t *testing.T) {
	for _, test := range []struct {
		name string
		ms   map[inference.Region]time.Duration
		want inference.Region
	}{
		{"the first is near", map[inference.Region]time.Duration{"a": 700, "b": 780, "c": 800}, "a"},
		{"the last is near", map[inference.Region]time.Duration{"a": 1100, "b": 1100, "c": 700}, "c"},
		{"near-ties keep the order", map[inference.Region]time.Duration{"a": 710, "b": 690, "c": 700}, "a"},
	} {
		r, grant := New(Config{}), granted("a", "b", "c")
		takes := func(region inference.Region, i int) time.Duration { return ordinary(test.ms[region]*ms, i) }
		_, at := drive(r, grant, 4000, epoch, takes)
		if answered, _ := drive(r, grant, 1000, at, takes); answered[test.want] < 900 {
			t.Errorf("%s: of 1,000 calls are answered %v, want %s mostly", test.name, answered, test.want)
		}
	}
}

// A region that is ten times slower is left after the first of its answers, and returned
// to when it is well.
func TestAdaptiveLeavesABrownout(t *testing.T) {
	r, grant := New(Config{}), granted("a", "b", "c")
	well := func(region inference.Region, i int) time.Duration {
		if region == "a" {
			return ordinary(600*ms, i)
		}
		return ordinary(700*ms, i)
	}
	slow := func(region inference.Region, i int) time.Duration {
		if region == "a" {
			return 6 * time.Second
		}
		return well(region, i)
	}
	_, at := drive(r, grant, 1000, epoch, well)
	answered, at := drive(r, grant, 400, at, slow)
	if answered["a"] > 20 {
		t.Errorf("of 400 calls in 20s the slow region answers %d, want 20 at most", answered["a"])
	}
	_, at = drive(r, grant, 6000, at, well)
	if answered, _ = drive(r, grant, 1000, at, well); answered["a"] < 900 {
		t.Errorf("of 1,000 calls minutes later are answered %v, want a mostly", answered)
	}
}
