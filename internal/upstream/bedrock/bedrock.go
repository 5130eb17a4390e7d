// Package bedrock calls real regions of Amazon Bedrock: it signs with the SDK's
// signer, sends the request body byte for byte and relays the answer raw, the body
// or the frames of its event stream. Whatever speaks the Bedrock Runtime API can
// stand behind it: a VPC endpoint, a test's stand-in, another Fairway.
//
//	request.go     the HTTP request of a call
//	credentials.go who signs it: the SDK's chain, or a role per account
//	send.go        request -> response, or what went wrong on the way
//	refusal.go     an HTTP error -> *inference.Error
//	unary.go       an answer in one piece
//	stream.go      an answer frame by frame
//	assemble.go    a unary answer that is asked for as a stream
//	endpoint.go    where a region is, transport.go how it is reached
//	guardrail.go   the guardrail that stands for the caller's in another region
//	profile.go     profiles and models that only the control plane knows
//	tags.go        what such a profile is tagged with
package bedrock

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"fairway/internal/inference"
)

// Config is how regions are reached. The zero Config calls AWS itself with the
// credentials that the SDK finds.
type Config struct {
	Endpoint         string                      // of the runtime: a URL in which "{region}" stands for the region; empty is AWS's own
	Endpoints        map[inference.Region]string // of single regions, in place of Endpoint
	ControlEndpoint  string                      // of the control plane, likewise
	ControlEndpoints map[inference.Region]string
	Credentials      aws.CredentialsProvider // nil is the SDK's default chain
	Accounts         []Account               // that targets name; the empty account is always that of Credentials
	BearerKey        func() string           // a Bedrock API key to send in place of signatures; nil, or while it is empty, calls are signed

	ConnectTimeout time.Duration // of one connection, and of its TLS handshake; default 3s
	KeepAlive      time.Duration // between probes of a silent connection; default 45s, as the User Guide says
	Warm           int           // connections that Warm opens to a region; default 2

	Log *slog.Logger // required
}

// Upstream is the real regions. It is safe for concurrent use.
type Upstream struct {
	runtime, control endpoints
	accounts         accounts
	bearer           func() string
	signer           *v4.Signer
	transport        *http.Transport
	profiles         *profiles
	warm             int
	log              *slog.Logger
}

// New reads the SDK's shared configuration and calls nobody. The error is an
// endpoint, an account or a configuration file that is no such thing.
func New(ctx context.Context, c Config) (*Upstream, error) {
	runtime, errRuntime := parseEndpoints(c.Endpoint, c.Endpoints, "bedrock-runtime", c.BearerKey != nil)
	control, errControl := parseEndpoints(c.ControlEndpoint, c.ControlEndpoints, "bedrock", c.BearerKey != nil)
	accounts, errAccounts := openAccounts(ctx, c)
	if err := errors.Join(errRuntime, errControl, errAccounts); err != nil {
		return nil, fmt.Errorf("open bedrock upstream: %w", err)
	}
	u := &Upstream{
		runtime:   runtime,
		control:   control,
		accounts:  accounts,
		bearer:    c.BearerKey,
		signer:    v4.NewSigner(),
		transport: newTransport(cmp.Or(c.ConnectTimeout, 3*time.Second), cmp.Or(c.KeepAlive, 45*time.Second)),
		profiles:  newProfiles(),
		warm:      cmp.Or(c.Warm, 2),
		log:       c.Log,
	}
	if u.bearer == nil {
		u.bearer = func() string { return "" }
	}
	return u, nil
}

// Invoke calls a region. A unary call that nobody set a deadline for is asked as it
// is, and silent until its answer is there; one with a deadline is asked as a stream
// where that gives the same answer, so that the region shows life by itself (ADR 10).
func (u *Upstream) Invoke(ctx context.Context, t inference.Target, r *inference.Request) (inference.Stream, error) {
	r, err := guarded(t, r)
	if err != nil {
		return nil, located(err, t.Region)
	}
	stream, err := u.invoke(ctx, t, r)
	if err != nil {
		return nil, located(err, t.Region)
	}
	return stream, nil
}

func (u *Upstream) invoke(ctx context.Context, t inference.Target, r *inference.Request) (inference.Stream, error) {
	if r.Operation.Streams() {
		return u.stream(ctx, t, r, r.Operation)
	}
	if _, timely := ctx.Deadline(); !timely {
		return u.unary(ctx, t, r)
	}
	if a, ok := assembly(t, r); ok {
		stream, err := u.stream(ctx, t, r, a.operation)
		if err == nil {
			a.Stream = stream
			return a, nil
		}
		if !refusesStream(err) {
			return nil, err
		}
	}
	return u.unary(ctx, t, r)
}

// Close gives up the connections that no call is using.
func (u *Upstream) Close() error {
	u.transport.CloseIdleConnections()
	return nil
}

// located is err as an upstream answers it: with its region and what was done.
func located(err error, region inference.Region) error {
	e := *inference.AsError(err)
	e.Op, e.Region = cmp.Or(e.Op, op), cmp.Or(e.Region, region)
	return &e
}

const op = "invoke model"

// lost is the failure of a call whose answer did not come, or not whole: the
// caller's doing when ctx has ended, else the region's.
func lost(ctx context.Context, err error) error {
	if e, ok := errors.AsType[*inference.Error](err); ok {
		return e
	}
	e := &inference.Error{
		Kind: inference.ServiceUnavailable, Transport: true,
		Message: unavailable, Err: err,
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		e.Kind, e.Message = inference.Canceled, "the caller went away"
	}
	return e
}
