package graphql

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"

	"fairway/backend"
	"fairway/internal/inference"
)

// execution is one request being answered. The pipelines of a query's fields run
// side by side; all the rest happens on one goroutine.
type execution struct {
	*Front
	id        string
	who       inference.Identity
	denied    map[string]bool // fields as "Type.field" that who may not read, nil for none
	header    http.Header     // of the request
	steering  inference.Steering
	operation *operation
	variables map[string]any
	input     input

	out    []byte
	path   []segment
	faults []fault
	full   bool // out has outgrown the limit

	trace trace
}

// maxFaults bounds the errors of a response: a long list may hold one an item.
const maxFaults = 1000

// outcome is what became of one field's pipeline.
type outcome struct {
	value    any
	failure  *backend.Error   // the field is null
	appended []*backend.Error // the field keeps its value
	header   http.Header
}

// run answers the operation: data first, then whatever went wrong.
func (e *execution) run(ctx context.Context) []outcome {
	fields := e.operation.plan(e.variables)
	outcomes := make([]outcome, len(fields))
	e.resolveAll(ctx, fields, outcomes)
	e.out = append(e.out, `{"data":`...)
	mark := len(e.out)
	if !e.writeRoot(fields, outcomes) {
		e.out = append(e.out[:mark], "null"...)
	}
	if e.full || len(e.out) > e.limits.Response {
		e.out = append(e.out[:mark], "null"...)
		e.faults = []fault{{message: fmt.Sprintf("response is larger than %d bytes: ask for less at a time", e.limits.Response)}}
	}
	return outcomes
}

// resolveAll runs the pipelines of fields: one after the other for a mutation,
// side by side for a query. The first one runs here, so a request with a single
// pipeline starts no goroutine.
func (e *execution) resolveAll(ctx context.Context, fields []*field, outcomes []outcome) {
	var wg sync.WaitGroup
	serial, first := e.operation.Operation != ast.Query, -1
	for i, f := range fields {
		switch {
		case f.pipeline == nil:
		case serial:
			outcomes[i] = e.resolve(ctx, f)
		case first < 0:
			first = i
		default:
			wg.Go(func() { outcomes[i] = e.resolve(ctx, f) })
		}
	}
	if first >= 0 {
		outcomes[first] = e.resolve(ctx, fields[first])
	}
	wg.Wait()
}

// writeRoot writes the operation's object and reports whether it stands.
func (e *execution) writeRoot(fields []*field, outcomes []outcome) bool {
	e.out = append(e.out, '{')
	for i, f := range fields {
		e.open(i, f)
		stands := e.writeRootField(f, &outcomes[i])
		e.path = e.path[:len(e.path)-1]
		if !stands {
			return false
		}
	}
	e.out = append(e.out, '}')
	return true
}

func (e *execution) writeRootField(f *field, o *outcome) bool {
	if f.pipeline == nil {
		return e.writeField(f, rootNode{e.schema})
	}
	for _, err := range o.appended {
		e.reportResolver(f, err)
	}
	if o.failure != nil {
		e.reportResolver(f, o.failure)
		return e.writeNull(f.def.Type)
	}
	return e.writeValue(f, f.def.Type, o.value)
}

// report notes a fault of the value at the current path.
func (e *execution) report(message string) {
	if len(e.faults) < maxFaults {
		e.faults = append(e.faults, fault{path: e.here(), message: message})
	}
}

// reportResolver notes what f's pipeline, or its authorization, failed with.
func (e *execution) reportResolver(f *field, err *backend.Error) {
	if len(e.faults) < maxFaults {
		e.faults = append(e.faults, fault{
			path: e.here(), locations: at(f.first.Position), message: err.Message,
			resolver: err, data: project(f, err.Data),
		})
	}
}

func (e *execution) here() []segment { return append([]segment(nil), e.path...) }

// project cuts an error's data down to what the query selects of the field.
func project(f *field, data any) any {
	switch data := data.(type) {
	case map[string]any:
		if len(f.fields) == 0 {
			return data
		}
		selected := map[string]any{}
		for _, child := range f.fields {
			if value, ok := data[child.name]; ok {
				selected[child.key] = project(child, value)
			}
		}
		return selected
	case []any:
		list := make([]any, len(data))
		for i, item := range data {
			list[i] = project(f, item)
		}
		return list
	default:
		return data
	}
}
