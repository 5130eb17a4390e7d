package route

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairway/internal/inference"
)

func sessionPlan(r *Router, g *inference.Grant, session uint64) []Choice {
	call := plain(r, g)
	call.Policy, call.Session, call.Streams = inference.Adaptive, session, true
	return r.Plan(nil, call, epoch)
}

// Calls of a session go to one region, sessions spread over all, and a region that
// fails moves only its own.
func TestAffinityMovesNoOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, regions := New(Config{}), thirtyRegions()[:8]
		grant := granted(regions...)
		grant.Shared = true
		down := rapid.SampledFrom(regions).Draw(t, "down")
		before := map[uint64]inference.Region{}
		homes := map[inference.Region]int{}
		for session := range uint64(400) {
			before[session+1] = sessionPlan(r, grant, session+1)[0].Target.Region
			homes[before[session+1]]++
		}
		for _, region := range regions {
			if homes[region] < 20 || homes[region] > 100 {
				t.Fatalf("%s is home to %d of 400 sessions, want about 50", region, homes[region])
			}
		}
		trip(r, down, epoch)
		for session, home := range before {
			switch now := sessionPlan(r, grant, session)[0].Target.Region; {
			case home == down && now == down:
				t.Fatalf("session %d stays in %s, whose breaker is open", session, down)
			case home != down && now != home:
				t.Fatalf("session %d moves from %s to %s when %s fails", session, home, now, down)
			}
		}
	})
}

func TestAffinityByPrefix(t *testing.T) {
	r, grant := New(Config{}), granted("a", "b", "c", "d")
	homes := map[inference.Region]bool{}
	for prefix := range uint64(64) {
		var first inference.Region
		for i := range 2 {
			call, asked := plain(r, grant), 0
			call.Policy = inference.LeastLoad
			call.Outline = func() inference.Outline { asked++; return inference.Outline{Prefix: prefix + 1, PrefixTokens: 4000} }
			region := r.Plan(nil, call, epoch)[0].Target.Region
			if call.outline(); asked != 1 {
				t.Fatalf("Plan() and its reader ask for the outline %d times, want once", asked)
			}
			if homes[region] = true; i == 0 {
				first = region
			} else if region != first {
				t.Errorf("Plan() of prefix %d begins in %s and then in %s", prefix, first, region)
			}
		}
	}
	if len(homes) != 4 {
		t.Errorf("64 prefixes have their homes in %v, want all four regions", homes)
	}
}

// The outline is asked for only where it counts.
func TestOutlineIsRarelyAsked(t *testing.T) {
	quota := Config{Quotas: []Quota{{TokensPerMinute: 1000}}}
	for _, test := range []struct {
		name   string
		config Config
		change func(*Call)
		want   bool
	}{
		{"named as written, no quota", Config{}, func(*Call) {}, false},
		{"named as written, a quota", quota, func(*Call) {}, true},
		{"adaptive", Config{}, func(c *Call) { c.Policy = inference.Adaptive }, true},
		{"adaptive, a session", Config{}, func(c *Call) { c.Policy, c.Session = inference.Adaptive, 1 }, false},
		{"ordered", Config{}, func(c *Call) { c.Policy = inference.Ordered }, false},
	} {
		r := New(test.config)
		call, asked := plain(r, granted("a", "b")), false
		call.Outline = func() inference.Outline { asked = true; return inference.Outline{} }
		test.change(call)
		if r.Plan(nil, call, epoch); asked != test.want {
			t.Errorf("%s: Plan() asks for the outline: %v, want %v", test.name, asked, test.want)
		}
	}
}

// A session stays with its home while that is busy, until waiting there costs more than
// the cache is worth; the ordered policy knows no homes.
func TestAffinitySpills(t *testing.T) {
	r, grant := New(Config{KeepCache: 100 * time.Millisecond}), granted("a", "b", "c")
	home := sessionPlan(r, grant, 7)[0].Target.Region
	for _, region := range []inference.Region{"a", "b", "c"} {
		r.health.guard(bare(region)).load.seen(true, 300*time.Millisecond, epoch)
	}
	of := func(size int) inference.Region {
		call := plain(r, grant)
		call.Policy, call.Session, call.Streams, call.Size = inference.Adaptive, 7, true, size
		return r.Plan(nil, call, epoch)[0].Target.Region
	}
	for range 50 {
		r.health.guard(bare(home)).load.enter()
	}
	if got := of(4000); got != home {
		t.Errorf("Plan() with a home that is hot and as fast as others begins in %s, want %s", got, home)
	}
	r.health.guard(bare(home)).load.seen(true, 2700*time.Millisecond, epoch) // 900ms are expected then
	if got := of(4000); got == home {
		t.Errorf("Plan() with a home 600ms slower and 1,000 tokens in its cache begins there")
	}
	if got := of(40_000); got != home {
		t.Errorf("Plan() with a home 600ms slower and 10,000 tokens in its cache begins in %s, want %s", got, home)
	}
	call := plain(r, grant)
	call.Policy, call.Session = inference.Ordered, 7
	if got := regionsOf(targetsOf(r.Plan(nil, call, epoch))); !slices.Equal(got, []inference.Region{"a", "b", "c"}) {
		t.Errorf("Plan() by the ordered policy = %v, want the order", got)
	}
}

// A region that is drained, with weight 0, is no session's home.
func TestAffinityMindsDrainedRegions(t *testing.T) {
	r := New(Config{Route: Route{Policy: inference.Weighted, Weights: map[inference.Region]float64{"a": 0, "b": 1}}})
	for session := range uint64(50) {
		call := plain(r, granted("a", "b"))
		call.Session = session + 1
		if plan := r.Plan(nil, call, epoch); plan[0].Target.Region != "b" || plan[0].why.home != ofSession {
			t.Fatalf("Plan() of session %d = %v, want its home in b", session, Ranking(plan))
		}
	}
}

// Accounts share a session's home region only as rendezvous says; named regions stay as
// written all the same.
func TestAffinityStaysWithinThePlace(t *testing.T) {
	accounts := func(region inference.Region) []inference.Target {
		one, two := bare(region), bare(region)
		one.Account, two.Account = "1", "2"
		return []inference.Target{one, two}
	}
	r := New(Config{Targets: fixed{in: map[inference.Region][]inference.Target{"a": accounts("a"), "b": accounts("b")}}})
	first := map[string]int{}
	for session := range uint64(50) {
		call := plain(r, granted("a", "b"))
		call.Session = session + 1
		target := r.Plan(nil, call, epoch)[0].Target
		if target.Region != "a" {
			t.Fatalf("Plan() of session %d begins in %s, want a as written", session, target.Region)
		}
		first[target.Account]++
	}
	if first["1"] < 10 || first["2"] < 10 {
		t.Errorf("50 sessions have their homes in accounts %v, want both", first)
	}
}
