package policy

import (
	"slices"
	"strconv"
	"strings"
)

// operator is a condition operator's name, read: ForAnyValue:StringLikeIfExists.
type operator struct {
	comparison
	null     bool // compares whether the key is missing
	ifExists bool // holds also when the key is missing
	quantity quantity
}

// quantity is how many of the context's values have to pass.
type quantity int

const (
	single quantity = iota // the key has one value; of several, one has to match
	forAnyValue
	forAllValues // also of no values
)

// parseOperator reports false for a name that IAM does not have.
func parseOperator(name string) (operator, bool) {
	if name == "Null" {
		return operator{comparison: comparisons["Bool"], null: true}, true
	}
	var op operator
	if rest, ok := strings.CutPrefix(name, "ForAnyValue:"); ok {
		name, op.quantity = rest, forAnyValue
	} else if rest, ok := strings.CutPrefix(name, "ForAllValues:"); ok {
		name, op.quantity = rest, forAllValues
	}
	name, op.ifExists = strings.CutSuffix(name, "IfExists")
	var ok bool
	op.comparison, ok = comparisons[name]
	return op, ok
}

// condition is one operator on one key.
type condition struct {
	operator
	key  string
	want []template
}

// condition reports false for a value that the operator cannot read.
func (op operator) condition(key string, want []string) (condition, bool) {
	c := condition{operator: op, key: key}
	plain := func(s string) string { return s }
	if op.wildcards {
		plain = globText
	}
	for _, text := range want {
		t := parseTemplate(text, plain)
		if op.readable != nil && !t.variable() && !op.readable(t.text) {
			return condition{}, false
		}
		c.want = append(c.want, t)
	}
	return c, true
}

// holds decides the condition. A missing key fails a comparison and passes a
// negated one.
func (c condition) holds(context values) bool {
	have := context.get(c.key)
	matches := func(value string) bool { return c.matches(value, context) }
	fails := func(value string) bool { return !c.matches(value, context) }
	switch {
	case c.null:
		return matches(strconv.FormatBool(len(have) == 0))
	case len(have) == 0 && c.ifExists:
		return true
	case c.quantity == forAnyValue && c.negated:
		return slices.ContainsFunc(have, fails)
	case c.quantity == forAnyValue:
		return slices.ContainsFunc(have, matches)
	case c.quantity == forAllValues && c.negated:
		return !slices.ContainsFunc(have, matches)
	case c.quantity == forAllValues:
		return !slices.ContainsFunc(have, fails)
	default:
		return slices.ContainsFunc(have, matches) != c.negated
	}
}

// matches reports whether one of the policy's values matches.
func (c condition) matches(have string, context values) bool {
	return slices.ContainsFunc(c.want, func(t template) bool {
		want, ok := t.resolve(context)
		return ok && c.match(have, want)
	})
}
