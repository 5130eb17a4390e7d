package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// listing reads a list of sections or documents, and where each value in it is
// from. What is wrong is left as it was.
func (r *reader) listing(n ast.Node, s setting) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		r.fail(n, "%s: want a list", s.path)
		return
	}
	if len(list.Values) > maxItems {
		r.fail(n, "%s: want at most %d elements", s.path, maxItems)
		return
	}
	if len(list.Values) == 0 {
		return
	}
	r.origins[s.path] = r.origin(start(n))
	s.value.Set(reflect.MakeSlice(s.value.Type(), len(list.Values), len(list.Values)))
	for i, item := range list.Values {
		r.item(item, setting{fmt.Sprintf("%s[%d]", s.path, i), s.value.Index(i)})
	}
}

// item reads one value at any depth below a listing.
func (r *reader) item(n ast.Node, s setting) {
	r.origins[s.path] = r.origin(start(n))
	var err error
	document, ok := s.value.Addr().Interface().(*Document)
	switch {
	case ok:
		*document, err = r.document(n)
	case isListing(s.value):
		r.listing(n, s)
	case isSection(s.value.Type()):
		r.keyed(n, s)
	default:
		err = s.words(n)
	}
	if err != nil {
		r.fail(start(n), "%s: %w", s.path, err)
	}
}

// words sets a value that would have room on a line.
func (s setting) words(n ast.Node) error {
	g, ok := take(n)
	if !ok {
		return fmt.Errorf("want plain values")
	}
	return s.set(g)
}

// keyed reads a section: each key at most once, and none that it does not have.
func (r *reader) keyed(n ast.Node, s setting) {
	pairs, ok := mapping(n)
	if !ok {
		r.fail(n, "want keys and values under %s", s.path)
		return
	}
	if len(pairs) > maxKeys {
		r.fail(n, "want at most %d keys under %s", maxKeys, s.path)
		return
	}
	keys := map[string]reflect.Value{}
	var known []string
	for _, m := range members(s.value) {
		keys[m.path] = m.value
		known = append(known, m.path)
	}
	for _, pair := range pairs {
		key, _ := scalar(pair.Key)
		value, ok := keys[key]
		switch {
		case !ok:
			r.fail(pair.Key, "unknown key %q under %s, want one of %s", key, s.path, strings.Join(known, ", "))
		case pair.Value.Type() != ast.NullType:
			r.item(pair.Value, setting{s.path + "." + key, value})
		}
	}
}
