package policy

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

const (
	account = "123456789012"
	model   = "anthropic.claude-sonnet-4-20250514-v1:0"
	invoke  = "bedrock:InvokeModel"
)

var (
	now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

	dataSource = inference.Principal{Name: "bedrockDS", ARN: "arn:aws:sts::123456789012:assumed-role/bedrockDS/appsync"}

	// apac is Sonnet 4's profile as called from ap-southeast-1.
	apac = inference.Profile{
		ID: "apac." + model, Model: model, SourceRegion: "ap-southeast-1",
		ARN: inference.ProfileARN("ap-southeast-1", account, "apac."+model),
		Destinations: []inference.Region{
			"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
			"ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-4",
		},
	}
	global = inference.Profile{
		ID: "global." + model, Model: model, SourceRegion: "us-west-2", Global: true,
		ARN:          inference.ProfileARN("us-west-2", account, "global."+model),
		Destinations: []inference.Region{"ap-northeast-1", "eu-west-1", "us-east-1", "us-west-2"},
	}
	bare = inference.Profile{Model: model, SourceRegion: "us-east-1", Destinations: []inference.Region{"us-east-1"}}
)

// seed is the statement of the guide that Fairway starts from.
func seed() Statement {
	return Statement{
		Effect:  "Allow",
		Actions: []string{"bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"},
		Resources: []string{
			"arn:aws:bedrock:ap-southeast-1:<UserID>:inference-profile/apac." + model,
			"arn:aws:bedrock:ap-southeast-1::foundation-model/" + model,
			"arn:aws:bedrock:ap-northeast-1::foundation-model/" + model,
			"arn:aws:bedrock:ap-southeast-2::foundation-model/" + model,
			"arn:aws:bedrock:ap-northeast-2::foundation-model/" + model,
			"arn:aws:bedrock:ap-northeast-3::foundation-model/" + model,
			"arn:aws:bedrock:*::foundation-model/" + model,
		},
		At: "amplify/backend.ts:30",
	}
}

// seedWithoutWildcard is the seed after a reader took option 1 only.
func seedWithoutWildcard() Statement {
	s := seed()
	s.Resources = s.Resources[:6]
	return s
}

func allow(resources ...string) Statement {
	return Statement{Effect: "Allow", Actions: []string{invoke}, Resources: resources, At: "allow"}
}

func deny(resources ...string) Statement {
	return Statement{Effect: "Deny", Actions: []string{"*"}, Resources: resources, At: "deny"}
}

func in(region string) string { return "arn:aws:bedrock:" + region + "::foundation-model/" + model }

