package simulate

import (
	"bytes"
	"cmp"
	"encoding"
	"errors"
	"fmt"
	"iter"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// MaxBytes is how large a scenario's file may be.
const MaxBytes = 64 << 10

// Bounds of what is in it. The parser takes the square of the number of lines, when
// they are blank or keys of one mapping, and of how deep brackets, and dashes and
// question marks on one line, nest.
const (
	maxLines = 2000
	maxDepth = 100
	maxItems = 1000 // elements of one list or mapping
	maxShown = 20   // problems
)

// Parse reads a scenario and checks it. The error joins what is wrong, up to twenty
// problems, one a line, each with the file's name and line.
func Parse(name string, data []byte) (*Scenario, error) {
	r := &reader{name: name, lines: map[string]int{}}
	s := Defaults()
	r.read(data, s)
	if len(r.problems) == 0 {
		check(s, r.refuse)
	}
	if more := len(r.problems) - maxShown; more > 0 {
		r.problems = append(r.problems[:maxShown], fmt.Errorf("and %d more", more))
	}
	if len(r.problems) > 0 {
		return nil, errors.Join(r.problems...)
	}
	s.Name, s.About = name, about(data)
	return s, nil
}

// about is the text of the comment that a file begins with.
func about(data []byte) string {
	var words []string
	for line := range strings.Lines(string(data)) {
		text, ok := strings.CutPrefix(line, "#")
		if !ok {
			break
		}
		words = append(words, strings.Fields(text)...)
	}
	return strings.Join(words, " ")
}

// reader puts a YAML document into a Scenario.
type reader struct {
	name     string         // of the file
	lines    map[string]int // of each value, by its path
	problems []error
}

func (r *reader) read(data []byte, s *Scenario) {
	switch {
	case len(data) > MaxBytes:
		r.problem(0, "want at most %d bytes", MaxBytes)
		return
	case !utf8.Valid(data):
		r.problem(0, "want UTF-8 text")
		return
	}
	if err := bounded(data); err != nil {
		r.problem(0, "%w", err)
		return
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		r.syntax(err)
		return
	}
	for i, doc := range file.Docs {
		switch {
		case doc.Body == nil || doc.Body.Type() == ast.CommentType:
		case i > 0:
			r.problem(line(doc.Body), "one document is enough")
		default:
			r.value(doc.Body, reflect.ValueOf(s).Elem(), "")
		}
	}
}

// bounded refuses what the parser would take long for.
func bounded(data []byte) error {
	if depth(data) > maxDepth {
		return fmt.Errorf("want brackets at most %d deep", maxDepth)
	}
	lines := 0
	for line := range strings.Lines(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data))) {
		if lines++; lines > maxLines {
			return fmt.Errorf("want at most %d lines", maxLines)
		}
		if strings.Count(line, "- ")+strings.Count(line, "? ") > maxDepth {
			return fmt.Errorf("want at most %d dashes and question marks on line %d", maxDepth, lines)
		}
	}
	return nil
}

// depth is how many brackets are open at most; those in texts count too.
func depth(data []byte) int {
	open, most := 0, 0
	for _, b := range data {
		if bytes.IndexByte([]byte("[{"), b) >= 0 {
			open++
		} else if bytes.IndexByte([]byte("]}"), b) >= 0 {
			open--
		}
		most = max(most, open)
	}
	return most
}

func (r *reader) syntax(err error) {
	if e, ok := errors.AsType[yaml.Error](err); ok && e.GetToken() != nil {
		r.problem(e.GetToken().Position.Line, "%s", e.GetMessage())
		return
	}
	r.problem(0, "%v", err)
}

// problem notes what is wrong; line 0 is the file as a whole.
func (r *reader) problem(line int, format string, args ...any) {
	at := r.name
	if line > 0 {
		at += ":" + strconv.Itoa(line)
	}
	r.problems = append(r.problems, fmt.Errorf(at+": "+format, args...))
}

// refuse notes what is wrong with the value at path, by the line of the innermost
// value around it that the file has.
func (r *reader) refuse(path, format string, args ...any) {
	around := path
	for around != "" && r.lines[around] == 0 {
		around = around[:max(0, strings.LastIndexAny(around, ".["))]
	}
	r.problem(r.lines[around], path+": "+format, args...)
}

// value reads n into v, which has its default.
func (r *reader) value(n ast.Node, v reflect.Value, path string) {
	r.lines[path] = line(n)
	_, isText := v.Addr().Interface().(encoding.TextUnmarshaler)
	switch {
	case n.Type() == ast.NullType:
	case isText:
		r.scalar(n, v, path)
	case v.Kind() == reflect.Struct:
		r.section(n, v, path)
	case v.Kind() == reflect.Map:
		r.mapping(n, v, path)
	case v.Kind() == reflect.Slice:
		r.list(n, v, path)
	default:
		r.scalar(n, v, path)
	}
}

