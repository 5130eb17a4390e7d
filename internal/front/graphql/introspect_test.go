package graphql

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The query that graphql-js 16 and its users send (getIntrospectionQuery with
// all options).
const introspectionQuery = `query IntrospectionQuery {
  __schema {
    description
    queryType { name kind }
    mutationType { name kind }
    subscriptionType { name kind }
    types { ...FullType }
    directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } }
  }
}
fragment FullType on __Type {
  kind name description specifiedByURL isOneOf
  fields(includeDeprecated: true) {
    name description
    args(includeDeprecated: true) { ...InputValue }
    type { ...TypeRef }
    isDeprecated deprecationReason
  }
  inputFields(includeDeprecated: true) { ...InputValue }
  interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
fragment TypeRef on __Type {
  kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } }
}`

type typeRef struct {
	Kind   string
	Name   *string
	OfType *typeRef
}

func (r *typeRef) String() string {
	switch {
	case r == nil:
		return "?"
	case r.Kind == "NON_NULL":
		return r.OfType.String() + "!"
	case r.Kind == "LIST":
		return "[" + r.OfType.String() + "]"
	default:
		return *r.Name
	}
}

type inputValue struct {
	Name         string
	Type         *typeRef
	DefaultValue *string
}

type introspected struct {
	Data struct {
		Schema struct {
			QueryType, MutationType, SubscriptionType *struct{ Name, Kind string }
			Types                                     []struct {
				Kind, Name string
				Fields     []struct {
					Name string
					Args []inputValue
					Type *typeRef
				}
				InputFields               []inputValue
				Interfaces, PossibleTypes []*typeRef
				EnumValues                []struct {
					Name              string
					IsDeprecated      bool
					DeprecationReason *string
				}
			}
			Directives []struct {
				Name      string
				Locations []string
				Args      []inputValue
			}
		} `json:"__schema"`
	}
	Errors []any
}

func introspect(t *testing.T, schema string) introspected {
	t.Helper()
	_, body := ask(t, harness{schema: schema}.front(t), introspectionQuery, nil)
	var got introspected
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if got.Errors != nil {
		t.Fatalf("introspection has errors: %v", got.Errors)
	}
	return got
}

// outline is an introspection result as short SDL, to read and compare.
func outline(s introspected) map[string]string {
	values := func(list []inputValue) string {
		var parts []string
		for _, v := range list {
			part := v.Name + ": " + v.Type.String()
			if v.DefaultValue != nil {
				part += " = " + *v.DefaultValue
			}
			parts = append(parts, part)
		}
		return strings.Join(parts, ", ")
	}
	types := map[string]string{}
	for _, typ := range s.Data.Schema.Types {
		var parts []string
		for _, i := range typ.Interfaces {
			parts = append(parts, "implements "+i.String())
		}
		for _, f := range typ.Fields {
			part := f.Name
			if len(f.Args) > 0 {
				part += "(" + values(f.Args) + ")"
			}
			parts = append(parts, part+": "+f.Type.String())
		}
		if typ.InputFields != nil {
			parts = append(parts, values(typ.InputFields))
		}
		for _, p := range typ.PossibleTypes {
			parts = append(parts, "| "+p.String())
		}
		for _, v := range typ.EnumValues {
			part := v.Name
			if v.IsDeprecated {
				part += " deprecated: " + *v.DeprecationReason
			}
			parts = append(parts, part)
		}
		types[typ.Name] = typ.Kind + " " + strings.Join(parts, "; ")
	}
	return types
}

func TestIntrospection(t *testing.T) {
	s := introspect(t, testdata(t, "wide.graphql"))
	types := outline(s)
	want := map[string]string{
		"Course":   "ENUM STARTER; MAIN; SOUP deprecated: use STARTER",
		"Node":     "INTERFACE id: ID!; | Dish; | Drink",
		"Anything": "UNION | Dish; | Drink",
		"Drink":    "OBJECT implements Node; id: ID!; size: Int",
		"Filter":   "INPUT_OBJECT course: Course = MAIN, tags: [String!], day: AWSDate, inner: Filter, limit: Int = 10",
		"Step":     "OBJECT text: String!; minutes: Int",
		"Mutation": "OBJECT one: String; two: String; three: String",
		"AWSDate":  "SCALAR ",
		"Query": "OBJECT dish(id: ID, filter: Filter, meta: AWSJSON, count: Int, rate: Float, on: AWSDate, course: Course = MAIN, tags: [String]): Dish; " +
			"dishes(limit: Int = 3): [Dish!]; must: String!; strict: [Dish!]!; anything: [Anything]; node: Node; a: String; b: String; c: String; plain: String; " +
			"admin: String; members: String; either: String; later: String",
	}
	for name, outline := range want {
		if diff := cmp.Diff(outline, types[name]); diff != "" {
			t.Errorf("type %s (-want +got):\n%s", name, diff)
		}
	}
	schema := s.Data.Schema
	if schema.QueryType.Name != "Query" || schema.MutationType.Name != "Mutation" || schema.SubscriptionType.Name != "Subscription" {
		t.Errorf("roots = %v, %v, %v", schema.QueryType, schema.MutationType, schema.SubscriptionType)
	}
	for _, d := range schema.Directives {
		if d.Name == "skip" {
			if diff := cmp.Diff([]string{"FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"}, d.Locations); diff != "" || len(d.Args) != 1 || d.Args[0].Type.String() != "Boolean!" {
				t.Errorf("directive skip = %v", d)
			}
		}
	}
}

// Every schema that Amplify deploys must be introspected whole: each type that
// is mentioned is listed.
func TestIntrospectionIsClosed(t *testing.T) {
	schemas := map[string]string{"ours": testdata(t, "wide.graphql")}
	for _, name := range []string{"seed", "wide1", "wide2", "wide3"} {
		schemas[name] = deployed(t, name)
	}
	for name, schema := range schemas {
		s := introspect(t, schema)
		listed := outline(s)
		mention := func(r *typeRef) {
			for r.OfType != nil {
				r = r.OfType
			}
			if _, ok := listed[*r.Name]; !ok {
				t.Errorf("%s: type %s is mentioned and not listed", name, *r.Name)
			}
		}
		for _, typ := range s.Data.Schema.Types {
			for _, f := range typ.Fields {
				mention(f.Type)
				for _, a := range f.Args {
					mention(a.Type)
				}
			}
			for _, f := range typ.InputFields {
				mention(f.Type)
			}
		}
	}
}

func TestTypeByName(t *testing.T) {
	f := harness{}.front(t)
	query := `{dish: __type(name: "Dish"){name kind} none: __type(name: "None"){name} course: __type(name: "Course"){enumValues{name} fields{name}}}`
	_, got := ask(t, f, query, nil)
	wantBody(t, query, got, `{"data":{"dish":{"name":"Dish","kind":"OBJECT"},"none":null,"course":{"enumValues":[{"name":"STARTER"},{"name":"MAIN"}],"fields":null}}}`)
}
