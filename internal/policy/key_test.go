package policy

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fairway/internal/inference"
)

// TestConditionKeys is what each key has, by what is asked: nil for a key that the call
// does not have.
func TestConditionKeys(t *testing.T) {
	role := inference.Principal{Name: "app", ARN: "arn:aws:iam::210987654321:role/team/app"}
	person := inference.Principal{Name: "ann", ARN: "arn:aws:iam::123456789012:user/staff/ann"}
	signedIn := &inference.Session{
		Name: "ap-southeast-1:id", Issued: now.Add(-time.Hour), Tags: map[string]string{"Team": "maps"},
		Keys: map[string][]string{"cognito-identity.amazonaws.com:amr": {"authenticated", "x"}},
	}
	outside := inference.Circumstances{SourceIP: "203.0.113.9", UserAgent: "aws-sdk-go-v2"}
	inside := inference.Circumstances{}
	session := inference.Circumstances{SourceIP: "203.0.113.9", Secure: true, Session: signedIn}
	router := inference.Profile{ARN: "arn:aws:bedrock:us-east-1:123456789012:prompt-router/r", SourceRegion: "us-east-1"}
	for _, test := range []struct {
		key     string
		of      inference.Principal
		q       Question
		profile inference.Profile
		want    []string
	}{
		{"aws:PrincipalArn", person, Question{}, apac, []string{"arn:aws:iam::123456789012:user/staff/ann"}},
		{"aws:PrincipalArn", dataSource, Question{}, apac, []string{"arn:aws:iam::123456789012:role/bedrockDS"}},
		{"aws:PrincipalArn", role, Question{Circumstances: session}, apac, []string{"arn:aws:iam::210987654321:role/team/app"}},
		{"aws:PrincipalAccount", role, Question{}, apac, []string{"210987654321"}},
		{"aws:PrincipalAccount", inference.Principal{Name: "x"}, Question{}, apac, []string{account}},
		{"aws:PrincipalType", role, Question{}, apac, []string{"AssumedRole"}},
		{"aws:PrincipalType", person, Question{}, apac, []string{"User"}},
		{"aws:PrincipalType", inference.Principal{ARN: "arn:aws:iam::123456789012:root"}, Question{}, apac, []string{"Account"}},
		{"aws:username", person, Question{}, apac, []string{"ann"}},
		{"aws:username", role, Question{Circumstances: session}, apac, nil},
		{"aws:userid", person, Question{}, apac, []string{"ann"}},
		{"aws:userid", dataSource, Question{}, apac, []string{"bedrockDS:appsync"}},
		{"aws:userid", role, Question{Circumstances: session}, apac, []string{"app:ap-southeast-1:id"}},
		{"aws:PrincipalTag/team", person, Question{}, apac, []string{"search"}},
		{"aws:PrincipalTag/TEAM", person, Question{Circumstances: session}, apac, []string{"maps"}},
		{"aws:PrincipalTag/other", person, Question{Circumstances: session}, apac, nil},
		{"aws:PrincipalIsAWSService", person, Question{}, apac, []string{"false"}},
		{"aws:SourceIp", person, Question{Circumstances: outside}, apac, []string{"203.0.113.9"}},
		{"aws:SourceIp", person, Question{Circumstances: inside}, apac, nil},
		{"aws:UserAgent", person, Question{Circumstances: outside}, apac, []string{"aws-sdk-go-v2"}},
		{"aws:UserAgent", person, Question{}, apac, nil},
		{"aws:SecureTransport", person, Question{Circumstances: outside}, apac, []string{"false"}},
		{"aws:SecureTransport", person, Question{Circumstances: session}, apac, []string{"true"}},
		{"aws:SecureTransport", dataSource, Question{Circumstances: inside}, apac, []string{"true"}},
		{"aws:CurrentTime", person, Question{Now: now}, apac, []string{"2026-11-22T12:00:00Z"}},
		{"aws:EpochTime", person, Question{Now: now}, apac, []string{"1795348800"}},
		{"aws:TokenIssueTime", person, Question{Circumstances: session}, apac, []string{"2026-11-22T11:00:00Z"}},
		{"aws:TokenIssueTime", person, Question{Circumstances: outside}, apac, nil},
		{"aws:MultiFactorAuthPresent", person, Question{Circumstances: outside}, apac, nil},
		{"aws:MultiFactorAuthPresent", person, Question{Circumstances: session}, apac, []string{"false"}},
		{"aws:MultiFactorAuthPresent", role, Question{}, apac, []string{"false"}},
		{"cognito-identity.amazonaws.com:amr", role, Question{Circumstances: session}, apac, []string{"authenticated", "x"}},
		{"cognito-identity.amazonaws.com:amr", role, Question{}, apac, nil},
		{"bedrock:InferenceProfileArn", person, Question{}, apac, []string{string(apac.ARN)}},
		{"bedrock:InferenceProfileArn", person, Question{}, bare, nil},
		{"bedrock:PromptRouterArn", person, Question{}, router, []string{string(router.ARN)}},
		{"bedrock:PromptRouterArn", person, Question{}, apac, nil},
		{"bedrock:GuardrailIdentifier", person, Question{Guardrail: "g1", GuardrailVersion: "3"}, apac, []string{"arn:aws:bedrock:ap-southeast-1:123456789012:guardrail/g1:3"}},
		{"bedrock:GuardrailIdentifier", person, Question{Guardrail: "arn:aws:bedrock:us-east-1:1:guardrail/g1", GuardrailVersion: "DRAFT"}, apac, []string{"arn:aws:bedrock:us-east-1:1:guardrail/g1"}},
		{"bedrock:GuardrailIdentifier", person, Question{}, apac, nil},
		{"bedrock:ServiceTier", person, Question{ServiceTier: "priority"}, apac, []string{"priority"}},
		{"bedrock:ServiceTier", person, Question{}, apac, nil},
		{"bedrock:bearerTokenType", person, Question{Circumstances: inference.Circumstances{BearerType: inference.ShortTerm}}, apac, []string{"SHORT_TERM"}},
		{"bedrock:bearerTokenType", person, Question{}, apac, nil},
		{"aws:PrincipalOrgID", person, Question{}, apac, nil},
	} {
		s := allow("*")
		s.Conditions = map[string]map[string][]string{"Null": {test.key: {"false"}}}
		p, err := Compile(Principal{Principal: test.of, Tags: map[string]string{"team": "search"}, Statements: []Statement{s}}, account)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.context(test.q, test.profile)[0]; !cmp.Equal(got, test.want) {
			t.Errorf("%s of %+v asked by %s = %q, want %q", test.key, test.q, test.of.ARN, got, test.want)
		}
	}
}

