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
	fields    int             // as they are written, fragments not unfolded
	aliases   int
}

func measure(doc *ast.QueryDocument, limits Limits) error {
	m := &meter{fragments: map[string]*ast.FragmentDefinition{}, sizes: map[string]size{}}
	for _, fragment := range doc.Fragments {
		m.fragments[fragment.Name] = fragment
	}
	var all size
	for _, op := range doc.Operations {
		all = all.plus(m.selections(op.SelectionSet))
	}
	for _, fragment := range doc.Fragments {
		all.depth = max(all.depth, m.fragment(fragment.Name).depth)
	}
	all.fields = max(all.fields, m.fields) // fragments that nothing spreads are validated too
	switch {
	case all.depth > limits.Depth:
		return overLimit("query", all.depth, "levels", limits.Depth)
	case all.fields > limits.Fields:
		return overLimit("query", all.fields, "fields", limits.Fields)
	case m.aliases > limits.Aliases:
		return overLimit("query", m.aliases, "aliases", limits.Aliases)
	}
	for _, op := range doc.Operations {
		roots := 0
		for _, n := range m.keys(op.SelectionSet) {
			roots += n
		}
		if roots > limits.Roots {
			return overLimit("operation", roots, "fields of its own", limits.Roots)
		}
		if err := m.repeats(op.SelectionSet); err != nil {
			return err
		}
	}
	for _, fragment := range doc.Fragments {
		if err := m.repeats(fragment.SelectionSet); err != nil {
			return err
		}
	}
	return nil
}

func (s size) plus(t size) size { return size{max(s.depth, t.depth), saturate(s.fields + t.fields)} }

// selections measures set. An inline fragment is a level as well: validation
// looks at everything below it once more.
func (m *meter) selections(set ast.SelectionSet) size {
	var total size
	for _, sel := range set {
		var s size
		switch sel := sel.(type) {
		case *ast.Field:
			s = m.selections(sel.SelectionSet)
			s = size{s.depth + 1, s.fields + 1}
			m.fields++
			if sel.Alias != sel.Name {
				m.aliases++
			}
		case *ast.InlineFragment:
			s = m.selections(sel.SelectionSet)
			s.depth++
		case *ast.FragmentSpread:
			s = m.fragment(sel.Name)
		}
		total = total.plus(s)
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

// maxRepeats is how often one key may be selected in one selection set, where
// validation compares each pair.
const maxRepeats = 25

func (m *meter) repeats(set ast.SelectionSet) error {
	for _, n := range m.keys(set) {
		if n > maxRepeats {
			return overLimit("selection", n, "fields of the same name", maxRepeats)
		}
	}
	for _, sel := range set {
		var err error
		switch sel := sel.(type) {
		case *ast.Field:
			err = m.repeats(sel.SelectionSet)
		case *ast.InlineFragment:
			err = m.repeats(sel.SelectionSet)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// keys counts the selections of each response key that set itself makes.
func (m *meter) keys(set ast.SelectionSet) map[string]int {
	if len(set) == 0 {
		return nil
	}
	counts := map[string]int{}
	m.count(set, counts, map[string]bool{})
	return counts
}

// count adds set to counts; seen ends cycles.
func (m *meter) count(set ast.SelectionSet, counts map[string]int, seen map[string]bool) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			counts[sel.Alias]++
		case *ast.InlineFragment:
			m.count(sel.SelectionSet, counts, seen)
		case *ast.FragmentSpread:
			if fragment := m.fragments[sel.Name]; fragment != nil && !seen[sel.Name] {
				seen[sel.Name] = true
				m.count(fragment.SelectionSet, counts, seen)
			}
		}
	}
}

// saturate keeps a count of unfolded fields from overflowing: nested fragments
// double it at every level.
func saturate(n int) int { return min(n, 1<<30) }
