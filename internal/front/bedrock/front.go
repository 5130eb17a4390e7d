// Package bedrock is the Amazon Bedrock door: the Runtime API's bytes on one
// side, the vocabulary on the other, one file an operation. Clients reach it over
// HTTP; data sources inside the process reach it through Send and pass the same
// checks.
//
//	route > authenticate > scope and region > decode > Gateway > encode
//
// What the head of a request is enough to refuse is refused before its body is
// read.
package bedrock

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"fairway/internal/inference"
)

// MaxBody is the service's limit on an InvokeModel body, in bytes.
const MaxBody = 25_000_000

// Gateway runs a call along the straight line. Exactly one of the Stream and the
// error is non-nil. The Record is complete when the error is returned or the
// Stream is closed.
type Gateway interface {
	Invoke(ctx context.Context, r *inference.Request) (inference.Stream, *inference.Record, error)
}

// Authenticator finds who sent an HTTP request. It asks for the body only where a
// signature is over it, and when the head of the request has nothing against the
// caller; an error of body is returned as it is. The credential has the scope that
// was signed for; its Region is empty when the caller proved itself without one,
// as with a bearer key. Errors are *inference.Error.
type Authenticator interface {
	Authenticate(r *http.Request, body func() ([]byte, error)) (inference.Credential, error)
}

// Config is what a Front needs. Gateway, Authenticator and Log are required.
type Config struct {
	Gateway       Gateway
	Authenticator Authenticator
	DefaultRegion inference.Region // source region of requests that name none
	MaxBody       int64            // bytes; 0 is MaxBody
	Log           *slog.Logger
}

// Front serves the Bedrock Runtime API. Its methods may be called concurrently.
type Front struct{ Config }

// New makes a Front.
func New(c Config) *Front {
	if c.MaxBody == 0 {
		c.MaxBody = MaxBody
	}
	return &Front{c}
}

// call is one request on its way through the front, from either door.
type call struct {
	id           string // request id
	method       string
	path         string // percent-encoded
	host         string
	header       http.Header
	caller       inference.Caller
	authenticate func() (inference.Credential, error)
	read         func() ([]byte, error) // gives the body, each time it is asked

	// Set on the way.
	model     string
	region    inference.Region
	principal inference.Principal
	body      []byte
}

// An operation checks what is its own in the call, runs it and encodes the
// answer.
type operation func(*Front, context.Context, *call) (*inference.HTTPResponse, *inference.Record, error)

// operationOf finds the operation by the path's last segment.
func operationOf(action string) (operation, bool) {
	switch action {
	case "invoke":
		return (*Front).invokeModel, true
	default:
		return nil, false
	}
}

// serve answers a call. Exactly one of the response and the error is non-nil:
// the error, of Kind Canceled, when there is nobody left to read a response. The
// record is nil when the call did not get as far as the Gateway.
func (f *Front) serve(ctx context.Context, c *call) (*inference.HTTPResponse, *inference.Record, error) {
	response, record, err := f.guarded(ctx, c)
	if err != nil {
		failure := inference.AsError(err)
		if failure.Kind == inference.Canceled {
			return nil, record, failure
		}
		f.logFailure(ctx, c, record, failure)
		response = encodeError(failure)
	}
	response.Header.Set("X-Amzn-Requestid", c.id)
	describe(response.Header, record)
	return response, record, nil
}

// guarded is run with a panic turned into an error.
func (f *Front) guarded(ctx context.Context, c *call) (response *inference.HTTPResponse, record *inference.Record, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			response, record = nil, nil
			err = inference.AsError(fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
		}
	}()
	return f.run(ctx, c)
}

func (f *Front) run(ctx context.Context, c *call) (*inference.HTTPResponse, *inference.Record, error) {
	p, ok := parsePath(c.path)
	if !ok {
		return unknownOperation(http.StatusNotFound), nil, nil
	}
	operation, ok := operationOf(p.action)
	if !ok {
		return unknownOperation(http.StatusNotFound), nil, nil
	}
	if c.method != http.MethodPost {
		return unknownOperation(http.StatusMethodNotAllowed), nil, nil
	}
	credential, err := c.authenticate()
	if err != nil {
		return nil, nil, err
	}
	c.model, c.principal = p.model, credential.Principal
	c.region, err = f.sourceRegion(credential, c.host, p.region)
	if err != nil {
		return nil, nil, err
	}
	if c.body, err = c.read(); err != nil {
		return nil, nil, err
	}
	return operation(f, ctx, c)
}

// logFailure logs what the gateway has not: a call that it never saw, and what
// is behind an internal error.
func (f *Front) logFailure(ctx context.Context, c *call, record *inference.Record, failure *inference.Error) {
	switch {
	case failure.Kind == inference.InternalServer:
		f.Log.ErrorContext(ctx, "call failed", "request_id", c.id, "error", failure)
	case record == nil:
		f.Log.InfoContext(ctx, "call refused", "request_id", c.id, "kind", string(failure.Kind), "error", failure)
	}
}
