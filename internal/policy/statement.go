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
	written     *Statement
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
func compileStatements(from []Statement, account string, keys *keys) ([]statement, error) {
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
		c.written, c.at = &s, at
		c.allow = s.Effect == "Allow"
		c.notAction = len(s.NotActions) > 0
		c.notResource = len(s.NotResources) > 0
		for _, action := range slices.Concat(s.Actions, s.NotActions) {
			c.actions = append(c.actions, newGlob(globText(strings.ToLower(action))))
		}
		for _, text := range slices.Concat(s.Resources, s.NotResources) {
			// A pattern that is no ARN errs on the side of denying.
			c.resources = append(c.resources, compileResource(text, account, order, c.allow == c.notResource, keys))
			order++
		}
		c.conditions, c.unknown = compileConditions(s.Conditions, keys)
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

// match is what of a statement applies to a call.
type match struct {
	statement *statement
	resource  int // pattern that covers the call's, negative where none does
	order     int // of that pattern where it names the region, else unnamed
}

var unmatched = match{resource: -1, order: unnamed}

// match reports whether the statement applies to the call, and by which resource:
// the first that names the call's region, else the first that covers it.
func (s *statement) match(c *call) (match, bool) {
	m, ok := s.about(c)
	if !ok || s.unknown != "" {
		return m, ok
	}
	if s.failing(c.context) != nil {
		return unmatched, false
	}
	return m, true
}

// about is match without the conditions.
func (s *statement) about(c *call) (match, bool) {
	if s.matchesAction(c.action) == s.notAction {
		return unmatched, false
	}
	m := s.covering(c)
	return m, (m.resource >= 0) != s.notResource
}

// failing is the first condition that does not hold, nil when all do.
func (s *statement) failing(context values) *condition {
	for i := range s.conditions {
		if !s.conditions[i].holds(context) {
			return &s.conditions[i]
		}
	}
	return nil
}

func (s *statement) matchesAction(action string) bool {
	for _, pattern := range s.actions {
		if pattern.match(action) {
			return true
		}
	}
	return false
}

// covering is the match by resource.
func (s *statement) covering(c *call) match {
	m := match{s, -1, unnamed}
	for i := range s.resources {
		r := &s.resources[i]
		if m.resource >= 0 && !r.names || !r.covers(c) {
			continue
		}
		m.resource = i
		if r.names {
			m.order = r.order
			break
		}
	}
	return m
}

// compileConditions gives the conditions, all of which must hold, and the first
// operator by name that is not known or has a value it cannot read.
func compileConditions(from map[string]map[string][]string, keys *keys) (conditions []condition, unknown string) {
	for _, name := range slices.Sorted(maps.Keys(from)) {
		op, ok := parseOperator(name)
		if !ok {
			return nil, name
		}
		for _, key := range slices.Sorted(maps.Keys(from[name])) {
			c, ok := op.condition(name, key, from[name][key], keys)
			if !ok {
				return nil, name
			}
			conditions = append(conditions, c)
		}
	}
	return conditions, ""
}
