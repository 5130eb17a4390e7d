package policy

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fairway/internal/inference"
)

// operand is the values that a key has in calls and is held against in statements.
type operand struct {
	key        string
	have, want []string
}

var operands = []operand{
	{"aws:RequestedRegion", []string{"ap-southeast-1", "us-east-1", "unspecified"}, []string{"ap-*", "us-east-1", "ap-southeast-?", "AP-SOUTHEAST-1", "${aws:PrincipalTag/region}"}},
	{"aws:username", []string{"search", "se*", "Search"}, []string{"search", "se*", "s?arch", "${aws:username}", "${aws:PrincipalTag/team, 'search'}", "${*}", "${$}{x}", "${open"}},
	{"aws:PrincipalTag/team", []string{"search", "maps"}, []string{"search", "${aws:username}", "m*"}},
	{"aws:PrincipalTag/region", []string{"ap-southeast-1", "*"}, []string{"*", "ap-southeast-1"}},
	{"aws:SourceIp", []string{"10.1.2.3", "203.0.113.9", "2001:db8::1", "nowhere"}, []string{"10.0.0.0/8", "203.0.113.9", "2001:db8::/32", "0.0.0.0/0", "10.0.0.0/99"}},
	{"aws:SecureTransport", []string{"true", "false", "True"}, []string{"true", "false", "maybe"}},
	{"aws:CurrentTime", []string{"2026-11-22T12:00:00Z", "1795348800", "soon"}, []string{"2026-11-22T12:00:00Z", "2026-11-22", "2027", "1795348801", "someday", "2026-11-22T13:00:00+01:00"}},
	{"aws:MultiFactorAuthAge", []string{"300", "300.0", "3e2", "old"}, []string{"300", "299.5", "1000", "many"}},
	{"aws:PrincipalOrgPaths", []string{"o-a/r-b/ou-c/", "o-a/r-b/", "o-x/"}, []string{"o-a/*", "o-a/r-b/", "o-?/"}},
	{"bedrock:InferenceProfileArn", []string{string(apac.ARN), "arn:aws:bedrock:us-east-1:1:inference-profile/us.x", "none"}, []string{"arn:aws:bedrock:*:*:inference-profile/apac.*", string(apac.ARN), "arn:aws:bedrock:*", "*"}},
}

var bases = []string{
	"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
	"ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Bool", "BinaryEquals",
	"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals",
	"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
	"IpAddress", "NotIpAddress", "StringSounds",
}

// anyOperator favours those that fit the key, so that the conditions often hold.
func anyOperator(t *rapid.T, key string) string {
	fitting := map[string]string{"aws:SourceIp": "IpAddress", "aws:CurrentTime": "Date", "aws:MultiFactorAuthAge": "Numeric", "aws:SecureTransport": "Bool", "bedrock:InferenceProfileArn": "Arn"}
	kind, ok := fitting[key]
	if !ok {
		kind = "String"
	}
	var names []string
	for _, base := range bases {
		if strings.Contains(base, kind) {
			names = append(names, base)
		}
	}
	if rapid.IntRange(0, 5).Draw(t, "any operator") == 0 {
		names = bases
	}
	if rapid.IntRange(0, 7).Draw(t, "null") == 0 {
		return "Null"
	}
	return rapid.SampledFrom([]string{"", "", "ForAnyValue:", "ForAllValues:"}).Draw(t, "quantity") +
		rapid.SampledFrom(names).Draw(t, "operator") + rapid.SampledFrom([]string{"", "IfExists"}).Draw(t, "suffix")
}

func anyConditions(t *rapid.T) map[string]map[string][]string {
	conditions := map[string]map[string][]string{}
	for range rapid.IntRange(0, 2).Draw(t, "conditions") {
		o := rapid.SampledFrom(operands).Draw(t, "key")
		name := anyOperator(t, o.key)
		want := o.want
		if name == "Null" {
			want = []string{"true", "false", "True", "perhaps"}
		}
		if conditions[name] == nil {
			conditions[name] = map[string][]string{}
		}
		key := o.key
		if rapid.Bool().Draw(t, "other case") {
			key = strings.ToUpper(key)
		}
		if _, taken := conditions[name][o.key]; !taken { // one key in two cases has no order
			delete(conditions[name], strings.ToUpper(o.key))
			conditions[name][key] = rapid.SliceOfN(rapid.SampledFrom(want), 1, 2).Draw(t, "want")
		}
	}
	return conditions
}

func anyContext(t *rapid.T) map[string][]string {
	context := map[string][]string{}
	for _, o := range operands {
		switch rapid.IntRange(0, 3).Draw(t, o.key) {
		case 0: // absent
		case 1:
			context[strings.ToLower(o.key)] = rapid.SliceOfN(rapid.SampledFrom(o.have), 2, 3).Draw(t, "values")
		default:
			context[o.key] = []string{rapid.SampledFrom(o.have).Draw(t, "value")}
		}
	}
	return context
}

