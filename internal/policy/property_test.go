package policy

import (
	"math/rand"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fairway/internal/inference"
)

var (
	anyAction = rapid.SampledFrom([]string{
		"*", "bedrock:*", "bedrock:Invoke*", "BEDROCK:invokemodel", "bedrock:InvokeModel?ithResponseStream", "s3:*",
	})
	anyPattern = rapid.SampledFrom([]string{
		"*", "arn:aws:bedrock:*::foundation-model/*", "arn:aws:bedrock:*:*:*", "arn:aws:bedrock:*:<UserID>:inference-profile/*",
		in("*"), in("ap-south-?"), in("ap-southeast-1"), in("ap-northeast-1"), in("us-east-1"), string(apac.ARN),
	})
	anyResource = rapid.SampledFrom([]inference.ARN{
		apac.ARN, inference.ARN(in("ap-southeast-1")), inference.ARN(in("ap-northeast-1")), inference.ARN(in("ap-south-2")), inference.ARN(in("")),
	})
	anyCall = rapid.SampledFrom([]string{invoke, "bedrock:InvokeModelWithResponseStream", "s3:GetObject"})
)

// anyStatement has neither conditions nor variables.
func anyStatement(effects ...string) *rapid.Generator[Statement] {
	return rapid.Custom(func(t *rapid.T) Statement {
		s := Statement{Effect: rapid.SampledFrom(effects).Draw(t, "effect")}
		actions := rapid.SliceOfN(anyAction, 1, 3).Draw(t, "actions")
		resources := rapid.SliceOfN(anyPattern, 1, 4).Draw(t, "resources")
		if rapid.IntRange(0, 4).Draw(t, "not action") == 0 {
			s.NotActions = actions
		} else {
			s.Actions = actions
		}
		if rapid.IntRange(0, 4).Draw(t, "not resource") == 0 {
			s.NotResources = resources
		} else {
			s.Resources = resources
		}
		return s
	})
}

func evaluate(t *rapid.T, statements []Statement, action string, resource inference.ARN) Effect {
	p, err := Compile(Principal{Statements: statements}, account)
	if err != nil {
		t.Fatal(err)
	}
	return p.Evaluate(action, resource, nil).Effect
}

func TestDenyWinsInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		statements := rapid.SliceOfN(anyStatement("Allow", "Deny"), 0, 5).Draw(t, "statements")
		action, resource := anyCall.Draw(t, "action"), anyResource.Draw(t, "resource")
		before := evaluate(t, statements, action, resource)
		rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed"))).Shuffle(len(statements), func(i, j int) {
			statements[i], statements[j] = statements[j], statements[i]
		})
		if after := evaluate(t, statements, action, resource); after != before {
			t.Fatalf("in another order Evaluate = %s, want %s", after, before)
		}
		at := rapid.IntRange(0, len(statements)).Draw(t, "at")
		if got := evaluate(t, slices.Insert(statements, at, deny("*")), action, resource); got != ExplicitlyDenied {
			t.Fatalf("with a Deny of everything Evaluate = %s, want %s", got, ExplicitlyDenied)
		}
	})
}

func TestNoStatementMeansDeny(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if got := evaluate(t, nil, rapid.String().Draw(t, "action"), inference.ARN(rapid.String().Draw(t, "resource"))); got != ImplicitlyDenied {
			t.Fatalf("Evaluate = %s, want %s", got, ImplicitlyDenied)
		}
	})
}

// TestAllowNeverTakesAway also holds for whole grants: each destination stays.
func TestAllowNeverTakesAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		statements := rapid.SliceOfN(anyStatement("Allow", "Deny"), 0, 4).Draw(t, "statements")
		more := append(slices.Clone(statements), anyStatement("Allow").Draw(t, "added"))
		before, after := destinationsOf(t, statements), destinationsOf(t, more)
		for _, region := range before {
			if !slices.Contains(after, region) {
				t.Fatalf("with one more Allow the grant is %v, want all of %v", after, before)
			}
		}
	})
}

