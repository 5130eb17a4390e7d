// Package policy decides what a principal may do. It evaluates IAM statements as
// the service does, once over everything that a model call needs, and answers
// with a grant: the destinations allowed, in order, each with the statement that
// decided. A decision is a pure function: no I/O, no clock, no log.
//
// Wherever a statement cannot be understood, it denies: an Allow that uses an
// unknown condition operator never applies, and a Deny that does always applies.
package policy

import (
	"cmp"
	"strconv"
	"strings"

	"fairway/backend"
	"fairway/internal/inference"
	"fairway/internal/wire/arn"
)

// Statement is one IAM policy statement, in source order within its principal.
type Statement = backend.Statement

// Principal is a principal with everything that decides what it may do. A layer
// that is nil does not exist; one that is empty allows nothing.
type Principal struct {
	inference.Principal
	Statements      []Statement // of its identity-based policies
	Boundary        []Statement // of its permissions boundary
	ServiceControls []Statement // of the service control policy over its account
}

// Effect is the outcome of an evaluation, in the words of IAM.
type Effect string

// The effects.
const (
	Allowed          Effect = "Allowed"
	ExplicitlyDenied Effect = "ExplicitlyDenied" // a Deny applies
	ImplicitlyDenied Effect = "ImplicitlyDenied" // no Allow applies
)

// Decision is the outcome for one action on one resource, and what decided it.
type Decision struct {
	Effect    Effect
	Layer     Layer  // which policies decided
	Statement string // position of the Allow or Deny that decided; empty when implicitly denied
	Reason    string // of a denial, as the service ends its 403, without "because" or "with"
}

// Layer is a kind of policy by the name it has in a 403.
type Layer string

// The layers. A call needs an Allow from every layer that exists.
const (
	ServiceControl Layer = "service control policy"
	IdentityBased  Layer = "identity-based policy"
	Boundary       Layer = "permissions boundary"
)

// Policies is a principal's statements, compiled. It is immutable.
type Policies struct {
	principal   inference.Principal
	account     string
	layers      []layer
	conditional bool // a decision depends on more than action and resource
}

type layer struct {
	name       Layer
	statements []statement
}

// Compile prepares a principal's statements for evaluation. In the account field
// of a resource a placeholder such as <UserID> stands for account. An error, of
// kind Validation, names the statement that IAM would not take.
func Compile(p Principal, account string) (*Policies, error) {
	compiled := &Policies{principal: p.Principal, account: account}
	for _, l := range []struct {
		name       Layer
		statements []Statement
		exists     bool
	}{
		{ServiceControl, p.ServiceControls, p.ServiceControls != nil},
		{IdentityBased, p.Statements, true},
		{Boundary, p.Boundary, p.Boundary != nil},
	} {
		if !l.exists {
			continue
		}
		statements, err := compileStatements(l.statements, account)
		if err != nil {
			return nil, err
		}
		for _, s := range statements {
			compiled.conditional = compiled.conditional || s.conditional()
		}
		compiled.layers = append(compiled.layers, layer{l.name, statements})
	}
	return compiled, nil
}

// Evaluate decides one action on one resource. The context maps condition keys,
// in any case, to their values. A Deny in any layer wins; else every layer must
// have an Allow, and the first one without is the one that denied.
func (p *Policies) Evaluate(action string, resource inference.ARN, context map[string][]string) Decision {
	d, _ := p.decide(&call{strings.ToLower(action), parseSubject(resource), context}, action)
	return d
}

// call is what statements are held against.
type call struct {
	action   string // lower case
	resource arn.ARN
	context  values
}

// parseSubject takes the resource of a call apart. What is no ARN becomes a
// resource with nothing but itself, which only a lone * covers.
func parseSubject(resource inference.ARN) arn.ARN {
	a, err := arn.Parse(string(resource))
	if err != nil {
		return arn.ARN{Resource: string(resource)}
	}
	return a
}

// decide is Evaluate, and the place in the written order of the first resource
// that allows the call and names its region, unnamed when only wildcards do.
func (p *Policies) decide(c *call, action string) (Decision, int) {
	d, order := Decision{Effect: Allowed}, unnamed
	for _, l := range p.layers {
		v := l.decide(c)
		switch {
		case v.effect == ExplicitlyDenied:
			return v.denial(l.name, action), unnamed
		case d.Effect != Allowed: // only a Deny changes that now
		case v.effect == ImplicitlyDenied:
			d, order = v.denial(l.name, action), unnamed
		case l.name == IdentityBased:
			d.Layer, d.Statement, order = l.name, v.statement.at, v.order
		}
	}
	return d, order
}

// verdict is what one layer says.
type verdict struct {
	effect    Effect
	statement *statement // that decided; nil when implicitly denied
	order     int        // as decide gives it
	opaque    *statement // an Allow that could not be understood and would have mattered
}

// decide looks at every statement: a Deny may come last, and the statement that
// names the region decides in preference to an earlier wildcard.
func (l layer) decide(c *call) verdict {
	v := verdict{effect: ImplicitlyDenied, order: unnamed}
	for i := range l.statements {
		s := &l.statements[i]
		matched, order := s.match(c)
		switch {
		case !matched:
		case !s.allow:
			return verdict{effect: ExplicitlyDenied, statement: s, order: unnamed}
		case s.unknown != "":
			v.opaque = cmp.Or(v.opaque, s)
		case v.effect == ImplicitlyDenied || order < v.order:
			v.effect, v.statement, v.order = Allowed, s, order
		}
	}
	return v
}

func (v verdict) denial(name Layer, action string) Decision {
	d := Decision{Effect: v.effect, Layer: name}
	article := "a "
	if name == IdentityBased {
		article = "an "
	}
	switch {
	case v.effect == ExplicitlyDenied:
		d.Statement = v.statement.at
		d.Reason = "an explicit deny in " + article + string(name)
		if v.statement.unknown != "" {
			d.Reason += " whose condition operator " + strconv.Quote(v.statement.unknown) + " is not known"
		}
	case v.opaque != nil:
		d.Reason = "the condition operator " + strconv.Quote(v.opaque.unknown) + " of the " + string(name) +
			" statement " + v.opaque.at + " is not known"
	default:
		d.Reason = "no " + string(name) + " allows the " + action + " action"
	}
	return d
}
