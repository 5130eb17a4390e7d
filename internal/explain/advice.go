package explain

import (
	"encoding/json"
	"slices"
	"strings"

	"fairway/internal/inference"
	"fairway/internal/policy"
	"fairway/internal/wire/arn"
)

// Statement is a statement to add to the policies of a layer.
type Statement struct {
	Layer      policy.Layer    `json:"layer"`
	Actions    []string        `json:"actions"`
	Resources  []string        `json:"resources"`
	JSON       json.RawMessage `json:"json"`       // of IAM
	TypeScript string          `json:"typescript"` // of the CDK, for backend.ts
}

func statement(layer policy.Layer, a policy.Advice) Statement {
	return Statement{layer, a.Actions, a.Resources, json.RawMessage(a.JSON()), a.TypeScript()}
}

// Deny is a statement that refuses some of what the call needs.
type Deny struct {
	Statement string          `json:"statement"` // position
	Layer     policy.Layer    `json:"layer"`
	Resources []inference.ARN `json:"resources"` // that it is to leave out
}

// LeastPrivilege is what stands in for wildcards: exactly what the call needs.
type LeastPrivilege struct {
	Statement
	Replaces []Wildcard `json:"replaces"`
}

// Wildcard is a statement that allows some of the call by a pattern.
type Wildcard struct {
	Statement string `json:"statement"` // position
	At        string `json:"at"`        // of the pattern, where that is known
	Action    string `json:"action"`    // as it is written; empty of a NotAction
	Resource  string `json:"resource"`  // as it is written; empty of a NotResource
}

// Denied are the evaluations that failed, in the order in which AWS names the first.
func (x *Explanation) Denied() []policy.Evaluation { return x.denied }

// advise adds what to do about the policies.
func (x *Explanation) advise(a *asked) {
	for _, e := range a.evaluations {
		if e.Effect != policy.Allowed {
			x.denied = append(x.denied, e)
		}
	}
	for _, layer := range []policy.Layer{policy.IdentityBased, policy.ServiceControl, policy.Boundary} {
		if advice, ok := policy.MissingFrom(layer, x.denied...); ok {
			x.Missing = append(x.Missing, statement(layer, advice))
		}
	}
	x.Denies = denies(x.denied)
	x.LeastPrivilege = x.leastPrivilege(a)
	x.warn(a)
}

// denies are the Deny statements among the evaluations, each once.
func denies(denied []policy.Evaluation) []Deny {
	all := []Deny{}
	for _, e := range denied {
		if e.Effect != policy.ExplicitlyDenied {
			continue
		}
		i := slices.IndexFunc(all, func(d Deny) bool { return d.Statement == e.Statement && d.Layer == e.Layer })
		if i < 0 {
			i, all = len(all), append(all, Deny{Statement: e.Statement, Layer: e.Layer})
		}
		all[i].Resources = append(all[i].Resources, e.Resource)
	}
	return all
}

// leastPrivilege is the exact list in place of the wildcards that allow some of the
// call, nil without one.
func (x *Explanation) leastPrivilege(a *asked) *LeastPrivilege {
	var replaces []Wildcard
	actions := []string{a.question.Action}
	for _, e := range a.evaluations {
		s, ok := e.Deciding()
		if !ok || e.Effect != policy.Allowed {
			continue
		}
		m := e.Pattern()
		w := Wildcard{e.Statement, m.At, m.Action, m.Resource}
		if !w.is() || slices.Contains(replaces, w) {
			continue
		}
		replaces = append(replaces, w)
		for _, action := range s.Actions {
			if strings.HasPrefix(action, "bedrock:Invoke") && !isWild(action) && !slices.Contains(actions, action) {
				actions = append(actions, action)
			}
		}
	}
	if replaces == nil {
		return nil
	}
	advice := policy.Advice{Actions: actions, Resources: x.resources(a)}
	return &LeastPrivilege{statement(policy.IdentityBased, advice), replaces}
}

func (w Wildcard) is() bool {
	return w.Action == "" || w.Resource == "" || isWild(w.Action) || isWild(w.Resource)
}

func isWild(pattern string) bool { return strings.ContainsAny(pattern, "*?") }

// resources are all that the call needs. Regions that statements name are tried in
// written order, so that they come in the order in which they are tried now.
func (x *Explanation) resources(a *asked) []string {
	var all []string
	add := func(resource inference.ARN) {
		if !slices.Contains(all, string(resource)) {
			all = append(all, string(resource))
		}
	}
	for _, c := range x.Checks {
		if c.For != ForSource || a.profile.Global {
			add(c.Resource)
		}
	}
	for _, region := range x.Modes.Narrow.Destinations {
		add(a.needed(region))
	}
	for _, e := range a.evaluations {
		add(e.Resource)
	}
	return all
}

// warn adds what is other on AWS than here.
func (x *Explanation) warn(a *asked) {
	add := func(warning string) {
		if !slices.Contains(x.Warnings, warning) {
			x.Warnings = append(x.Warnings, warning)
		}
	}
	for _, e := range a.evaluations {
		m := e.Pattern()
		if fields, err := arn.Parse(m.Resource); err == nil && policy.IsPlaceholder(fields.Account) {
			add("the account of " + m.Resource + " at " + m.At + " is a placeholder: here it stands for the configured account, " +
				"on AWS it matches nothing: replace " + fields.Account + " by your AWS account ID")
		}
		if s, ok := e.Deciding(); ok && len(s.Conditions) > 0 && e.Effect == policy.Allowed && x.LeastPrivilege != nil {
			add("the statement at " + e.Statement + " has conditions: keep them in what replaces it")
		}
	}
}
