package telemetry

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

// lines are those of a scrape that begin with one of the prefixes.
func lines(t *testing.T, m *Metrics, prefixes ...string) []string {
	t.Helper()
	var found []string
	for line := range strings.Lines(scrape(t, m)) {
		for _, prefix := range prefixes {
			if strings.HasPrefix(line, prefix) {
				found = append(found, strings.TrimSpace(line))
			}
		}
	}
	return found
}

// row is an attempt at a target of that name that took so many milliseconds.
func row(target string, o inference.Outcome, ms int64) inference.Attempt {
	return inference.Attempt{Region: region, Model: target, Outcome: o, MS: ms}
}

func hedge(a inference.Attempt) inference.Attempt { a.Hedge = true; return a }
func broke(a inference.Attempt) inference.Attempt { a.Cut = true; return a }

// TestDetours: each is counted by what the rows of the attempts say.
func TestDetours(t *testing.T) {
	m := newTestMetrics()
	for _, attempts := range [][]inference.Attempt{
		{row("a", inference.Failed, 1), row("b", inference.OK, 1)},                                       // nothing but failover
		{row("a", inference.Failed, 1), row("b", inference.Failed, 1), row("a", inference.OK, 1)},        // a retry
		{row("a", inference.Failed, 9), hedge(row("b", inference.OK, 1))},                                // a hedge that answered
		{row("a", inference.OK, 9), hedge(row("b", inference.Failed, 1))},                                // and two that did not
		{row("a", inference.Failed, 9), hedge(row("b", inference.Failed, 1)), row("c", inference.OK, 1)}, //
		{broke(row("a", inference.Failed, 1))},                                                           // nobody went on
	} {
		put(t, m, &inference.Record{Attempts: attempts})
	}
	put(t, m,
		&inference.Record{Attempts: []inference.Attempt{broke(row("a", inference.Failed, 1)), broke(row("b", inference.Failed, 1)), row("c", inference.OK, 1)}, Continued: 2},
		&inference.Record{Attempts: []inference.Attempt{row("a", inference.OK, 1)}, Error: &inference.Failure{Type: inference.ServiceUnavailable}}, // told the caller
		&inference.Record{Attempts: []inference.Attempt{row("a", inference.OK, 1)}, Error: &inference.Failure{Type: inference.Canceled}},           // left by the caller
		&inference.Record{Attempts: []inference.Attempt{row("apac."+string(model), inference.OK, 1)}, Fallback: "apac." + string(model), Model: "called", Usage: inference.Usage{InputTokens: 7}},
	)
	want := []string{
		"fairway_continuations_total 2",
		"fairway_cuts_total 4",
		"fairway_fallbacks_total 1",
		`fairway_hedges_total{outcome="failed"} 2`,
		`fairway_hedges_total{outcome="ok"} 1`,
		"fairway_retries_total 1",
		`fairway_tokens_total{model="anthropic.claude-sonnet-4-20250514-v1:0",type="input"} 7`,
	}
	got := lines(t, m, "fairway_continuations", "fairway_cuts", "fairway_fallbacks", "fairway_hedges", "fairway_retries", `fairway_tokens_total{model="anthropic.claude-sonnet-4-20250514-v1:0",type="input"}`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// TestShadows: a repeat for comparison is no call, and takes tokens as one.
func TestShadows(t *testing.T) {
	m := newTestMetrics()
	r := answered()
	r.ShadowOf, r.Wasted = "f00d", inference.Usage{InputTokens: 3}
	put(t, m, r)
	want := []string{`fairway_shadows_total{outcome="ok"} 1`, `fairway_tokens_total{model="` + string(model) + `",type="input"} 13`}
	if diff := cmp.Diff(want, lines(t, m, "fairway_calls_total", "fairway_shadows_total", `fairway_tokens_total{model="`+string(model)+`",type="input"}`)); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// TestFirstContent: attempts one after the other add up, and what runs beside another
// takes no time of its own; after the first content nothing does.
func TestFirstContent(t *testing.T) {
	for name, test := range map[string]struct {
		attempts []inference.Attempt
		want     int64
		ok       bool
	}{
		"none":             {nil, 0, false},
		"failed":           {[]inference.Attempt{row("a", inference.Failed, 10), row("b", inference.Failed, 20)}, 30, false},
		"failed over":      {[]inference.Attempt{row("a", inference.Failed, 10), row("b", inference.OK, 20)}, 30, true},
		"a hedge answered": {[]inference.Attempt{row("a", inference.Failed, 10), row("b", inference.Failed, 70), hedge(row("c", inference.OK, 20))}, 80, true},
		"a hedge lost":     {[]inference.Attempt{row("b", inference.OK, 70), hedge(row("c", inference.Failed, 20))}, 70, true},
		"gone on with":     {[]inference.Attempt{broke(row("a", inference.Failed, 10)), row("b", inference.OK, 20)}, 10, true},
	} {
		if got, ok := firstContent(&inference.Record{Attempts: test.attempts}); got != test.want || ok != test.ok {
			t.Errorf("%s: firstContent = %d, %t, want %d, %t", name, got, ok, test.want, test.ok)
		}
	}
}

// TestTargets: accounts are taken together, and so are models that are not known.
func TestTargets(t *testing.T) {
	m := NewMetrics(MetricsOptions{
		Regions: []inference.Region{region}, Models: []inference.ModelID{model},
		Targets: func() []Target {
			return []Target{
				{Region: region, Model: string(model), State: "closed", TokensPerMinute: 1000, RequestsPerMinute: 10},
				{Region: region, Model: "apac." + string(model), State: "closed", TokensPerMinute: 500},
				{Region: region, Model: string(model), State: "open"},
				{Region: region, Model: "arn:of-an-account", State: "closed"},
				{Region: region, Model: "arn:of-another", State: "closed"},
			}
		},
	})
	want := []string{
		`fairway_quota_requests_per_minute{model="anthropic.claude-sonnet-4-20250514-v1:0",region="ap-southeast-1"} 10`,
		`fairway_quota_tokens_per_minute{model="anthropic.claude-sonnet-4-20250514-v1:0",region="ap-southeast-1"} 1500`,
		`fairway_targets{model="anthropic.claude-sonnet-4-20250514-v1:0",region="ap-southeast-1",state="closed"} 2`,
		`fairway_targets{model="anthropic.claude-sonnet-4-20250514-v1:0",region="ap-southeast-1",state="open"} 1`,
		`fairway_targets{model="other",region="ap-southeast-1",state="closed"} 2`,
	}
	if diff := cmp.Diff(want, lines(t, m, "fairway_quota", "fairway_targets")); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}
