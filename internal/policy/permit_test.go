package policy

import (
	"slices"
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
		err := e.Permit(Question{Principal: test.name, Action: test.action, Now: now}, test.resource, test.region)
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
	if g, err := e.Authorize(Question{Principal: "both", Action: invoke, Now: now}, copied); err != nil || len(g.Destinations) != len(apac.Destinations) || !g.AWS.Allowed {
		t.Errorf("Authorize(both) = %+v, %v, want every destination", g, err)
	}
	for name, resource := range map[string]inference.ARN{"profile": inference.ModelARN("ap-southeast-1", model), "models": copied.ARN} {
		_, err := e.Authorize(Question{Principal: name, Action: invoke, Now: now}, copied)
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
		g, err := e.Authorize(Question{Principal: "bedrockDS", Action: invoke, Now: time.Time{}}, p)
		if err != nil || g.Profile.Model != p.Model || g.Destinations[0].Region != p.Destinations[0] {
			t.Errorf("Authorize(%+v) = %+v, %v, want a grant of its own", p, g, err)
		}
	}
}

// TestPermitBearer: to come with a bearer key is an action of its own, on nothing in
// particular.
func TestPermitBearer(t *testing.T) {
	const action = "bedrock:CallWithBearerToken"
	statement := func(effect, action, resource string, conditions map[string]map[string][]string) []Statement {
		return []Statement{
			{Effect: "Allow", Actions: []string{invoke + "*"}, Resources: []string{"*"}, At: "a:1"},
			{Effect: effect, Actions: []string{action}, Resources: []string{resource}, Conditions: conditions, At: "a:2"},
		}
	}
	is := func(key, value string) map[string]map[string][]string {
		return map[string]map[string][]string{"StringEquals": {key: {value}}}
	}
	for name, test := range map[string]struct {
		statements []Statement
		want       string // end of the denial
	}{
		"everything":        {statement("Allow", "bedrock:*", "*", nil), ""},
		"the action":        {statement("Allow", action, "*", nil), ""},
		"of long-term keys": {statement("Allow", action, "*", is("bedrock:bearerTokenType", "LONG_TERM")), ""},
		"in the region":     {statement("Allow", action, "*", is("aws:RequestedRegion", "us-east-1")), ""},
		"of short-term keys": {statement("Allow", action, "*", is("bedrock:bearerTokenType", "SHORT_TERM")),
			"because no identity-based policy allows the bedrock:CallWithBearerToken action"},
		"elsewhere":     {statement("Allow", action, "*", is("aws:RequestedRegion", "us-west-2")), "because no identity-based policy allows the bedrock:CallWithBearerToken action"},
		"another":       {statement("Allow", "bedrock:List*", "*", nil), "because no identity-based policy allows the bedrock:CallWithBearerToken action"},
		"on a resource": {statement("Allow", action, "arn:aws:bedrock:*::foundation-model/*", nil), "because no identity-based policy allows the bedrock:CallWithBearerToken action"},
		"denied":        {append(statement("Allow", "*", "*", nil), statement("Deny", action, "*", is("bedrock:bearerTokenType", "LONG_TERM"))[1]), "with an explicit deny in an identity-based policy"},
	} {
		e, err := New(Options{Account: account}, Principal{Principal: dataSource, Statements: test.statements})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := e.PermitBearer(Question{Principal: dataSource.Name, Now: now}, "us-east-1"); err != nil {
			got = inference.AsError(err).Message
			if kind := inference.AsError(err).Kind; kind != inference.AccessDenied {
				t.Errorf("%s: PermitBearer() is of kind %s, want AccessDenied", name, kind)
			}
		}
		want := test.want
		if want != "" {
			want = "User: " + string(dataSource.ARN) + " is not authorized to perform: " + action + " on resource: * " + want
		}
		if got != want {
			t.Errorf("%s: PermitBearer() = %q, want %q", name, got, want)
		}
	}
}

// BenchmarkPermitBearer is what a call with a bearer key pays for it.
func BenchmarkPermitBearer(b *testing.B) {
	e, err := New(Options{Account: account}, Principal{Principal: dataSource, Statements: []Statement{
		seed(), {Effect: "Allow", Actions: []string{"bedrock:CallWithBearerToken"}, Resources: []string{"*"}, At: "a:2"},
	}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := e.PermitBearer(Question{Principal: dataSource.Name, Now: now}, "ap-southeast-1"); err != nil {
			b.Fatal(err)
		}
	}
}

// TestRegionalResource: a call of one needs its ARN and no model's, and where it may
// go beside its region that of what stands for it there. AWS asks for the first.
func TestRegionalResource(t *testing.T) {
	const ours, theirs = "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/a", "arn:aws:bedrock:us-west-2:123456789012:provisioned-model/b"
	p := inference.Profile{
		ARN: ours, Model: ours, SourceRegion: "us-east-1", Destinations: []inference.Region{"us-east-1", "us-west-2"},
		Remote: true, Equivalents: map[inference.Region]inference.ARN{"us-west-2": theirs},
	}
	allow := func(resources ...string) []Statement {
		return []Statement{{Effect: "Allow", Actions: []string{invoke}, Resources: resources, At: "a:1"}}
	}
	for _, mode := range []Mode{Narrow, Strict} {
		for name, test := range map[string]struct {
			statements []Statement
			want       []inference.Region
		}{
			"both":            {allow(ours, theirs), []inference.Region{"us-east-1", "us-west-2"}},
			"all":             {allow("*"), []inference.Region{"us-east-1", "us-west-2"}},
			"itself":          {allow(ours), []inference.Region{"us-east-1"}},
			"the other":       {allow(theirs), nil},
			"models":          {allow("arn:aws:bedrock:*::foundation-model/*"), nil},
			"another account": {allow("arn:aws:bedrock:*:999999999999:provisioned-model/*"), nil},
		} {
			e, err := New(Options{Account: account, Mode: mode}, Principal{Principal: inference.Principal{Name: "p", ARN: "p"}, Statements: test.statements})
			if err != nil {
				t.Fatal(err)
			}
			g, err := e.Authorize(Question{Principal: "p", Action: invoke, Now: now}, p)
			if test.want == nil {
				want := "User: p is not authorized to perform: " + invoke + " on resource: " + ours + " because no identity-based policy allows the " + invoke + " action"
				if inference.AsError(err).Message != want {
					t.Errorf("%s: Authorize(%s) = %+v, %v, want %q", mode, name, g, err, want)
				}
				continue
			}
			if err != nil || !g.AWS.Allowed {
				t.Errorf("%s: Authorize(%s) = %+v, %v, want what AWS allows", mode, name, g, err)
				continue
			}
			var got []inference.Region
			for _, d := range g.Destinations {
				got = append(got, d.Region)
			}
			if !slices.Equal(got, test.want) || len(got)+len(g.Denied) != len(p.Destinations) {
				t.Errorf("%s: Authorize(%s) runs in %v and is denied %v, want %v", mode, name, got, g.Denied, test.want)
			}
		}
	}
}
