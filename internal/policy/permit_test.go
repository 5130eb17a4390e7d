package policy

import (
	"testing"
	"time"

	"fairway/internal/inference"
)

func TestPermit(t *testing.T) {
	const (
		create = "bedrock:CreateInferenceProfile"
		list   = "bedrock:ListInferenceProfiles"
	)
	ours := inference.ApplicationARN("ap-southeast-1", account, "*")
	here := map[string]map[string][]string{"StringEquals": {"aws:RequestedRegion": {"ap-southeast-1"}}}
	e, err := New(Options{Account: account},
		Principal{Principal: dataSource, Statements: []Statement{
			{Effect: "Allow", Actions: []string{create}, Resources: []string{"arn:aws:bedrock:*:<UserID>:application-inference-profile/*"}, Conditions: here, At: "a:1"},
			{Effect: "Allow", Actions: []string{"bedrock:List*"}, Resources: []string{"*"}, At: "a:2"},
			{Effect: "Deny", Actions: []string{"bedrock:ListFoundationModels"}, Resources: []string{"*"}, At: "a:3"},
		}})
	if err != nil {
		t.Fatal(err)
	}
	const user = "User: arn:aws:sts::123456789012:assumed-role/bedrockDS/appsync is not authorized to perform: "
	for _, test := range []struct {
		name, action string
		resource     inference.ARN
		region       inference.Region
		want         string // message of the denial
	}{
		{"bedrockDS", create, ours, "ap-southeast-1", ""},
		{"bedrockDS", create, ours, "us-east-1", user + create + " on resource: " + string(ours) + " because no identity-based policy allows the " + create + " action"},
		{"bedrockDS", create, apac.ARN, "ap-southeast-1", user + create + " on resource: " + string(apac.ARN) + " because no identity-based policy allows the " + create + " action"},
		{"bedrockDS", list, "*", "us-east-1", ""},
		{"bedrockDS", "bedrock:ListFoundationModels", "*", "us-east-1", user + "bedrock:ListFoundationModels on resource: * with an explicit deny in an identity-based policy"},
		{"nobody", list, "*", "us-east-1", "principal nobody has no policies"},
	} {
		err := e.Permit(test.name, test.action, test.resource, test.region, now)
		switch {
		case test.want == "" && err == nil:
		case err == nil:
			t.Errorf("Permit(%s, %s, %s, %s) = nil, want %q", test.name, test.action, test.resource, test.region, test.want)
		default:
			if got := inference.AsError(err); got.Kind != inference.AccessDenied || got.Message != test.want {
				t.Errorf("Permit(%s, %s, %s, %s) = %v, want %q", test.name, test.action, test.resource, test.region, err, test.want)
			}
		}
	}
}

// TestApplicationProfile: a call of an application profile needs the profile's own
// ARN and the models in all its regions; the profile that it copies is not asked
// for.
func TestApplicationProfile(t *testing.T) {
	copied := apac
	copied.ID, copied.ARN, copied.CopiedFrom = "abcdef123456", inference.ApplicationARN("ap-southeast-1", account, "abcdef123456"), string(apac.ID)
	named := Statement{
		Effect: "Allow", Actions: []string{invoke}, At: "a:1",
		Resources: []string{string(copied.ARN)},
	}
	models := Statement{
		Effect: "Allow", Actions: []string{invoke}, At: "a:2", Resources: []string{"arn:aws:bedrock:*::foundation-model/" + model},
		Conditions: map[string]map[string][]string{"StringEquals": {"bedrock:InferenceProfileArn": {string(copied.ARN)}}},
	}
	e, err := New(Options{Account: account, Mode: Strict},
		Principal{Principal: inference.Principal{Name: "both"}, Statements: []Statement{named, models}},
		Principal{Principal: inference.Principal{Name: "profile", ARN: "p"}, Statements: []Statement{named}},
		Principal{Principal: inference.Principal{Name: "models", ARN: "p"}, Statements: []Statement{models}})
	if err != nil {
		t.Fatal(err)
	}
	if g, err := e.Authorize("both", invoke, copied, now); err != nil || len(g.Destinations) != len(apac.Destinations) || !g.AWS.Allowed {
		t.Errorf("Authorize(both) = %+v, %v, want every destination", g, err)
	}
	for name, resource := range map[string]inference.ARN{"profile": inference.ModelARN("ap-southeast-1", model), "models": copied.ARN} {
		_, err := e.Authorize(name, invoke, copied, now)
		want := "User: p is not authorized to perform: " + invoke + " on resource: " + string(resource) + " because no identity-based policy allows the " + invoke + " action"
		if inference.AsError(err).Message != want {
			t.Errorf("Authorize(%s) = %v, want %q", name, err, want)
		}
	}
}

// TestApplicationGrantsAreNotKept: an id that is used again may stand for another
// copy, and ids have no end.
func TestApplicationGrantsAreNotKept(t *testing.T) {
	e, err := New(Options{Account: account}, Principal{
		Principal: dataSource, Statements: []Statement{{Effect: "Allow", Actions: []string{"*"}, Resources: []string{"*"}, At: "a:1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []inference.Profile{
		{ID: "abcdef123456", CopiedFrom: "a", Model: "m", SourceRegion: "us-east-1", Destinations: []inference.Region{"us-east-1"}},
		{ID: "abcdef123456", CopiedFrom: "b", Model: "n", SourceRegion: "us-east-1", Destinations: []inference.Region{"us-west-2"}},
		{ID: "us.x", Remote: true, Model: "m", SourceRegion: "us-east-1", Destinations: []inference.Region{"us-east-1"}},
		{ID: "us.x", Remote: true, Model: "m", SourceRegion: "us-east-1", Destinations: []inference.Region{"us-east-2"}},
	} {
		g, err := e.Authorize("bedrockDS", invoke, p, time.Time{})
		if err != nil || g.Profile.Model != p.Model || g.Destinations[0].Region != p.Destinations[0] {
			t.Errorf("Authorize(%+v) = %+v, %v, want a grant of its own", p, g, err)
		}
	}
}