func newEngine(t testing.TB, mode Mode, statements ...Statement) *Engine {
	t.Helper()
	e, err := New(Options{Mode: mode, Account: account}, Principal{Principal: dataSource, Statements: statements})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func named(at string, regions ...inference.Region) []inference.Destination {
	return destinations(true, at, regions...)
}

func covered(at string, regions ...inference.Region) []inference.Destination {
	return destinations(false, at, regions...)
}

func destinations(named bool, at string, regions ...inference.Region) []inference.Destination {
	var all []inference.Destination
	for _, r := range regions {
		all = append(all, inference.Destination{Region: r, Named: named, Statement: at})
	}
	return all
}

func denials(regions ...inference.Region) []inference.Denial {
	var all []inference.Denial
	for _, r := range regions {
		all = append(all, inference.Denial{
			Region: r, Resource: inference.ModelARN(r, model),
			Reason: "no identity-based policy allows the bedrock:InvokeModel action",
		})
	}
	return all
}

func TestAuthorize(t *testing.T) {
	const everyModel = "arn:aws:bedrock:*::foundation-model/*"
	allowed := inference.Verdict{Allowed: true}
	profile := string(apac.ARN)
	withCondition := allow("*")
	withCondition.Conditions = map[string]map[string][]string{
		"StringEquals": {"aws:requestedregion": {"ap-southeast-1", "ap-south-2"}},
	}
	onlyThroughProfile := allow("*")
	onlyThroughProfile.Conditions = map[string]map[string][]string{
		"ArnLike":      {"bedrock:InferenceProfileArn": {"arn:aws:bedrock:*:*:inference-profile/apac.*"}},
		"DateLessThan": {"aws:CurrentTime": {"2026-12-01T00:00:00Z"}},
	}
	for _, test := range []struct {
		name       string
		profile    inference.Profile
		statements []Statement
		want       inference.Grant
	}{
		{"the seed", apac, []Statement{seed()}, inference.Grant{
			Destinations: slices.Concat(
				named("amplify/backend.ts:30", "ap-southeast-1", "ap-northeast-1", "ap-southeast-2", "ap-northeast-2", "ap-northeast-3"),
				covered("amplify/backend.ts:30", "ap-south-1", "ap-south-2", "ap-southeast-4"),
			),
			AWS: allowed,
		}},
		{"the seed without its wildcard", apac, []Statement{seedWithoutWildcard()}, inference.Grant{
			Destinations: named("amplify/backend.ts:30", "ap-southeast-1", "ap-northeast-1", "ap-southeast-2", "ap-northeast-2", "ap-northeast-3"),
			Denied:       denials("ap-south-1", "ap-south-2", "ap-southeast-4"),
			AWS:          inference.Verdict{Resource: inference.ARN(in("ap-south-1"))},
		}},
		{"a wildcard alone: the source region, then catalog order", apac, []Statement{allow(profile, everyModel)}, inference.Grant{
			Destinations: covered("allow", "ap-southeast-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3",
				"ap-south-1", "ap-south-2", "ap-southeast-2", "ap-southeast-4"),
			AWS: allowed,
		}},
		{"statement order, then resource order, across statements", apac, []Statement{
			allow("*"), allow(in("ap-south-2"), in("ap-south-1")), allow(in("ap-south-1"), "arn:aws:bedrock:ap-northeast-3::foundation-model/anthropic.*"),
		}, inference.Grant{
			Destinations: slices.Concat(named("allow", "ap-south-2", "ap-south-1", "ap-northeast-3"),
				covered("allow", "ap-southeast-1", "ap-northeast-1", "ap-northeast-2", "ap-southeast-2", "ap-southeast-4")),
			AWS: allowed,
		}},
		{"a wildcard in the region names nothing", apac, []Statement{allow(profile, in("ap-south-?"), in("ap-southeast-1"))}, inference.Grant{
			Destinations: slices.Concat(named("allow", "ap-southeast-1"), covered("allow", "ap-south-1", "ap-south-2")),
			Denied:       denials("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-southeast-2", "ap-southeast-4"),
			AWS:          inference.Verdict{Resource: inference.ARN(in("ap-northeast-1"))},
		}},
		{"a deny takes a destination", apac, []Statement{seed(), deny(in("ap-southeast-1"))}, inference.Grant{
			Destinations: slices.Concat(
				named("amplify/backend.ts:30", "ap-northeast-1", "ap-southeast-2", "ap-northeast-2", "ap-northeast-3"),
				covered("amplify/backend.ts:30", "ap-south-1", "ap-south-2", "ap-southeast-4"),
			),
			Denied: []inference.Denial{{
				Region: "ap-southeast-1", Resource: inference.ARN(in("ap-southeast-1")), Statement: "deny",
				Reason: "an explicit deny in an identity-based policy",
			}},
			AWS: inference.Verdict{Resource: inference.ARN(in("ap-southeast-1")), Statement: "deny"},
		}},
		{"a condition on the region of the ARN checked", apac, []Statement{withCondition}, inference.Grant{
			Destinations: covered("allow", "ap-southeast-1", "ap-south-2"),
			Denied:       denials("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-2", "ap-southeast-4"),
			AWS:          inference.Verdict{Resource: inference.ARN(in("ap-northeast-1"))},
		}},
		{"conditions on the profile and the time", apac, []Statement{onlyThroughProfile}, inference.Grant{
			Destinations: covered("allow", "ap-southeast-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3",
				"ap-south-1", "ap-south-2", "ap-southeast-2", "ap-southeast-4"),
			AWS: allowed,
		}},
		{"a global profile's three ARNs", global, []Statement{allow(string(global.ARN), in("us-west-2")), allow(in(""))}, inference.Grant{
			Destinations: covered("allow", "us-west-2", "ap-northeast-1", "eu-west-1", "us-east-1"),
			AWS:          allowed,
		}},
		{"a bare model", bare, []Statement{allow(in("us-east-1"))}, inference.Grant{
			Destinations: named("allow", "us-east-1"),
			AWS:          allowed,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := newEngine(t, Narrow, test.statements...)
			test.want.Profile = test.profile
			test.want.Shared = e.principals["bedrockDS"].steady
			for _, call := range []string{"first", "second"} { // decided, then perhaps remembered
				got, err := e.Authorize(Question{Principal: "bedrockDS", Action: invoke, Now: now}, test.profile)
				if err != nil {
					t.Fatalf("%s Authorize = error %v", call, err)
				}
				if diff := cmp.Diff(&test.want, got); diff != "" {
					t.Errorf("%s Authorize (-want +got):\n%s", call, diff)
				}
			}
			_, err := newEngine(t, Strict, test.statements...).Authorize(Question{Principal: "bedrockDS", Action: invoke, Now: now}, test.profile)
			if (err == nil) != test.want.AWS.Allowed {
				t.Errorf("strict Authorize = error %v, want what AWS says: %+v", err, test.want.AWS)
			}
		})
	}
}

func TestAuthorizeRefuses(t *testing.T) {
	const (
		user    = "User: arn:aws:sts::123456789012:assumed-role/bedrockDS/appsync is not authorized to perform: bedrock:InvokeModel on resource: "
		because = " because no identity-based policy allows the bedrock:InvokeModel action"
		with    = " with an explicit deny in an identity-based policy"
	)
	unknown := allow("*")
	unknown.Conditions = map[string]map[string][]string{"StringSounds": {"aws:username": {"x"}}}
	unknownDeny := deny("*")
	unknownDeny.Conditions = unknown.Conditions
	unspecified := deny("*")
	unspecified.Conditions = map[string]map[string][]string{"StringEquals": {"aws:RequestedRegion": {"unspecified"}}}
	otherAccount := seed()
	otherAccount.Resources = slices.Clone(otherAccount.Resources)
	otherAccount.Resources[0] = "arn:aws:bedrock:ap-southeast-1:999999999999:inference-profile/apac." + model
	for _, test := range []struct {
		name       string
		mode       Mode
		profile    inference.Profile
		statements []Statement
		want       string
	}{
		{"nothing is allowed", Narrow, apac, nil, user + string(apac.ARN) + because},
		{"the profile is not allowed", Narrow, apac, []Statement{allow(in("*"))}, user + string(apac.ARN) + because},
		{"another account's profile", Narrow, apac, []Statement{otherAccount}, user + string(apac.ARN) + because},
		{"the profile is denied", Narrow, apac, []Statement{seed(), deny(string(apac.ARN))}, user + string(apac.ARN) + with},
		{"no model is allowed", Narrow, apac, []Statement{allow(string(apac.ARN))}, user + in("ap-southeast-1") + because},
		{"every model is denied", Narrow, apac, []Statement{seed(), deny(in("*"))}, user + in("ap-southeast-1") + with},
		{"another region's model only", Narrow, apac, []Statement{allow(string(apac.ARN), in("us-east-1"))}, user + in("ap-southeast-1") + because},
		{"strict, without the wildcard", Strict, apac, []Statement{seedWithoutWildcard()}, user + in("ap-south-1") + because},
		{"strict, one destination denied", Strict, apac, []Statement{deny(in("ap-southeast-4")), seed()}, user + in("ap-southeast-4") + with},
		{"global without the regionless ARN", Narrow, global, []Statement{allow(string(global.ARN), in("us-west-2"))}, user + in("") + because},
		{"global without the source region", Narrow, global, []Statement{allow(string(global.ARN), in(""))}, user + in("us-west-2") + because},
		{"global switched off", Narrow, global, []Statement{allow("*"), unspecified}, user + in("") + with},
		{"a bare model", Narrow, bare, []Statement{allow(in("us-west-2"))}, user + in("us-east-1") + because},
		{"an unknown operator in an allow", Narrow, bare, []Statement{unknown},
			user + in("us-east-1") + ` because the condition operator "StringSounds" of the identity-based policy statement allow is not known`},
		{"an unknown operator in a deny", Narrow, bare, []Statement{allow("*"), unknownDeny},
			user + in("us-east-1") + ` with an explicit deny in an identity-based policy whose condition operator "StringSounds" is not known`},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := newEngine(t, test.mode, test.statements...)
			got, err := e.Authorize(Question{Principal: "bedrockDS", Action: invoke, Now: now}, test.profile)
			refusal, ok := errors.AsType[*inference.Error](err)
			if !ok || refusal.Kind != inference.AccessDenied || refusal.Message != test.want || got != nil {
				t.Errorf("Authorize = %+v, %v\nwant AccessDeniedException: %s", got, err, test.want)
			}
		})
	}
}

