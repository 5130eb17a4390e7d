// Package anthropic is the Anthropic Messages door: POST /v1/messages and
// /v1/messages/count_tokens, also under /anthropic and /region/{region}. Any model
// may be called by it.
//
//	path > admit > open the body > look up the model > Gateway > answer whole, or event by event
//
// Claude speaks Messages itself: the body goes to it nearly as it is, and what it
// says comes back so. Every other model is called through Converse.
//
// Source: Anthropic API reference, "Messages", "Count tokens", "Errors" and
// "Streaming Messages", "Versions"; facts bedrock.md 1.10 and 1.14.
package anthropic

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"

	"fairway/internal/dialect/anthropic"
	"fairway/internal/front"
	"fairway/internal/inference"
	"fairway/internal/wire/uuid"
)

// Config is what a Front needs; all but what front.Config says is required.
type Config struct {
	front.Config

	// Model is the foundation model behind what a caller named: an id or ARN of a
	// model or profile. Errors are *inference.Error, ResourceNotFound for what is none.
	Model func(ctx context.Context, named string, source inference.Region) (inference.ModelID, error)
}

// Front serves the Messages API. Its methods may be called concurrently.
type Front struct{ Config }

// New makes a Front.
func New(c Config) *Front {
	c.Door = inference.DoorAnthropic
	return &Front{c}
}

// call is one request on its way through the front.
type call struct {
	writer http.ResponseWriter
	header http.Header // of the request

	// Set on the way.
	visit  *front.Visit
	body   *anthropic.Body
	model  inference.ModelID
	record *inference.Record // nil when the call did not get as far as the Gateway
	sender *front.Sender     // of a stream whose header has been sent
}

// ServeHTTP answers a call. An answer that cannot be ended as it should be is
// broken off, so that nobody takes it for whole.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{writer: w, header: r.Header}
	err := f.guarded(r, c)
	defer c.visit.Leave()
	if err != nil && !f.fail(r.Context(), c, inference.AsError(err)) {
		panic(http.ErrAbortHandler)
	}
}

// guarded is run with a panic turned into an error.
func (f *Front) guarded(r *http.Request, c *call) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = inference.AsError(fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
		}
		if c.visit == nil {
			c.visit = &front.Visit{ID: uuid.New()}
		}
	}()
	return f.run(r, c)
}

func (f *Front) run(r *http.Request, c *call) error {
	region, operation := parsePath(r.URL.EscapedPath())
	switch {
	case operation == nil:
		return errNotFound
	case r.Method != http.MethodPost:
		return errMethod
	}
	var err error
	if c.visit, err = f.Admit(c.writer, withBearer(r), region); err != nil {
		return err
	}
	if contentType := r.Header.Get("Content-Type"); !front.IsJSON(contentType) {
		return refuse("the content type is not accepted: send application/json")
	}
	if err := checkVersion(r.Header); err != nil {
		return err
	}
	if err := f.open(r.Context(), c); err != nil {
		return err
	}
	return operation(f, r.Context(), c)
}

// withBearer is r with the key of x-api-key as the bearer key, unless it has an
// Authorization.
func withBearer(r *http.Request) *http.Request {
	key := r.Header.Get("X-Api-Key")
	if key == "" || r.Header.Get("Authorization") != "" {
		return r
	}
	r = r.WithContext(r.Context()) // a copy
	r.Header = r.Header.Clone()
	r.Header.Set("Authorization", "Bearer "+key)
	return r
}

// checkVersion refuses versions of the API that are not known. The later of the
// two only refuses more of a request (sampling parameters, documents of the
// assistant, citations of the user) and changes no answer, so that both are served
// alike: the model says what it takes. Bedrock's own door does not miss the header.
func checkVersion(h http.Header) error {
	switch h.Get("Anthropic-Version") {
	case "", "2023-06-01", "2026-10-21":
		return nil
	}
	return refuse("anthropic-version: only 2023-06-01 and 2026-10-21 are served: send one of them, or leave the header out")
}

// open reads the top level of the body and finds the model.
func (f *Front) open(ctx context.Context, c *call) (err error) {
	if c.body, err = anthropic.Open(c.visit.Body); err != nil {
		return anthropic.Refusal(err)
	}
	if c.body.Model == "" {
		return refuse("model: Field required")
	}
	if c.model, err = f.Model(ctx, c.body.Model, c.visit.Region); err != nil {
		return unknownModel(c.body.Model, inference.AsError(err))
	}
	return nil
}

// unknownModel words an error of Model as Anthropic does, where it is that there is no
// such model.
func unknownModel(named string, e *inference.Error) error {
	if e.Kind != inference.ResourceNotFound {
		return e
	}
	const most = 200 // bytes that a message quotes
	if len(named) > most {
		named = strings.ToValidUTF8(named[:most], "") + "..."
	}
	return &inference.Error{Kind: e.Kind, Op: e.Op, Message: "model: " + named, Err: e}
}

func refuse(message string) error {
	return &inference.Error{Kind: inference.Validation, Op: "decode Messages", Message: message}
}

// invoke runs a call whose body is ready. The stream is the caller's to close.
func (f *Front) invoke(ctx context.Context, c *call, op inference.Operation, body []byte) (stream inference.Stream, err error) {
	stream, c.record, err = f.Gateway.Invoke(ctx, &inference.Request{
		ID:            c.visit.ID,
		Door:          c.visit.Door,
		Operation:     op,
		Model:         c.body.Model,
		SourceRegion:  c.visit.Region,
		Principal:     c.visit.Principal,
		Caller:        c.visit.Caller,
		Circumstances: c.visit.Circumstances,
		Header:        guardrailHeader(c.header),
		Body:          body,
		Steering:      c.visit.Steering,
		Deadline:      c.visit.Deadline,
	})
	return stream, err
}

// fail answers a failed call, and reports whether the answer is whole.
func (f *Front) fail(ctx context.Context, c *call, failure *inference.Error) (whole bool) {
	if failure.Kind == inference.Canceled {
		return false
	}
	f.logFailure(ctx, c, failure)
	if c.sender != nil {
		_, _ = c.sender.Write(errorEvent(failure, c.visit.ID)) // broken off in any case
		return false
	}
	front.Respond(c.writer, errorResponse(failure, c))
	return true
}

// logFailure logs what the gateway has not: a call that it never saw, and what
// is behind an internal error.
func (f *Front) logFailure(ctx context.Context, c *call, failure *inference.Error) {
	switch {
	case failure.Kind == inference.InternalServer:
		f.Log.ErrorContext(ctx, "call failed", "request_id", c.visit.ID, "error", failure)
	case c.record == nil:
		f.Log.InfoContext(ctx, "call refused", front.Refusal(c.visit, failure)...)
	}
}

// describe writes the header that all answers have.
func (c *call) describe(h http.Header) {
	h.Set("Request-Id", c.visit.ID)
	c.visit.Describe(h, c.record)
}
