package graphql

import (
	"errors"
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
)

// input turns what a request gives into what resolvers get.
type input struct {
	schema *schema
	list   int // most items of a list
}

// variables coerces a request's variables to the types that op declares for them
// (GraphQL specification October 2021, section 6.1.2). A variable that is neither
// given nor has a default is absent.
func (in input) variables(op *operation, given map[string]any) (map[string]any, error) {
	if len(op.VariableDefinitions) == 0 {
		return nil, nil
	}
	values := make(map[string]any, len(op.VariableDefinitions))
	for _, def := range op.VariableDefinitions {
		value, present, err := in.variable(def, given)
		if err != nil {
			return nil, invalidDocument{{locations: at(def.Position), message: err.Error()}}
		}
		if present {
			values[def.Variable] = value
		}
	}
	return values, nil
}

// variable's messages follow AppSync's, from memory.
func (in input) variable(def *ast.VariableDefinition, given map[string]any) (value any, present bool, err error) {
	value, present = given[def.Variable]
	if !present && def.DefaultValue != nil {
		value, err = in.literal(def.Type, def.DefaultValue, nil)
		return value, true, err
	}
	if value == nil && def.Type.NonNull {
		return nil, false, fmt.Errorf("Variable '%s' has coerced Null value for NonNull type '%s'", def.Variable, def.Type)
	}
	if !present {
		return nil, false, nil
	}
	if value, err = in.value(def.Type, value); err != nil {
		return nil, false, fmt.Errorf("Variable '%s' has an invalid value. %w", def.Variable, err)
	}
	return value, true, nil
}

// value coerces a JSON term to typ.
func (in input) value(typ *ast.Type, v any) (any, error) {
	if v == nil {
		if typ.NonNull {
			return nil, fmt.Errorf("Expected a value of type '%s' but was null", typ)
		}
		return nil, nil
	}
	if typ.Elem != nil {
		return in.listValue(typ, v)
	}
	def := in.schema.Types[typ.NamedType]
	if def.Kind == ast.InputObject {
		return in.objectValue(def, v)
	}
	leaf, err := readLeaf(def, v)
	if err != nil {
		return nil, fmt.Errorf("Expected a value of type '%s'", typ.NamedType)
	}
	return leaf, nil
}

func (in input) listValue(typ *ast.Type, v any) (any, error) {
	items, ok := v.([]any)
	if !ok {
		items = []any{v} // a single value stands for a list of one
	}
	if len(items) > in.list {
		return nil, fmt.Errorf("A list has %d items, the limit is %d", len(items), in.list)
	}
	list := make([]any, len(items))
	for i, item := range items {
		value, err := in.value(typ.Elem, item)
		if err != nil {
			return nil, err
		}
		list[i] = value
	}
	return list, nil
}

func (in input) objectValue(def *ast.Definition, v any) (any, error) {
	given, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("Expected an object of type '%s'", def.Name)
	}
	for name := range given {
		if def.Fields.ForName(name) == nil {
			return nil, fmt.Errorf("The variables input contains a field name '%s' that is not defined for input object type '%s'", name, def.Name)
		}
	}
	object := make(map[string]any, len(given))
	for _, field := range def.Fields {
		item, present := given[field.Name]
		switch {
		case present:
			value, err := in.value(field.Type, item)
			if err != nil {
				return nil, err
			}
			object[field.Name] = value
		case field.DefaultValue != nil:
			value, err := in.literal(field.Type, field.DefaultValue, nil)
			if err != nil {
				return nil, err
			}
			object[field.Name] = value
		case field.Type.NonNull:
			return nil, fmt.Errorf("Field '%s' of type '%s' is required but was not given", field.Name, def.Name)
		}
	}
	return object, nil
}

var errNull = errors.New("null for a type that does not allow it")

// literal is a value written in a document or a schema, with variables filled
// in. Validation has checked its form against typ, but not what variables hold.
func (in input) literal(typ *ast.Type, v *ast.Value, variables map[string]any) (any, error) {
	if v.Kind == ast.Variable {
		value := variables[v.Raw]
		if value == nil && typ.NonNull {
			return nil, errNull
		}
		return clone(value), nil // resolvers may write into their arguments
	}
	if v.Kind == ast.NullValue {
		if typ.NonNull {
			return nil, errNull
		}
		return nil, nil
	}
	if typ.Elem != nil {
		return in.listLiteral(typ, v, variables)
	}
	def := in.schema.Types[typ.NamedType]
	if def.Kind == ast.InputObject {
		return in.objectLiteral(def, v, variables)
	}
	return leafLiteral(v, def)
}

func (in input) listLiteral(typ *ast.Type, v *ast.Value, variables map[string]any) (any, error) {
	if v.Kind != ast.ListValue {
		item, err := in.literal(typ.Elem, v, variables)
		return []any{item}, err
	}
	list := make([]any, len(v.Children))
	for i, child := range v.Children {
		item, err := in.literal(typ.Elem, child.Value, variables)
		if err != nil {
			return nil, err
		}
		list[i] = item
	}
	return list, nil
}

func (in input) objectLiteral(def *ast.Definition, v *ast.Value, variables map[string]any) (any, error) {
	if v.Kind != ast.ObjectValue {
		return nil, errNotOfType
	}
	object := make(map[string]any, len(v.Children))
	for _, field := range def.Fields {
		given := v.Children.ForName(field.Name)
		if given == nil || isUnset(given, variables) {
			given = field.DefaultValue
		}
		if given == nil {
			if field.Type.NonNull {
				return nil, errNull
			}
			continue
		}
		value, err := in.literal(field.Type, given, variables)
		if err != nil {
			return nil, err
		}
		object[field.Name] = value
	}
	return object, nil
}

// arguments are the arguments of f, defaults included; one whose variable is
// absent is absent too.
func (in input) arguments(f *field, variables map[string]any) (map[string]any, error) {
	args := make(map[string]any, len(f.def.Arguments))
	for _, def := range f.def.Arguments {
		v := def.DefaultValue
		if arg := f.first.Arguments.ForName(def.Name); arg != nil && !isUnset(arg.Value, variables) {
			v = arg.Value
		}
		if v == nil {
			if def.Type.NonNull {
				return nil, fmt.Errorf("Argument '%s' of type '%s' has no value", def.Name, def.Type)
			}
			continue
		}
		value, err := in.literal(def.Type, v, variables)
		if err != nil {
			return nil, fmt.Errorf("Argument '%s' has an invalid value. Expected a value of type '%s'", def.Name, def.Type)
		}
		args[def.Name] = value
	}
	return args, nil
}

func isUnset(v *ast.Value, variables map[string]any) bool {
	if v.Kind != ast.Variable {
		return false
	}
	_, set := variables[v.Raw]
	return !set
}