var anyVariablePattern = rapid.SampledFrom([]string{
	in("${aws:RequestedRegion}"), in("${aws:PrincipalTag/region}"), in("${aws:PrincipalTag/region, 'us-east-1'}"),
	"arn:aws:bedrock:*::foundation-model/${aws:username}*", "arn:${aws:username}", "arn:aws:bedrock:*", "bucket", "", "${*}",
})

// conditioned is anyStatement with conditions and variables.
func conditioned(effects ...string) *rapid.Generator[Statement] {
	return rapid.Custom(func(t *rapid.T) Statement {
		s := anyStatement(effects...).Draw(t, "statement")
		if rapid.IntRange(0, 3).Draw(t, "variable") == 0 {
			pattern := anyVariablePattern.Draw(t, "pattern")
			if s.NotResources != nil {
				s.NotResources = append(s.NotResources, pattern)
			} else {
				s.Resources = []string{pattern}
			}
		}
		s.Conditions = anyConditions(t)
		return s
	})
}

// anyPrincipal has layers that are often wide, so that more than the first decides.
func anyPrincipal(t *rapid.T) Principal {
	layer := func(name string) []Statement {
		if rapid.Bool().Draw(t, "no "+name) {
			return nil
		}
		statements := rapid.SliceOfN(conditioned("Allow", "Deny"), 0, 2).Draw(t, name)
		if rapid.IntRange(0, 2).Draw(t, name+" is wide") > 0 {
			statements = append(statements, Statement{Effect: "Allow", Actions: []string{"*"}, Resources: []string{"*"}})
		}
		return statements
	}
	return Principal{
		Statements: rapid.SliceOfN(conditioned("Allow", "Allow", "Deny"), 0, 4).Draw(t, "statements"),
		Boundary:   layer("boundary"), ServiceControls: layer("service controls"),
	}
}

// TestEqualToNaiveInFull is TestEqualToNaive with everything that IAM has.
func TestEqualToNaiveInFull(t *testing.T) {
	seen := map[Effect]int{}
	thousands(t, func(t *rapid.T) {
		p := anyPrincipal(t)
		action, resource, context := anyCall.Draw(t, "action"), anyResource.Draw(t, "resource"), anyContext(t)
		seen[compareToNaive(t, p, action, resource, context)]++
	})
	for _, effect := range []Effect{Allowed, ImplicitlyDenied, ExplicitlyDenied} {
		if seen[effect] == 0 {
			t.Errorf("no case was %s, want the cases to say something", effect)
		}
	}
}

// thousands checks twenty times as many cases as are asked for: by default two thousand.
func thousands(t *testing.T, property func(*rapid.T)) {
	t.Helper()
	for range 20 {
		rapid.Check(t, property)
	}
}

// compareToNaive gives the effect that both came to.
func compareToNaive(t *rapid.T, p Principal, action string, resource inference.ARN, context map[string][]string) Effect {
	compiled, err := Compile(p, account)
	if err != nil {
		t.Fatal(err)
	}
	got := compiled.Evaluate(action, resource, context).Effect
	if want := naivePrincipal(p, action, string(resource), context); got != want {
		t.Fatalf("Evaluate(%s, %s) = %s, want %s", action, resource, got, want)
	}
	return got
}

// TestNaiveAgreesWithVectors keeps the naive evaluator honest.
func TestNaiveAgreesWithVectors(t *testing.T) {
	for i, v := range readVectors(t) {
		p, err := v.principal()
		if err != nil {
			t.Fatal(err)
		}
		if got := naivePrincipal(p, v.Action, string(v.Resource), v.values()); got != v.Result {
			t.Errorf("vector %d: the naive evaluator says %s, want %s", i, got, v.Result)
		}
	}
}

// TestEqualToNaiveOnVectors mixes the statements, resources and contexts of the vectors.
func TestEqualToNaiveOnVectors(t *testing.T) {
	vectors := readVectors(t)
	var statements []Statement
	for _, v := range vectors {
		p, err := v.principal()
		if err != nil {
			t.Fatal(err)
		}
		statements = append(statements, p.Statements...)
		statements = append(statements, p.Boundary...)
		statements = append(statements, p.ServiceControls...)
	}
	anyOf := rapid.SampledFrom(statements)
	anyVector := rapid.SampledFrom(vectors)
	thousands(t, func(t *rapid.T) {
		p := Principal{Statements: rapid.SliceOfN(anyOf, 0, 5).Draw(t, "statements")}
		if rapid.Bool().Draw(t, "a boundary") {
			p.Boundary = rapid.SliceOfN(anyOf, 1, 4).Draw(t, "boundary")
		}
		if rapid.Bool().Draw(t, "service controls") {
			p.ServiceControls = rapid.SliceOfN(anyOf, 1, 4).Draw(t, "service controls")
		}
		call, context := anyVector.Draw(t, "call"), anyVector.Draw(t, "context")
		compareToNaive(t, p, call.Action, call.Resource, context.values())
	})
}
