package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"fairway/backend"
)

// selectionDepth is how deep nested types are selected.
const selectionDepth = 3

// question is a GraphQL request for one field.
type question struct {
	Query     string         `json:"query"`
	Variables map[string]any `json:"variables"`

	operation string // "query" or "mutation"
	field     *ast.FieldDefinition
	mode      backend.Mode // of the credential to ask with
}

// groups are the user pool groups that the field is for, empty for everybody.
func (q *question) groups() []string {
	d := q.field.Directives.ForName("aws_cognito_user_pools")
	if d == nil || d.Arguments.ForName("cognito_groups") == nil {
		return nil
	}
	var names []string
	for _, v := range d.Arguments.ForName("cognito_groups").Value.Children {
		names = append(names, v.Value.Raw)
	}
	return names
}

// ask makes the question for the field called name of Query or Mutation, or for
// the first query of the schema. Words fill the field's first argument; args,
// a JSON object, fills arguments by name.
func ask(b *backend.Backend, schema *ast.Schema, name string, words []string, args string) (*question, error) {
	q, err := compose(schema, name, words, args)
	if err != nil {
		return nil, err
	}
	q.mode = callers(b, schema, q.operation, q.field)
	return q, nil
}

// compose is ask but for the mode.
func compose(schema *ast.Schema, name string, words []string, args string) (*question, error) {
	operation, field, err := findField(schema, name)
	if err != nil {
		return nil, err
	}
	values, err := arguments(field, words, args)
	if err != nil {
		return nil, err
	}
	var declared, passed []string
	for _, arg := range field.Arguments {
		if _, given := values[arg.Name]; given {
			declared = append(declared, "$"+arg.Name+": "+arg.Type.String())
			passed = append(passed, arg.Name+": $"+arg.Name)
		}
	}
	var q strings.Builder
	q.WriteString(operation)
	q.WriteString(parenthesized(declared))
	q.WriteString(" {\n  " + field.Name + parenthesized(passed))
	if selection := selection(schema, field.Type, 1); selection != "" {
		q.WriteString(" " + selection)
	}
	q.WriteString("\n}\n")
	return &question{Query: q.String(), Variables: values, operation: operation, field: field}, nil
}

// callers is the mode to call the field with: of those that its directives admit
// the user pool before the API key, and the API's default where it has none.
func callers(b *backend.Backend, schema *ast.Schema, operation string, field *ast.FieldDefinition) backend.Mode {
	directives := field.Directives
	if !slices.ContainsFunc(directives, isAuth) {
		directives = map[string]*ast.Definition{"query": schema.Query, "mutation": schema.Mutation}[operation].Directives
	}
	for _, m := range []struct {
		directive string
		mode      backend.Mode
	}{{"aws_cognito_user_pools", backend.UserPool}, {"aws_api_key", backend.APIKey}, {"aws_oidc", backend.OIDC}, {"aws_lambda", backend.Lambda}, {"aws_iam", backend.IAM}} {
		if directives.ForName(m.directive) != nil && b.Authorization.Allows(m.mode) {
			return m.mode
		}
	}
	return b.Authorization.Default
}

func isAuth(d *ast.Directive) bool {
	return strings.HasPrefix(d.Name, "aws_") && d.Name != "aws_subscribe"
}

func parenthesized(items []string) string {
	if len(items) == 0 {
		return ""
	}
	return "(" + strings.Join(items, ", ") + ")"
}

func findField(schema *ast.Schema, name string) (operation string, field *ast.FieldDefinition, err error) {
	for _, root := range []struct {
		operation string
		def       *ast.Definition
	}{{"query", schema.Query}, {"mutation", schema.Mutation}} {
		if root.def == nil {
			continue
		}
		for _, f := range root.def.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			if f.Name == name || name == "" && root.def == schema.Query {
				return root.operation, f, nil
			}
		}
	}
	if name == "" {
		return "", nil, fmt.Errorf("ask: the schema has no query: declare one with a.query() in amplify/data/resource.ts")
	}
	return "", nil, fmt.Errorf("ask: the schema has no query or mutation %q: it has %s", name, strings.Join(fieldNames(schema), ", "))
}

func fieldNames(schema *ast.Schema) []string {
	var names []string
	for _, def := range []*ast.Definition{schema.Query, schema.Mutation} {
		if def == nil {
			continue
		}
		for _, f := range def.Fields {
			if !strings.HasPrefix(f.Name, "__") {
				names = append(names, f.Name)
			}
		}
	}
	return names
}

func arguments(field *ast.FieldDefinition, words []string, args string) (map[string]any, error) {
	values := map[string]any{}
	if args != "" {
		if err := json.Unmarshal([]byte(args), &values); err != nil {
			return nil, fmt.Errorf("ask: --args is not a JSON object: %w", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if field.Arguments.ForName(name) == nil {
			return nil, fmt.Errorf("ask: %s has no argument %q", field.Name, name)
		}
	}
	if len(words) == 0 {
		return values, nil
	}
	if len(field.Arguments) == 0 {
		return nil, fmt.Errorf("ask: %s takes no arguments, but words were given", field.Name)
	}
	first := field.Arguments[0]
	if _, twice := values[first.Name]; twice {
		return nil, fmt.Errorf("ask: %q is given by words and by --args: give one", first.Name)
	}
	value, err := fill(first.Type, words)
	if err != nil {
		return nil, fmt.Errorf("ask: argument %q of %s: %w", first.Name, field.Name, err)
	}
	values[first.Name] = value
	return values, nil
}

// fill makes the words a value of type t: a list takes one element a word, a
// string takes the words joined by spaces.
func fill(t *ast.Type, words []string) (any, error) {
	if t.Elem != nil {
		list := []any{}
		for _, w := range words {
			v, err := fill(t.Elem, []string{w})
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	}
	text := strings.Join(words, " ")
	switch t.NamedType {
	case "Int", "AWSTimestamp":
		n, err := strconv.ParseInt(text, 10, 64)
		return n, asUsage(err, text, "a whole number")
	case "Float":
		n, err := strconv.ParseFloat(text, 64)
		return n, asUsage(err, text, "a number")
	case "Boolean":
		b, err := strconv.ParseBool(text)
		return b, asUsage(err, text, "true or false")
	default:
		return text, nil
	}
}

func asUsage(err error, text, want string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%q is not %s", text, want)
}

// selection selects every field of t that needs no argument: scalars, and nested
// types down to selectionDepth. It is empty for a scalar.
func selection(schema *ast.Schema, t *ast.Type, depth int) string {
	def := schema.Types[t.Name()]
	if def == nil || !def.IsCompositeType() || depth > selectionDepth {
		return ""
	}
	indent := strings.Repeat("  ", depth+1)
	fields := []string{}
	for _, f := range def.Fields {
		if strings.HasPrefix(f.Name, "__") || slices.ContainsFunc(f.Arguments, func(a *ast.ArgumentDefinition) bool { return a.Type.NonNull }) {
			continue
		}
		if nested := schema.Types[f.Type.Name()]; nested != nil && nested.IsCompositeType() {
			if inner := selection(schema, f.Type, depth+1); inner != "" {
				fields = append(fields, f.Name+" "+inner)
			}
			continue
		}
		fields = append(fields, f.Name)
	}
	switch {
	case len(fields) == 0 && depth > 1:
		return "" // nothing that can be selected without an argument
	case len(fields) == 0:
		fields = append(fields, "__typename")
	}
	return "{\n" + indent + strings.Join(fields, "\n"+indent) + "\n" + strings.Repeat("  ", depth) + "}"
}
