package schema_test

import (
	"cmp"
	"fmt"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"fairway/internal/amplify/schema"
)

func TestBuildEqualsTheRealBuilder(t *testing.T) {
	program := compiled(t)
	for i, c := range builderCases(t) {
		t.Run(cmp.Or(c.Name, fmt.Sprint("random ", i)), func(t *testing.T) {
			built, err := build(t, program, c.Schema)
			if c.Error != "" {
				if err == nil || message(err) != c.Error {
					t.Fatalf("Build(%s) = error %v, want %q", c.Schema, err, c.Error)
				}
				return
			}
			if err != nil {
				t.Fatalf("Build(%s) = error %v", c.Schema, err)
			}
			if diff := gocmp.Diff(c.SDL, built.SDL); diff != "" {
				t.Errorf("Build(%s).SDL (-want +got):\n%s", c.Schema, diff)
			}
			if diff := gocmp.Diff(c.Handlers, pipelines(built)); diff != "" {
				t.Errorf("Build(%s).Operations (-want +got):\n%s", c.Schema, diff)
			}
		})
	}
}

// pipelines are the operations that JS resolvers run, as the cases list them.
func pipelines(b *schema.Built) []handlers {
	out := []handlers{}
	for _, op := range b.Operations {
		if len(op.Pipeline) == 0 {
			continue
		}
		h := handlers{Type: op.Type, Field: op.Field}
		for _, f := range op.Pipeline {
			h.Handlers = append(h.Handlers, handler{DataSource: f.DataSource, Entry: f.Entry})
		}
		out = append(out, h)
	}
	return out
}
