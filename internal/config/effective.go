package config

import (
	"bytes"
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
	list := settings(c)
	lines := make([]string, len(list))
	var open []string // sections that the line before was in
	for i, s := range list {
		keys := strings.Split(s.path, ".")
		sections := keys[:len(keys)-1]
		lines[i] = headings(open, sections) + indent(len(sections)) + keys[len(sections)] + ": " + literal(s.value)
		open = sections
	}
	width := 0
	for _, line := range lines {
		width = max(width, lastLine(line))
	}
	var out bytes.Buffer
	for i, line := range lines {
		fmt.Fprintf(&out, "%s%*s  # %s\n", line, width-lastLine(line), "", o[list[i].path])
	}
	_, err := w.Write(out.Bytes())
	return err
}

// Setting is one value, written as in a configuration file, and where it is from.
type Setting struct {
	Path   string `json:"path"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
}

// List is every setting, in the order of the struct.
func List(c *Config, o Origins) []Setting {
	var list []Setting
	for _, s := range settings(c) {
		list = append(list, Setting{s.path, literal(s.value), o[s.path]})
	}
	return list
}

// headings opens the sections that are not open yet, a line each.
func headings(open, sections []string) string {
	var out strings.Builder
	for depth, section := range sections {
		if len(open) <= depth || !slices.Equal(open[:depth+1], sections[:depth+1]) {
			out.WriteString(indent(depth) + section + ":\n")
		}
	}
	return out.String()
}

// lastLine is the width of what follows the last line end.
func lastLine(s string) int { return utf8.RuneCountInString(s[strings.LastIndexByte(s, '\n')+1:]) }

func indent(depth int) string { return strings.Repeat("  ", depth) }

// literal is a value as YAML on one line.
func literal(v reflect.Value) string {
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
