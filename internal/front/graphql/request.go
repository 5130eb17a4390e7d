package graphql

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/vektah/gqlparser/v2/ast"

	"fairway/backend"
	"fairway/internal/front"
	"fairway/internal/inference"
	"fairway/internal/wire/uuid"
)

// request is the body of a GraphQL request.
type request struct {
	Query         string         `json:"query"`
	OperationName string         `json:"operationName"`
	Variables     map[string]any `json:"variables"` // numbers are json.Number
}

// ServeHTTP answers one request. Whatever is wrong with the query itself is
// answered with status 200 and an errors list, as AppSync does.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := uuid.New()
	w.Header().Set("X-Amzn-Requestid", id)
	leave, err := f.enter(r)
	if err != nil {
		f.overload(w, err)
		return
	}
	defer leave()
	ctx, cancel := context.WithTimeout(r.Context(), f.timeout)
	defer cancel()
	body, err := f.answer(ctx, id, w.Header(), r)
	if err != nil {
		f.refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Write(body) // an error means that the caller has gone
}

// enter takes room for a request and its body, whose length may not be told. The
// error is of kind Throttling.
func (f *Front) enter(r *http.Request) (leave func(), err error) {
	if f.room == nil {
		return func() {}, nil
	}
	out, err := f.room.Enter()
	if err != nil {
		return nil, err
	}
	size := int64(f.limits.Body)
	if told := r.ContentLength; told >= 0 {
		size = min(size, told) // more is refused
	}
	release, err := f.room.Hold(size)
	if err != nil {
		out()
		return nil, err
	}
	return func() { release(); out() }, nil
}

// answer is the response body; its error is a *refusal.
func (f *Front) answer(ctx context.Context, id string, header http.Header, r *http.Request) ([]byte, error) {
	if r.Method != http.MethodPost {
		header.Set("Allow", http.MethodPost)
		return nil, &refusal{status: http.StatusMethodNotAllowed, errorType: "MethodNotAllowedException", message: "GraphQL is served to POST requests only."}
	}
	body, err := readBody(r, f.limits.Body)
	if err != nil {
		return nil, err
	}
	who, err := f.authenticate(r, body)
	if err != nil {
		return nil, f.unauthenticated(ctx, id, r, err)
	}
	steering, err := front.Steer(inference.Steering{}, r.Header)
	if err != nil {
		return nil, malformed(inference.AsError(err).Message)
	}
	req, err := decode(r, body)
	if err != nil {
		return nil, err
	}
	e := &execution{
		Front: f, id: id, who: who, denied: deniedFields(who.DeniedFields), header: r.Header, steering: steering,
		input: input{schema: f.schema, list: f.limits.List},
		out:   make([]byte, 0, 2048),
	}
	if err := e.prepare(req); err != nil {
		return e.reject(err)
	}
	for _, o := range e.run(ctx) {
		addHeader(header, o.header)
	}
	e.trace.describe(header, steering)
	return e.finish(), nil
}

// prepare finds what is to run. Its error is a *syntaxError or an invalidDocument.
func (e *execution) prepare(req *request) error {
	doc, err := e.document(req.Query)
	if err != nil {
		return err
	}
	if e.operation, err = doc.operation(req.OperationName); err != nil {
		return err
	}
	if e.operation.Operation == ast.Subscription {
		return invalidDocument{{
			message:  "Subscriptions are served over WebSocket only.",
			resolver: &backend.Error{Type: "UnsupportedOperation"},
		}}
	}
	e.variables, err = e.input.variables(e.operation, req.Variables)
	return err
}

// operation is the one called name, which may be empty when there is only one.
func (d *document) operation(name string) (*operation, error) {
	if name == "" {
		if len(d.operations) == 1 {
			return d.operations[0], nil
		}
		return nil, invalidDocument{{message: "Must provide operation name if query contains multiple operations."}}
	}
	for _, op := range d.operations {
		if op.Name == name {
			return op, nil
		}
	}
	return nil, invalidDocument{{message: "Unknown operation named '" + name + "'."}}
}

// reject answers a query that does not run.
func (e *execution) reject(err error) ([]byte, error) {
	if syntax, ok := errors.AsType[*syntaxError](err); ok {
		refused := malformed(syntax.message)
		refused.locations = syntax.locations
		return nil, refused
	}
	faults, ok := errors.AsType[invalidDocument](err)
	if !ok {
		return nil, err
	}
	e.faults = faults
	e.out = append(e.out, `{"data":null`...)
	return e.finish(), nil
}

// finish closes the response that out has begun.
func (e *execution) finish() []byte {
	if len(e.faults) > 0 {
		e.out = append(e.out, `,"errors":[`...)
		for i := range e.faults {
			if i > 0 {
				e.out = append(e.out, ',')
			}
			e.out = e.faults[i].append(e.out)
		}
		e.out = append(e.out, ']')
	}
	if e.steering.Trace || e.steering.Cost {
		e.out = e.trace.append(append(e.out, `,"extensions":`...), e.steering)
	}
	return append(e.out, '}')
}

func decode(r *http.Request, body []byte) (*request, error) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" && media != "application/graphql" {
		// A browser sends other types across origins without asking first.
		return nil, malformed("Content-Type must be application/json.")
	}
	req := &request{}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(req); err != nil {
		return nil, malformed("Request body is not a GraphQL request in JSON.")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, malformed("Request body goes on after its JSON object.")
	}
	if req.Query == "" {
		return nil, malformed("Request body has no query.")
	}
	return req, nil
}

func readBody(r *http.Request, limit int) ([]byte, error) {
	if r.ContentLength > int64(limit) {
		return nil, tooLarge(limit)
	}
	body := make([]byte, 0, max(r.ContentLength+1, 512))
	for {
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case len(body) > limit:
			return nil, tooLarge(limit)
		case err == io.EOF:
			return body, nil
		case err != nil:
			return nil, malformed("Request body could not be read.")
		}
	}
}
