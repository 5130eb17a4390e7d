// Package bedrock is the Amazon Bedrock door: the Runtime API's bytes on one
// side, the vocabulary on the other, one file an operation. Clients reach it over
// HTTP; data sources inside the process reach it through Send and pass the same
// checks.
//
//	path > admit > check > Gateway > answer whole, or relay frame by frame
//
// What the head of a request is enough to refuse is refused before its body is
// read. Bodies pass byte for byte in both directions.
package bedrock

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"runtime/debug"

	"fairway/internal/front"
	"fairway/internal/inference"
	"fairway/internal/wire/uuid"
)

// Front serves the Bedrock Runtime API. Its methods may be called concurrently.
type Front struct{ front.Config }

// New makes a Front.
func New(c front.Config) *Front {
	c.Door = inference.DoorBedrock
	return &Front{c}
}

// call is one request on its way through the front, from either door.
type call struct {
	method string
	path   string // percent-encoded
	header http.Header
	caller inference.Caller // of a data source; zero leaves it to the credential
	admit  func(base inference.Region) (*front.Visit, error)

	// Set on the way.
	operation operation
	model     string
	visit     *front.Visit
	record    *inference.Record // nil when the call did not get as far as the Gateway
	sender    *front.Sender     // of a stream whose header has been sent
}

// serve answers a call on w. The error, of Kind Canceled, says that there is
// nobody left to read an answer, or the rest of it.
func (f *Front) serve(ctx context.Context, w http.ResponseWriter, c *call) error {
	defer func() { c.visit.Leave() }()
	if err := f.guarded(ctx, w, c); err != nil {
		if err = f.fail(ctx, w, c, inference.AsError(err)); err != nil {
			return err
		}
	}
	if c.sender != nil {
		c.visit.Conclude(w.Header(), c.record)
	}
	return nil
}

// guarded is run with a panic turned into an error.
func (f *Front) guarded(ctx context.Context, w http.ResponseWriter, c *call) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = inference.AsError(fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
		}
		if c.visit == nil {
			c.visit = &front.Visit{ID: uuid.New()}
		}
	}()
	return f.run(ctx, w, c)
}

func (f *Front) run(ctx context.Context, w http.ResponseWriter, c *call) error {
	p, ok := parsePath(c.path)
	if ok {
		c.operation, ok = operationOf(p.action)
	}
	switch {
	case !ok:
		return f.refuse(w, c, http.StatusNotFound)
	case c.method != http.MethodPost:
		return f.refuse(w, c, http.StatusMethodNotAllowed)
	}
	c.model = p.model
	var err error
	if c.visit, err = c.admit(p.region); err != nil {
		return err
	}
	return f.invoke(ctx, w, c)
}

// refuse answers a call that is for no operation of this front.
func (f *Front) refuse(w http.ResponseWriter, c *call, status int) error {
	c.visit = &front.Visit{ID: uuid.New()}
	f.respond(w, c, front.UnknownOperation(status))
	return nil
}

// invoke runs the call and sends what comes of it.
func (f *Front) invoke(ctx context.Context, w http.ResponseWriter, c *call) error {
	if err := checkHead(c); err != nil {
		return err
	}
	header, err := c.operation.check(c)
	if err != nil {
		return err
	}
	var stream inference.Stream
	stream, c.record, err = f.Gateway.Invoke(ctx, &inference.Request{
		ID:            c.visit.ID,
		Door:          c.visit.Door,
		Operation:     c.operation.name,
		Model:         c.model,
		SourceRegion:  c.visit.Region,
		Principal:     c.visit.Principal,
		Caller:        cmp.Or(c.caller, c.visit.Caller),
		Circumstances: c.visit.Circumstances,
		Header:        header,
		Body:          c.visit.Body,
		PayloadHash:   c.visit.PayloadHash,
		Steering:      c.visit.Steering,
		Deadline:      c.visit.Deadline,
	})
	switch {
	case err != nil:
		return err
	case c.operation.name.Streams():
		return f.relay(ctx, w, c, stream)
	default:
		return f.answer(ctx, w, c, stream)
	}
}

// fail answers a failed call: in the service's form, or with an exception where
// the answer had begun.
func (f *Front) fail(ctx context.Context, w http.ResponseWriter, c *call, failure *inference.Error) error {
	if failure.Kind == inference.Canceled {
		return failure
	}
	f.logFailure(ctx, c, failure)
	if c.sender != nil {
		_, err := c.sender.Write(exception(c.operation.name, failure))
		return err
	}
	f.respond(w, c, front.ServiceError(failure))
	return nil
}

// respond sends a whole response, with what all responses tell.
func (f *Front) respond(w http.ResponseWriter, c *call, r *inference.HTTPResponse) {
	describe(r.Header, c)
	front.Respond(w, r)
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
