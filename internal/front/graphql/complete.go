package graphql

import (
	"encoding/json"

	"github.com/vektah/gqlparser/v2/ast"
)

// written is what a value became.
type written int

const (
	present written = iota // JSON was written
	isNull                 // the value is null: nothing that counts was written
	broken                 // as isNull, and a fault already says why
)

// open writes the label of the i-th field of an object and enters it.
func (e *execution) open(i int, f *field) {
	if i > 0 {
		e.out = append(e.out, ',')
	}
	e.out = append(e.out, f.label...)
	e.path = append(e.path, segment{key: f.key})
}

// writeObject writes the selected fields of source, an object of type def.
func (e *execution) writeObject(fields []*field, source any) written {
	e.out = append(e.out, '{')
	for i, f := range fields {
		e.open(i, f)
		stands := e.writeField(f, source)
		e.path = e.path[:len(e.path)-1]
		if !stands {
			return broken
		}
	}
	e.out = append(e.out, '}')
	return present
}

// writeField writes f of source and reports whether source stands.
func (e *execution) writeField(f *field, source any) bool {
	if f.name == "__typename" {
		e.out = appendString(e.out, f.parent.Name)
		return true
	}
	if !e.mayRead(f) {
		e.reportResolver(f, unauthorized(f))
		return e.writeNull(f.def.Type)
	}
	return e.writeValue(f, f.def.Type, e.read(f, source))
}

// read is f's value in its parent's.
func (e *execution) read(f *field, source any) any {
	switch source := source.(type) {
	case map[string]any:
		return source[f.name]
	case node:
		if len(f.def.Arguments) == 0 {
			return source.read(f.name, nil)
		}
		args, err := e.input.arguments(f, e.variables)
		if err != nil {
			return nil
		}
		return source.read(f.name, args)
	default:
		return nil
	}
}

// writeValue writes v as typ and reports whether the parent stands: false when
// null has reached a place that does not allow it, and the parent is null in turn.
func (e *execution) writeValue(f *field, typ *ast.Type, v any) bool {
	mark := len(e.out)
	switch e.write(f, typ, v) {
	case present:
		return true
	case isNull:
		if typ.NonNull {
			e.report("Cannot return null for non-nullable type: '" + bare(typ) + "' within parent '" + f.parent.Name + "' (" + pathText(e.path) + ")")
		}
	}
	e.out = e.out[:mark]
	return e.writeNull(typ)
}

func (e *execution) writeNull(typ *ast.Type) bool {
	e.out = append(e.out, "null"...)
	return !typ.NonNull
}

// bare is typ without its final exclamation mark.
func bare(typ *ast.Type) string {
	nullable := *typ
	nullable.NonNull = false
	return nullable.String()
}

func (e *execution) write(f *field, typ *ast.Type, v any) written {
	if len(e.out) > e.limits.Response {
		e.full = true
		return broken
	}
	switch {
	case v == nil:
		return isNull
	case typ.Elem != nil:
		return e.writeList(f, typ.Elem, v)
	case f.typ.Kind == ast.Object:
		return e.writeComposite(f, f.typ, v)
	case f.typ.IsAbstractType():
		return e.writeAbstract(f, v)
	default:
		return e.writeLeaf(f, v)
	}
}

func (e *execution) writeList(f *field, elem *ast.Type, v any) written {
	list, ok := v.([]any)
	if !ok {
		if list, ok = asJSON(v).([]any); !ok {
			return e.mismatch("LIST")
		}
	}
	if len(list) > e.limits.List {
		e.report("Can't resolve value (" + pathText(e.path) + ") : a list has more items than the limit allows")
		return broken
	}
	e.out = append(e.out, '[')
	for i, item := range list {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		e.path = append(e.path, segment{index: i})
		stands := e.writeValue(f, elem, item)
		e.path = e.path[:len(e.path)-1]
		if !stands {
			return broken
		}
	}
	e.out = append(e.out, ']')
	return present
}

func (e *execution) writeComposite(f *field, def *ast.Definition, v any) written {
	fields := f.fields
	if f.abstract != nil {
		fields = f.abstract.of(def)
	}
	switch v := v.(type) {
	case map[string]any, node:
		return e.writeObject(fields, v)
	}
	if m, ok := asJSON(v).(map[string]any); ok {
		return e.writeObject(fields, m)
	}
	return e.mismatch("OBJECT")
}

// writeAbstract takes the type of an interface's or union's value from its
// __typename, as AppSync does.
func (e *execution) writeAbstract(f *field, v any) written {
	m, ok := v.(map[string]any)
	if !ok {
		if m, ok = asJSON(v).(map[string]any); !ok {
			return e.mismatch("OBJECT")
		}
	}
	name, _ := m["__typename"].(string)
	def := e.schema.Types[name]
	if def == nil || def.Kind != ast.Object || !e.schema.covers(f.typ.Name, def) {
		e.report("Abstract type '" + f.typ.Name + "' must resolve to an Object type at runtime for field '" + f.parent.Name + "." + f.name +
			"'. The value has no __typename of one of its types")
		return broken
	}
	return e.writeComposite(f, def, m)
}

func (e *execution) writeLeaf(f *field, v any) written {
	if f.typ.Kind == ast.Enum {
		if s, ok := v.(string); ok && f.typ.EnumValues.ForName(s) != nil {
			e.out = appendString(e.out, s)
			return present
		}
		e.report("Can't serialize value (" + pathText(e.path) + ") : Invalid input for Enum '" + f.typ.Name + "'.")
		return broken
	}
	s, known := scalars[f.typ.Name]
	if !known {
		e.out = appendJSON(e.out, v)
		return present
	}
	out, ok := s.write(e.out, v)
	if !ok && !isJSON(v) {
		out, ok = s.write(e.out, asJSON(v))
	}
	if !ok {
		e.report("Can't serialize value (" + pathText(e.path) + ") : Expected type '" + f.typ.Name + "' but was " + describeValue(v) + ".")
		return broken
	}
	e.out = out
	return present
}

func (e *execution) mismatch(expected string) written {
	e.report("Can't resolve value (" + pathText(e.path) + ") : type mismatch error, expected type " + expected)
	return broken
}

// isJSON reports whether v is in the form that resolvers are asked for.
func isJSON(v any) bool {
	switch v.(type) {
	case nil, bool, int, int64, float64, string, json.Number, []any, map[string]any:
		return true
	}
	return false
}

// asJSON turns a Go resolver's own types into JSON's, nil where that fails.
func asJSON(v any) any {
	if isJSON(v) {
		return v
	}
	p, _ := plain(v)
	return p
}

// describeValue names the kind of v, never its content.
func describeValue(v any) string {
	switch asJSON(v).(type) {
	case bool:
		return "'Boolean'"
	case string:
		return "'String'"
	case []any:
		return "'List'"
	case map[string]any:
		return "'Object'"
	default:
		return "'Number'"
	}
}
