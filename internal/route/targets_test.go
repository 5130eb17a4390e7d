package route

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fairway/internal/inference"
)

// fixed are the Targets of a test: by the region they enter in, and the own ones.
type fixed struct {
	in  map[inference.Region][]inference.Target
	own []inference.Target
}

func (f fixed) Enter(_ *inference.Profile, region inference.Region, i int) (inference.Target, bool) {
	return nth(f.in[region], i)
}

func (f fixed) Own(_ *inference.Profile, i int) (inference.Target, bool) { return nth(f.own, i) }

func nth(targets []inference.Target, i int) (inference.Target, bool) {
	if i >= len(targets) {
		return inference.Target{}, false
	}
	return targets[i], true
}

// granted is a grant of regions by name, for calls from region a.
func granted(regions ...inference.Region) *inference.Grant {
	g := &inference.Grant{Profile: inference.Profile{ID: "p", Model: model, SourceRegion: "a"}}
	for _, r := range regions {
		g.Destinations = append(g.Destinations, inference.Destination{Region: r, Named: true})
	}
	return g
}

// through is the profile entered in region.
func through(region inference.Region, runs ...inference.Region) inference.Target {
	return inference.Target{Region: region, Model: "p", RunSet: runs}
}

func bare(region inference.Region) inference.Target {
	return inference.Target{Region: region, Model: model}
}

func TestPlanRunSets(t *testing.T) {
	for _, test := range []struct {
		name    string
		targets fixed
		grant   *inference.Grant
		pinning Pinning
		want    []inference.Target
	}{
		{
			"a run set within the grant is used as it is",
			fixed{in: map[inference.Region][]inference.Target{"a": {through("a", "a", "b")}, "b": {bare("b")}}},
			granted("a", "b"), Strict,
			[]inference.Target{through("a", "a", "b"), bare("b")},
		},
		{
			"one that leaves the grant is not",
			fixed{in: map[inference.Region][]inference.Target{"a": {through("a", "a", "x")}, "b": {bare("b")}}},
			granted("a", "b"), Strict,
			[]inference.Target{bare("b")},
		},
		{
			"but with best effort, after all others",
			fixed{in: map[inference.Region][]inference.Target{"a": {through("a", "a", "x")}, "b": {bare("b")}}},
			granted("a", "b"), BestEffort,
			[]inference.Target{bare("b"), through("a", "a", "x")},
		},
		{
			"what cannot run in the grant is never used",
			fixed{own: []inference.Target{through("a", "x", "y"), bare("x")}},
			granted("b"), BestEffort,
			nil,
		},
		{
			"the own target comes last",
			fixed{in: map[inference.Region][]inference.Target{"b": {bare("b")}}, own: []inference.Target{through("a", "b")}},
			granted("b"), Strict,
			[]inference.Target{bare("b"), through("a", "b")},
		},
		{
			"and once",
			fixed{in: map[inference.Region][]inference.Target{"a": {through("a", "a", "b")}}, own: []inference.Target{through("a", "a", "b")}},
			granted("a", "b"), Strict,
			[]inference.Target{through("a", "a", "b")},
		},
		{
			"accounts of one region are neighbours",
			fixed{in: map[inference.Region][]inference.Target{
				"a": {{Region: "a", Model: model, Account: "1"}, {Region: "a", Model: model, Account: "2"}},
				"b": {{Region: "b", Model: model, Account: "1"}},
			}},
			granted("a", "b"), Strict,
			[]inference.Target{
				{Region: "a", Model: model, Account: "1"}, {Region: "a", Model: model, Account: "2"},
				{Region: "b", Model: model, Account: "1"},
			},
		},
	} {
		r := New(Config{Targets: test.targets, Pinning: test.pinning})
		if diff := cmp.Diff(test.want, targetsOf(r.Plan(nil, plain(r, test.grant), epoch))); diff != "" {
			t.Errorf("%s: Plan() (-want +got):\n%s", test.name, diff)
		}
	}
}

// A breaker is of a region, a model and an account: another account there goes on.
func TestPlanBreakersAreOfAccounts(t *testing.T) {
	one, two := bare("a"), bare("a")
	one.Account, two.Account = "1", "2"
	r := New(Config{Targets: fixed{in: map[inference.Region][]inference.Target{"a": {one, two}, "b": {bare("b")}}}})
	g := r.health.guard(one)
	for range r.health.config.Failures {
		a, _ := g.admit(epoch)
		g.settle(a, failed, epoch)
	}
	want := []inference.Target{two, bare("b"), one}
	if diff := cmp.Diff(want, targetsOf(r.Plan(nil, plain(r, granted("a", "b")), epoch))); diff != "" {
		t.Errorf("Plan() with the breaker of account 1 open (-want +got):\n%s", diff)
	}
}

