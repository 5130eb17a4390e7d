package schema_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"fairway/internal/amplify/schema"
)

// deployed are backends whose deployed schema and introspection were observed.
var deployed = []string{"seed", "wide1", "wide2", "wide3"}

func TestDeployEqualsTheObserved(t *testing.T) {
	program := compiled(t)
	for _, name := range deployed {
		t.Run(name, func(t *testing.T) {
			built, err := build(t, program, readFile(t, "testdata/source/"+name+".js"))
			if err != nil {
				t.Fatal(err)
			}
			want := readFile(t, "testdata/deployed/"+name+".graphql")
			if diff := gocmp.Diff(want, built.Deploy(amplifyAuth)); diff != "" {
				t.Errorf("Deploy() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestIntrospectionEqualsTheObserved(t *testing.T) {
	program := compiled(t)
	for _, name := range deployed {
		t.Run(name, func(t *testing.T) {
			built, err := build(t, program, readFile(t, "testdata/source/"+name+".js"))
			if err != nil {
				t.Fatal(err)
			}
			var want map[string]json.RawMessage
			if err := json.Unmarshal([]byte(readFile(t, "testdata/deployed/"+name+".json")), &want); err != nil {
				t.Fatal(err)
			}
			got := built.Introspection()
			if len(got) != len(want) {
				t.Errorf("Introspection() has %d sections, want %d", len(got), len(want))
			}
			for section, value := range want {
				var ordered bytes.Buffer
				if err := json.Compact(&ordered, value); err != nil {
					t.Fatal(err)
				}
				have, err := json.Marshal(got[section])
				if err != nil {
					t.Fatal(err)
				}
				if diff := gocmp.Diff(ordered.String(), string(have)); diff != "" {
					t.Errorf("Introspection()[%q] (-want +got):\n%s", section, diff)
				}
			}
		})
	}
}

// load parses what the GraphQL front parses: the prelude and the deployed schema.
func load(sdl string) (*ast.Schema, error) {
	return gqlparser.LoadSchema(
		&ast.Source{Name: "prelude", Input: schema.Prelude(), BuiltIn: true},
		&ast.Source{Name: "deployed", Input: sdl},
	)
}

func TestDeployIsValidGraphQL(t *testing.T) {
	program := compiled(t)
	for i, c := range builderCases(t) {
		if c.Error != "" {
			continue
		}
		t.Run(cmp.Or(c.Name, fmt.Sprint("random ", i)), func(t *testing.T) {
			built, err := build(t, program, c.Schema)
			if err != nil {
				t.Fatal(err)
			}
			sdl := built.Deploy(amplifyAuth)
			loaded, err := load(sdl)
			if err != nil {
				t.Fatalf("Deploy() does not load: %v\n%s", err, sdl)
			}
			for _, op := range built.Operations {
				root := loaded.Types[op.Type]
				if root == nil || root.Fields.ForName(op.Field) == nil {
					t.Errorf("Operations has %s.%s, which Deploy() does not have", op.Type, op.Field)
				}
			}
		})
	}
}
