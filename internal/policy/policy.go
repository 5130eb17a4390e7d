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
	"slices"
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
	Tags            map[string]string // aws:PrincipalTag by name
	Statements      []Statement       // of its identity-based policies
	Boundary        []Statement       // of its permissions boundary
	ServiceControls []Statement       // of the service control policy over its account
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
	principal inference.Principal
	identity  identity
	tags      map[string]string
	account   string
	layers    []layer

	keys    keys  // that conditions and variables ask for
	sources []key // of the keys
	region  int   // place of aws:RequestedRegion among the keys, negative when none asks
	steady  bool  // all keys are: a decision depends on nothing but action, resource and profile
}

type layer struct {
	name       Layer
	statements []statement
}

// Compile prepares a principal's statements for evaluation. In the account field
// of a resource a placeholder such as <UserID> stands for account. An error, of
// kind Validation, names the statement that IAM would not take.
func Compile(p Principal, account string) (*Policies, error) {
	compiled := &Policies{principal: p.Principal, identity: identify(p.ARN, account), tags: p.Tags, account: account}
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
		statements, err := compileStatements(l.statements, account, &compiled.keys)
		if err != nil {
			return nil, err
		}
		compiled.layers = append(compiled.layers, layer{l.name, statements})
	}
	compiled.link()
	return compiled, nil
}

// link finds where the keys have their values from.
func (p *Policies) link() {
	p.region, p.steady = slices.Index(p.keys, requestedRegion), true
	p.sources = make([]key, len(p.keys))
	for i, name := range p.keys {
		p.sources[i] = keyOf(name)
		p.steady = p.steady && p.sources[i].steady
	}
}

// call is what statements are held against.
type call struct {
	action   string // lower case
	resource arn.ARN
	context  values
}

// call is that of a question, but for the resource.
func (p *Policies) call(q Question, profile inference.Profile) call {
	c := call{action: strings.ToLower(q.Action)}
	if len(p.keys) > 0 {
		c.context = p.context(q, profile)
	}
	return c
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

// decided is a Decision, and what led to it.
type decided struct {
	Decision
	by    match   // of the deciding statement; unmatched where none decided
	lacks []Layer // that allow nothing of the kind, unless a Deny decided
}

// decide holds a call against all layers. A Deny in any layer wins; else every layer must
// have an Allow, and the first one without is the one that denied.
func (p *Policies) decide(c *call, action string) decided {
	d := decided{Decision: Decision{Effect: Allowed}, by: unmatched}
	for i := range p.layers {
		l := &p.layers[i]
		v := l.decide(c)
		if v.effect == ExplicitlyDenied {
			return decided{Decision: v.denial(l.name, action), by: v.match}
		}
		if v.effect == ImplicitlyDenied {
			d.lacks = append(d.lacks, l.name)
		}
		switch {
		case d.Effect != Allowed: // only a Deny changes that now
		case v.effect == ImplicitlyDenied:
			d.Decision, d.by = v.denial(l.name, action), unmatched
		case l.name == IdentityBased:
			d.Layer, d.Statement, d.by = l.name, v.statement.at, v.match
		}
	}
	return d
}

// verdict is what one layer says.
type verdict struct {
	match
	effect Effect
	opaque *statement // an Allow that could not be understood and would have mattered
}

// decide looks at every statement: a Deny may come last, and the statement that
// names the region decides in preference to an earlier wildcard.
func (l *layer) decide(c *call) verdict {
	v := verdict{match: unmatched, effect: ImplicitlyDenied}
	for i := range l.statements {
		s := &l.statements[i]
		m, ok := s.match(c)
		switch {
		case !ok:
		case !s.allow:
			return verdict{match: m, effect: ExplicitlyDenied}
		case s.unknown != "":
			v.opaque = cmp.Or(v.opaque, s)
		case v.effect == ImplicitlyDenied || m.order < v.order:
			v.match, v.effect = m, Allowed
		}
	}
	return v
}

func (v *verdict) denial(name Layer, action string) Decision {
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
