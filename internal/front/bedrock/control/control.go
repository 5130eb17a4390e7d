// Package control is the control plane of the Amazon Bedrock door, one file an
// operation: which foundation models and inference profiles there are, and
// application inference profiles with their tags.
//
//	path > admit > decode > validate > permit > answer
package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"time"

	"fairway/internal/front"
	"fairway/internal/inference"
	"fairway/internal/wire/uuid"
)

// Catalog knows what can be called from a region. It is safe for concurrent use.
type Catalog interface {
	ListModels(source inference.Region) []inference.ModelListing
	ListProfiles(source inference.Region) []inference.ProfileListing // system-defined

	// Resolve is the profile that an application profile stands for. The error, of
	// kind Validation, says that what it copies cannot be called in its region.
	Resolve(a inference.Application) (inference.Profile, error)

	// Describe is a profile that only the control plane of a real region knows, by
	// its id or ARN, and Tags are those of such an application profile. They report
	// false where there is none, and where regions are not real.
	Describe(ctx context.Context, named string, source inference.Region) (inference.ProfileListing, bool, error)
	Tags(ctx context.Context, profile inference.ARN, source inference.Region) (map[string]string, bool, error)
}

// Applications keeps the application inference profiles. What reports a bool
// reports false when there is no such profile. Errors are *inference.Error. It is
// safe for concurrent use.
type Applications interface {
	// CreateApplication gives the profile its ID and times, or gives back the one
	// that was created with the same Token. A name that is taken is a Conflict.
	CreateApplication(ctx context.Context, a inference.Application) (inference.Application, error)
	Application(ctx context.Context, arn inference.ARN) (inference.Application, bool, error)
	Applications(ctx context.Context, account string, region inference.Region) ([]inference.Application, error)
	DeleteApplication(ctx context.Context, arn inference.ARN) (bool, error)
	TagApplication(ctx context.Context, arn inference.ARN, tags map[string]string) (bool, error)
	UntagApplication(ctx context.Context, arn inference.ARN, keys []string) (bool, error)
}

// Permit decides an action of a principal on a resource, "*" for none in particular.
// The error is the service's AccessDenied.
type Permit func(p inference.Principal, action string, resource inference.ARN, region inference.Region, c inference.Circumstances) error

// Config is what a Front needs: all but the Gateway of front.Config is required,
// as it is there.
type Config struct {
	front.Config
	Account      string // twelve digits, of the ARNs
	Catalog      Catalog
	Applications Applications
	Permit       Permit
}

// Front serves the control plane. It is safe for concurrent use.
type Front struct{ Config }

// maxBody is the longest body that is read, in bytes. The longest that is valid, a
// CreateInferenceProfile with two hundred tags, is a tenth of it.
const maxBody = 1 << 20

// New makes a Front.
func New(c Config) *Front {
	c.MaxBody = maxBody
	return &Front{c}
}

// call is one request on its way through an operation.
type call struct {
	ctx           context.Context
	id            string // of the resource in the path, percent-decoded once
	query         url.Values
	body          []byte
	region        inference.Region
	principal     inference.Principal
	circumstances inference.Circumstances
}

// ServeHTTP answers a request.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	response, err := f.serve(w, r)
	if err != nil {
		panic(http.ErrAbortHandler) // nobody is there to read an answer
	}
	front.Respond(front.ServiceWriter(w), response)
}

// serve makes the answer. The error, of kind Canceled, says that nobody waits for
// it any more.
func (f *Front) serve(w http.ResponseWriter, r *http.Request) (*inference.HTTPResponse, error) {
	p, ok := parsePath(r.URL.EscapedPath())
	if !ok {
		return tell(uuid.New(), front.UnknownOperation(http.StatusNotFound)), nil
	}
	op, ok := operations[p.resource][r.Method]
	if !ok {
		return tell(uuid.New(), front.UnknownOperation(http.StatusMethodNotAllowed)), nil
	}
	visit, err := f.Admit(w, r, p.region)
	defer visit.Leave()
	var response *inference.HTTPResponse
	if err == nil {
		response, err = f.run(op, &call{
			ctx: r.Context(), id: p.id, query: r.URL.Query(), body: visit.Body,
			region: visit.Region, principal: visit.Principal, circumstances: visit.Circumstances,
		})
	}
	f.log(r.Context(), op, visit, err)
	if err != nil {
		failure := inference.AsError(err)
		if failure.Kind == inference.Canceled {
			return nil, failure
		}
		response = front.ServiceError(failure)
	}
	return tell(visit.ID, response), nil
}

// tell adds what all answers tell.
func tell(id string, response *inference.HTTPResponse) *inference.HTTPResponse {
	response.Header.Set("X-Amzn-Requestid", id)
	return response
}

// answerWithin is how long what keeps the profiles may take.
const answerWithin = 10 * time.Second

// run runs an operation and encodes its answer. A panic is an error.
func (f *Front) run(op operation, c *call) (response *inference.HTTPResponse, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			response, err = nil, fmt.Errorf("%s: panic: %v\n%s", op.name, cause, debug.Stack())
		}
	}()
	ctx, cancel := context.WithTimeout(c.ctx, answerWithin)
	defer cancel()
	c.ctx = ctx
	answer, err := op.run(f, c)
	if err != nil {
		return nil, err
	}
	return encode(op.status, answer)
}

// encode is a successful answer; nil has no body.
func encode(status int, answer any) (*inference.HTTPResponse, error) {
	response := &inference.HTTPResponse{Status: status, Header: http.Header{"Content-Type": {"application/json"}}}
	if answer == nil {
		return response, nil
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(answer)
	response.Body = bytes.TrimRight(text.Bytes(), "\n")
	return response, err
}

// log writes the one line of a request: what changes here, and what an operator
// may have to mend.
func (f *Front) log(ctx context.Context, op operation, v *front.Visit, err error) {
	keys := []any{"request_id", v.ID, "principal", v.Principal.Name, "action", op.action(), "source_region", string(v.Region)}
	if err == nil {
		f.Log.InfoContext(ctx, "control plane call", append(keys, "outcome", string(inference.OK))...)
		return
	}
	failure := inference.AsError(err)
	keys = append(keys, "outcome", string(inference.Failed), "kind", string(failure.Kind), "error", failure)
	if failure.Kind == inference.InternalServer {
		f.Log.ErrorContext(ctx, "control plane call", keys...)
		return
	}
	f.Log.InfoContext(ctx, "control plane call", keys...)
}

// permit asks for the operation's action on each of the resources.
func (f *Front) permit(c *call, action string, resources ...inference.ARN) error {
	for _, resource := range resources {
		if err := f.Permit(c.principal, action, resource, c.region, c.circumstances); err != nil {
			return err
		}
	}
	return nil
}
