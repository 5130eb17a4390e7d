package policy

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Advice is the statement that would add what a principal is missing.
type Advice struct {
	Actions   []string
	Resources []string
}

// MissingFrom is the statement to add so that a layer does not stand in the way of the
// evaluated calls. It reports false when there is nothing to add: what a Deny refuses, no
// statement gives back.
func MissingFrom(layer Layer, evaluations ...Evaluation) (Advice, bool) {
	var a Advice
	for _, e := range evaluations {
		if !slices.Contains(e.lacks, layer) {
			continue
		}
		if !slices.Contains(a.Actions, e.Action) {
			a.Actions = append(a.Actions, e.Action)
		}
		if resource := string(e.Resource); !slices.Contains(a.Resources, resource) {
			a.Resources = append(a.Resources, resource)
		}
	}
	return a, len(a.Resources) > 0
}

// JSON is the statement as it goes into an IAM policy document.
func (a Advice) JSON() string {
	text, err := json.MarshalIndent(statementJSON{Effect: "Allow", Action: a.Actions, Resource: a.Resources}, "", "  ")
	if err != nil {
		panic("policy: a statement of strings always marshals: " + err.Error())
	}
	return string(text)
}

// TypeScript is the statement as the CDK has it, for backend.ts.
func (a Advice) TypeScript() string {
	var b strings.Builder
	b.WriteString("new PolicyStatement({\n  actions: [")
	for i, action := range a.Actions {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(action))
	}
	b.WriteString("],\n  resources: [\n")
	for _, resource := range a.Resources {
		b.WriteString("    " + strconv.Quote(resource) + ",\n")
	}
	b.WriteString("  ],\n})")
	return b.String()
}
