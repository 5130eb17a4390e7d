package gateway

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
	"fairway/internal/policy"
	"fairway/internal/route"
)

// The model that other calls fall back to, and one of Claude's family.
const (
	nova         = "amazon.nova-pro-v1:0"
	novaProfile  = "apac." + nova
	haiku        = "anthropic.claude-3-haiku-20240307-v1:0"
	haikuProfile = "apac." + haiku
)

// byModel is an upstream whose targets behave by their model; one that is not in it is
// well.
type byModel map[string]behaviour

func (m byModel) Invoke(ctx context.Context, t inference.Target, _ *inference.Request) (inference.Stream, error) {
	if b, ok := m[t.Model]; ok {
		return b(ctx)
	}
	return sends(whole)(ctx)
}

// routed is a line whose calls go by r.
func routed(t *testing.T, upstream route.Upstream, r route.Route, statements ...policy.Statement) *line {
	t.Helper()
	l := newLine(t, upstream, ticking(), statements...)
	l.Router = route.New(route.Config{Upstream: upstream, Simulated: true, Route: r})
	return l
}

// converse is a call that any model takes.
func converse(id string) *inference.Request {
	r := request(id)
	r.Operation = inference.Converse
	return r
}

// models are what the attempts of a call called, each once.
func models(r *inference.Record) []string {
	var all []string
	for _, a := range r.Attempts {
		all = append(all, a.Model)
	}
	return slices.Compact(all)
}

// TestFallback: when no target of the model that was called answers, those of the next
// do, which is recorded and charged.
func TestFallback(t *testing.T) {
	down := byModel{model: refused}
	for name, test := range map[string]struct {
		regions   byModel
		fallbacks []string
		request   *inference.Request
		models    []string
		fallback  string // recorded
		cost      inference.Money
		kind      inference.Kind
	}{
		"not needed":           {byModel{}, []string{novaProfile}, converse("id"), []string{model}, "", 6_000_000, ""},
		"needed":               {down, []string{novaProfile, haikuProfile}, converse("id"), []string{model, nova}, novaProfile, 1_512_000, ""},
		"the second":           {byModel{model: refused, nova: refused}, []string{novaProfile, haikuProfile}, converse("id"), []string{model, nova, haiku}, haikuProfile, 500_000, ""},
		"unknown, then known":  {down, []string{"no.such-model", novaProfile}, converse("id"), []string{model, nova}, novaProfile, 1_512_000, ""},
		"the model itself":     {down, []string{profile}, converse("id"), []string{model}, "", 0, inference.ServiceUnavailable},
		"of the same body":     {down, []string{novaProfile, haikuProfile}, request("id"), []string{model, haiku}, haikuProfile, 500_000, ""},
		"tokens are not asked": {down, []string{novaProfile}, counting("id"), []string{model}, "", 0, inference.ServiceUnavailable},
		"that fails as well": {
			byModel{model: throttled, nova: missing}, []string{novaProfile}, converse("id"), []string{model, nova}, "", 0, inference.Throttling,
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := routed(t, test.regions, route.Route{Fallbacks: test.fallbacks}, everything, counts)
			l.SameBody = func(_ inference.Operation, a, b inference.ModelID) bool { return a.IsAnthropic() && b.IsAnthropic() }
			stream, r, err := l.Invoke(t.Context(), test.request)
			if stream != nil {
				err = read(t.Context(), stream)
			}
			if (err == nil) != (test.kind == "") || err != nil && inference.AsError(err).Kind != test.kind {
				t.Errorf("Invoke = %v, want %q", err, test.kind)
			}
			if diff := cmp.Diff(test.models, models(r)); diff != "" {
				t.Errorf("models called (-want +got):\n%s", diff)
			}
			if r.Fallback != test.fallback || r.Cost != test.cost || r.Model != model {
				t.Errorf("record of %s: fallback %q at %s, want %s, %q at %s", r.Model, r.Fallback, r.Cost, model, test.fallback, test.cost)
			}
		})
	}
}

var counts = policy.Statement{Effect: "Allow", Actions: []string{"bedrock:CountTokens"}, Resources: []string{"*"}, At: "policy:2"}

func counting(id string) *inference.Request {
	r := request(id)
	r.Operation = inference.CountTokens
	return r
}

// TestFallbackIsAuthorized: what the principal may not call, no fallback calls for it,
// which is said once.
func TestFallbackIsAuthorized(t *testing.T) {
	down := byModel{model: refused}
	l := routed(t, down, route.Route{Fallbacks: []string{novaProfile, "no.such-model"}}, allow(modelARNs(destinations...)...))
	for range 3 {
		_, r, err := l.Invoke(t.Context(), converse("id"))
		if got := inference.AsError(err).Kind; got != inference.ServiceUnavailable || !slices.Equal(models(r), []string{model}) {
			t.Errorf("Invoke = %v after calls of %v, want ServiceUnavailable of %s alone", err, models(r), model)
		}
	}
	var left []string
	for _, line := range l.log.all {
		if line["message"] == "fallback left out" {
			left = append(left, line["level"]+" "+line["principal"]+" "+line["model"])
		}
	}
	if want := []string{"INFO caller " + novaProfile, "INFO caller no.such-model"}; !slices.Equal(left, want) {
		t.Errorf("left out %v, want %v, once", left, want)
	}
}

// TestFallbackEstimates: what a fallback said before it broke off is counted as its own.
func TestFallbackEstimates(t *testing.T) {
	word := inference.Event{Raw: []byte("word"), Content: true}
	l := routed(t, byModel{model: refused, nova: sends(word, word)}, route.Route{Fallbacks: []string{novaProfile}}, everything)
	l.Estimate = func(_ *inference.Request, m inference.ModelID) int { return len(m) }
	stream, r, err := l.Invoke(t.Context(), converse("id"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	stream.Close()
	if want := (inference.Usage{InputTokens: len(nova), OutputTokens: 1}); r.Usage != want || !r.Estimated {
		t.Errorf("usage = %+v, estimated %t, want %+v of %s", r.Usage, r.Estimated, want, nova)
	}
}

// TestFallbackKeepsToResidency: a model that would leave it stands in for nothing.
func TestFallbackKeepsToResidency(t *testing.T) {
	here := route.Residency{Names: []string{"apac"}, Regions: destinations}
	l := routed(t, byModel{model: refused}, route.Route{Residency: here, Fallbacks: []string{"us.amazon.nova-pro-v1:0", novaProfile}}, everything)
	stream, r, err := l.Invoke(t.Context(), converse("id"))
	if err != nil {
		t.Fatal(err)
	}
	stream.Close()
	for _, a := range r.Attempts {
		if !slices.Contains(destinations, a.Region) {
			t.Errorf("attempt in %s, want none outside of apac", a.Region)
		}
	}
	if r.Fallback != novaProfile || strings.Join(r.Residency, " ") != "apac" {
		t.Errorf("record of fallback %q in residency %v, want %s in apac", r.Fallback, r.Residency, novaProfile)
	}
}
