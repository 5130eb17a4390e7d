package graphql

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"fairway/backend"
)

// resolve runs f's pipeline: for each function Request, the data source, Response.
// What a Go resolver panics with is logged and answered as a runtime error.
func (e *execution) resolve(ctx context.Context, f *field) (o outcome) {
	defer func() {
		if p := recover(); p != nil {
			e.log.LogAttrs(ctx, slog.LevelError, "resolver panicked", slog.String("request_id", e.id),
				slog.String("field", f.parent.Name+"."+f.name), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			o = outcome{failure: runtimeError()}
		}
	}()
	if failure := e.authorize(ctx, f); failure != nil {
		return outcome{failure: failure}
	}
	if f.pipeline.unsupported != "" {
		return outcome{failure: notImplemented(f, f.pipeline.unsupported)}
	}
	args, err := e.input.arguments(f, e.variables)
	if err != nil {
		return outcome{failure: &backend.Error{Type: "BadRequest", Message: err.Error()}}
	}
	c := e.context(f, args)
	failure := e.functions(ctx, f, c)
	return outcome{value: c.Prev, failure: failure, appended: c.Appended, header: c.Header}
}

// functions leaves the pipeline's value in c.Prev.
func (e *execution) functions(ctx context.Context, f *field, c *backend.Context) *backend.Error {
	for _, step := range f.pipeline.steps {
		value, end, failure := e.function(ctx, f, step, c)
		if failure != nil {
			return failure
		}
		c.Prev = value
		if end {
			break
		}
	}
	return nil
}

// function runs one function; end tells to skip the rest of the pipeline.
func (e *execution) function(ctx context.Context, f *field, s step, c *backend.Context) (value any, end bool, failure *backend.Error) {
	c.Result, c.Error = nil, nil
	request, err := s.resolver.Request(ctx, c)
	if failure := e.resolverFailure(ctx, f, err); failure != nil {
		return nil, false, failure
	}
	if early, ok := request.(*backend.EarlyReturn); ok && early != nil {
		return early.Value, early.End, nil
	}
	result, record, err := s.source.Invoke(ctx, e.who.Caller, e.steering, request)
	e.trace.add(f, record)
	if failure := e.sourceFailure(ctx, f, c, err); failure != nil {
		return nil, false, failure
	}
	if c.Error == nil {
		c.Result = result
	}
	value, err = s.resolver.Response(ctx, c)
	return value, false, e.resolverFailure(ctx, f, err)
}

// resolverFailure is what the caller reads of a resolver's error, nil when there
// is none and time is left. Details that the error wraps go to the log alone.
func (e *execution) resolverFailure(ctx context.Context, f *field, err error) *backend.Error {
	if ctx.Err() != nil {
		return executionTimeout()
	}
	if err == nil {
		return nil
	}
	failure, ok := errors.AsType[*backend.Error](err)
	if !ok {
		failure = runtimeError()
	}
	if error(failure) != err {
		e.warn(ctx, f, "resolver failed", err)
	}
	return failure
}

// sourceFailure sorts a data source's error: no answer becomes ctx.error, which
// is the resolver's to handle; anything else ends the field.
func (e *execution) sourceFailure(ctx context.Context, f *field, c *backend.Context, err error) *backend.Error {
	if ctx.Err() != nil {
		return executionTimeout()
	}
	if err == nil {
		return nil
	}
	if unreachable, ok := errors.AsType[*backend.DataSourceError](err); ok {
		c.Error = unreachable
		return nil
	}
	if failure, ok := errors.AsType[*backend.Error](err); ok {
		return failure
	}
	e.warn(ctx, f, "data source failed", err)
	return internalFailure()
}

func (e *execution) warn(ctx context.Context, f *field, message string, err error) {
	e.log.LogAttrs(ctx, slog.LevelWarn, message, slog.String("request_id", e.id),
		slog.String("field", f.parent.Name+"."+f.name), slog.Any("error", err))
}

// context is ctx for f. Nothing in it is shared with another field's, since
// resolvers may write into it.
func (e *execution) context(f *field, args map[string]any) *backend.Context {
	headers := make(map[string]string, len(e.header)+1)
	for name, values := range e.header {
		headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	variables, _ := clone(e.variables).(map[string]any)
	return &backend.Context{
		Args:     args,
		Identity: identityMap(&e.who),
		Stash:    map[string]any{"awsAppsyncApiId": apiID, "amplifyApiEnvironmentName": "NONE"},
		Request:  backend.RequestInfo{Headers: headers},
		Info: backend.Info{
			FieldName:           f.name,
			ParentTypeName:      f.parent.Name,
			Variables:           variables,
			SelectionSetList:    slices.Clone(f.info.list),
			SelectionSetGraphQL: f.info.text,
		},
		Prev:     map[string]any{}, // what the pipeline's own request handler gives
		Env:      maps.Clone(e.env),
		AuthType: authTypes[backend.Mode(e.who.Mode)],
	}
}

// addHeader merges the headers that a resolver added into the response's. Those
// that belong to the service or frame the message are not a resolver's to set
// (AppSync developer guide, "util.http").
func addHeader(to, from http.Header) {
	for name, values := range from {
		name = http.CanonicalHeaderKey(name)
		if strings.HasPrefix(name, "X-Amz") || slices.Contains(framing, name) {
			continue
		}
		to[name] = append(to[name], values...)
	}
}

var framing = []string{
	"Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding", "Connection", "Keep-Alive", "Trailer", "Upgrade", "Te", "Date",
}
