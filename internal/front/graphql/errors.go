package graphql

import (
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"fairway/backend"
)

// fault is one entry of a response's errors. Its JSON has the keys and the order
// that AWS's documentation prints.
type fault struct {
	path      []segment
	locations []location
	message   string

	// resolver is what a field's pipeline failed with. Faults of the document
	// and of value completion have none, and then no data, errorType or
	// errorInfo in their JSON.
	resolver *backend.Error
	data     any // resolver.Data, cut to the field's selection
}

// segment is a step of a response path: a key, or an index when key is empty.
type segment struct {
	key   string
	index int
}

type location struct{ line, column int }

func at(p *ast.Position) []location {
	if p == nil {
		return nil
	}
	return []location{{p.Line, p.Column}}
}

func (f *fault) append(out []byte) []byte {
	out = append(out, `{"path":`...)
	out = appendPath(out, f.path)
	if f.resolver != nil {
		out = append(out, `,"data":`...)
		out = appendJSON(out, f.data)
		out = append(out, `,"errorType":`...)
		if f.resolver.Type == "" {
			out = append(out, "null"...)
		} else {
			out = appendString(out, f.resolver.Type)
		}
		out = append(out, `,"errorInfo":`...)
		out = appendJSON(out, f.resolver.Info)
	}
	out = append(out, `,"locations":`...)
	out = appendLocations(out, f.locations)
	out = append(out, `,"message":`...)
	return append(appendString(out, f.message), '}')
}

func appendPath(out []byte, path []segment) []byte {
	if path == nil {
		return append(out, "null"...)
	}
	for i, s := range path {
		out = append(out, "[,"[min(i, 1)])
		if s.key != "" {
			out = appendString(out, s.key)
		} else {
			out = strconv.AppendInt(out, int64(s.index), 10)
		}
	}
	return append(out, ']')
}

func appendLocations(out []byte, locations []location) []byte {
	if locations == nil {
		return append(out, "null"...)
	}
	for i, l := range locations {
		out = append(out, "[,"[min(i, 1)])
		out = append(out, `{"line":`...)
		out = strconv.AppendInt(out, int64(l.line), 10)
		out = append(out, `,"column":`...)
		out = strconv.AppendInt(out, int64(l.column), 10)
		out = append(out, `,"sourceName":null}`...)
	}
	return append(out, ']')
}

// pathText is a path as graphql-java's messages print it, "/todos/items[0]/name".
func pathText(path []segment) string {
	var b strings.Builder
	for _, s := range path {
		if s.key != "" {
			b.WriteString("/" + s.key)
		} else {
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		}
	}
	return b.String()
}

// The faults of AppSync that carry an errorType (facts of 2026-11, section 3.5).

func unauthorized(f *field) *backend.Error {
	return &backend.Error{Type: "Unauthorized", Message: "Not Authorized to access " + f.name + " on type " + f.parent.Name}
}

func runtimeError() *backend.Error { return &backend.Error{Type: "Code", Message: "Runtime Error"} }

func executionTimeout() *backend.Error {
	return &backend.Error{Type: "ExecutionTimeout", Message: "Execution timed out."}
}

func internalFailure() *backend.Error {
	return &backend.Error{Type: "InternalFailure", Message: "An internal error occurred."}
}

// notImplemented is ours: the field is in the schema, what runs it is not here.
func notImplemented(f *field, construct string) *backend.Error {
	return &backend.Error{Type: "NotImplemented", Message: construct + " has no engine here yet: " + f.name + " cannot be called"}
}