func TestAuthorizeUnknownPrincipal(t *testing.T) {
	e := newEngine(t, Narrow, seed())
	_, err := e.Authorize(Question{Principal: "nobody", Action: invoke, Now: now}, apac)
	if refusal, ok := errors.AsType[*inference.Error](err); !ok || refusal.Kind != inference.AccessDenied {
		t.Errorf("Authorize(nobody) = %v, want AccessDeniedException", err)
	}
	if _, err := e.Explain(Question{Principal: "nobody", Action: invoke, Now: now}, apac); err == nil {
		t.Errorf("Explain(nobody) = nil, want an error")
	}
}

func TestNewRefusesSharedNames(t *testing.T) {
	p := Principal{Principal: dataSource, Statements: []Statement{seed()}}
	if _, err := New(Options{Account: account}, p, p); inference.AsError(err).Kind != inference.Validation {
		t.Errorf("New(two of one name) = %v, want ValidationException", err)
	}
}

// TestConditionsAreNotRemembered proves that the cache leaves out what time or
// context may change.
func TestConditionsAreNotRemembered(t *testing.T) {
	until := allow("*")
	until.Conditions = map[string]map[string][]string{"DateLessThan": {"aws:CurrentTime": {"2026-11-22T13:00:00Z"}}}
	e := newEngine(t, Narrow, until)
	if _, err := e.Authorize(Question{Principal: "bedrockDS", Action: invoke, Now: now}, apac); err != nil {
		t.Errorf("Authorize before the date = %v, want a grant", err)
	}
	if g, err := e.Authorize(Question{Principal: "bedrockDS", Action: invoke, Now: now.Add(time.Hour)}, apac); err == nil {
		t.Errorf("Authorize at the date = %+v, want a refusal", g)
	}
}

