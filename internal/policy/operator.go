package policy

import (
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
	name    string // of the operator, as it is written
	keyName string // as it is written
	key     int
	want    []template
}

// condition reports false for a value that the operator cannot read.
func (op operator) condition(name, key string, want []string, keys *keys) (condition, bool) {
	c := condition{operator: op, name: name, keyName: key, key: keys.index(key)}
	plain := func(s string) string { return s }
	if op.wildcards {
		plain = globText
	}
	for _, text := range want {
		t := parseTemplate(text, plain, keys)
		if op.readable != nil && !t.variable() && !op.readable(t.text) {
			return condition{}, false
		}
		c.want = append(c.want, t)
	}
	return c, true
}

// holds decides the condition. A missing key fails a comparison and passes a
// negated one.
func (c *condition) holds(context values) bool {
	have := context[c.key]
	switch {
	case c.null:
		return c.matches(strconv.FormatBool(len(have) == 0), context)
	case len(have) == 0 && c.ifExists:
		return true
	case c.quantity == single:
		return c.some(have, context, true) != c.negated
	case c.quantity == forAnyValue:
		return c.some(have, context, !c.negated)
	default: // forAllValues: not one that fails
		return !c.some(have, context, c.negated)
	}
}

// some reports whether one of the call's values matches, or does not.
func (c *condition) some(have []string, context values, matches bool) bool {
	for _, value := range have {
		if c.matches(value, context) == matches {
			return true
		}
	}
	return false
}

// matches reports whether one of the policy's values matches.
func (c *condition) matches(have string, context values) bool {
	for i := range c.want {
		if want, ok := c.want[i].resolve(context); ok && c.match(have, want) {
			return true
		}
	}
	return false
}