func (r *reader) section(n ast.Node, v reflect.Value, path string) {
	for key, pair := range r.pairs(n, path) {
		i := slices.IndexFunc(reflect.VisibleFields(v.Type()), func(f reflect.StructField) bool { return f.Tag.Get("yaml") == key })
		if i < 0 || key == "-" {
			r.problem(line(pair), "unknown key %q%s, want one of %s", key, under(path), strings.Join(keys(v.Type()), ", "))
			continue
		}
		r.value(pair.Value, v.Field(i), join(path, key))
	}
}

func (r *reader) mapping(n ast.Node, v reflect.Value, path string) {
	v.Set(reflect.MakeMap(v.Type()))
	for key, pair := range r.pairs(n, path) {
		element := reflect.New(v.Type().Elem()).Elem()
		r.value(pair.Value, element, join(path, key))
		v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), element)
	}
}

// pairs are the keys and values of a mapping; what is none is a problem.
func (r *reader) pairs(n ast.Node, path string) iter.Seq2[string, *ast.MappingValueNode] {
	var pairs []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	default:
		r.problem(line(n), "want keys and values%s", under(path))
	}
	if len(pairs) > maxItems {
		r.problem(line(n), "want at most %d keys%s", maxItems, under(path))
		pairs = nil
	}
	return func(yield func(string, *ast.MappingValueNode) bool) {
		for _, pair := range pairs {
			key, ok := text(pair.Key)
			if !ok {
				r.problem(line(pair.Key), "want a plain key%s", under(path))
			} else if !yield(key, pair) {
				return
			}
		}
	}
}

func (r *reader) list(n ast.Node, v reflect.Value, path string) {
	sequence, ok := n.(*ast.SequenceNode)
	switch {
	case !ok:
		r.problem(line(n), "%s: want a list", path)
		return
	case len(sequence.Values) > maxItems:
		r.problem(line(n), "%s: want at most %d elements", path, maxItems)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(sequence.Values), len(sequence.Values)))
	for i, element := range sequence.Values {
		r.value(element, v.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
}

func (r *reader) scalar(n ast.Node, v reflect.Value, path string) {
	word, ok := text(n)
	if !ok {
		r.problem(line(n), "%s: want a plain value", path)
		return
	}
	if err := set(v, word); err != nil {
		r.problem(line(n), "%s: %w", path, err)
	}
}

// set puts a word of the file into a value.
func set(v reflect.Value, word string) error {
	switch to := v.Addr().Interface().(type) {
	case encoding.TextUnmarshaler:
		if to.UnmarshalText([]byte(word)) != nil {
			return fmt.Errorf("want an amount of dollars such as 0.30, got %.40q", word)
		}
	case *time.Duration:
		d, err := time.ParseDuration(word)
		if err != nil || word == "0" {
			return fmt.Errorf(`want a duration with its unit such as "250ms", got %.40q`, word)
		}
		*to = d
	case *float64:
		f, err := strconv.ParseFloat(word, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("want a number, got %.40q", word)
		}
		*to = f
	case *int:
		i, err := strconv.Atoi(strings.ReplaceAll(word, "_", ""))
		if err != nil {
			return fmt.Errorf("want a whole number, got %.40q", word)
		}
		*to = i
	case *uint64:
		u, err := strconv.ParseUint(word, 10, 64)
		if err != nil {
			return fmt.Errorf("want a whole number that is not negative, got %.40q", word)
		}
		*to = u
	case *bool:
		if word != "true" && word != "false" {
			return fmt.Errorf("want true or false, got %.40q", word)
		}
		*to = word == "true"
	default: // names
		v.SetString(word)
	}
	return nil
}

// keys lists what may stand in a section.
func keys(t reflect.Type) []string {
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		if key := f.Tag.Get("yaml"); key != "-" {
			names = append(names, key)
		}
	}
	return names
}

func join(path, key string) string {
	return strings.TrimPrefix(path+"."+key, ".")
}

func under(path string) string {
	if path == "" {
		return ""
	}
	return " under " + path
}

func line(n ast.Node) int {
	if pairs, ok := n.(*ast.MappingNode); ok && len(pairs.Values) > 0 {
		return line(pairs.Values[0].Key) // its own token is its first colon
	}
	if pair, ok := n.(*ast.MappingValueNode); ok {
		return line(pair.Key)
	}
	if t := n.GetToken(); t != nil {
		return cmp.Or(t.Position.Line, 1)
	}
	return 1
}

// text is a scalar's text as it stands in the file.
func text(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return "", false
}
