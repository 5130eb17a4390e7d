package policy

import "strings"

// values is the context of a call: condition key to values.
type values map[string][]string

// get finds a key's values. Condition keys ignore case.
func (v values) get(key string) []string {
	if found, ok := v[key]; ok {
		return found
	}
	for name, found := range v {
		if strings.EqualFold(name, key) {
			return found
		}
	}
	return nil
}

// template is text with policy variables, ${aws:username}, which stand for the
// value that the context has for the key. ${*}, ${?} and ${$} are the characters
// themselves; ${key, 'text'} has a default.
type template struct {
	text  string // when there are no variables
	parts []part // nil when there are no variables
}

// part is plain text, or a variable when key is set.
type part struct {
	text, key  string
	fallback   string
	hasDefault bool
}

// parseTemplate reads a template; plain turns the text around the variables into
// what a value is compared with. A "${" that nothing closes is plain text.
func parseTemplate(s string, plain func(string) string) template {
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
			t.parts = append(t.parts, variable(name))
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

func variable(name string) part {
	key, fallback, hasDefault := strings.Cut(name, ",")
	return part{
		key:        strings.TrimSpace(key),
		fallback:   strings.Trim(strings.TrimSpace(fallback), "'"),
		hasDefault: hasDefault,
	}
}

// variable reports whether the text depends on the context.
func (t template) variable() bool {
	for _, p := range t.parts {
		if p.key != "" {
			return true
		}
	}
	return false
}

// resolve puts the values in. It reports false when a variable has none, or more
// than one, and no default.
func (t template) resolve(context values) (string, bool) {
	if t.parts == nil {
		return t.text, true
	}
	var b strings.Builder
	for _, p := range t.parts {
		switch found := context.get(p.key); {
		case p.key == "":
			b.WriteString(p.text)
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
