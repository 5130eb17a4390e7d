package cli

import (
	"slices"
	"strings"
)

// introspected is a schema as introspection tells it, as far as a question needs it.
type introspected struct {
	QueryType, MutationType *struct{ Name string }
	Types                   []introspectedType
}

type introspectedType struct {
	Kind, Name  string
	Fields      []introspectedField
	InputFields []introspectedField
	EnumValues  []struct{ Name string }
	Possible    []struct{ Name string } `json:"possibleTypes"`
}

type introspectedField struct {
	Name string
	Args []introspectedField
	Type typeRef
}

type typeRef struct {
	Kind, Name string
	OfType     *typeRef
}

func (t typeRef) String() string {
	switch {
	case t.OfType == nil:
		return t.Name
	case t.Kind == "LIST":
		return "[" + t.OfType.String() + "]"
	}
	return t.OfType.String() + "!"
}

// ownScalars are those that every schema has.
var ownScalars = []string{"Boolean", "Float", "ID", "Int", "String"}

// sdl is the schema written out, without what a question does not ask for.
func (s introspected) sdl() string {
	var b strings.Builder
	b.WriteString("schema {")
	for _, root := range []struct {
		operation string
		of        *struct{ Name string }
	}{{"query", s.QueryType}, {"mutation", s.MutationType}} {
		if root.of != nil {
			b.WriteString(" " + root.operation + ": " + root.of.Name)
		}
	}
	b.WriteString(" }\n")
	for _, t := range s.Types {
		if !strings.HasPrefix(t.Name, "__") && !slices.Contains(ownScalars, t.Name) {
			b.WriteString(t.sdl())
		}
	}
	return b.String()
}

func (t introspectedType) sdl() string {
	switch t.Kind {
	case "SCALAR":
		return "scalar " + t.Name + "\n"
	case "ENUM":
		return "enum " + t.Name + " { " + strings.Join(names(t.EnumValues), " ") + " }\n"
	case "UNION":
		return "union " + t.Name + " = " + strings.Join(names(t.Possible), " | ") + "\n"
	case "INPUT_OBJECT":
		return "input " + t.Name + " {\n" + fieldsSDL(t.InputFields) + "}\n"
	case "INTERFACE":
		return "interface " + t.Name + " {\n" + fieldsSDL(t.Fields) + "}\n"
	}
	return "type " + t.Name + " {\n" + fieldsSDL(t.Fields) + "}\n"
}

func names(list []struct{ Name string }) []string {
	var all []string
	for _, one := range list {
		all = append(all, one.Name)
	}
	return all
}

func fieldsSDL(fields []introspectedField) string {
	var b strings.Builder
	for _, f := range fields {
		var args []string
		for _, a := range f.Args {
			args = append(args, a.Name+": "+a.Type.String())
		}
		b.WriteString("  " + f.Name + parenthesized(args) + ": " + f.Type.String() + "\n")
	}
	return b.String()
}
