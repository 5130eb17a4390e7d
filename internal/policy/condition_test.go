package policy

import (
	"testing"

	"fairway/internal/inference"
)

// conditionCase is one operator on one key. The vectors cover most operators at
// random; these are the edges, from the IAM User Guide, "Condition operators" and
// "Multivalued context keys".
type conditionCase struct {
	operator string
	want     []string // in the policy
	have     []string // in the context, nil when the key is missing
	holds    bool
}

var conditionCases = []conditionCase{
	{"StringEquals", []string{"a", "b"}, []string{"b"}, true},
	{"StringEquals", []string{"a*"}, []string{"ab"}, false},
	{"StringEquals", []string{"${aws:username}"}, []string{"search"}, true},
	{"StringEquals", []string{"${aws:nobody}"}, []string{"search"}, false},
	{"StringEquals", []string{"${aws:nobody, 'search'}"}, []string{"search"}, true},
	{"StringEquals", []string{"${$}{x}"}, []string{"${x}"}, true},
	{"StringEquals", []string{"${unclosed"}, []string{"${unclosed"}, true},
	{"StringEquals", []string{"a"}, nil, false},
	{"StringEqualsIfExists", []string{"a"}, nil, true},
	{"StringEqualsIfExists", []string{"a"}, []string{"b"}, false},
	{"StringNotEquals", []string{"a", "b"}, []string{"b"}, false},
	{"StringNotEquals", []string{"a"}, nil, true},
	{"StringEqualsIgnoreCase", []string{"A"}, []string{"a"}, true},
	{"StringNotEqualsIgnoreCase", []string{"A"}, []string{"a"}, false},
	{"StringLike", []string{"${*}"}, []string{"a"}, false},
	{"StringLike", []string{"${aws:star}"}, []string{"anything"}, false}, // a value's * is no wildcard
	{"StringLike", []string{"se?rch"}, []string{"search"}, true},
	{"StringNotLike", []string{"s*"}, []string{"search"}, false},

	{"ArnEquals", []string{"arn:aws:bedrock:*:*:inference-profile/apac.*"}, []string{"arn:aws:bedrock:us-east-1:1:inference-profile/apac.x"}, true},
	{"ArnLike", []string{"arn:aws:bedrock:*:inference-profile/apac.*"}, []string{"arn:aws:bedrock:us-east-1:1:inference-profile/apac.x"}, false},
	{"ArnLike", []string{"*"}, []string{"no ARN"}, false},
	{"ArnNotEquals", []string{"arn:aws:bedrock:*:*:*"}, []string{"arn:aws:bedrock:us-east-1:1:x"}, false},
	{"ArnNotLike", []string{"arn:aws:bedrock:*:*:*"}, nil, true},

	{"Bool", []string{"true"}, []string{"True"}, true},
	{"Bool", []string{"false"}, nil, false},
	{"BoolIfExists", []string{"false"}, nil, true},
	{"BinaryEquals", []string{"QmluYXJ5"}, []string{"QmluYXJ5"}, true},
	{"Null", []string{"true"}, nil, true},
	{"Null", []string{"true"}, []string{"a"}, false},
	{"Null", []string{"False"}, []string{"a"}, true},

	{"NumericEquals", []string{"300"}, []string{"300.0"}, true},
	{"NumericNotEquals", []string{"300"}, []string{"301"}, true},
	{"NumericLessThan", []string{"300"}, []string{"300"}, false},
	{"NumericLessThanEquals", []string{"300"}, []string{"300"}, true},
	{"NumericGreaterThan", []string{"300"}, []string{"1000"}, true},
	{"NumericGreaterThanEquals", []string{"300"}, []string{"soon"}, false},

	{"DateEquals", []string{"2026-11-22T12:00:00Z"}, []string{"2026-11-22T13:00:00+01:00"}, true},
	{"DateEquals", []string{"1795348800"}, []string{"2026-11-22T12:00:00Z"}, true},
	{"DateNotEquals", []string{"2026-11-22"}, []string{"2026-11-22T00:00:00Z"}, false},
	{"DateLessThan", []string{"2027"}, []string{"2026-12-31T23:59:59.9Z"}, true},
	{"DateLessThanEquals", []string{"2026-11"}, []string{"2026-11-01T00:00:01Z"}, false},
	{"DateGreaterThan", []string{"2026-11-22T11:59Z"}, []string{"2026-11-22T12:00:00Z"}, true},
	{"DateGreaterThanEquals", []string{"2026-11-22"}, []string{"yesterday"}, false},

	{"IpAddress", []string{"203.0.113.0/24"}, []string{"203.0.113.9"}, true},
	{"IpAddress", []string{"203.0.113.9"}, []string{"::ffff:203.0.113.9"}, true},
	{"IpAddress", []string{"2001:db8::/32"}, []string{"203.0.113.9"}, false},
	{"NotIpAddress", []string{"10.0.0.0/8"}, []string{"10.2.3.4"}, false},

	{"ForAnyValue:StringEquals", []string{"a"}, []string{"b", "a"}, true},
	{"ForAnyValue:StringEquals", []string{"a"}, nil, false},
	{"ForAnyValue:StringNotEquals", []string{"a"}, []string{"a", "b"}, true},
	{"ForAnyValue:StringNotEquals", []string{"a"}, []string{"a"}, false},
	{"ForAnyValue:StringEqualsIfExists", []string{"a"}, nil, true},
	{"ForAllValues:StringLike", []string{"a*", "b"}, []string{"ab", "b"}, true},
	{"ForAllValues:StringLike", []string{"a*"}, []string{"ab", "b"}, false},
	{"ForAllValues:StringLike", []string{"a*"}, nil, true},
	{"ForAllValues:StringNotEquals", []string{"a"}, []string{"b", "a"}, false},
}

