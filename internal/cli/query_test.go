package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"fairway/backend"
)

const querySchema = `
type Query {
  first(tags: [String], n: Int): Deep
  second(text: String!, on: Boolean): String
  third(n: Int): Float
  none: Boolean
}
type Mutation { change(id: ID): Deep }
type Deep { a: String, needs(x: Int!): String, b: Deep2, list: [Deep2] }
type Deep2 { c: Int, d: Deep3 }
type Deep3 { e: String, f: Deep }
`

func parsed(t *testing.T) *ast.Schema {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: querySchema})
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestAsk(t *testing.T) {
	for _, c := range []struct {
		name, query string
		words       []string
		args        string
		wantQuery   string
		wantVars    map[string]any
	}{
		{
			name: "the first query, a word an element, three deep", words: []string{"a", "b"},
			wantQuery: "query($tags: [String]) {\n  first(tags: $tags) {\n    a\n    b {\n      c\n      d {\n        e\n      }\n    }\n    list {\n      c\n      d {\n        e\n      }\n    }\n  }\n}\n",
			wantVars:  map[string]any{"tags": []any{"a", "b"}},
		},
		{
			name: "a string takes all words", query: "second", words: []string{"two", "words"}, args: `{"on":true}`,
			wantQuery: "query($text: String!, $on: Boolean) {\n  second(text: $text, on: $on)\n}\n",
			wantVars:  map[string]any{"text": "two words", "on": true},
		},
		{
			name: "a number", query: "third", words: []string{"3"},
			wantQuery: "query($n: Int) {\n  third(n: $n)\n}\n",
			wantVars:  map[string]any{"n": int64(3)},
		},
		{name: "no arguments", query: "none", wantQuery: "query {\n  none\n}\n", wantVars: map[string]any{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, err := ask(&backend.Backend{}, parsed(t), c.query, c.words, c.args)
			if err != nil {
				t.Fatal(err)
			}
			if q.Query != c.wantQuery {
				t.Errorf("query = %s, want %s", q.Query, c.wantQuery)
			}
			if diff := cmp.Diff(c.wantVars, q.Variables); diff != "" {
				t.Errorf("variables differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAskMutation(t *testing.T) {
	q, err := ask(&backend.Backend{}, parsed(t), "change", []string{"7"}, "")
	if err != nil || !strings.HasPrefix(q.Query, "mutation($id: ID)") {
		t.Errorf("ask(change) = %+v, %v, want a mutation", q, err)
	}
}

func TestAskRefuses(t *testing.T) {
	for _, c := range []struct {
		query string
		words []string
		args  string
		want  string
	}{
		{"missing", nil, "", `no query or mutation "missing": it has first, second, third, none, change`},
		{"none", []string{"x"}, "", "takes no arguments"},
		{"third", []string{"x"}, "", `"x" is not a whole number`},
		{"third", nil, "[]", "--args is not a JSON object"},
		{"third", nil, `{"m":1}`, `no argument "m"`},
		{"third", []string{"1"}, `{"n":1}`, "given by words and by --args"},
	} {
		_, err := ask(&backend.Backend{}, parsed(t), c.query, c.words, c.args)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("ask(%s, %v, %s) = %v, want %q", c.query, c.words, c.args, err, c.want)
		}
	}
}

func TestFirstText(t *testing.T) {
	for _, c := range []struct{ raw, want string }{
		{`{"askBedrock":{"body":"Pho","error":null}}`, "Pho"},
		{`{"a":{"body":null,"error":"boom"}}`, "boom"},
		{`{"a":["",{"b":""},{"c":["x","y"]}]}`, "x"},
		{`{"a":1,"b":{"c":true},"d":"last"}`, "last"},
		{`{"a":{}}`, ""},
		{`null`, ""},
		{`"only"`, "only"},
		{``, ""},
	} {
		if got := firstText([]byte(c.raw)); got != c.want {
			t.Errorf("firstText(%s) = %q, want %q", c.raw, got, c.want)
		}
	}
}

// TestCallers: a field is asked with a credential that its directives admit.
func TestCallers(t *testing.T) {
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: `
directive @aws_api_key on FIELD_DEFINITION | OBJECT
directive @aws_iam on FIELD_DEFINITION | OBJECT
directive @aws_cognito_user_pools(cognito_groups: [String]) on FIELD_DEFINITION | OBJECT
type Query @aws_iam {
  user: String @aws_cognito_user_pools @aws_iam
  key: String @aws_iam @aws_api_key
  both: String @aws_api_key @aws_cognito_user_pools
  admins: String @aws_cognito_user_pools(cognito_groups: ["Admin", "Ops"])
  iam: String
}
type Mutation { plain: String }`})
	if err != nil {
		t.Fatal(err)
	}
	b := &backend.Backend{Authorization: backend.Authorization{Default: backend.APIKey, Additional: []backend.Mode{backend.UserPool, backend.IAM}}}
	for field, want := range map[string]backend.Mode{
		"user": backend.UserPool, "key": backend.APIKey, "both": backend.UserPool, "admins": backend.UserPool, "iam": backend.IAM, "plain": backend.APIKey,
	} {
		q, err := ask(b, schema, field, nil, "")
		if err != nil || q.mode != want {
			t.Errorf("ask(%s) asks with %v, %v, want %s", field, q.mode, err, want)
		}
	}
	q, err := ask(b, schema, "admins", nil, "")
	if err != nil || strings.Join(q.groups(), " ") != "Admin Ops" {
		t.Errorf("groups of admins = %v, %v, want Admin Ops", q.groups(), err)
	}
}

// TestAskSelectsNoTypeNames: what is too deep to select is left out.
func TestAskSelectsNoTypeNames(t *testing.T) {
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: `
type Query { q: A }
type A { b: B, top: String }
type B { c: C }
type C { d: D }
type D { e: String }`})
	if err != nil {
		t.Fatal(err)
	}
	q, err := ask(&backend.Backend{}, schema, "", nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if want := "query {\n  q {\n    top\n  }\n}\n"; q.Query != want {
		t.Errorf("query = %s, want %s", q.Query, want)
	}
}

// TestAskNeedsAQuery: a mutation is asked by its name only.
func TestAskNeedsAQuery(t *testing.T) {
	schema := &ast.Schema{Mutation: &ast.Definition{Fields: ast.FieldList{{Name: "change", Type: ast.NamedType("String", nil)}}}}
	if _, err := ask(&backend.Backend{}, schema, "", nil, ""); err == nil || !strings.Contains(err.Error(), "no query") {
		t.Errorf("ask of a schema without queries = %v, want an error", err)
	}
}
