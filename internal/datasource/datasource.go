// Package datasource carries a resolver's request to its data source and brings
// the answer back as ctx.result. An HTTP data source turns the request object
// into an HTTP request, checked as AppSync checks it, and hands it to a Sender;
// NONE answers with its payload. The destination is the endpoint that the
// backend declares: a request chooses the path under it and nothing else.
package datasource

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"fairway/backend"
	"fairway/internal/inference"
)

// MaxBody is the most bytes a request or a response body may have, AppSync's
// quota for evaluated requests and responses.
const MaxBody = 5 << 20

// Sender carries a request to where it goes: to a Bedrock front in process or to
// the network. A nil error means that an HTTP answer came, of whatever status;
// the error is an *inference.Error when none did. The record is nil where no
// model was called, and may come with an error. Steering is how the caller wants
// model calls routed, for a front in process alone: nothing of it leaves the process.
type Sender interface {
	Send(ctx context.Context, cred inference.Credential, caller inference.Caller, steering inference.Steering, req *inference.HTTPRequest) (*inference.HTTPResponse, *inference.Record, error)
}

// HTTP is a data source of kind HTTP. It is safe for concurrent use.
type HTTP struct {
	endpoint string // scheme and host, without a trailing slash
	cred     inference.Credential
	send     Sender
}

// NewHTTP makes the data source that ds declares, calling as principal. A data
// source without a signing service calls unsigned.
func NewHTTP(ds backend.DataSource, principal inference.Principal, send Sender) *HTTP {
	return &HTTP{
		endpoint: strings.TrimRight(ds.Endpoint, "/"),
		cred: inference.Credential{
			Principal: principal,
			Service:   ds.SigningService,
			Region:    inference.Region(ds.SigningRegion),
		},
		send: send,
	}
}

// Invoke sends what a resolver's Request returned: a *backend.HTTPRequest or a
// map of the same shape. The result is {statusCode int, headers map[string]any,
// body string}, whatever the status. No answer, or one over MaxBody, is a
// *backend.DataSourceError; a request that cannot be sent as it is written is a
// *backend.Error of type MappingTemplate.
func (d *HTTP) Invoke(ctx context.Context, caller inference.Caller, steering inference.Steering, value any) (any, *inference.Record, error) {
	req, malformed := request(d.endpoint, value)
	if malformed != nil {
		return nil, nil, malformed
	}
	res, record, err := d.send.Send(ctx, d.cred, caller, steering, req)
	if err != nil {
		return nil, record, unreachable(d.endpoint, err)
	}
	if len(res.Body) > MaxBody {
		return nil, record, &backend.DataSourceError{
			Type:    string(inference.InternalServer),
			Message: "http response of " + host(d.endpoint) + " is larger than 5 MB",
		}
	}
	return result(res), record, nil
}

// spellings are the headers of AWS services that resolvers read by their exact
// case, headers['x-amzn-ErrorType'] above all, keyed by the form that net/http
// gives them.
var spellings = map[string]string{
	"X-Amzn-Errortype": "x-amzn-ErrorType",
	"X-Amzn-Requestid": "x-amzn-RequestId",
}

// result is ctx.result. Header names are as the service spells them.
func result(res *inference.HTTPResponse) map[string]any {
	headers := make(map[string]any, len(res.Header))
	for name, values := range res.Header {
		if spelling, ok := spellings[name]; ok {
			name = spelling
		}
		headers[name] = strings.Join(values, ", ")
	}
	return map[string]any{"statusCode": res.Status, "headers": headers, "body": string(res.Body)}
}

// unreachable is ctx.error for a request that got no answer. Only an
// *inference.Error's own words go to the resolver, never its cause.
func unreachable(endpoint string, err error) *backend.DataSourceError {
	message := "http request to " + host(endpoint) + " got no answer"
	kind := inference.ServiceUnavailable
	if e, ok := errors.AsType[*inference.Error](err); ok {
		kind = e.Kind
		if e.Message != "" {
			message = e.Message
		}
	}
	return &backend.DataSourceError{Type: string(kind), Message: message}
}

func host(endpoint string) string {
	if u, err := url.Parse(endpoint); err == nil && u.Host != "" {
		return u.Host
	}
	return "its endpoint"
}

// None is the data source that calls nothing.
type None struct{}

// Invoke answers with the payload of value, or with value itself where it has none.
func (None) Invoke(_ context.Context, _ inference.Caller, _ inference.Steering, value any) (any, *inference.Record, error) {
	if m, ok := value.(map[string]any); ok {
		if payload, ok := m["payload"]; ok {
			return payload, nil, nil
		}
	}
	return value, nil, nil
}

// Unsupported stands for a data source whose kind has no engine yet.
type Unsupported struct {
	Name string
	Kind string // as the backend names it, "AMAZON_DYNAMODB"
}

// Invoke answers a *backend.Error that names the data source and its kind.
func (u Unsupported) Invoke(context.Context, inference.Caller, inference.Steering, any) (any, *inference.Record, error) {
	return nil, nil, &backend.Error{
		Type:    "NotImplemented",
		Message: "data source " + u.Name + " is of kind " + u.Kind + ", which has no engine here yet",
	}
}

// canonical is h as net/http wants it, for a request that a resolver wrote.
func canonical(headers map[string]string) http.Header {
	h := make(http.Header, len(headers)+1)
	for name, value := range headers {
		h.Set(name, value)
	}
	return h
}