// TestDenialsNameTheSession: a role is denied by its session.
func TestDenialsNameTheSession(t *testing.T) {
	named := inference.Circumstances{Session: &inference.Session{Name: "nightly"}}
	for _, test := range []struct {
		of   inference.ARN
		q    Question
		want string
	}{
		{"arn:aws:iam::123456789012:role/team/app", Question{Circumstances: named}, "arn:aws:sts::123456789012:assumed-role/app/nightly"},
		{"arn:aws:iam::123456789012:role/team/app", Question{}, "arn:aws:iam::123456789012:role/team/app"},
		{"arn:aws:iam::123456789012:user/ann", Question{Circumstances: named}, "arn:aws:iam::123456789012:user/ann"},
		{"arn:aws:iam::123456789012:user/ann", Question{ARN: "arn:aws:sts::123456789012:assumed-role/x/y"}, "arn:aws:sts::123456789012:assumed-role/x/y"},
	} {
		e, err := New(Options{Account: account}, Principal{Principal: inference.Principal{Name: "p", ARN: test.of}})
		if err != nil {
			t.Fatal(err)
		}
		test.q.Principal, test.q.Action = "p", invoke
		_, err = e.Authorize(test.q, bare)
		want := "User: " + test.want + " is not authorized to perform: " + invoke + " on resource: " + in("us-east-1") +
			" because no identity-based policy allows the " + invoke + " action"
		if inference.AsError(err).Message != want {
			t.Errorf("Authorize(%+v) = %v, want %q", test.q, err, want)
		}
	}
}

