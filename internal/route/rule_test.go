package route

import (
	"slices"
	"testing"

	"fairway/internal/inference"
)

func TestRoute(t *testing.T) {
	r := New(Config{
		Route: Route{Policy: inference.Ordered},
		Rules: []Rule{
			{Principals: []string{"batch"}, Route: Route{Policy: inference.Cost}},
			{Models: []string{"*.anthropic.claude-sonnet-*", "amazon.*"}, Route: Route{Policy: inference.Latency}},
			{Principals: []string{"web"}, Models: []string{"[a-"}, Route: Route{Policy: inference.Weighted}},
		},
	})
	for _, test := range []struct {
		principal, named string
		want             inference.Policy
	}{
		{"batch", "amazon.nova-lite-v1:0", inference.Cost},
		{"web", "amazon.nova-lite-v1:0", inference.Latency},
		{"web", "apac.anthropic.claude-sonnet-4-20250514-v1:0", inference.Latency},
		{"web", "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-20250514-v1:0", inference.Latency},
		{"web", "anthropic.claude-haiku", inference.Ordered},
		{"web", "[a-", inference.Ordered},
		{"", "", inference.Ordered},
	} {
		first, second := r.Route(test.principal, test.named), r.Route(test.principal, test.named)
		if first.Policy != test.want || first != second {
			t.Errorf("Route(%q, %q) has policy %q, and again the same address: %v, want %q and true",
				test.principal, test.named, first.Policy, first == second, test.want)
		}
	}
}

func TestBound(t *testing.T) {
	route := Residency{Names: []string{"eu", "eu-west-1"}, Regions: []inference.Region{"eu-west-1"}}
	own := Residency{Names: []string{"eu"}, Regions: []inference.Region{"eu-west-1", "eu-west-3"}}
	for _, test := range []struct {
		name      string
		config    Config
		principal string
		want      []string
	}{
		{"nothing binds", Config{}, "p", nil},
		{"the route", Config{Route: Route{Residency: route}}, "p", []string{"eu", "eu-west-1"}},
		{"the principal", Config{Residency: map[string]Residency{"p": own}}, "p", []string{"eu"}},
		{"another principal", Config{Residency: map[string]Residency{"p": own}}, "q", nil},
		{"both", Config{Route: Route{Residency: route}, Residency: map[string]Residency{"p": own}}, "p", []string{"eu", "eu-west-1"}},
	} {
		r := New(test.config)
		call := plain(r, granted())
		call.Principal = test.principal
		if got := r.Bound(call); !slices.Equal(got, test.want) {
			t.Errorf("%s: Bound() = %v, want %v", test.name, got, test.want)
		}
	}
}

func TestQuotaOf(t *testing.T) {
	r := New(Config{Quotas: []Quota{
		{Regions: []inference.Region{"a"}, Accounts: []string{"1"}, TokensPerMinute: 1},
		{Models: []string{"*.p"}, TokensPerMinute: 2},
		{Regions: []inference.Region{"b"}, TokensPerMinute: 3},
	}})
	for _, test := range []struct {
		target inference.Target
		want   int
	}{
		{inference.Target{Region: "a", Account: "1", Model: "x.p"}, 1},
		{inference.Target{Region: "a", Account: "2", Model: "x.p"}, 2},
		{inference.Target{Region: "b", Model: "q"}, 3},
		{inference.Target{Region: "c", Model: "q"}, 0},
	} {
		if got := r.quotaOf(&test.target).TokensPerMinute; got != test.want {
			t.Errorf("quotaOf(%v) has %d tokens a minute, want %d", test.target, got, test.want)
		}
	}
}

// Slates are kept for grants that come again, and not without bound.
func TestSlatesAreBounded(t *testing.T) {
	r := New(Config{})
	for range maxSlates + 10 {
		grant := granted("a")
		grant.Shared = true
		planned(r, grant, epoch)
	}
	if got := len(r.slates.kept); got == 0 || got > maxSlates {
		t.Errorf("%d slates are kept, want at most %d", got, maxSlates)
	}
	if planned(r, granted("a", "b"), epoch); len(r.slates.kept) > 10 {
		t.Errorf("the slate of a grant that is not shared is kept")
	}
}

func TestResidencyAdmits(t *testing.T) {
	eu := Residency{Names: []string{"eu"}, Regions: []inference.Region{"eu-west-1", "eu-west-3"}}
	for _, test := range []struct {
		name      string
		residency Residency
		target    inference.Target
		want      bool
	}{
		{"everywhere", Residency{}, inference.Target{Region: "us-east-1", OpenEnded: true}, true},
		{"a model in it", eu, inference.Target{Region: "eu-west-1"}, true},
		{"a model outside", eu, inference.Target{Region: "us-east-1"}, false},
		{"a run set in it", eu, through("eu-west-1", "eu-west-1", "eu-west-3"), true},
		{"a run set that leaves it", eu, through("eu-west-1", "eu-west-1", "us-east-1"), false},
		{"a run set that may grow", eu, inference.Target{Region: "eu-west-1", RunSet: eu.Regions, OpenEnded: true}, false},
		{"regions without a name bind too", Residency{Regions: eu.Regions}, bare("us-east-1"), false},
		{"a name without regions admits nothing", Residency{Names: []string{"nowhere"}}, bare("eu-west-1"), false},
	} {
		if got := test.residency.Admits(&test.target); got != test.want {
			t.Errorf("%s: Admits(%v) = %v, want %v", test.name, test.target, got, test.want)
		}
	}
}