// A grant that says it is shared is the very one that the next call gets, and only such
// a one is.
func TestSharedGrants(t *testing.T) {
	copied := apac
	copied.CopiedFrom = string(apac.ID)
	for _, profile := range []inference.Profile{apac, copied} {
		e := newEngine(t, Narrow, seed(), allow(string(copied.ARN)))
		first, err := e.Authorize(Question{Principal: "bedrockDS", Action: invoke, Now: now}, profile)
		if err != nil {
			t.Fatal(err)
		}
		second, _ := e.Authorize(Question{Principal: "bedrockDS", Action: invoke, Now: now}, profile)
		if want := profile.CopiedFrom == ""; first.Shared != want || (first == second) != want {
			t.Errorf("Authorize, copied from %q: Shared = %v, again the same grant: %v, want both %v",
				profile.CopiedFrom, first.Shared, first == second, want)
		}
	}
}

func TestLayers(t *testing.T) {
	everything := []Statement{allow("*")}
	resource := inference.ARN(in("us-east-1"))
	for _, test := range []struct {
		name string
		p    Principal
		want Decision
	}{
		{"identity alone", Principal{Statements: everything},
			Decision{Allowed, IdentityBased, "allow", ""}},
		{"all layers allow", Principal{Statements: everything, Boundary: everything, ServiceControls: everything},
			Decision{Allowed, IdentityBased, "allow", ""}},
		{"an empty boundary", Principal{Statements: everything, Boundary: []Statement{}},
			Decision{ImplicitlyDenied, Boundary, "", "no permissions boundary allows the bedrock:InvokeModel action"}},
		{"a service control policy without an allow", Principal{Statements: everything, ServiceControls: []Statement{allow(in("us-west-2"))}},
			Decision{ImplicitlyDenied, ServiceControl, "", "no service control policy allows the bedrock:InvokeModel action"}},
		{"a boundary alone grants nothing", Principal{Boundary: everything},
			Decision{ImplicitlyDenied, IdentityBased, "", "no identity-based policy allows the bedrock:InvokeModel action"}},
		{"a deny in a later layer", Principal{Boundary: []Statement{deny("*")}},
			Decision{ExplicitlyDenied, Boundary, "deny", "an explicit deny in a permissions boundary"}},
		{"a deny in a service control policy", Principal{Statements: everything, ServiceControls: []Statement{deny("*")}},
			Decision{ExplicitlyDenied, ServiceControl, "deny", "an explicit deny in a service control policy"}},
	} {
		p, err := Compile(test.p, account)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Evaluate(invoke, resource, nil); got != test.want {
			t.Errorf("%s: Evaluate = %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestMissingFrom(t *testing.T) {
	e := newEngine(t, Narrow, seedWithoutWildcard())
	var evaluations []Evaluation
	for _, action := range []string{invoke, "bedrock:InvokeModelWithResponseStream"} {
		some, err := e.Explain(Question{Principal: "bedrockDS", Action: action, Now: now}, apac)
		if err != nil {
			t.Fatal(err)
		}
		evaluations = append(evaluations, some...)
	}
	got, ok := MissingFrom(IdentityBased, evaluations...)
	if !ok {
		t.Fatal("MissingFrom(the seed without its wildcard) = false, want a statement")
	}
	const wantJSON = `{
  "Effect": "Allow",
  "Action": [
    "bedrock:InvokeModel",
    "bedrock:InvokeModelWithResponseStream"
  ],
  "Resource": [
    "arn:aws:bedrock:ap-south-1::foundation-model/anthropic.claude-sonnet-4-20250514-v1:0",
    "arn:aws:bedrock:ap-south-2::foundation-model/anthropic.claude-sonnet-4-20250514-v1:0",
    "arn:aws:bedrock:ap-southeast-4::foundation-model/anthropic.claude-sonnet-4-20250514-v1:0"
  ]
}`
	const wantTypeScript = `new PolicyStatement({
  actions: ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
  resources: [
    "arn:aws:bedrock:ap-south-1::foundation-model/anthropic.claude-sonnet-4-20250514-v1:0",
    "arn:aws:bedrock:ap-south-2::foundation-model/anthropic.claude-sonnet-4-20250514-v1:0",
    "arn:aws:bedrock:ap-southeast-4::foundation-model/anthropic.claude-sonnet-4-20250514-v1:0",
  ],
})`
	if diff := cmp.Diff(wantJSON, got.JSON()); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantTypeScript, got.TypeScript()); diff != "" {
		t.Errorf("TypeScript (-want +got):\n%s", diff)
	}
	fixed := Statement{Effect: "Allow", Actions: got.Actions, Resources: got.Resources}
	if _, err := newEngine(t, Strict, seedWithoutWildcard(), fixed).Authorize(Question{Principal: "bedrockDS", Action: invoke, Now: now}, apac); err != nil {
		t.Errorf("Authorize with the advice added = %v, want a grant", err)
	}

	denied, err := newEngine(t, Narrow, seed(), deny("*")).Explain(Question{Principal: "bedrockDS", Action: invoke, Now: now}, apac)
	if advice, ok := MissingFrom(IdentityBased, denied...); ok || err != nil {
		t.Errorf("MissingFrom(denied) = %+v, %v, want nothing: no statement overrides a Deny", advice, err)
	}
}

func TestCompileRefuses(t *testing.T) {
	whole := allow("*")
	for _, test := range []struct {
		name string
		edit func(*Statement)
		want string
	}{
		{"effect", func(s *Statement) { s.Effect = "" }, `allow: effect is "", want Allow or Deny`},
		{"no action", func(s *Statement) { s.Actions = nil }, "allow: want either actions or notActions"},
		{"both actions", func(s *Statement) { s.NotActions = s.Actions }, "allow: want either actions or notActions"},
		{"no resource", func(s *Statement) { s.Resources = nil }, "allow: want either resources or notResources"},
		{"position by SID", func(s *Statement) { s.At, s.SID, s.Effect = "", "Models", "Permit" }, `Models: effect is "Permit", want Allow or Deny`},
		{"position by number", func(s *Statement) { s.At, s.Effect = "", "Permit" }, `statement 1: effect is "Permit", want Allow or Deny`},
	} {
		s := whole
		test.edit(&s)
		_, err := New(Options{Account: account}, Principal{Principal: dataSource, Statements: []Statement{s}})
		if e, ok := errors.AsType[*inference.Error](err); !ok || e.Kind != inference.Validation || e.Message != test.want {
			t.Errorf("%s: New = %v, want ValidationException: %s", test.name, err, test.want)
		}
	}
}

// BenchmarkAuthorize is a call of eight destinations under one statement of seven
// resources. "conditional" has a condition on the region, which leaves grants to be
// remembered, "varying" three more on what may differ from call to call.
func BenchmarkAuthorize(b *testing.B) {
	conditional := seed()
	conditional.Conditions = map[string]map[string][]string{"StringLike": {"aws:RequestedRegion": {"ap-*"}}}
	varying := seed()
	varying.Conditions = map[string]map[string][]string{
		"StringLike":   {"aws:RequestedRegion": {"ap-*"}},
		"IpAddress":    {"aws:SourceIp": {"10.0.0.0/8", "203.0.113.0/24"}},
		"DateLessThan": {"aws:CurrentTime": {"2027-01-01T00:00:00Z"}},
		"StringEquals": {"aws:PrincipalTag/team": {"search"}},
	}
	for _, bench := range []struct {
		name      string
		statement Statement
		forget    bool
	}{
		{"uncached", seed(), true},
		{"cached", seed(), false},
		{"conditional", conditional, false},
		{"conditional-uncached", conditional, true},
		{"varying", varying, false},
	} {
		b.Run(bench.name, func(b *testing.B) {
			e, err := New(Options{Account: account}, Principal{
				Principal: dataSource, Tags: map[string]string{"team": "search"}, Statements: []Statement{bench.statement},
			})
			if err != nil {
				b.Fatal(err)
			}
			q := Question{Principal: "bedrockDS", Action: invoke, Now: now}
			q.Circumstances.SourceIP = "203.0.113.9"
			decide := e.Authorize
			if bench.forget {
				decide = func(q Question, p inference.Profile) (*inference.Grant, error) { return e.AuthorizeIn(Narrow, q, p) }
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := decide(q, apac); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
