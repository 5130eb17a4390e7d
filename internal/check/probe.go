package check

import (
	"errors"
	"fmt"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"fairway/backend"
	"fairway/internal/resolver"
)

// patience is how long one handler may take on made-up arguments.
const patience = time.Second

// compile compiles the resolver files and adds what the runtime refuses.
func (c *checker) compile() {
	for f := range c.functions() {
		if _, done := c.resolvers[f.Entry]; done || f.Code == "" || c.ctx.Err() != nil {
			continue
		}
		c.resolvers[f.Entry] = nil
		r, err := resolver.Compile(f.Entry, f.Code, resolver.Options{Timeout: patience})
		if e, ok := errors.AsType[*resolver.CompileError](err); ok {
			c.found = append(c.found, e.Findings...)
		} else if err == nil {
			c.resolvers[f.Entry] = r
		}
	}
}

// resolver is the function's resolver, nil when it did not compile.
func (c *checker) resolver(f backend.Function) backend.Resolver {
	if f.Resolver != nil {
		return f.Resolver
	}
	return c.resolvers[f.Entry]
}

// request is what the function's request handler makes of made-up arguments, nil
// when it fails on them.
func (c *checker) request(f backend.Function, op backend.Operation) any {
	value, err := c.run(f, func(r backend.Resolver) (any, error) { return r.Request(c.ctx, c.context(op)) })
	if err != nil {
		return nil
	}
	return value
}

// response is what the function's response handler makes of the data source's
// answer, and how many errors it appended.
func (c *checker) response(f backend.Function, op backend.Operation, result any) (value any, appended int, err error) {
	ctx := c.context(op)
	ctx.Result = result
	value, err = c.run(f, func(r backend.Resolver) (any, error) { return r.Response(c.ctx, ctx) })
	return value, len(ctx.Appended), err
}

// run runs a handler. What a resolver in Go panics with is an error, as it is
// when the field is called.
func (c *checker) run(f backend.Function, handler func(backend.Resolver) (any, error)) (value any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("run resolver: panic: %v", p)
		}
	}()
	if err := c.ctx.Err(); err != nil {
		return nil, err
	}
	r := c.resolver(f)
	if r == nil {
		return nil, errors.New("run resolver: there is none")
	}
	return handler(r)
}

// context is a resolver context with a value made up for each argument that the
// operation takes.
func (c *checker) context(op backend.Operation) *backend.Context {
	return &backend.Context{
		Args:     c.examples.arguments(op),
		Stash:    map[string]any{},
		Request:  backend.RequestInfo{Headers: map[string]string{}},
		Info:     backend.Info{FieldName: op.Field, ParentTypeName: op.Type, Variables: map[string]any{}},
		Env:      c.backend.Env,
		AuthType: "User Pool Authorization",
		Identity: map[string]any{"sub": "check", "username": "check", "claims": map[string]any{}, "groups": nil, "sourceIp": []any{}},
	}
}

// examples makes up arguments by a schema.
type examples struct{ schema *ast.SchemaDocument }

// newExamples reads an SDL; without a sound one there are no arguments.
func newExamples(sdl string) examples {
	doc, err := parser.ParseSchema(&ast.Source{Name: "schema.graphql", Input: sdl})
	if err != nil {
		return examples{&ast.SchemaDocument{}}
	}
	return examples{doc}
}

func (e examples) arguments(op backend.Operation) map[string]any {
	args := map[string]any{}
	def := e.schema.Definitions.ForName(op.Type)
	if def == nil {
		return args
	}
	if field := def.Fields.ForName(op.Field); field != nil {
		for _, a := range field.Arguments {
			args[a.Name] = e.value(a.Type, 0)
		}
	}
	return args
}

// nesting is how deep made-up inputs go: input types may hold one another.
const nesting = 3

// value makes up a value of type t.
func (e examples) value(t *ast.Type, depth int) any {
	if t.Elem != nil {
		return []any{e.value(t.Elem, depth)}
	}
	switch t.NamedType {
	case "Int", "AWSTimestamp":
		return int64(1)
	case "Float":
		return 1.5
	case "Boolean":
		return true
	case "AWSJSON":
		return "{}"
	}
	def := e.schema.Definitions.ForName(t.NamedType)
	switch {
	case def != nil && def.Kind == ast.Enum && len(def.EnumValues) > 0:
		return def.EnumValues[0].Name
	case def != nil && def.Kind == ast.InputObject:
		return e.input(def, depth)
	}
	return "check"
}

// input makes up an input object; below the deepest there is null.
func (e examples) input(def *ast.Definition, depth int) any {
	if depth == nesting {
		return nil
	}
	fields := map[string]any{}
	for _, f := range def.Fields {
		fields[f.Name] = e.value(f.Type, depth+1)
	}
	return fields
}
