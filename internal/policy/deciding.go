package policy

import (
	"slices"
	"strings"

	"fairway/internal/inference"
)

// Pattern is what of the statement that decided, as it is written, covers a call.
type Pattern struct {
	Action   string // pattern; empty of a NotAction
	Resource string // pattern; empty of a NotResource
	At       string // where the resource is written, else the statement
}

// Pattern is zero where no statement decided.
func (e *Evaluation) Pattern() Pattern {
	s := e.by.statement
	if s == nil {
		return Pattern{}
	}
	p := Pattern{At: s.at}
	if !s.notAction {
		action := strings.ToLower(e.Action)
		i := slices.IndexFunc(s.actions, func(g glob) bool { return g.match(action) })
		p.Action = s.written.Actions[i] // the statement applies, so that one does
	}
	if i := e.by.resource; i >= 0 && !s.notResource {
		p.Resource = s.written.Resources[i]
		if i < len(s.written.ResourceAt) && s.written.ResourceAt[i] != "" {
			p.At = s.written.ResourceAt[i]
		}
	}
	return p
}

// Named reports whether the statement that decided spells the region out, and so gives
// it a place in the order of destinations.
func (e *Evaluation) Named() bool { return e.by.order != unnamed }

// Deciding is the statement that decided, as it is written. It reports false where none
// did.
func (e *Evaluation) Deciding() (Statement, bool) {
	if e.by.statement == nil {
		return Statement{}, false
	}
	return *e.by.statement.written, true
}

// Unmet is a condition that keeps a statement from allowing a call.
type Unmet struct {
	Statement string // position
	Operator  string
	Key       string
	Want      []string // in the statement
	Have      []string // of the call; nil for none
}

// unmet looks into the layers that an evaluation lacks: of each statement that would
// allow it, the first condition that does not hold.
func (p *Policies) unmet(q Question, profile inference.Profile, of Evaluation) []Unmet {
	c := p.call(q, profile)
	p.ask(&c, of.Resource, of.Region)
	var all []Unmet
	for _, l := range p.layers {
		if !slices.Contains(of.lacks, l.name) {
			continue
		}
		for i := range l.statements {
			s := &l.statements[i]
			if _, ok := s.about(&c); !ok || !s.allow || s.unknown != "" {
				continue
			}
			if failing := s.failing(c.context); failing != nil {
				all = append(all, failing.unmet(s, c.context))
			}
		}
	}
	return all
}

func (c *condition) unmet(s *statement, context values) Unmet {
	return Unmet{s.at, c.name, c.keyName, s.written.Conditions[c.name][c.keyName], slices.Clone(context[c.key])}
}
