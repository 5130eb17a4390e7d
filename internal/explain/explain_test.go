package explain

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/amplify"
	"fairway/internal/catalog"
	"fairway/internal/inference"
	"fairway/internal/policy"
	"fairway/internal/seed"
)

const (
	account = "123456789012"
	model   = "anthropic.claude-sonnet-4-20250514-v1:0"
	apac    = "apac." + model
	later   = "anthropic.claude-sonnet-4-6" // has a global profile
	bare    = "anthropic.claude-3-haiku-20240307-v1:0"
	invoke  = "bedrock:InvokeModel"
	source  = inference.Region("ap-southeast-1")
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func in(region inference.Region) string { return string(inference.ModelARN(region, model)) }

func allow(resources ...string) policy.Statement {
	return policy.Statement{Effect: "Allow", Actions: []string{invoke}, Resources: resources, At: "fairway.yaml:7"}
}

func deny(resources ...string) policy.Statement {
	return policy.Statement{Effect: "Deny", Actions: []string{"bedrock:*"}, Resources: resources, At: "fairway.yaml:20"}
}

// explain explains a call by a principal called app.
func explain(t *testing.T, mode policy.Mode, p policy.Principal, named string) *Explanation {
	t.Helper()
	p.Principal = inference.Principal{Name: "app", ARN: "arn:aws:iam::123456789012:user/app"}
	engine, err := policy.New(policy.Options{Mode: mode, Account: account}, p)
	if err != nil {
		t.Fatal(err)
	}
	return explainBy(t, engine, "app", named)
}

func explainBy(t *testing.T, engine *policy.Engine, principal, named string) *Explanation {
	t.Helper()
	q := Question{Question: policy.Question{Principal: principal, Action: invoke, Now: now}, Named: named, SourceRegion: source}
	x, err := Explain(t.Context(), engine, catalog.New(catalog.Options{Account: account}), q)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// seedEngine has the roles of the seed, without the resources that contain cut.
func seedEngine(t *testing.T, mode policy.Mode, cut string) *policy.Engine {
	t.Helper()
	b, err := amplify.Load(t.Context(), seed.Files(t))
	if err != nil {
		t.Fatal(err)
	}
	var principals []policy.Principal
	for _, p := range b.Principals {
		for i := range p.Statements {
			s := &p.Statements[i]
			for j := len(s.Resources) - 1; j >= 0 && cut != ""; j-- {
				if strings.Contains(s.Resources[j], cut) {
					s.Resources, s.ResourceAt = slices.Delete(s.Resources, j, j+1), slices.Delete(s.ResourceAt, j, j+1)
				}
			}
		}
		principals = append(principals, policy.Principal{Principal: inference.ServiceRole(account, p.Name), Statements: p.Statements})
	}
	engine, err := policy.New(policy.Options{Mode: mode, Account: account}, principals...)
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

// TestSeed names the statement of each of the seed's eight regions, and its line.
func TestSeed(t *testing.T) {
	x := explainBy(t, seedEngine(t, policy.Narrow, ""), "bedrockDS", apac)
	got := map[inference.Region]string{}
	for _, d := range x.Destinations {
		if d.Effect != policy.Allowed || d.Layer != policy.IdentityBased || d.Resource != inference.ModelARN(d.Region, model) {
			t.Errorf("destination %+v, want it allowed for its own model ARN", d)
		}
		if d.Named == strings.Contains(d.Pattern, "*") {
			t.Errorf("destination %+v, want it named unless by a wildcard", d)
		}
		got[d.Region] = d.Statement + " " + d.PatternAt
	}
	const statement = "amplify/backend.ts:29 amplify/backend.ts:" // and its line of the resource
	want := map[inference.Region]string{
		"ap-southeast-1": statement + "34", "ap-northeast-1": statement + "36", "ap-southeast-2": statement + "37",
		"ap-northeast-2": statement + "38", "ap-northeast-3": statement + "39",
		"ap-south-1": statement + "41", "ap-south-2": statement + "41", "ap-southeast-4": statement + "41",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("statements (-want +got):\n%s", diff)
	}
	if !x.AWS.Allowed || !x.Fairway.Allowed || x.Fairway.Destinations[0] != source || len(x.Missing) != 0 {
		t.Errorf("the seed: AWS %+v, fairway %+v, missing %+v, want all of it allowed", x.AWS, x.Fairway, x.Missing)
	}
	if len(x.Warnings) != 1 || !strings.Contains(x.Warnings[0], "<UserID>") || !strings.Contains(x.Warnings[0], "amplify/backend.ts:32") {
		t.Errorf("warnings = %q, want the placeholder at its line", x.Warnings)
	}
}

// TestSeedLeastPrivilege: with the advice in place of the wildcard AWS allows the call
// still, and Fairway tries the regions in the same order.
func TestSeedLeastPrivilege(t *testing.T) {
	x := explainBy(t, seedEngine(t, policy.Narrow, ""), "bedrockDS", apac)
	l := x.LeastPrivilege
	if l == nil || len(l.Replaces) != 1 || l.Replaces[0].At != "amplify/backend.ts:41" || l.Replaces[0].Resource != in("*") {
		t.Fatalf("LeastPrivilege = %+v, want the wildcard line", l)
	}
	if len(l.Resources) != 9 || slices.ContainsFunc(l.Resources, isWild) {
		t.Errorf("resources = %q, want the profile and eight models", l.Resources)
	}
	exact := explain(t, policy.Strict, policy.Principal{Statements: []policy.Statement{{Effect: "Allow", Actions: l.Actions, Resources: l.Resources}}}, apac)
	if !exact.AWS.Allowed || exact.LeastPrivilege != nil || !slices.Equal(exact.Fairway.Destinations, x.Fairway.Destinations) {
		t.Errorf("with the advice: AWS %+v, fairway %+v, want all allowed in the order %v", exact.AWS, exact.Fairway, x.Fairway.Destinations)
	}
}

// TestSeedWithoutWildcard names the three that are missing, and what gives them.
func TestSeedWithoutWildcard(t *testing.T) {
	for _, mode := range []policy.Mode{policy.Narrow, policy.Strict} {
		x := explainBy(t, seedEngine(t, mode, ":*::"), "bedrockDS", apac)
		var missing []string
		for _, d := range x.Destinations {
			if d.Effect != policy.Allowed {
				missing = append(missing, string(d.Resource))
				if d.Effect != policy.ImplicitlyDenied || d.Statement != "" || d.Reason != "no identity-based policy allows the bedrock:InvokeModel action" {
					t.Errorf("%s: destination %+v, want that no statement allows it", mode, d)
				}
			}
		}
		want := []string{in("ap-south-1"), in("ap-south-2"), in("ap-southeast-4")}
		if !slices.Equal(missing, want) || len(x.Missing) != 1 || !slices.Equal(x.Missing[0].Resources, want) || !slices.Equal(x.Missing[0].Actions, []string{invoke}) {
			t.Errorf("%s: missing %v, advice %+v, want %v", mode, missing, x.Missing, want)
		}
		message := "User: " + string(x.ARN) + " is not authorized to perform: " + invoke + " on resource: " + want[0] + " because no identity-based policy allows the " + invoke + " action"
		if x.AWS.Allowed || x.AWS.Message != message || string(x.AWS.Resource) != want[0] {
			t.Errorf("%s: AWS = %+v, want %q", mode, x.AWS, message)
		}
		if x.Fairway.Allowed != (mode == policy.Narrow) || len(x.Modes.Narrow.Destinations) != 5 || x.Modes.Strict.Message != message {
			t.Errorf("%s: fairway = %+v in %+v, want five destinations in narrow mode only", mode, x.Fairway, x.Modes)
		}
		if !strings.Contains(x.Missing[0].TypeScript, "new PolicyStatement") || !json.Valid(x.Missing[0].JSON) {
			t.Errorf("%s: advice = %+v, want JSON and TypeScript", mode, x.Missing[0])
		}
	}
}

// TestGlobal: a global profile stands on three ARNs.
func TestGlobal(t *testing.T) {
	const global = "global." + later
	profile := string(inference.ProfileARN(source, account, global))
	in := func(region inference.Region) string { return string(inference.ModelARN(region, later)) }
	whole := explain(t, policy.Narrow, policy.Principal{Statements: []policy.Statement{allow(profile, in(source), in(""))}}, global)
	var checks []string
	for _, c := range whole.Checks {
		checks = append(checks, c.For+" "+string(c.Resource))
	}
	want := []string{"profile " + profile, "source model " + in(source), "global model " + in("")}
	if diff := cmp.Diff(want, checks); diff != "" || !whole.AWS.Allowed {
		t.Errorf("AWS = %+v, checks (-want +got):\n%s", whole.AWS, diff)
	}
	part := explain(t, policy.Narrow, policy.Principal{Statements: []policy.Statement{allow(profile, in(source))}}, global)
	if part.Fairway.Allowed || len(part.Missing) != 1 || !slices.Equal(part.Missing[0].Resources, []string{in("")}) {
		t.Errorf("without the regionless ARN: fairway %+v, missing %+v, want it refused and that ARN", part.Fairway, part.Missing)
	}
	for _, d := range part.Destinations {
		if d.Effect == policy.Allowed || string(d.Resource) != in("") {
			t.Errorf("destination %+v, want it denied for the regionless ARN", d)
		}
	}
}

// TestLayers: what denies is named, and what would give it, each in its own layer.
func TestLayers(t *testing.T) {
	everything := []policy.Statement{allow("*")}
	elsewhere := []policy.Statement{allow(in("us-east-1"))}
	for _, test := range []struct {
		name    string
		p       policy.Principal
		layer   policy.Layer // that decides over ap-south-1
		effect  policy.Effect
		missing []policy.Layer
		denies  []string
	}{
		{"a deny in a service control policy", policy.Principal{Statements: everything, ServiceControls: append([]policy.Statement{deny(in("ap-south-1"))}, everything...)},
			policy.ServiceControl, policy.ExplicitlyDenied, nil, []string{"fairway.yaml:20"}},
		{"a service control policy elsewhere", policy.Principal{Statements: everything, ServiceControls: elsewhere},
			policy.ServiceControl, policy.ImplicitlyDenied, []policy.Layer{policy.ServiceControl}, nil},
		{"a boundary elsewhere", policy.Principal{Statements: everything, Boundary: elsewhere},
			policy.Boundary, policy.ImplicitlyDenied, []policy.Layer{policy.Boundary}, nil},
		{"nothing, and a boundary elsewhere", policy.Principal{Boundary: elsewhere},
			policy.IdentityBased, policy.ImplicitlyDenied, []policy.Layer{policy.IdentityBased, policy.Boundary}, nil},
		{"a deny", policy.Principal{Statements: append([]policy.Statement{deny(in("ap-south-1"), in("ap-south-2"))}, everything...)},
			policy.IdentityBased, policy.ExplicitlyDenied, nil, []string{"fairway.yaml:20"}},
	} {
		x := explain(t, policy.Narrow, test.p, apac)
		i := slices.IndexFunc(x.Destinations, func(d Destination) bool { return d.Region == "ap-south-1" })
		if d := x.Destinations[i]; d.Layer != test.layer || d.Effect != test.effect || d.Reason == "" {
			t.Errorf("%s: %+v, want %s by the %s", test.name, d, test.effect, test.layer)
		}
		var missing []policy.Layer
		for _, s := range x.Missing {
			missing = append(missing, s.Layer)
		}
		var denies []string
		for _, d := range x.Denies {
			denies = append(denies, d.Statement)
		}
		if !slices.Equal(missing, test.missing) || !slices.Equal(denies, test.denies) || x.AWS.Allowed {
			t.Errorf("%s: missing in %v, denied at %v, AWS %+v, want %v, %v and a refusal", test.name, missing, denies, x.AWS, test.missing, test.denies)
		}
	}
}

// TestMissingIsEnough: with the statements that are missing added, AWS allows the call.
func TestMissingIsEnough(t *testing.T) {
	p := policy.Principal{Boundary: []policy.Statement{allow(in(source))}, ServiceControls: []policy.Statement{allow(in("ap-south-1"))}}
	x := explain(t, policy.Narrow, p, apac)
	for _, s := range x.Missing {
		added := policy.Statement{Effect: "Allow", Actions: s.Actions, Resources: s.Resources}
		switch s.Layer {
		case policy.IdentityBased:
			p.Statements = append(p.Statements, added)
		case policy.Boundary:
			p.Boundary = append(p.Boundary, added)
		case policy.ServiceControl:
			p.ServiceControls = append(p.ServiceControls, added)
		}
	}
	if after := explain(t, policy.Narrow, p, apac); !after.AWS.Allowed || len(after.Missing) != 0 {
		t.Errorf("with %+v added AWS says %+v, want it allowed", x.Missing, after.AWS)
	}
}

// TestConditions: a statement that would allow it but for a condition is named.
func TestConditions(t *testing.T) {
	near := allow("*")
	near.Conditions = map[string]map[string][]string{"IpAddress": {"aws:SourceIp": {"10.0.0.0/8"}}}
	x := explain(t, policy.Narrow, policy.Principal{Statements: []policy.Statement{near}}, bare)
	want := []string{`fairway.yaml:7 allows it only if IpAddress aws:SourceIp "10.0.0.0/8": the call has no such key`}
	if len(x.Checks) != 1 || !slices.Equal(x.Checks[0].Unmet, want) {
		t.Errorf("checks = %+v, want the condition that is not met: %q", x.Checks, want)
	}
	if x.Profile != nil || len(x.Destinations) != 1 || x.Fairway.Allowed {
		t.Errorf("a bare model = %+v, want one destination, refused", x)
	}
}

func TestErrors(t *testing.T) {
	engine, err := policy.New(policy.Options{Account: account})
	if err != nil {
		t.Fatal(err)
	}
	known := catalog.New(catalog.Options{Account: account})
	for _, q := range []Question{
		{Question: policy.Question{Principal: "nobody", Action: invoke}, Named: apac, SourceRegion: source},
		{Question: policy.Question{Principal: "nobody", Action: invoke}, Named: "no.such", SourceRegion: source},
	} {
		if x, err := Explain(t.Context(), engine, known, q); err == nil || x != nil {
			t.Errorf("Explain(%s, %s) = %+v, %v, want an error alone", q.Principal, q.Named, x, err)
		}
	}
}

// TestRefusals: the error says what can be asked instead.
func TestRefusals(t *testing.T) {
	engine, err := policy.New(policy.Options{Account: account}, policy.Principal{Principal: inference.Principal{Name: "app"}})
	if err != nil {
		t.Fatal(err)
	}
	const invalid = "The provided model identifier is invalid."
	for _, c := range []struct {
		action, named string
		from          inference.Region
		want          string
	}{
		{"bedrock:ListFoundationModels", apac, source, `explain: "bedrock:ListFoundationModels" is no action that calls a model: ask about bedrock:InvokeModel, bedrock:InvokeModelWithResponseStream, bedrock:CountTokens`},
		{"bedrock:Converse", apac, source, `explain: "bedrock:Converse" is no action`},
		{"bedrock:*", apac, source, `explain: "bedrock:*" is no action`},
		{"", apac, source, `explain: "" is no action`},
		{invoke, apac, "us-east-1", `explain: "` + apac + `" cannot be called from "us-east-1": ` + invalid + ` Call it from ap-east-2, ap-northeast-1, `},
		{invoke, apac, "mars-north-1", `explain: "` + apac + `" cannot be called from "mars-north-1": ` + invalid + ` Call it from ap-east-2, ap-northeast-1, `},
		{invoke, "no.such", source, `explain: "no.such" cannot be called from "ap-southeast-1": ` + invalid},
		{invoke, model, source, `explain: "` + model + `" cannot be called from "ap-southeast-1": Invocation of model ID ` + model},
	} {
		q := Question{Question: policy.Question{Principal: "app", Action: c.action, Now: now}, Named: c.named, SourceRegion: c.from}
		x, err := Explain(t.Context(), engine, catalog.New(catalog.Options{Account: account}), q)
		if e := inference.AsError(err); x != nil || e.Kind != inference.Validation || !strings.HasPrefix(e.Message, c.want) {
			t.Errorf("Explain(%q, %q, %q) = %v, want a Validation that begins with %s", c.action, c.named, c.from, err, c.want)
		}
	}
	for _, action := range calls {
		q := Question{Question: policy.Question{Principal: "app", Action: action, Now: now}, Named: apac, SourceRegion: source}
		if _, err := Explain(t.Context(), engine, catalog.New(catalog.Options{Account: account}), q); err != nil {
			t.Errorf("Explain(%s) = %v", action, err)
		}
	}
}

// TestTextOfAServer: an explanation that came as JSON reads as one that did not.
func TestTextOfAServer(t *testing.T) {
	own := explain(t, policy.Narrow, policy.Principal{Statements: []policy.Statement{allow("*")}, Boundary: []policy.Statement{allow(in(source))}}, apac)
	sent, err := json.Marshal(own)
	if err != nil {
		t.Fatal(err)
	}
	var came Explanation
	if err := json.Unmarshal(sent, &came); err != nil {
		t.Fatal(err)
	}
	var want, got strings.Builder
	if err := errors.Join(own.Text(&want), came.Text(&got)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), got.String()); diff != "" || !strings.Contains(got.String(), "\n  \"Effect\": \"Allow\",\n") {
		t.Errorf("Text of what came as JSON (-want +got):\n%s", diff)
	}
}

// TestJSON holds the shape that is documented: lists are never null.
func TestJSON(t *testing.T) {
	text, err := json.Marshal(explain(t, policy.Narrow, policy.Principal{}, apac))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]json.RawMessage
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	for member, first := range map[string]string{
		"principal": `"`, "principal_arn": `"`, "action": `"`, "profile": `"`, "model": `"`, "source_region": `"`, "mode": `"`,
		"checks": "[", "destinations": "[", "aws": "{", "fairway": "{", "modes": "{", "missing": "[", "denies": "[", "least_privilege": "n", "warnings": "[",
	} {
		if !strings.HasPrefix(string(got[member]), first) {
			t.Errorf("%s = %s, want it to begin with %s", member, got[member], first)
		}
		delete(got, member)
	}
	if len(got) != 0 {
		t.Errorf("members that are not documented: %v", got)
	}
}

// TestText reads as a table with what comes of it.
func TestText(t *testing.T) {
	p := policy.Principal{Statements: []policy.Statement{allow(string(inference.ProfileARN(source, account, apac)), in(source)), deny(in("ap-south-1"))}}
	var b strings.Builder
	if err := explain(t, policy.Narrow, p, apac).Text(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"app, bedrock:InvokeModel on " + apac + " from ap-southeast-1\n",
		"NEEDED FOR      DECISION     STATEMENT        BECAUSE OF\n",
		"profile         allowed      fairway.yaml:7   arn:aws:bedrock:ap-southeast-1:123456789012:inference-profile/" + apac + "\n",
		"ap-northeast-1  not allowed  none             no identity-based policy allows the bedrock:InvokeModel action\n",
		"ap-south-1      denied       fairway.yaml:20  an explicit deny in an identity-based policy\n",
		"AWS      refuses it, 403 AccessDeniedException: User: arn:aws:iam::123456789012:user/app is not",
		"fairway  runs it in 1 of 8 destinations: ap-southeast-1 (narrow)\n",
		"(were it strict)\n",
		"missing, to add to the identity-based policy of app:\n",
		"remove or narrow the Deny at fairway.yaml:20, in the identity-based policy, to leave out:\n  " + in("ap-south-1") + "\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("Text lacks %q:\n%s", want, b.String())
		}
	}
}

// BenchmarkExplain is all of an explanation: eight destinations and the advice.
func BenchmarkExplain(b *testing.B) {
	engine, err := policy.New(policy.Options{Account: account}, policy.Principal{
		Principal: inference.Principal{Name: "app"}, Statements: []policy.Statement{allow("*")},
	})
	if err != nil {
		b.Fatal(err)
	}
	known := catalog.New(catalog.Options{Account: account})
	q := Question{Question: policy.Question{Principal: "app", Action: invoke, Now: now}, Named: apac, SourceRegion: source}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Explain(b.Context(), engine, known, q); err != nil {
			b.Fatal(err)
		}
	}
}