func destinationsOf(t *rapid.T, statements []Statement) []inference.Region {
	p, err := Compile(Principal{Statements: statements}, account)
	if err != nil {
		t.Fatal(err)
	}
	g, err := p.grant(Narrow, Question{Action: invoke, Now: now}, apac)
	if err != nil {
		return nil
	}
	var regions []inference.Region
	for _, d := range g.Destinations {
		regions = append(regions, d.Region)
	}
	return regions
}

func TestStarCoversEveryRegion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		region := inference.Region(rapid.StringMatching(`[a-z]{2}(-gov)?-[a-z]{4,9}-[0-9]`).Draw(t, "region"))
		resource := inference.ModelARN(region, model)
		for _, pattern := range []string{"*", in("*"), "arn:aws:bedrock:*::foundation-model/*"} {
			if got := evaluate(t, []Statement{allow(pattern)}, invoke, resource); got != Allowed {
				t.Fatalf("%s for %s = %s, want %s", pattern, resource, got, Allowed)
			}
		}
	})
}

func TestEqualToNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		statements := rapid.SliceOfN(anyStatement("Allow", "Deny"), 0, 5).Draw(t, "statements")
		action, resource := anyCall.Draw(t, "action"), anyResource.Draw(t, "resource")
		got, want := evaluate(t, statements, action, resource), naive(statements, action, resource)
		if got != want {
			t.Fatalf("Evaluate(%s, %s) = %s, want %s", action, resource, got, want)
		}
	})
}

// naive decides by regular expressions over whole ARNs. That is the same as by
// fields for the patterns above, whose wildcards cannot gain by reaching further.
func naive(statements []Statement, action string, resource inference.ARN) Effect {
	matches := func(patterns []string, prefix, s string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			pattern = strings.ReplaceAll(pattern, "<UserID>", account)
			return regexp.MustCompile(prefix + expression(pattern).String()).MatchString(s)
		})
	}
	effect := ImplicitlyDenied
	for _, s := range statements {
		if matches(slices.Concat(s.Actions, s.NotActions), "(?i)", action) == (s.NotActions != nil) {
			continue
		}
		if matches(slices.Concat(s.Resources, s.NotResources), "", string(resource)) == (s.NotResources != nil) {
			continue
		}
		if s.Effect == "Deny" {
			return ExplicitlyDenied
		}
		effect = Allowed
	}
	return effect
}

// TestGrantPartitions: every destination is granted or denied, once; those that
// statements name come first; and strict grants only what AWS would.
func TestGrantPartitions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		statements := rapid.SliceOfN(anyStatement("Allow", "Allow", "Deny"), 0, 4).Draw(t, "statements")
		p, err := Compile(Principal{Statements: statements}, account)
		if err != nil {
			t.Fatal(err)
		}
		_, strictErr := p.grant(Strict, Question{Action: invoke, Now: now}, apac)
		g, err := p.grant(Narrow, Question{Action: invoke, Now: now}, apac)
		if err != nil {
			if strictErr == nil {
				t.Fatalf("narrow refuses (%v) what strict grants", err)
			}
			return
		}
		if (strictErr == nil) != g.AWS.Allowed {
			t.Fatalf("strict = %v, want what AWS says: %+v", strictErr, g.AWS)
		}
		var regions []inference.Region
		wildcard := false
		for _, d := range g.Destinations {
			if d.Named && wildcard {
				t.Fatalf("%+v: a named region after one that only a wildcard covers", g.Destinations)
			}
			wildcard = wildcard || !d.Named
			regions = append(regions, d.Region)
		}
		for _, d := range g.Denied {
			regions = append(regions, d.Region)
		}
		slices.Sort(regions)
		if diff := cmp.Diff(apac.Destinations, regions); diff != "" {
			t.Fatalf("granted and denied regions (-want +got):\n%s", diff)
		}
	})
}
