package gateway

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/catalog"
	"fairway/internal/inference"
	"fairway/internal/policy"
	"fairway/internal/route"
)

// reached remembers the targets that were called, each of which answers well.
type reached []inference.Target

func (r *reached) Invoke(ctx context.Context, t inference.Target, _ *inference.Request) (inference.Stream, error) {
	*r = append(*r, t)
	return sends(whole)(ctx)
}

// overAWS is a line over real regions, which are called with profiles.
func overAWS(t *testing.T, pinning route.Pinning, allowed policy.Statement) (*line, *reached) {
	t.Helper()
	upstream := new(reached)
	l := newLine(t, upstream, ticking(), allowed)
	l.Router = route.New(route.Config{Upstream: upstream, Targets: catalog.Targets{}, Pinning: pinning})
	return l, upstream
}

// TestStrays: of a profile that a region runs wherever it may, one denied
// destination leaves no target under strict pinning.
func TestStrays(t *testing.T) {
	denied := inference.ModelARN("ap-south-1", model)
	granted := modelARNs("ap-southeast-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-2", "ap-southeast-2", "ap-southeast-4")
	l, upstream := overAWS(t, route.Strict, allow(granted...))
	_, record, err := l.Invoke(t.Context(), request("id"))
	want := "invoke model: " + profile + " may run in " + string(denied) + ", which is not allowed: allow all of its destinations, or set pinning to best-effort"
	if got := inference.AsError(err); got.Kind != inference.AccessDenied || got.Status() != 403 || got.Message != want || got.Region != source {
		t.Errorf("Invoke() = %v with status %d, want AccessDenied, 403, %q", err, got.Status(), want)
	}
	failure := &inference.Failure{Status: 403, Type: inference.AccessDenied, Message: want}
	if diff := cmp.Diff(failure, record.Error); diff != "" || len(record.Attempts) != 0 || len(*upstream) != 0 || len(l.kept.records) != 1 {
		t.Errorf("record with %d attempts, %d calls, %d kept (-want +got):\n%s", len(record.Attempts), len(*upstream), len(l.kept.records), diff)
	}

	l, upstream = overAWS(t, route.BestEffort, allow(granted...))
	stream, record, err := l.Invoke(t.Context(), request("id"))
	if err != nil {
		t.Fatal(err)
	}
	stream.Close()
	if len(*upstream) != 1 || record.Destination != "unknown (one of 8)" {
		t.Errorf("with pinning best-effort %d calls to %q, want one to who knows where", len(*upstream), record.Destination)
	}
}

// aws is a control plane that is never asked.
type aws struct{ catalog.Remote }

const provisioned, there = "arn:aws:bedrock:ap-southeast-1:123456789012:provisioned-model/a", "arn:aws:bedrock:us-west-2:123456789012:provisioned-model/b"

// TestRegionalResourceStaysPut: a resource of a region is called there and nowhere
// else, unless something stands for it.
func TestRegionalResourceStaysPut(t *testing.T) {
	const west = inference.Region("us-west-2")
	at := inference.Target{Region: source, Model: provisioned}
	for name, test := range map[string]struct {
		equivalents catalog.Equivalents
		allow       policy.Statement
		want        []inference.Target // called, while the first fails
	}{
		"alone":                     {nil, everything, []inference.Target{at}},
		"with an equivalent":        {catalog.Equivalents{provisioned: {west: there}}, everything, []inference.Target{at, {Region: west, Model: there}}},
		"with one not granted":      {catalog.Equivalents{provisioned: {west: there}}, allow(provisioned), []inference.Target{at}},
		"with another resource's":   {catalog.Equivalents{there: {west: there}}, everything, []inference.Target{at}},
		"denied, so its equivalent": {catalog.Equivalents{provisioned: {west: there}}, allow(there), nil},
	} {
		l, upstream := overAWS(t, route.Strict, test.allow)
		l.Router = route.New(route.Config{Upstream: failing{upstream, source}, Targets: catalog.Targets{}})
		l.Catalog = catalog.New(catalog.Options{Account: account, Remote: aws{}, Equivalents: test.equivalents})
		r := request("id")
		r.Model = provisioned
		stream, record, err := l.Invoke(t.Context(), r)
		if stream != nil {
			stream.Close()
		}
		if diff := cmp.Diff(test.want, []inference.Target(*upstream)); diff != "" || (err == nil) != (len(test.want) > 1) {
			t.Errorf("%s: Invoke() = %v, called (-want +got):\n%s", name, err, diff)
		}
		if record.Profile != nil || record.Model != provisioned {
			t.Errorf("%s: record of %v, %s, want no profile and the ARN", name, record.Profile, record.Model)
		}
	}
}

// failing is well in all regions but one.
type failing struct {
	*reached
	down inference.Region
}

func (f failing) Invoke(ctx context.Context, t inference.Target, r *inference.Request) (inference.Stream, error) {
	stream, err := f.reached.Invoke(ctx, t, r)
	if t.Region == f.down {
		return refused(ctx)
	}
	return stream, err
}

// TestGuardrailEquivalents: a call may also go where something stands for its
// guardrail, which then applies in its place.
func TestGuardrailEquivalents(t *testing.T) {
	const tokyo, seoul = inference.Region("ap-northeast-1"), inference.Region("ap-northeast-2")
	for name, test := range map[string]struct {
		equivalents catalog.Equivalents
		allow       []inference.Region
		want        []string // region and guardrail of the calls, while the source region fails
	}{
		"none":                   {nil, destinations, []string{"ap-southeast-1 "}},
		"another's":              {catalog.Equivalents{"g-2": {tokyo: "g-3"}}, destinations, []string{"ap-southeast-1 "}},
		"one":                    {catalog.Equivalents{"g-1": {tokyo: "g-3"}}, destinations, []string{"ap-southeast-1 ", "ap-northeast-1 g-3"}},
		"one that fails no more": {catalog.Equivalents{"g-1": {seoul: "g-4", tokyo: "g-3"}}, []inference.Region{source, seoul, tokyo}, []string{"ap-southeast-1 ", "ap-northeast-2 g-4"}},
		"the only one granted":   {catalog.Equivalents{"g-1": {tokyo: "g-3"}}, []inference.Region{seoul, tokyo}, []string{"ap-northeast-1 g-3"}},
		"of the source itself":   {catalog.Equivalents{"g-1": {source: "g-9"}}, destinations, []string{"ap-southeast-1 "}},
	} {
		upstream := new(reached)
		resources := modelARNs(test.allow...)
		l := newLine(t, failing{upstream, source}, ticking(), allow(resources...))
		l.Catalog = catalog.New(catalog.Options{Account: account, Equivalents: test.equivalents})
		stream, _, err := l.Invoke(t.Context(), guarded())
		if stream != nil {
			stream.Close()
		}
		var got []string
		for _, called := range *upstream {
			got = append(got, string(called.Region)+" "+called.Guardrail)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: Invoke() = %v, called (-want +got):\n%s", name, err, diff)
		}
	}
}