// TestRememberedGrants: what an engine remembers of one call never answers another that
// the policies would decide otherwise.
func TestRememberedGrants(t *testing.T) {
	anyQuestion := func(t *rapid.T) Question {
		q := Question{Principal: "p", Action: anyCall.Draw(t, "action"), Now: now}
		q.Now = now.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "hours")) * time.Hour)
		q.Circumstances.SourceIP = rapid.SampledFrom([]string{"", "10.1.2.3", "203.0.113.9"}).Draw(t, "source")
		q.Circumstances.Secure = rapid.Bool().Draw(t, "secure")
		if rapid.Bool().Draw(t, "session") {
			q.Circumstances.Session = &inference.Session{Name: "s", Tags: map[string]string{"team": "maps", "region": "ap-southeast-1"}}
		}
		return q
	}
	rapid.Check(t, func(t *rapid.T) {
		p := anyPrincipal(t)
		p.Principal = inference.Principal{Name: "p", ARN: "arn:aws:iam::123456789012:user/search"}
		p.Tags = map[string]string{"team": "search"}
		e, err := New(Options{Account: account}, p)
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			q := anyQuestion(t)
			profile := rapid.SampledFrom([]inference.Profile{apac, global, bare}).Draw(t, "profile")
			got, err := e.Authorize(q, profile)
			want, wantErr := e.AuthorizeIn(Narrow, q, profile)
			if got != nil {
				unshared := *got
				unshared.Shared = false
				got = &unshared
			}
			if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (wantErr == nil) {
				t.Fatalf("Authorize(%+v) = %v, %v, want as without memory (-want +got):\n%s", q, got, err, diff)
			}
		}
	})
}

// TestUnmet names the conditions that stand in the way.
func TestUnmet(t *testing.T) {
	s := allow("*")
	s.Conditions = map[string]map[string][]string{"IpAddress": {"aws:SourceIp": {"10.0.0.0/8"}}}
	e := newEngine(t, Narrow, s, allow(in("us-west-2")))
	q := Question{Principal: "bedrockDS", Action: invoke, Now: now, Circumstances: inference.Circumstances{SourceIP: "203.0.113.9"}}
	evaluations, err := e.Explain(q, bare)
	if err != nil {
		t.Fatal(err)
	}
	want := []Unmet{{"allow", "IpAddress", "aws:SourceIp", []string{"10.0.0.0/8"}, []string{"203.0.113.9"}}}
	if diff := cmp.Diff(want, e.Unmet(q, bare, evaluations[0])); diff != "" {
		t.Errorf("Unmet (-want +got):\n%s", diff)
	}
}

// TestEmptyResourceIsUnreadable: an empty pattern is no wildcard.
func TestEmptyResourceIsUnreadable(t *testing.T) {
	p, err := Compile(Principal{Statements: []Statement{allow("")}}, account)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Evaluate(invoke, apac.ARN, nil); got.Effect != ImplicitlyDenied {
		t.Errorf("Evaluate under a resource of no text = %+v, want %s", got, ImplicitlyDenied)
	}
}

// TestUserID has the ids that GetCallerIdentity tells: its table in package sts is the
// same.
func TestUserID(t *testing.T) {
	const own = "arn:aws:iam::123456789012:"
	session := &inference.Session{Name: "tty1"}
	for _, c := range []struct {
		name    string
		arn     inference.ARN // of the principal
		called  inference.ARN // of the session, empty for the principal's
		session *inference.Session
		want    string
	}{
		{"ann", own + "user/people/ann", "", nil, "ann"},
		{"ann", own + "user/people/ann", own + "user/people/ann", session, "ann"},
		{"boss", own + "root", "", nil, "123456789012"},
		{"writer", own + "role/apps/author", "", nil, "author:writer"},
		{"writer", own + "role/apps/author", "", session, "author:tty1"},
		{"writer", own + "role/apps/author", "arn:aws:sts::123456789012:assumed-role/author/tty2", session, "author:tty2"},
	} {
		id := identify(c.arn, "123456789012")
		got := id.userID(&Question{Principal: c.name, ARN: c.called, Circumstances: inference.Circumstances{Session: c.session}})
		if got != c.want {
			t.Errorf("userID(%s, %s, session %v) = %q, want %q", c.arn, c.called, c.session, got, c.want)
		}
	}
}
