package route

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

func becauses(plan []Choice) map[string]string {
	because := map[string]string{}
	for _, ranked := range Ranking(plan) {
		because[string(ranked.Region)] = ranked.Because
	}
	return because
}

func TestRankingNamesTheStatement(t *testing.T) {
	grant := seedGrant()
	for i := range grant.Destinations {
		grant.Destinations[i].Statement = "amplify/backend.ts:30"
	}
	r := New(Config{Route: Route{Order: []inference.Region{"ap-northeast-3"}}})
	got := becauses(r.Plan(nil, plain(r, grant), epoch))
	want := map[string]string{
		"ap-northeast-3": "first in the configured order",
		"ap-southeast-1": "named first by amplify/backend.ts:30",
		"ap-northeast-1": "named second by amplify/backend.ts:30",
		"ap-southeast-2": "named third by amplify/backend.ts:30",
		"ap-northeast-2": "named fourth by amplify/backend.ts:30",
		"ap-south-1":     "no history, in catalog order",
		"ap-south-2":     "no history, in catalog order",
		"ap-southeast-4": "no history, in catalog order",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Ranking() (-want +got):\n%s", diff)
	}
}

func TestRankingSaysWhatIsWrong(t *testing.T) {
	r := New(Config{
		Pinning: BestEffort,
		Quotas:  []Quota{{Regions: []inference.Region{"c", "d"}, TokensPerMinute: 60_000}},
		Targets: fixed{
			in: map[inference.Region][]inference.Target{
				"a": {bare("a")}, "b": {bare("b")}, "c": {bare("c")}, "d": {bare("d")}, "e": {through("e", "e", "x")}, "f": {bare("f")}, "g": {bare("g")},
			},
			own: []inference.Target{through("h", "a")},
		},
	})
	call := plain(r, granted("a", "b", "c", "d", "e", "f", "g"))
	call.Policy = inference.Adaptive
	call.Outline = func() inference.Outline { return inference.Outline{MaxTokens: 8200} }
	r.Plan(nil, call, epoch)
	refuse(r, bare("a"), epoch)
	trip(r, "b", epoch)
	r.health.guard(bare("c")).bucket.take(60_000, epoch)
	r.health.guard(bare("d")).bucket.take(51_000, epoch)
	g := r.health.guard(bare("f"))
	for range 3 {
		g.load.enter()
	}
	g.load.seen(false, 412*time.Millisecond, epoch)
	for range 20 {
		r.health.guard(bare("g")).load.enter()
	}
	trip(r, "g", epoch)

	want := map[string]string{
		"a": "not entitled, asked again in 5m0s; expected in 515ms, 0 in flight",
		"b": "breaker open for 5s; expected in 515ms, 0 in flight",
		"c": "quota fits in 8.2s; expected in 515ms, 0 in flight, little quota left",
		"d": "expected in 515ms, 0 in flight",
		"e": "may run outside of the grant; expected in 515ms, 0 in flight",
		"f": "expected in 509ms, 3 in flight",
		"g": "breaker open for 5s; expected in 515ms, 20 in flight, more than others",
		"h": "expected in 515ms, 0 in flight",
	}
	got := becauses(r.Plan(nil, call, epoch))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Ranking() (-want +got):\n%s", diff)
	}
}

func TestRankingByPolicy(t *testing.T) {
	r := New(Config{
		Route:   Route{Weights: map[inference.Region]float64{"a": 2.5}},
		Price:   func(model string) (inference.Money, bool) { return 18 * inference.Dollar, model == "p" },
		Targets: fixed{in: map[inference.Region][]inference.Target{"a": {bare("a")}, "b": {through("b", "b")}}},
	})
	for _, test := range []struct {
		policy  inference.Policy
		session uint64
		want    map[string]string
	}{
		{inference.Ordered, 0, map[string]string{"a": "source region", "b": "in catalog order"}},
		{inference.Latency, 0, map[string]string{"a": "no history, source region", "b": "no history, in catalog order"}},
		{inference.Weighted, 0, map[string]string{"a": "drawn at weight 2.5", "b": "drawn at weight 1"}},
		{inference.LeastLoad, 0, map[string]string{"a": "0 in flight at weight 2.5", "b": "0 in flight at weight 1"}},
		{inference.Cost, 0, map[string]string{"a": "price unknown", "b": "18 dollars a million tokens in and out"}},
		{inference.RoundRobin, 0, map[string]string{"a": "in its turn", "b": "in its turn"}},
	} {
		grant := granted("a", "b")
		for i := range grant.Destinations {
			grant.Destinations[i].Named = false
		}
		call := plain(r, grant)
		call.Policy, call.Session = test.policy, test.session
		if diff := cmp.Diff(test.want, becauses(r.Plan(nil, call, epoch))); diff != "" {
			t.Errorf("Ranking() by %s (-want +got):\n%s", test.policy, diff)
		}
	}
}

func TestRankingTellsTheHome(t *testing.T) {
	r := New(Config{Route: Route{Policy: inference.Adaptive}})
	call := plain(r, granted("a", "b"))
	call.Session = 1
	if got, want := Ranking(r.Plan(nil, call, epoch))[0].Because, "home of the session"; got != want {
		t.Errorf("Ranking()[0] of a session = %q, want %q", got, want)
	}
	call = plain(r, granted("a", "b"))
	call.Outline = func() inference.Outline { return inference.Outline{Prefix: 1} }
	if got, want := Ranking(r.Plan(nil, call, epoch))[0].Because, "home of the prompt prefix"; got != want {
		t.Errorf("Ranking()[0] of a prefix = %q, want %q", got, want)
	}
}

func TestRankingOfAProbe(t *testing.T) {
	r := New(Config{})
	trip(r, "a", epoch)
	healed := epoch.Add(time.Hour)
	r.health.guard(bare("a")).admit(healed)
	plan := r.Plan(nil, plain(r, granted("a", "b")), healed)
	if got, want := becauses(plan)["a"], "breaker half-open, probed now; named first"; got != want {
		t.Errorf("Ranking() of a target that is probed = %q, want %q", got, want)
	}
}
