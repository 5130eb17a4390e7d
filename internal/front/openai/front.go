// Package openai is the OpenAI door: POST /v1/chat/completions, GET /v1/models and
// /v1/models/{id}, also under /openai and /region/{region}. Any model may be called
// by it.
//
//	path > admit > read the call > look up the model > Gateway > answer whole, or chunk by chunk
//
// Bedrock's openai.* models speak chat completions themselves: the body goes to
// them without what is the transport's, and what they say comes back as it is.
// Every other model is called through Converse.
//
// Source: OpenAI API reference, "Chat Completions", "Models" and "Error codes";
// facts bedrock.md 1.14.
package openai

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"fairway/internal/dialect/openai"
	"fairway/internal/front"
	"fairway/internal/inference"
	"fairway/internal/wire/uuid"
)

// Config is what a Front needs; all but what front.Config says and Now is required.
type Config struct {
	front.Config

	// Model is the foundation model behind what a caller named: an id or ARN of a
	// model or profile. Errors are *inference.Error, ResourceNotFound for what is none.
	Model func(ctx context.Context, named string, source inference.Region) (inference.ModelID, error)

	// Models are what the principal can name from a source region, in the order in
	// which they are listed. Errors are *inference.Error.
	Models func(ctx context.Context, principal inference.Principal, source inference.Region) ([]ModelEntry, error)

	Now func() time.Time // of the answers; nil is time.Now
}

// ModelEntry is one model of the list.
type ModelEntry struct {
	ID      string // of a profile or a model
	Created int64  // Unix seconds, 0 when not known
	OwnedBy string // the provider, "anthropic"
}

// Front serves the OpenAI API. Its methods may be called concurrently.
type Front struct{ Config }

// New makes a Front.
func New(c Config) *Front {
	c.Door = inference.DoorOpenAI
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Front{c}
}

// call is one request on its way through the front.
type call struct {
	writer http.ResponseWriter
	header http.Header // of the request
	came   time.Time

	// Set on the way.
	visit  *front.Visit
	named  string // model of the path
	body   *openai.Call
	model  inference.ModelID
	record *inference.Record // nil when the call did not get as far as the Gateway
	sender *front.Sender     // of a stream whose header has been sent
}

// ServeHTTP answers a call. An answer that cannot be ended as it should be is
// broken off, so that nobody takes it for whole.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{writer: w, header: r.Header, came: f.Now()}
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
	p, ok := parsePath(r.URL.EscapedPath())
	switch {
	case !ok:
		return notFound(r)
	case r.Method != p.operation.method:
		return wrongMethod(r, p.operation.method)
	}
	c.named = p.model
	var err error
	if c.visit, err = f.Admit(c.writer, r, p.region); err != nil {
		return err
	}
	return p.operation.answer(f, r.Context(), c)
}

// respond sends a whole answer.
func (f *Front) respond(c *call, body []byte) error {
	header := http.Header{"Content-Type": {"application/json"}}
	c.describe(header)
	front.Respond(c.writer, &inference.HTTPResponse{Status: http.StatusOK, Header: header, Body: body})
	return nil
}

// fail answers a failed call, and reports whether the answer is whole.
func (f *Front) fail(ctx context.Context, c *call, failure *inference.Error) (whole bool) {
	if failure.Kind == inference.Canceled {
		return false
	}
	f.logFailure(ctx, c, failure)
	if c.sender != nil {
		_, _ = c.sender.Write(errorEvent(failure)) // broken off in any case
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
	h.Set("X-Request-Id", c.visit.ID)
	c.visit.Describe(h, c.record)
}
