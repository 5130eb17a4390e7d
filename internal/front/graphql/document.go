package graphql

import (
	"errors"
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

// document is a query that has been parsed, measured and validated. It is shared
// by all requests with the same text.
type document struct {
	operations []*operation
}

// syntaxError is a query that does not parse; AppSync refuses the whole request.
type syntaxError struct {
	message   string
	locations []location
}

func (e *syntaxError) Error() string { return e.message }

// invalidDocument is a query that may not run, for these reasons.
type invalidDocument []fault

func (e invalidDocument) Error() string { return e[0].message }

// document gives the document of query, from the cache where it is there. The
// error is a *syntaxError or an invalidDocument.
func (f *Front) document(query string) (*document, error) {
	if doc, ok := f.documents.Get(query); ok {
		return doc, nil
	}
	doc, err := f.load(query)
	if err == nil && len(query) <= cachedBytes {
		f.documents.Add(query, doc)
	}
	return doc, err
}

func (f *Front) load(query string) (*document, error) {
	if len(query) > f.limits.Document {
		return nil, overLimit("query", len(query), "bytes", f.limits.Document)
	}
	parsed, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, f.limits.Tokens)
	if err != nil {
		return nil, newSyntaxError(err)
	}
	if len(parsed.Operations) == 0 {
		return nil, &syntaxError{message: "Unable to parse GraphQL query. It has no operation."}
	}
	// Measured before it is validated: validation takes longer than linear time.
	if err := measure(parsed, f.limits); err != nil {
		return nil, err
	}
	if faults := violations(parsed, validator.ValidateWithRules(f.schema.Schema, parsed, f.schema.rules)); faults != nil {
		return nil, faults
	}
	return f.schema.prepare(parsed), nil
}

// newSyntaxError words a parser error as AppSync begins it, from memory, with
// what the parser found.
func newSyntaxError(err error) *syntaxError {
	e := &syntaxError{message: "Unable to parse GraphQL query."}
	if g, ok := errors.AsType[*gqlerror.Error](err); ok {
		e.message += " " + g.Message
		for _, l := range g.Locations {
			e.locations = append(e.locations, location{l.Line, l.Column})
		}
	}
	return e
}

func overLimit(what string, have int, unit string, limit int) invalidDocument {
	return invalidDocument{{message: fmt.Sprintf("%s has %d %s, the limit is %d: ask for less at a time", what, have, unit, limit)}}
}

// size is the extent of a selection with its fragments unfolded.
type size struct{ depth, fields int }

// meter measures a document that is not validated yet, so that fragments may be
// missing or spread themselves.
type meter struct {
	fragments map[string]*ast.FragmentDefinition
	sizes     map[string]size // of fragments; present and zero while being measured
	aliases   int
}

func measure(doc *ast.QueryDocument, limits Limits) error {
	m := &meter{fragments: map[string]*ast.FragmentDefinition{}, sizes: map[string]size{}}
	for _, fragment := range doc.Fragments {
		m.fragments[fragment.Name] = fragment
	}
	var all size
	for _, op := range doc.Operations {
		s := m.selections(op.SelectionSet)
		all = size{max(all.depth, s.depth), saturate(all.fields + s.fields)}
		if n := m.roots(op.SelectionSet, map[string]bool{}); n > limits.Roots {
			return overLimit("operation", n, "fields of its own", limits.Roots)
		}
	}
	for _, fragment := range doc.Fragments {
		all.depth = max(all.depth, m.fragment(fragment.Name).depth)
	}
	switch {
	case all.depth > limits.Depth:
		return overLimit("query", all.depth, "levels", limits.Depth)
	case all.fields > limits.Fields:
		return overLimit("query", all.fields, "fields", limits.Fields)
	case m.aliases > limits.Aliases:
		return overLimit("query", m.aliases, "aliases", limits.Aliases)
	}
	return nil
}

func (m *meter) selections(set ast.SelectionSet) size {
	var total size
	for _, sel := range set {
		var s size
		switch sel := sel.(type) {
		case *ast.Field:
			s = m.selections(sel.SelectionSet)
			s = size{s.depth + 1, s.fields + 1}
			if sel.Alias != sel.Name {
				m.aliases++
			}
		case *ast.InlineFragment:
			s = m.selections(sel.SelectionSet)
		case *ast.FragmentSpread:
			s = m.fragment(sel.Name)
		}
		total = size{max(total.depth, s.depth), saturate(total.fields + s.fields)}
	}
	return total
}

func (m *meter) fragment(name string) size {
	if s, ok := m.sizes[name]; ok {
		return s
	}
	fragment := m.fragments[name]
	if fragment == nil {
		return size{}
	}
	m.sizes[name] = size{}
	s := m.selections(fragment.SelectionSet)
	m.sizes[name] = s
	return s
}

// roots counts the fields that set itself selects; seen ends cycles.
func (m *meter) roots(set ast.SelectionSet, seen map[string]bool) int {
	n := 0
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			n++
		case *ast.InlineFragment:
			n += m.roots(sel.SelectionSet, seen)
		case *ast.FragmentSpread:
			if fragment := m.fragments[sel.Name]; fragment != nil && !seen[sel.Name] {
				seen[sel.Name] = true
				n += m.roots(fragment.SelectionSet, seen)
			}
		}
	}
	return n
}

// saturate keeps a count of unfolded fields from overflowing: nested fragments
// double it at every level.
func saturate(n int) int { return min(n, 1<<30) }
