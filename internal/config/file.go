package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// entry is one setting as a file has it.
type entry struct {
	path string
	line int
	given
}

// problem is an error with the place to mend, "fairway.yaml:3" or the name of a
// variable.
type problem struct {
	origin string
	cause  error
}

func (p problem) Error() string { return p.origin + ": " + p.cause.Error() }
func (p problem) Unwrap() error { return p.cause }

// reader collects the entries of a YAML document. Listings it reads at once.
type reader struct {
	name     string   // of the file
	paths    []string // of all settings and listings
	listings []setting
	broken   []string // listings in which something could not be read
	entries  []entry
	origins  Origins // of the values in listings
	problems []error
}

// read takes in a YAML file: its entries in their order, and everything that is
// wrong with its shape, by line.
func (r *reader) read(data []byte) {
	if !utf8.Valid(data) {
		r.problems = append(r.problems, problem{r.name, errors.New("want UTF-8 text")})
		return
	}
	if err := bounded(data); err != nil {
		r.problems = append(r.problems, problem{r.name, err})
		return
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		r.problems = append(r.problems, syntaxProblem(r.name, err))
		return
	}
	for i, doc := range file.Docs {
		switch {
		case doc.Body == nil:
		case i > 0:
			r.fail(doc.Body, "one document is enough")
		default:
			r.section(doc.Body, "")
		}
	}
}

// Bounds of a file. The parser takes the square of the number of lines, when they are
// blank or keys of one mapping, and of how deep brackets, and dashes and question marks
// on one line, nest.
const (
	maxLines  = 10_000
	maxBlanks = 1000 // in a row
	maxDepth  = 1000 // of brackets
	maxMarks  = 100  // dashes and question marks on a line
	maxKeys   = 1000 // of a section
	maxItems  = 5000 // of a list of more than words
)

// bounded refuses what the parser would take long for.
func bounded(data []byte) error {
	if depth(data) > maxDepth {
		return fmt.Errorf("want brackets at most %d deep", maxDepth)
	}
	lines, blanks := 0, 0
	for line := range strings.Lines(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data))) {
		lines++
		blanks++
		if strings.TrimSpace(line) != "" {
			blanks = 0
		}
		switch {
		case lines > maxLines:
			return fmt.Errorf("want at most %d lines", maxLines)
		case blanks > maxBlanks:
			return fmt.Errorf("want at most %d blank lines in a row, up to line %d", maxBlanks, lines)
		case strings.Count(line, "- ")+strings.Count(line, "? ") > maxMarks:
			return fmt.Errorf("want at most %d dashes and question marks on line %d", maxMarks, lines)
		}
	}
	return nil
}

// depth is how many brackets are open at most; those in texts count too.
func depth(data []byte) int {
	open, most := 0, 0
	for _, b := range data {
		switch b {
		case '[', '{':
			open++
		case ']', '}':
			open--
		}
		most = max(most, open)
	}
	return most
}

func syntaxProblem(name string, err error) error {
	if syntax, ok := errors.AsType[yaml.Error](err); ok && syntax.GetToken() != nil {
		return problem{fmt.Sprintf("%s:%d", name, syntax.GetToken().Position.Line), errors.New(syntax.GetMessage())}
	}
	return problem{name, err}
}

func (r *reader) fail(n ast.Node, format string, args ...any) {
	r.problems = append(r.problems, problem{r.origin(n), fmt.Errorf(format, args...)})
}

func (r *reader) origin(n ast.Node) string { return fmt.Sprintf("%s:%d", r.name, line(n)) }

// section reads the keys of a mapping; prefix is its path with a dot behind.
func (r *reader) section(n ast.Node, prefix string) {
	pairs, ok := mapping(n)
	if !ok {
		r.fail(n, "want keys and values%s", under(prefix))
		return
	}
	if len(pairs) > maxKeys {
		r.fail(n, "want at most %d keys%s", maxKeys, under(prefix))
		return
	}
	for _, pair := range pairs {
		key, ok := scalar(pair.Key)
		path := prefix + key
		switch {
		case !ok:
			r.fail(pair.Key, "want a plain key%s", under(prefix))
		case pair.Value.Type() == ast.NullType && r.known(path):
		case slices.Contains(r.paths, path):
			r.setting(path, pair)
		case r.known(path):
			r.section(pair.Value, path+".")
		default:
			r.fail(pair.Key, "unknown key %q%s, want one of %s", key, under(prefix), strings.Join(r.keys(prefix), ", "))
		}
	}
}

func (r *reader) setting(path string, pair *ast.MappingValueNode) {
	if i := slices.IndexFunc(r.listings, func(s setting) bool { return s.path == path }); i >= 0 {
		known := len(r.problems)
		r.listing(pair.Value, r.listings[i])
		if len(r.problems) > known {
			r.broken = append(r.broken, path)
		}
		return
	}
	g, ok := take(pair.Value)
	if !ok {
		r.fail(pair.Value, "%s: want plain values", path)
		return
	}
	r.entries = append(r.entries, entry{path, line(pair.Key), g})
}

// known reports whether path is a setting or a section.
func (r *reader) known(path string) bool {
	return slices.ContainsFunc(r.paths, func(p string) bool { return p == path || strings.HasPrefix(p, path+".") })
}

// keys lists what may stand in a section.
func (r *reader) keys(prefix string) []string {
	var keys []string
	for _, p := range r.paths {
		if rest, ok := strings.CutPrefix(p, prefix); ok {
			key, _, _ := strings.Cut(rest, ".")
			keys = append(keys, key)
		}
	}
	return slices.Compact(keys)
}

func under(prefix string) string {
	if prefix == "" {
		return ""
	}
	return " under " + strings.TrimSuffix(prefix, ".")
}

func line(n ast.Node) int { return n.GetToken().Position.Line }

// take takes a value apart that is a scalar, a list of them or a map of them.
func take(n ast.Node) (given, bool) {
	if text, ok := scalar(n); ok {
		return given{scalar: &text}, true
	}
	if sequence, ok := n.(*ast.SequenceNode); ok {
		g := given{list: []string{}}
		for _, value := range sequence.Values {
			text, ok := scalar(value)
			if !ok {
				return given{}, false
			}
			g.list = append(g.list, text)
		}
		return g, true
	}
	pairs, ok := mapping(n)
	g := given{pairs: map[string]string{}}
	for _, pair := range pairs {
		key, isKey := scalar(pair.Key)
		value, isValue := scalar(pair.Value)
		if !isKey || !isValue {
			return given{}, false
		}
		g.pairs[key] = value
	}
	return g, ok
}

func mapping(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// scalar is a node's text as it stands in the file: 012 stays 012.
func scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}