func (c conditionCase) evaluate(t *testing.T, s Statement) Decision {
	t.Helper()
	s.Conditions = map[string]map[string][]string{c.operator: {"test:Key": c.want}}
	context := map[string][]string{"aws:username": {"search"}, "aws:star": {"*"}}
	if c.have != nil {
		context["TEST:key"] = c.have // keys ignore case
	}
	p, err := Compile(Principal{Statements: []Statement{s}}, account)
	if err != nil {
		t.Fatal(err)
	}
	return p.Evaluate(invoke, inference.ARN(in("us-east-1")), context)
}

func TestConditions(t *testing.T) {
	used := make(map[string]bool)
	for _, c := range conditionCases {
		used[c.operator] = true
		if got := c.evaluate(t, allow("*")); (got.Effect == Allowed) != c.holds {
			t.Errorf("Allow if %s %q of %q = %+v, want allowed %v", c.operator, c.want, c.have, got, c.holds)
		}
		if got := c.evaluate(t, deny("*")); (got.Effect == ExplicitlyDenied) != c.holds {
			t.Errorf("Deny if %s %q of %q = %+v, want denied %v", c.operator, c.want, c.have, got, c.holds)
		}
	}
	for name := range comparisons {
		if !used[name] {
			t.Errorf("operator %s has no case", name)
		}
	}
}

// TestUnknownConditions holds operators that nobody knows and values that theirs
// cannot read: the Allow never applies, the Deny always does.
func TestUnknownConditions(t *testing.T) {
	for _, c := range []conditionCase{
		{"StringSounds", []string{"a"}, []string{"a"}, false},
		{"stringequals", []string{"a"}, []string{"a"}, false},
		{"NullIfExists", []string{"true"}, []string{"a"}, false},
		{"ForSomeValues:StringEquals", []string{"a"}, []string{"a"}, false},
		{"Bool", []string{"yes"}, []string{"yes"}, false},
		{"Null", []string{"maybe"}, nil, false},
		{"NumericNotEquals", []string{"many"}, []string{"1"}, false},
		{"DateNotEquals", []string{"someday"}, []string{"2026-11-22"}, false},
		{"NotIpAddress", []string{"10.0.0.0/99"}, []string{"1.2.3.4"}, false},
	} {
		if got := c.evaluate(t, allow("*")); got.Effect != ImplicitlyDenied {
			t.Errorf("Allow if %s %q = %+v, want it not to apply", c.operator, c.want, got)
		}
		if got := c.evaluate(t, deny("*")); got.Effect != ExplicitlyDenied {
			t.Errorf("Deny if %s %q = %+v, want it to apply", c.operator, c.want, got)
		}
	}
}
