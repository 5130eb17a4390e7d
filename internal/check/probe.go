package check

import (
	"encoding/json"
	"iter"
	"regexp"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"fairway/backend"
)

// functions are the pipeline functions of all operations, each with its operation.
func (c *checker) functions() iter.Seq2[backend.Function, backend.Operation] {
	return func(yield func(backend.Function, backend.Operation) bool) {
		for _, op := range c.backend.Operations {
			for _, f := range op.Pipeline {
				if !yield(f, op) {
					return
				}
			}
		}
	}
}

// resolverOf is the function's resolver, nil when it did not compile.
func (c *checker) resolverOf(f backend.Function) backend.Resolver {
	if f.Resolver != nil {
		return f.Resolver
	}
	if r, ok := c.resolvers[f.Entry]; ok {
		return r
	}
	return nil
}

// request is what the function's request handler makes of made-up arguments, nil
// when it fails on them.
func (c *checker) request(f backend.Function, op backend.Operation) any {
	r := c.resolverOf(f)
	if r == nil {
		return nil
	}
	value, err := r.Request(c.ctx, c.context(op))
	if err != nil {
		return nil
	}
	return value
}

// denial is an answer of Bedrock's that a resolver should pass on.
const denial = "fairway check asks whether this message reaches the caller"

// swallowed warns of response handlers that turn an error of the service into
// nothing: no GraphQL error, and no word of it in the value.
func (c *checker) swallowed() {
	seen := map[string]bool{}
	for f, op := range c.functions() {
		r := c.resolverOf(f)
		if r == nil || f.Entry == "" || seen[f.Entry] || !c.callsBedrock(f) {
			continue
		}
		seen[f.Entry] = true
		ctx := c.context(op)
		body, err := json.Marshal(map[string]string{"message": denial})
		if err != nil {
			continue
		}
		ctx.Result = map[string]any{
			"statusCode": int64(429),
			"headers":    map[string]any{"x-amzn-ErrorType": "ThrottlingException", "Content-Type": "application/json"},
			"body":       string(body),
		}
		value, err := r.Response(c.ctx, ctx)
		if err != nil || len(ctx.Appended) > 0 || says(value) {
			continue
		}
		message := f.Entry + " swallows Bedrock's errors: an answer with HTTP 429 becomes an empty value without a GraphQL error"
		at := f.Entry
		if line, expr := errorMember(f.Code); line > 0 {
			at += ":" + strconv.Itoa(line)
			message += "; " + expr + " is read, Bedrock sends message"
		}
		c.add(backend.SeverityWarning, "swallowed-errors", at, message,
			"in response(ctx), before the body is read:\nif (ctx.result.statusCode >= 400) {\n  util.error(JSON.parse(ctx.result.body).message, ctx.result.headers[\"x-amzn-ErrorType\"]);\n}")
	}
}

func (c *checker) callsBedrock(f backend.Function) bool {
	for _, ds := range c.backend.DataSources {
		if ds.Name == f.DataSource {
			return bedrockRegion(ds.Endpoint) != ""
		}
	}
	return false
}

// says reports whether a value holds any text at all.
func says(value any) bool {
	switch v := value.(type) {
	case string:
		return v != ""
	case []any:
		for _, e := range v {
			if says(e) {
				return true
			}
		}
	case map[string]any:
		for _, e := range v {
			if says(e) {
				return true
			}
		}
	}
	return false
}

// errorRead is the error member of a variable being read. ctx.error and
// util.error are AppSync's own.
var errorRead = regexp.MustCompile(`\b([A-Za-z_$][\w$]*)\.error\b`)

// errorMember finds the first line of code that reads an error member.
func errorMember(code string) (line int, expression string) {
	for i, text := range strings.Split(code, "\n") {
		for _, m := range errorRead.FindAllStringSubmatch(text, -1) {
			if m[1] != "ctx" && m[1] != "util" && m[1] != "console" {
				return i + 1, m[0]
			}
		}
	}
	return 0, ""
}

// context is a resolver context with an argument made up for each that the
// operation takes.
func (c *checker) context(op backend.Operation) *backend.Context {
	return &backend.Context{
		Args:     c.arguments(op),
		Stash:    map[string]any{},
		Request:  backend.RequestInfo{Headers: map[string]string{}},
		Info:     backend.Info{FieldName: op.Field, ParentTypeName: op.Type, Variables: map[string]any{}},
		Env:      c.backend.Env,
		AuthType: "User Pool Authorization",
		Identity: map[string]any{"sub": "check", "username": "check", "claims": map[string]any{}, "groups": nil, "sourceIp": []any{}},
	}
}

func (c *checker) arguments(op backend.Operation) map[string]any {
	args := map[string]any{}
	doc, err := parser.ParseSchema(&ast.Source{Name: "schema.graphql", Input: c.backend.Schema})
	if err != nil {
		return args
	}
	def := doc.Definitions.ForName(op.Type)
	if def == nil {
		return args
	}
	if field := def.Fields.ForName(op.Field); field != nil {
		for _, a := range field.Arguments {
			args[a.Name] = example(doc, a.Type, 0)
		}
	}
	return args
}

// example makes up a value of type t.
func example(doc *ast.SchemaDocument, t *ast.Type, depth int) any {
	if t.Elem != nil {
		return []any{example(doc, t.Elem, depth)}
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
	def := doc.Definitions.ForName(t.NamedType)
	switch {
	case def == nil || depth > 4:
		return "check"
	case def.Kind == ast.Enum && len(def.EnumValues) > 0:
		return def.EnumValues[0].Name
	case def.Kind == ast.InputObject:
		fields := map[string]any{}
		for _, f := range def.Fields {
			fields[f.Name] = example(doc, f.Type, depth+1)
		}
		return fields
	}
	return "check"
}

// at is the place in a resolver file where text stands, else the file.
func (c *checker) at(entry, text string) string {
	for f := range c.functions() {
		if f.Entry != entry {
			continue
		}
		if before, _, ok := strings.Cut(f.Code, text); ok {
			return entry + ":" + strconv.Itoa(1+strings.Count(before, "\n"))
		}
	}
	return entry
}
