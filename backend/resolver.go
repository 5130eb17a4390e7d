package backend

import (
	"context"
	"net/http"
)

// Resolver is one function of a pipeline. Request makes the data source's
// request from the context; Response makes the field's value of its answer,
// which it finds in Context.Result. Both may be called concurrently for
// different contexts and must not keep the Context.
//
// For an HTTP data source Request returns an *HTTPRequest or a map of the same
// shape: {method, resourcePath, params: {query, headers, body}}. For NONE_DS it
// returns a map whose payload becomes the result. An *EarlyReturn skips the data
// source and Response. Any error is an *Error, or is answered as a runtime error.
type Resolver interface {
	Request(ctx context.Context, c *Context) (any, error)
	Response(ctx context.Context, c *Context) (any, error)
}

// Funcs makes a Resolver of two functions. A nil OnResponse returns the result.
type Funcs struct {
	OnRequest  func(*Context) (any, error)
	OnResponse func(*Context) (any, error)
}

// Request calls OnRequest.
func (f Funcs) Request(_ context.Context, c *Context) (any, error) { return f.OnRequest(c) }

// Response calls OnResponse.
func (f Funcs) Response(_ context.Context, c *Context) (any, error) {
	if f.OnResponse == nil {
		return c.Result, nil
	}
	return f.OnResponse(c)
}

// Context is AppSync's ctx of one field. Values are JSON-like: nil, bool,
// float64 (or int64), string, []any, map[string]any.
type Context struct {
	Args     map[string]any
	Identity map[string]any // shape by mode, nil for API keys
	Source   any
	Stash    map[string]any // lives as long as the field's pipeline
	Prev     any            // result of the previous function of the pipeline
	Result   any            // data source's answer; for HTTP {statusCode, headers, body}
	Error    *DataSourceError
	Request  RequestInfo
	Info     Info
	Env      map[string]string
	AuthType string // "API Key Authorization", "User Pool Authorization", ...

	// Appended collects what AppendError was given; the field keeps its value.
	Appended []*Error
	// Header collects response headers the resolver adds.
	Header http.Header
}

// RequestInfo is ctx.request.
type RequestInfo struct {
	Headers    map[string]string // lower-case names
	DomainName string            // empty reads as null
}

// Info is ctx.info.
type Info struct {
	FieldName           string
	ParentTypeName      string
	Variables           map[string]any
	SelectionSetList    []string // "body", "nested", "nested/inner"
	SelectionSetGraphQL string
}

// DataSourceError is ctx.error: the data source could not be reached.
type DataSourceError struct {
	Message string
	Type    string
}

// HTTPRequest is what Request returns for an HTTP data source.
type HTTPRequest struct {
	Method       string // GET, POST, PUT, PATCH or DELETE
	ResourcePath string // begins with a slash
	Query        map[string]string
	Headers      map[string]string
	Body         string
}

// EarlyReturn is runtime.earlyReturn: Request returns it in place of a request.
type EarlyReturn struct {
	Value any
	End   bool // skipTo END: the rest of the pipeline is skipped too
}

// Error is util.error: the field is null and the response carries this error.
type Error struct {
	Message string
	Type    string // errorType; empty reads as null
	Data    any
	Info    any // errorInfo
}

// Error is the message, with the type before it where there is one.
func (e *Error) Error() string {
	if e.Type == "" {
		return e.Message
	}
	return e.Type + ": " + e.Message
}

// AppendError is util.appendError: the error is reported, the field keeps its value.
func (c *Context) AppendError(e *Error) { c.Appended = append(c.Appended, e) }

// Error is the message, with the type before it where there is one.
func (e *DataSourceError) Error() string {
	if e.Type == "" {
		return e.Message
	}
	return e.Type + ": " + e.Message
}
