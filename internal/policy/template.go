package policy

import (
	"slices"
	"strings"
)

// template is text with policy variables, ${aws:username}, which stand for the
// value that the context has for the key. ${*}, ${?} and ${$} are the characters
// themselves; ${key, 'text'} has a default.
type template struct {
	text  string // when there are no variables
	parts []part // nil when there are no variables
}

// part is plain text, or a variable.
type part struct {
	text       string
	isVariable bool
	key        int // of a variable
	fallback   string
	hasDefault bool
}

// parseTemplate reads a template; plain turns the text around the variables into
// what a value is compared with. A "${" that nothing closes is plain text.
func parseTemplate(s string, plain func(string) string, keys *keys) template {
	var t template
	literal := func(text string) { t.parts = append(t.parts, part{text: text}) }
	for {
		before, rest, opened := strings.Cut(s, "${")
		name, after, closed := strings.Cut(rest, "}")
		if !opened || !closed {
			literal(plain(s))
			break
		}
		literal(plain(before))
		switch name {
		case "*", "?", "$":
			literal(name)
		default:
			t.parts = append(t.parts, variable(name, keys))
		}
		s = after
	}
	if !t.variable() {
		for _, p := range t.parts {
			t.text += p.text
		}
		t.parts = nil
	}
	return t
}

func variable(name string, keys *keys) part {
	key, fallback, hasDefault := strings.Cut(name, ",")
	return part{
		isVariable: true,
		key:        keys.index(strings.TrimSpace(key)),
		fallback:   strings.Trim(strings.TrimSpace(fallback), "'"),
		hasDefault: hasDefault,
	}
}

// variable reports whether the text depends on the context.
func (t template) variable() bool {
	return slices.ContainsFunc(t.parts, func(p part) bool { return p.isVariable })
}

// resolve puts the values in. It reports false when a variable has none, or more
// than one, and no default.
func (t template) resolve(context values) (string, bool) {
	if t.parts == nil {
		return t.text, true
	}
	var b strings.Builder
	for _, p := range t.parts {
		if !p.isVariable {
			b.WriteString(p.text)
			continue
		}
		switch found := context[p.key]; {
		case len(found) == 1:
			b.WriteString(strings.ToValidUTF8(found[0], "\uFFFD"))
		case len(found) == 0 && p.hasDefault:
			b.WriteString(p.fallback)
		default:
			return "", false
		}
	}
	return b.String(), true
}
