package graphql

import (
	"fmt"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"fairway/backend"
)

// schema is the served schema with what each field needs to run. It is never
// modified after loadSchema.
type schema struct {
	*ast.Schema
	rules     *rules.Rules
	access    map[*ast.FieldDefinition]*access // no entry: anyone may read the field
	pipelines map[*ast.FieldDefinition]*pipeline
}

// pipeline is an operation ready to run.
type pipeline struct {
	unsupported string // names the construct that has no engine, else empty
	steps       []step
}

type step struct {
	resolver backend.Resolver
	source   DataSource
}

func loadSchema(c Config) (*schema, error) {
	sdl := c.Backend.Deployed
	if sdl == "" {
		sdl = c.Backend.Schema
	}
	loaded, err := gqlparser.LoadSchema(
		&ast.Source{Name: "prelude", Input: c.Prelude, BuiltIn: true},
		&ast.Source{Name: "schema", Input: sdl},
	)
	if err != nil {
		return nil, fmt.Errorf("load schema: %w", err)
	}
	s := &schema{
		Schema:    loaded,
		rules:     validationRules(),
		access:    fieldAccess(loaded, c.Backend.Authorization.Default),
		pipelines: map[*ast.FieldDefinition]*pipeline{},
	}
	for _, op := range c.Backend.Operations {
		if err := s.bind(op, c.DataSource); err != nil {
			return nil, fmt.Errorf("operation %s.%s: %w", op.Type, op.Field, err)
		}
	}
	return s, nil
}

// bind joins op to its field of the schema.
func (s *schema) bind(op backend.Operation, source func(string) DataSource) error {
	var field *ast.FieldDefinition
	if def := s.Types[op.Type]; def != nil {
		field = def.Fields.ForName(op.Field)
	}
	if field == nil {
		return fmt.Errorf("the schema has no such field: declare it or remove the operation")
	}
	p := &pipeline{unsupported: op.Unsupported}
	if op.Unsupported == "" {
		for i, function := range op.Pipeline {
			ds := source(function.DataSource)
			if ds == nil {
				return fmt.Errorf("function %d: data source %s is not known: declare it in the backend", i+1, function.DataSource)
			}
			if function.Resolver == nil {
				return fmt.Errorf("function %d: no resolver: compile its code first", i+1)
			}
			p.steps = append(p.steps, step{function.Resolver, ds})
		}
	}
	s.pipelines[field] = p
	return nil
}

// root is the type an operation starts from, nil when the schema has none.
func (s *schema) root(op ast.Operation) *ast.Definition {
	switch op {
	case ast.Mutation:
		return s.Mutation
	case ast.Subscription:
		return s.Subscription
	default:
		return s.Query
	}
}

// covers reports whether objects of type def are selected by a fragment on condition.
func (s *schema) covers(condition string, def *ast.Definition) bool {
	if condition == "" || condition == def.Name {
		return true
	}
	for _, possible := range s.PossibleTypes[condition] {
		if possible.Name == def.Name {
			return true
		}
	}
	return false
}
