package gateway

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
	"fairway/internal/route"
)

// TestRouting: what routing is told of a call is the request's own, and the same of
// equal ones wherever they are served.
func TestRouting(t *testing.T) {
	grant := &inference.Grant{Profile: inference.Profile{Model: model}}
	rule := &route.Route{}
	g := &Gateway{Outline: func(r *inference.Request, m inference.ModelID) inference.Outline {
		return inference.Outline{InputTokens: len(r.Body), MaxTokens: len(m)}
	}}
	r := request("7b3c")
	r.Operation, r.Body = inference.ConverseStream, []byte("12345")
	r.Steering = inference.Steering{Policy: inference.Cost, Session: "kitchen", OnCut: inference.ContinueOnCut}
	got := g.routing(r, grant, rule)
	if got.Principal != "caller" || got.Grant != grant || got.Route != rule || got.Policy != inference.Cost || got.OnCut != inference.ContinueOnCut || !got.Streams || got.Size != 5 {
		t.Errorf("routing = %+v, want the request's", got)
	}
	if want := (inference.Outline{InputTokens: 5, MaxTokens: len(model)}); got.Outline() != want {
		t.Errorf("Outline() = %+v, want %+v", got.Outline(), want)
	}
	const seed, session = uint64(0x55f765c1dce0a5ee), uint64(0xc91f3348ceaa74aa) // FNV-1a of "7b3c\x00" and of "caller\x00kitchen\x00"
	if got.Seed != seed || got.Session != session {
		t.Errorf("Seed, Session = %#x, %#x, want %#x, %#x", got.Seed, got.Session, seed, session)
	}

	r.Principal.Name, r.ID = "another", "7b3d"
	if next := g.routing(r, grant, rule); next.Session == got.Session || next.Seed == got.Seed {
		t.Error("another principal's session or another call's seed is the same")
	}
	r.Steering.Session = ""
	if next := g.routing(r, grant, rule); next.Session != 0 {
		t.Errorf("Session without a session = %#x, want 0", next.Session)
	}
}

// TestSteeredPolicy: a call goes by the policy that it asks for, else by its route's,
// and its record says which.
func TestSteeredPolicy(t *testing.T) {
	for name, test := range map[string]struct{ route, call, want inference.Policy }{
		"neither":     {"", "", inference.Adaptive},
		"the route's": {inference.Ordered, "", inference.Ordered},
		"the call's":  {inference.Ordered, inference.LeastLoad, inference.LeastLoad},
	} {
		l := routed(t, regions{}, route.Route{Policy: test.route}, everything)
		r := request("id")
		r.Steering.Policy = test.call
		stream, record, err := l.Invoke(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		stream.Close()
		if record.Policy != test.want || record.Plan != nil {
			t.Errorf("%s: record by policy %q with plan %v, want %q and none", name, record.Policy, record.Plan, test.want)
		}
	}
}

// TestPlanIsShown: a call that asks for it has its plan in the record and in the log,
// the targets in the order in which they are tried.
func TestPlanIsShown(t *testing.T) {
	l := newLine(t, regions{source: refused}, ticking(), everything)
	r := request("id")
	r.Steering.Trace = true
	stream, record, err := l.Invoke(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	stream.Close()
	var ranked []inference.Region
	for _, target := range record.Plan {
		ranked = append(ranked, target.Region)
		if target.Because == "" || target.Model != model {
			t.Errorf("ranked %+v, want its model and why it stands there", target)
		}
	}
	if diff := cmp.Diff(destinations, ranked); diff != "" || record.Attempts[1].Region != ranked[1] {
		t.Errorf("plan (-want +got):\n%s\nattempts %v", diff, record.Attempts)
	}
	line := l.log.said(t, "call planned")
	if line["level"] != "INFO" || line["request_id"] != "id" || line["policy"] != "adaptive" || strings.Count(line["plan"], model) != len(destinations) {
		t.Errorf("line = %v, want the ranking of all targets", line)
	}
}

// TestResidency: a call that can stay in its residency does, and says so; one that
// cannot is told what bound it.
func TestResidency(t *testing.T) {
	for name, test := range map[string]struct {
		regions []inference.Region
		want    []inference.Region // tried while all fail; nil is refused
	}{
		"some": {[]inference.Region{"ap-northeast-1", "ap-northeast-2", "eu-west-1"}, []inference.Region{"ap-northeast-1", "ap-northeast-2"}},
		"none": {[]inference.Region{"eu-west-1"}, nil},
	} {
		everywhere := regions{}
		for _, r := range destinations {
			everywhere[r] = refused
		}
		l := routed(t, everywhere, route.Route{Residency: route.Residency{Names: []string{"home"}, Regions: test.regions}}, everything)
		_, record, err := l.Invoke(t.Context(), request("id"))
		var tried []inference.Region
		for _, a := range record.Attempts {
			tried = append(tried, a.Region)
		}
		if !slices.Equal(tried, test.want) || !slices.Equal(record.Residency, []string{"home"}) {
			t.Errorf("%s: tried %v in residency %v, want %v in home", name, tried, record.Residency, test.want)
		}
		e := inference.AsError(err)
		const refusal = "invoke model: " + profile + " has no target that stays within home, the residency of the call: call a profile that runs there, or widen the residency"
		if test.want == nil && (e.Kind != inference.AccessDenied || e.Message != refusal) {
			t.Errorf("%s: Invoke = %v, want AccessDenied: %s", name, err, refusal)
		}
	}
}

// TestPrincipalsResidency binds a call like its route's.
func TestPrincipalsResidency(t *testing.T) {
	l := newLine(t, regions{}, ticking(), everything)
	l.Router = route.New(route.Config{Upstream: regions{}, Simulated: true, Residency: map[string]route.Residency{
		"caller": {Names: []string{"eu"}, Regions: []inference.Region{"eu-west-1"}},
	}})
	_, record, err := l.Invoke(t.Context(), request("id"))
	if e := inference.AsError(err); e.Kind != inference.AccessDenied || !strings.Contains(e.Message, "within eu,") || len(record.Attempts) != 0 {
		t.Errorf("Invoke = %v after %v, want AccessDenied by eu", err, record.Attempts)
	}
}
