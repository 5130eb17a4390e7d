package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
)

// Document is an IAM policy document, written in place or in a JSON file of its
// own. Whether IAM would take it is not known here. The zero Document is none.
type Document struct {
	File Path     // of its own, empty when in place
	Text []byte   // JSON
	At   []string // position of each statement, "fairway.yaml:12" or "policies/x.json:3"
}

// IsZero reports whether there is no document.
func (d Document) IsZero() bool { return d.Text == nil }

// Files are those that c was read from beside its own, and those that it names for
// secrets, certificates and prices: what a server reads again when they change.
func (c *Config) Files() []string {
	files := append(c.policyFiles(), string(c.TLS.Cert), string(c.TLS.Key), string(c.Prices))
	for _, p := range c.Principals {
		for _, k := range p.AccessKeys {
			files = append(files, secretFile(string(k.Secret)))
		}
		for _, k := range p.BearerKeys {
			files = append(files, secretFile(string(k)))
		}
	}
	for _, b := range c.Budgets {
		files = append(files, secretFile(string(b.Webhook)))
	}
	files = append(files, secretFile(string(c.Master)), secretFile(string(c.SMTP.Password)))
	slices.Sort(files)
	return slices.DeleteFunc(slices.Compact(files), func(name string) bool { return name == "" })
}

// secretFile is the file that a reference names, empty for any other.
func secretFile(reference string) string {
	if name, ok := strings.CutPrefix(reference, filePrefix); ok {
		return name
	}
	return ""
}

// policyFiles are the files of policy documents.
func (c *Config) policyFiles() []string {
	documents := slices.Clone(c.ServiceControlPolicies)
	for _, p := range c.Principals {
		documents = append(append(documents, p.Policies...), p.Boundary)
	}
	var files []string
	for _, d := range documents {
		if d.File != "" {
			files = append(files, string(d.File))
		}
	}
	return files
}

// literal is the document as YAML on one line.
func (d Document) literal() string {
	switch {
	case d.IsZero():
		return "null"
	case d.File != "":
		return word(filePrefix + string(d.File))
	}
	return string(d.Text)
}

const filePrefix = "file:"

// document reads a policy document that is written in place, or the file that it
// refers to.
func (r *reader) document(n ast.Node) (Document, error) {
	text, ok := scalar(n)
	name, isFile := strings.CutPrefix(text, filePrefix)
	switch {
	case ok && isFile && name != "":
		return r.documentFile(Path(name))
	case ok:
		return Document{}, errors.New(`want a policy document, or the name of a file with one, "file:PATH"`)
	}
	var d Document
	if pairs, ok := mapping(n); ok {
		d.At = r.statements(pairs)
	}
	var out bytes.Buffer
	if bad := writeJSON(&out, n); bad != nil {
		r.fail(bad, "want plain values in a policy document")
		return Document{}, nil
	}
	d.Text = out.Bytes()
	return d, nil
}

// statements are the positions of the statements in a document.
func (r *reader) statements(pairs []*ast.MappingValueNode) []string {
	var at []string
	for _, pair := range pairs {
		if key, _ := scalar(pair.Key); key != "Statement" {
			continue
		}
		all := []ast.Node{pair.Value}
		if list, ok := pair.Value.(*ast.SequenceNode); ok {
			all = list.Values
		}
		for _, n := range all {
			at = append(at, fmt.Sprintf("%s:%d", filepath.Base(r.name), line(start(n))))
		}
	}
	return at
}

// start is the node that a value begins with: a mapping's own token is its first
// colon.
func start(n ast.Node) ast.Node {
	if pairs, ok := mapping(n); ok && len(pairs) > 0 {
		return pairs[0].Key
	}
	return n
}

// writeJSON writes a value as JSON on one line, which is YAML too. All scalars
// become strings, as they stand in the file: IAM takes them so. It returns the
// first node that has no such form.
func writeJSON(out *bytes.Buffer, n ast.Node) (bad ast.Node) {
	if text, ok := scalar(n); ok {
		out.WriteString(jsonString(text))
		return nil
	}
	if list, ok := n.(*ast.SequenceNode); ok {
		return joinJSON(out, "[]", list.Values, writeJSON)
	}
	pairs, ok := mapping(n)
	if !ok {
		return n
	}
	return joinJSON(out, "{}", pairs, func(out *bytes.Buffer, pair *ast.MappingValueNode) ast.Node {
		key, ok := scalar(pair.Key)
		if !ok {
			return pair.Key
		}
		out.WriteString(jsonString(key) + ": ")
		return writeJSON(out, pair.Value)
	})
}

func joinJSON[T any](out *bytes.Buffer, brackets string, items []T, write func(*bytes.Buffer, T) ast.Node) (bad ast.Node) {
	out.WriteByte(brackets[0])
	for i, item := range items {
		if i > 0 {
			out.WriteString(", ")
		}
		if bad := write(out, item); bad != nil {
			return bad
		}
	}
	out.WriteByte(brackets[1])
	return nil
}

func jsonString(text string) string {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.Encode(text) // of a string, into memory: cannot fail
	return strings.TrimSuffix(out.String(), "\n")
}

// documentFile reads a document from a file, which is named relative to the
// configuration.
func (r *reader) documentFile(name Path) (Document, error) {
	file := name.in(filepath.Dir(r.name))
	text, err := readFile(string(file))
	if err != nil {
		return Document{}, fmt.Errorf("read policy: %w", err)
	}
	if !utf8.Valid(text) {
		return Document{}, fmt.Errorf("read policy: %s: want UTF-8 text", file)
	}
	lines, err := statementLines(text)
	if err != nil {
		return Document{}, fmt.Errorf("read policy: %s: %w", file, err)
	}
	d := Document{File: file, Text: text}
	for _, line := range lines {
		d.At = append(d.At, fmt.Sprintf("%s:%d", filepath.ToSlash(string(name)), line))
	}
	return d, nil
}

// statementLines are the lines on which the statements of a JSON document begin.
func statementLines(text []byte) ([]int, error) {
	if err := json.Unmarshal(text, new(map[string]json.RawMessage)); err != nil {
		return nil, err
	}
	var lines []int
	dec := json.NewDecoder(bytes.NewReader(text)) // of what is known to be an object
	dec.Token()
	for dec.More() {
		key, _ := dec.Token()
		first, line := upcoming(dec, text)
		switch {
		case key != "Statement":
		case first != '[':
			lines = append(lines, line)
		default:
			dec.Token()
			for dec.More() {
				_, line := upcoming(dec, text)
				lines = append(lines, line)
				dec.Decode(new(json.RawMessage))
			}
			dec.Token()
			continue
		}
		dec.Decode(new(json.RawMessage))
	}
	return lines, nil
}

// upcoming is the first byte and the line of the value that dec reads next of text.
func upcoming(dec *json.Decoder, text []byte) (first byte, line int) {
	rest := bytes.TrimLeft(text[dec.InputOffset():], " \t\r\n:,")
	return rest[0], 1 + bytes.Count(text[:len(text)-len(rest)], []byte("\n"))
}
