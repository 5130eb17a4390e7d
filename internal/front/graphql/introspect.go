package graphql

import (
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// node is a value of the introspection schema: it reads its own fields. A field
// without a value is an untyped nil, lists are []any.
type node interface {
	read(field string, args map[string]any) any
}

// rootNode is the query root as far as introspection goes.
type rootNode struct{ *schema }

func (n rootNode) read(field string, args map[string]any) any {
	switch field {
	case "__schema":
		return schemaNode(n)
	case "__type":
		name, _ := args["name"].(string)
		return n.named(name)
	default:
		return nil
	}
}

// named is the type called name, nil when there is none.
func (s *schema) named(name string) any {
	if def := s.Types[name]; def != nil {
		return typeNode{schema: s, def: def}
	}
	return nil
}

// typed is the type that typ spells, wrappers and all.
func (s *schema) typed(typ *ast.Type) any {
	if typ.NonNull || typ.Elem != nil {
		return wrapperNode{s, typ}
	}
	return s.named(typ.NamedType)
}

type schemaNode struct{ *schema }

func (n schemaNode) read(field string, _ map[string]any) any {
	switch field {
	case "description":
		return orNull(n.Description)
	case "types":
		return each(slices.Sorted(maps.Keys(n.Types)), n.named)
	case "queryType":
		return n.definition(n.Query)
	case "mutationType":
		return n.definition(n.Mutation)
	case "subscriptionType":
		return n.definition(n.Subscription)
	case "directives":
		return each(slices.Sorted(maps.Keys(n.Directives)), func(name string) any {
			return directiveNode{n.schema, n.Directives[name]}
		})
	default:
		return nil
	}
}

func (n schemaNode) definition(def *ast.Definition) any {
	if def == nil {
		return nil
	}
	return n.named(def.Name)
}

// wrapperNode is a list or a non-null type.
type wrapperNode struct {
	*schema
	typ *ast.Type
}

func (n wrapperNode) read(field string, _ map[string]any) any {
	switch {
	case field == "kind" && n.typ.NonNull:
		return "NON_NULL"
	case field == "kind":
		return "LIST"
	case field == "ofType" && n.typ.NonNull:
		nullable := *n.typ
		nullable.NonNull = false
		return n.typed(&nullable)
	case field == "ofType":
		return n.typed(n.typ.Elem)
	default:
		return nil
	}
}

type typeNode struct {
	*schema
	def *ast.Definition
}

func (n typeNode) read(field string, args map[string]any) any {
	kind := n.def.Kind
	switch field {
	case "kind":
		return string(kind)
	case "name":
		return n.def.Name
	case "description":
		return orNull(n.def.Description)
	case "specifiedByURL":
		if d := n.def.Directives.ForName("specifiedBy"); d != nil && kind == ast.Scalar {
			return argument(d, "url")
		}
	case "isOneOf":
		if kind == ast.InputObject {
			return n.def.Directives.ForName("oneOf") != nil
		}
	case "fields":
		if kind == ast.Object || kind == ast.Interface {
			return n.fields(args)
		}
	case "interfaces":
		if kind == ast.Object || kind == ast.Interface {
			return each(n.def.Interfaces, n.named)
		}
	case "possibleTypes":
		if n.def.IsAbstractType() {
			return each(n.PossibleTypes[n.def.Name], func(def *ast.Definition) any { return n.named(def.Name) })
		}
	case "enumValues":
		if kind == ast.Enum {
			return n.enumValues(args)
		}
	case "inputFields":
		if kind == ast.InputObject {
			return n.inputFields(args)
		}
	}
	return nil
}

func (n typeNode) fields(args map[string]any) any {
	list := []any{}
	for _, f := range n.def.Fields {
		if !isIntrospection(f.Name) && shown(f.Directives, args) {
			list = append(list, fieldNode{n.schema, f})
		}
	}
	return list
}

func (n typeNode) enumValues(args map[string]any) any {
	list := []any{}
	for _, v := range n.def.EnumValues {
		if shown(v.Directives, args) {
			list = append(list, enumNode{v})
		}
	}
	return list
}

func (n typeNode) inputFields(args map[string]any) any {
	list := []any{}
	for _, f := range n.def.Fields {
		if shown(f.Directives, args) {
			list = append(list, inputNode{n.schema, f.Name, f.Description, f.Type, f.DefaultValue, f.Directives})
		}
	}
	return list
}

type fieldNode struct {
	*schema
	def *ast.FieldDefinition
}

func (n fieldNode) read(field string, args map[string]any) any {
	switch field {
	case "name":
		return n.def.Name
	case "description":
		return orNull(n.def.Description)
	case "args":
		return n.arguments(n.def.Arguments, args)
	case "type":
		return n.typed(n.def.Type)
	default:
		return deprecation(field, n.def.Directives)
	}
}

func (s *schema) arguments(defs ast.ArgumentDefinitionList, args map[string]any) any {
	list := []any{}
	for _, a := range defs {
		if shown(a.Directives, args) {
			list = append(list, inputNode{s, a.Name, a.Description, a.Type, a.DefaultValue, a.Directives})
		}
	}
	return list
}

// inputNode is an argument or a field of an input object.
type inputNode struct {
	*schema
	name, description string
	typ               *ast.Type
	byDefault         *ast.Value
	directives        ast.DirectiveList
}

func (n inputNode) read(field string, _ map[string]any) any {
	switch field {
	case "name":
		return n.name
	case "description":
		return orNull(n.description)
	case "type":
		return n.typed(n.typ)
	case "defaultValue":
		if n.byDefault == nil {
			return nil
		}
		return n.byDefault.String()
	default:
		return deprecation(field, n.directives)
	}
}

type enumNode struct{ def *ast.EnumValueDefinition }

func (n enumNode) read(field string, _ map[string]any) any {
	switch field {
	case "name":
		return n.def.Name
	case "description":
		return orNull(n.def.Description)
	default:
		return deprecation(field, n.def.Directives)
	}
}

type directiveNode struct {
	*schema
	def *ast.DirectiveDefinition
}

func (n directiveNode) read(field string, args map[string]any) any {
	switch field {
	case "name":
		return n.def.Name
	case "description":
		return orNull(n.def.Description)
	case "isRepeatable":
		return n.def.IsRepeatable
	case "locations":
		return each(n.def.Locations, func(l ast.DirectiveLocation) any { return string(l) })
	case "args":
		return n.arguments(n.def.Arguments, args)
	default:
		return nil
	}
}

// deprecation reads isDeprecated and deprecationReason.
func deprecation(field string, directives ast.DirectiveList) any {
	d := directives.ForName("deprecated")
	switch {
	case field == "isDeprecated":
		return d != nil
	case field != "deprecationReason" || d == nil:
		return nil
	case d.Arguments.ForName("reason") == nil:
		return "No longer supported" // the directive's default
	default:
		return argument(d, "reason")
	}
}

func shown(directives ast.DirectiveList, args map[string]any) bool {
	return args["includeDeprecated"] == true || directives.ForName("deprecated") == nil
}

func argument(d *ast.Directive, name string) any {
	if arg := d.Arguments.ForName(name); arg != nil {
		return arg.Value.Raw
	}
	return nil
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func each[T any](items []T, of func(T) any) any {
	list := make([]any, len(items))
	for i, item := range items {
		list[i] = of(item)
	}
	return list
}
