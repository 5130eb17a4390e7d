package schema

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// definition is one GraphQL definition. An enum's values are fields without a type.
type definition struct {
	keyword    string // "type", "input", "enum" or "interface"
	name       string
	implements string
	directives []string
	fields     []field
}

// field is a field, an argument, an input field or an enum value.
type field struct {
	name       string
	arguments  []field
	typ        string // "[Name!]!"
	directives []string
}

// named is the type's name without its wrapping.
func named(typ string) string { return strings.Trim(typ, "[]!") }

// signature is the field without its directives.
func (f field) signature() string {
	if f.typ == "" {
		return f.name
	}
	return f.name + f.argumentList() + ": " + f.typ
}

func (f field) argumentList() string {
	if len(f.arguments) == 0 {
		return ""
	}
	list := make([]string, len(f.arguments))
	for i, a := range f.arguments {
		list[i] = a.sdl()
	}
	return "(" + strings.Join(list, ", ") + ")"
}

// sdl is the field with its directives.
func (f field) sdl() string { return withDirectives(f.signature(), f.directives) }

func withDirectives(s string, directives []string) string {
	if len(directives) == 0 {
		return s
	}
	return s + " " + strings.Join(directives, " ")
}

// isRoot reports whether the definition is an operation type.
func (d definition) isRoot() bool {
	return d.keyword == "type" && slices.Contains(operationTypes, d.name)
}

// builderSDL prints as the Amplify builder does: the space before a type's or an
// operation's directives is there also without any, and a type's brace has its own line.
func (d definition) builderSDL() string {
	head := d.keyword + " " + d.name + " "
	if d.keyword == "type" && !d.isRoot() {
		head += strings.Join(d.directives, " ") + "\n"
	}
	lines := make([]string, len(d.fields))
	for i, f := range d.fields {
		lines[i] = f.sdl()
		if d.isRoot() {
			lines[i] = f.signature() + " " + strings.Join(f.directives, " ")
		}
	}
	return head + "{\n  " + strings.Join(lines, "\n  ") + "\n}"
}

// deployedSDL prints as the schema that AppSync gets is printed.
func (d definition) deployedSDL() string {
	head := d.keyword + " " + d.name
	if d.implements != "" {
		head += " implements " + d.implements
	}
	var b strings.Builder
	b.WriteString(withDirectives(head, d.directives) + " {\n")
	for _, f := range d.fields {
		b.WriteString("  " + f.sdl() + "\n")
	}
	b.WriteString("}")
	return b.String()
}

// parseDefinitions reads the embedded SDL files: blocks between blank lines, a
// header, then a field without arguments a line. It is for those files only.
func parseDefinitions(sdl string) []definition {
	var out []definition
	for block := range strings.SplitSeq(strings.TrimSpace(sdl), "\n\n") {
		lines := strings.Split(block, "\n")
		words := strings.Fields(lines[0])
		d := definition{keyword: words[0], name: words[1], directives: slices.Clone(words[2 : len(words)-1])}
		for _, line := range lines[1 : len(lines)-1] {
			name, typ, _ := strings.Cut(strings.TrimSpace(line), ": ")
			d.fields = append(d.fields, field{name: name, typ: typ})
		}
		out = append(out, d)
	}
	return out
}

// capital is s with its first letter in upper case, as the builder forms names.
func capital(s string) string {
	_, width := utf8.DecodeRuneInString(s)
	return strings.ToUpper(s[:width]) + s[width:]
}
