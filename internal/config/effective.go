package config

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Effective writes c as a configuration file, with the origin of each value as
// a comment behind it. Loading it gives c again, save that relative paths are
// then relative to that file. Secrets show as the references they are.
func Effective(w io.Writer, c *Config, o Origins) error {
	rows := appendRows(nil, "", reflect.ValueOf(c).Elem(), o)
	width := 0
	for _, r := range rows {
		if n := utf8.RuneCountInString(r.text); r.origin != "" && n <= widest {
			width = max(width, n)
		}
	}
	var out bytes.Buffer
	for _, r := range rows {
		out.WriteString(r.text)
		if r.origin != "" {
			fmt.Fprintf(&out, "%*s  # %s", max(0, width-utf8.RuneCountInString(r.text)), "", r.origin)
		}
		out.WriteByte('\n')
	}
	_, err := w.Write(out.Bytes())
	return err
}

// widest is where comments begin at most; they follow longer lines at once.
const widest = 80

// Setting is one value, written as in a configuration file, and where it is from.
type Setting struct {
	Path   string `json:"path"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
}

// List is every setting, in the order of the struct.
func List(c *Config, o Origins) []Setting {
	var list []Setting
	for _, r := range appendRows(nil, "", reflect.ValueOf(c).Elem(), o) {
		if r.origin != "" {
			list = append(list, Setting{r.path, r.value, r.origin})
		}
	}
	return list
}

// row is one line of a configuration file. One that opens a section has no origin.
type row struct {
	text   string
	path   string
	value  string
	origin string
}

// appendRows appends the lines of a section; prefix is its path with a dot behind.
func appendRows(rows []row, prefix string, section reflect.Value, o Origins) []row {
	for _, m := range members(section) {
		key, v := m.path, m.value
		path := prefix + key
		switch {
		case isSection(v.Type()):
			rows = append(rows, row{text: key + ":"})
			rows = append(rows, indented(appendRows(nil, path+".", v, o), "  ")...)
		case isListing(v) && v.Len() > 0:
			rows = append(rows, row{text: key + ":"})
			rows = append(rows, items(path, v, o)...)
		default:
			rows = append(rows, row{key + ": " + literal(v), path, literal(v), cmp.Or(o[path], "default")})
		}
	}
	return rows
}

// items are the lines of a list of sections or documents.
func items(path string, list reflect.Value, o Origins) []row {
	var rows []row
	for i := range list.Len() {
		path, v := fmt.Sprintf("%s[%d]", path, i), list.Index(i)
		item := []row{{literal(v), path, literal(v), cmp.Or(o[path], "default")}}
		if isSection(v.Type()) {
			item = appendRows(nil, path+".", v, o)
		}
		rows = append(rows, indented(item, "  - ")...)
	}
	return rows
}

// indented puts mark before the first line, and as much space before the others.
func indented(rows []row, mark string) []row {
	for i := range rows {
		rows[i].text = mark + rows[i].text
		mark = strings.Repeat(" ", len(mark))
	}
	return rows
}

// literal is a value as YAML on one line.
func literal(v reflect.Value) string {
	if d, ok := v.Interface().(Document); ok {
		return d.literal()
	}
	var items []string
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			items = append(items, word(text(v.Index(i))))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case reflect.Map:
		table := map[string]string{}
		for key, value := range v.Seq2() {
			table[text(key)] = text(value)
		}
		for _, key := range slices.Sorted(maps.Keys(table)) {
			items = append(items, word(key)+": "+word(table[key]))
		}
		return "{" + strings.Join(items, ", ") + "}"
	}
	return word(text(v))
}

// word quotes what YAML could take for something else.
func word(text string) string {
	if plainWord.MatchString(text) && !strings.EqualFold(text, "null") {
		return text
	}
	return strconv.Quote(text)
}

var plainWord = regexp.MustCompile(`^[0-9A-Za-z/][0-9A-Za-z/._-]*$`)