// Whatever there is to call: a plan holds each target once, nothing that cannot
// run in the grant or may run outside of a residency set, what may leave the grant with
// best effort only and behind what may not, and all others.
func TestPlanKeepsToRunSets(t *testing.T) {
	some := rapid.SampledFrom([]inference.Region{"a", "b", "c", "d", "e"})
	sets := rapid.SliceOfNDistinct(some, 1, 5, rapid.ID)
	rapid.Check(t, func(t *rapid.T) {
		target := func(region inference.Region) inference.Target {
			target := inference.Target{Region: region, Model: rapid.SampledFrom([]string{"m", "p"}).Draw(t, "model")}
			target.Account = rapid.SampledFrom([]string{"1", "2"}).Draw(t, "account")
			if target.Model == "p" {
				target.RunSet = sets.Draw(t, "run set")
				target.OpenEnded = rapid.Bool().Draw(t, "open-ended")
			}
			return target
		}
		targets := fixed{in: map[inference.Region][]inference.Target{}}
		grant := granted(sets.Draw(t, "granted")...)
		offered := map[[3]string]inference.Target{}
		offer := func(o inference.Target) bool {
			key := [3]string{string(o.Region), o.Model, o.Account}
			_, again := offered[key]
			if !again {
				offered[key] = o
			}
			return !again
		}
		for _, d := range grant.Destinations {
			for range rapid.IntRange(0, 2).Draw(t, "targets") {
				if o := target(d.Region); offer(o) {
					targets.in[d.Region] = append(targets.in[d.Region], o)
				}
			}
		}
		own := through(some.Draw(t, "source"), sets.Draw(t, "own run set")...)
		own.Account = "1"
		if offer(own) {
			targets.own = []inference.Target{own}
		}
		residency := func(name string) (r Residency) {
			if rapid.Bool().Draw(t, name) {
				r = Residency{Names: []string{name}, Regions: sets.Draw(t, name+" residency")}
			}
			return r
		}
		pinning := rapid.SampledFrom([]Pinning{"", Strict, BestEffort}).Draw(t, "pinning")
		c := Config{
			Targets: targets, Pinning: pinning,
			Route:     Route{Residency: residency("route")},
			Residency: map[string]Residency{"developer": residency("principal")},
		}
		r := New(c)
		for _, o := range offered {
			if rapid.Bool().Draw(t, "open") {
				guard := r.health.guard(o)
				for range r.health.config.Failures {
					a, _ := guard.admit(epoch)
					guard.settle(a, failed, epoch)
				}
			}
		}
		call := drawCall(t, r, grant)
		call.Principal = "developer"
		plan := targetsOf(r.Plan(nil, call, epoch))

		granted := func(o inference.Target) (n int) {
			for _, d := range grant.Destinations {
				if o.RunsIn(d.Region) {
					n++
				}
			}
			return n
		}
		resides := func(o inference.Target) bool {
			for _, within := range []Residency{c.Route.Residency, c.Residency["developer"]} {
				for _, in := range append(slices.Clone(o.RunSet), o.Region) {
					bound := len(within.Names) > 0 && (o.RunsIn(in) || o.OpenEnded)
					if bound && (o.OpenEnded || !slices.Contains(within.Regions, in)) {
						return false
					}
				}
			}
			return true
		}
		class := func(o inference.Target) (c class) {
			if granted(o) < max(len(o.RunSet), 1) {
				c |= strays
			}
			if r.health.guard(o).outOfUse(epoch.UnixNano()) {
				c |= open
			}
			return c
		}
		for _, o := range plan {
			key := [3]string{string(o.Region), o.Model, o.Account}
			if _, ok := offered[key]; !ok {
				t.Fatalf("Plan() has %v twice, or it was never offered", o)
			}
			delete(offered, key)
			if granted(o) == 0 || class(o)&strays != 0 && pinning != BestEffort {
				t.Fatalf("Plan() has %v, which may leave the grant %v", o, grant.Destinations)
			}
			if !resides(o) {
				t.Fatalf("Plan() has %v, which may leave the residency %v", o, r.Bound(call))
			}
		}
		kept, unbound := len(plan), len(plan)
		for _, o := range offered {
			if granted(o) > 0 && (class(o)&strays == 0 || pinning == BestEffort) {
				unbound++
				if resides(o) {
					t.Fatalf("Plan() lacks %v, which may run in the grant %v", o, grant.Destinations)
				}
			}
		}
		if got, want := r.KeptOut(call), unbound > 0; kept == 0 && got != want {
			t.Fatalf("KeptOut() = %v with %d targets but for residency, want %v", got, unbound, want)
		}
		if !slices.IsSortedFunc(plan, func(a, b inference.Target) int { return int(class(a)) - int(class(b)) }) {
			t.Fatalf("Plan() = %v, want closed before open, and of each those that stay in the grant first", plan)
		}
	})
}

// The plan of a grant that comes again costs no memory, by any policy.
func TestPlanAllocatesNothing(t *testing.T) {
	for _, policy := range append(policies, "") {
		r, call, now := loaded(policy)
		buf := make([]Choice, 0, 30)
		allocs := testing.AllocsPerRun(100, func() {
			if plan := r.Plan(buf, call, now); len(plan) != len(call.Grant.Destinations) {
				t.Errorf("Plan() has %d targets, want %d", len(plan), len(call.Grant.Destinations))
			}
		})
		if allocs != 0 {
			t.Errorf("Plan() by %q allocates %v times, want 0", policy, allocs)
		}
	}
}

// Plans are made while calls change the state of targets.
func TestPlanIsConcurrent(t *testing.T) {
	r, call, now := loaded(inference.Adaptive)
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			own := *call
			for i := range 200 {
				at := now.Add(time.Duration(i) * 100 * time.Millisecond)
				plan := r.Plan(nil, &own, at)
				if len(plan) != 30 {
					t.Errorf("Plan() has %d targets, want 30", len(plan))
				}
				g := plan[worker].guard
				g.enter(1000, at)
				g.answered(g.force(), true, at, time.Second, at)
				g.throttled(0, at)
				g.leave(1000, 500, at)
			}
		})
	}
	group.Wait()
}
