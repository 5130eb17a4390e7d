package policy

import (
	"regexp"
	"strings"
	"testing"

	"fairway/internal/inference"
)

func TestGlob(t *testing.T) {
	for _, test := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "a:b/c", true},
		{"?", "", false},
		{"?", "é", true},
		{"??", "é", false},
		{"*??bc", "€bc", false},
		{"a*c", "abcbc", true},
		{"a*c", "abcb", false},
		{"a*b*c", "aXbYbZc", true},
		{"*.claude-?-*", "anthropic.claude-3-haiku", true},
		{"bedrock:invokemodel?ithresponsestream", "bedrock:invokemodelwithresponsestream", true},
		{strings.Repeat("a*", 30) + "b", strings.Repeat("a", 2000), false}, // quick all the same
	} {
		if got := newGlob(globText(test.pattern)).match(test.s); got != test.want {
			t.Errorf("glob %q matches %q = %v, want %v", test.pattern, test.s, got, test.want)
		}
	}
}

// TestResourceFields shows where wildcards and placeholders reach.
func TestResourceFields(t *testing.T) {
	subject := inference.ARN(in("us-east-1"))
	profile := inference.ProfileARN("us-east-1", account, "us.x")
	for _, test := range []struct {
		pattern  string
		resource inference.ARN
		want     bool
	}{
		{"*", subject, true},
		{"**", subject, true},
		{"*", "not an ARN", true},
		{"arn:aws:bedrock:*:*:*", subject, true},
		{"arn:*:*:*:*:*", subject, true},
		{"arn:aws:bedrock:us-east-1::foundation-model/anthropic.*", subject, true},
		{"arn:aws:bedrock:us-*::foundation-model/*:0", subject, true},
		{"arn:aws:bedrock:us-east-1:*/anthropic.*", subject, false}, // five fields
		{"arn:aws:bedrock:*", subject, false},
		{"arn:aws:bedrock:*:foundation-model/*:x", subject, false}, // no wildcard reaches over a colon
		{"arn:aws:bedrock:us-east-1::Foundation-Model/*", subject, false},
		{"arn:aws:bedrock:us-east-1:<UserID>:inference-profile/us.x", profile, true},
		{"arn:aws:bedrock:us-east-1:<account>:inference-profile/*", profile, true},
		{"arn:aws:bedrock:us-east-1:<UserID>:foundation-model/*", subject, false},
		{"arn:aws:bedrock:us-east-1:<>:inference-profile/us.x", profile, false},
		{"arn:aws:bedrock:${aws:RequestedRegion}::foundation-model/*", subject, true},
		{"arn:aws:bedrock:${aws:Region, 'us-east-1'}::foundation-model/*", subject, true},
		{"arn:aws:bedrock:${aws:Region}::foundation-model/*", subject, false},
		{"arn:aws:bedrock:us-east-1::foundation-model/${*}", subject, false},
	} {
		context := map[string][]string{"aws:requestedregion": {"us-east-1"}}
		p, err := Compile(Principal{Statements: []Statement{allow(test.pattern)}}, account)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Evaluate(invoke, test.resource, context); (got.Effect == Allowed) != test.want {
			t.Errorf("Allow %s for %s = %+v, want allowed %v", test.pattern, test.resource, got, test.want)
		}
	}
}

// TestUnreadableDenies holds each kind of statement with a resource that is no
// ARN: whatever it may have meant, it allows nothing more and denies nothing less.
func TestUnreadableDenies(t *testing.T) {
	everything := allow("*")
	for _, test := range []struct {
		name string
		s    Statement
		want Effect
	}{
		{"allow resource", Statement{Effect: "Allow", Actions: []string{"*"}, Resources: []string{"${Token[bucket]}/*"}}, ImplicitlyDenied},
		{"allow notResource", Statement{Effect: "Allow", Actions: []string{"*"}, NotResources: []string{"bucket"}}, ImplicitlyDenied},
		{"deny resource", Statement{Effect: "Deny", Actions: []string{"*"}, Resources: []string{"bucket"}}, ExplicitlyDenied},
		{"deny notResource", Statement{Effect: "Deny", Actions: []string{"*"}, NotResources: []string{"${Token[bucket]}/*"}}, ExplicitlyDenied},
	} {
		statements := []Statement{test.s}
		if test.s.Effect == "Deny" {
			statements = append(statements, everything)
		}
		p, err := Compile(Principal{Statements: statements}, account)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Evaluate(invoke, inference.ARN(in("us-east-1")), nil); got.Effect != test.want {
			t.Errorf("%s: Evaluate = %+v, want %s", test.name, got, test.want)
		}
	}
}

// FuzzGlob compares with the same pattern as a regular expression.
func FuzzGlob(f *testing.F) {
	f.Add("*??bc", "€bc")
	f.Add("a*b?c*", "aXbYc")
	f.Add("arn:aws:bedrock:*::foundation-model/anthropic.*", in("us-east-1"))
	f.Fuzz(func(t *testing.T, pattern, s string) {
		pattern, s = strings.ToValidUTF8(pattern, ""), strings.ToValidUTF8(s, "")
		want := expression(pattern).MatchString(s)
		if got := newGlob(globText(pattern)).match(s); got != want {
			t.Errorf("glob %q matches %q = %v, want %v", pattern, s, got, want)
		}
	})
}

// expression is the pattern as a regular expression.
func expression(pattern string) *regexp.Regexp {
	quoted := regexp.QuoteMeta(pattern)
	quoted = strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(quoted)
	return regexp.MustCompile("(?s)^" + quoted + "$")
}
