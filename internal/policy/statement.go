package policy

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"fairway/internal/inference"
)

// unnamed is the order of a region that no resource names: after all others.
const unnamed = math.MaxInt

// statement is a Statement with its patterns taken apart.
type statement struct {
	at          string // position for people
	allow       bool
	actions     []glob // lower case
	notAction   bool   // actions are the ones it is not about
	resources   []resource
	notResource bool
	conditions  []condition
	unknown     string // a condition operator nobody here knows, the first by name
}

// compileStatements also numbers the resources of the whole layer in written
// order.
func compileStatements(from []Statement, account string) ([]statement, error) {
	compiled := make([]statement, len(from))
	order := 0
	for i, s := range from {
		at := cmp.Or(s.At, s.SID, "statement "+strconv.Itoa(i+1))
		if problem := malformed(s); problem != "" {
			return nil, &inference.Error{
				Kind: inference.Validation, Op: "compile policy", Message: at + ": " + problem,
			}
		}
		c := &compiled[i]
		c.at = at
		c.allow = s.Effect == "Allow"
		c.notAction = len(s.NotActions) > 0
		c.notResource = len(s.NotResources) > 0
		for _, action := range slices.Concat(s.Actions, s.NotActions) {
			c.actions = append(c.actions, newGlob(globText(strings.ToLower(action))))
		}
		for _, text := range slices.Concat(s.Resources, s.NotResources) {
			// A pattern that is no ARN errs on the side of denying.
			c.resources = append(c.resources, compileResource(text, account, order, c.allow == c.notResource))
			order++
		}
		c.conditions, c.unknown = compileConditions(s.Conditions)
	}
	return compiled, nil
}

// malformed says why IAM would not take the statement, empty when it would.
func malformed(s Statement) string {
	switch {
	case s.Effect != "Allow" && s.Effect != "Deny":
		return "effect is " + strconv.Quote(s.Effect) + ", want Allow or Deny"
	case (len(s.Actions) > 0) == (len(s.NotActions) > 0):
		return "want either actions or notActions"
	case (len(s.Resources) > 0) == (len(s.NotResources) > 0):
		return "want either resources or notResources"
	}
	return ""
}

// match reports whether the statement applies to the call, and the order of the
// first of its resources that names the call's region.
func (s *statement) match(c *call) (bool, int) {
	if s.matchesAction(c.action) == s.notAction {
		return false, unnamed
	}
	covered, order := s.covers(c)
	if covered == s.notResource {
		return false, unnamed
	}
	if s.notResource {
		order = unnamed
	}
	if s.unknown != "" {
		return true, unnamed
	}
	for _, condition := range s.conditions {
		if !condition.holds(c.context) {
			return false, unnamed
		}
	}
	return true, order
}

func (s *statement) matchesAction(action string) bool {
	for _, pattern := range s.actions {
		if pattern.match(action) {
			return true
		}
	}
	return false
}

// covers reports whether a resource pattern covers the call's resource.
func (s *statement) covers(c *call) (bool, int) {
	covered := false
	for i := range s.resources {
		r := &s.resources[i]
		if !r.covers(c) {
			continue
		}
		if r.names {
			return true, r.order
		}
		covered = true
	}
	return covered, unnamed
}

// conditional reports whether applying depends on the context of the call.
func (s *statement) conditional() bool {
	return len(s.conditions) > 0 || slices.ContainsFunc(s.resources, func(r resource) bool { return r.text.variable() })
}

// compileConditions gives the conditions, all of which must hold, and the first
// operator by name that is not known or has a value it cannot read.
func compileConditions(from map[string]map[string][]string) (conditions []condition, unknown string) {
	for _, name := range slices.Sorted(maps.Keys(from)) {
		op, ok := parseOperator(name)
		if !ok {
			return nil, name
		}
		for key, values := range from[name] {
			c, ok := op.condition(key, values)
			if !ok {
				return nil, name
			}
			conditions = append(conditions, c)
		}
	}
	return conditions, ""
}
