package policy

import (
	"slices"
	"strings"

	"fairway/internal/inference"
)

// Evaluate decides one action on one resource of a call that has only these condition
// keys. They are in any case.
func (p *Policies) Evaluate(action string, resource inference.ARN, context map[string][]string) Decision {
	return p.decide(&call{strings.ToLower(action), parseSubject(resource), p.keys.of(context)}, action).Decision
}

// of takes from a context, by key in any case, what the policies ask for.
func (k keys) of(context map[string][]string) values {
	if len(k) == 0 {
		return nil
	}
	v := make(values, len(k))
	for name, found := range context {
		if i := slices.Index(k, strings.ToLower(name)); i >= 0 {
			v[i] = found
		}
	}
	return v
}
