package anthropic

import (
	"math"
	"net/http"
	"strconv"

	"fairway/internal/dialect"
	"fairway/internal/dialect/anthropic"
	"fairway/internal/front"
	"fairway/internal/inference"
	"fairway/internal/wire/sse"
)

// form is how an error goes on the wire: the HTTP status and the error's type.
type form struct {
	status int
	name   string
}

// forms is the table Kind -> form; kinds that are not in it are an api_error.
var forms = map[inference.Kind]form{
	inference.Validation:           {http.StatusBadRequest, "invalid_request_error"},
	inference.Conflict:             {http.StatusBadRequest, "invalid_request_error"},
	inference.ServiceQuotaExceeded: {http.StatusPaymentRequired, "billing_error"},
	inference.MissingAuth:          {http.StatusUnauthorized, "authentication_error"},
	inference.UnrecognizedClient:   {http.StatusUnauthorized, "authentication_error"},
	inference.InvalidSignature:     {http.StatusUnauthorized, "authentication_error"},
	inference.ExpiredToken:         {http.StatusUnauthorized, "authentication_error"},
	inference.IncompleteSignature:  {http.StatusUnauthorized, "authentication_error"},
	inference.AccessDenied:         {http.StatusForbidden, "permission_error"},
	inference.ResourceNotFound:     {http.StatusNotFound, "not_found_error"},
	inference.Throttling:           {http.StatusTooManyRequests, "rate_limit_error"},
	inference.ModelTimeout:         {http.StatusGatewayTimeout, "timeout_error"},
	inference.ModelNotReady:        {statusOverloaded, "overloaded_error"},
	inference.ServiceUnavailable:   {statusOverloaded, "overloaded_error"},
}

// statusOverloaded is Anthropic's own: the service is out of capacity.
const statusOverloaded = 529

var apiError = form{http.StatusInternalServerError, "api_error"}

// opReadRequest is the Op of front's refusal of a body that is too long, which
// has a form of its own here.
const opReadRequest = "read request"

// errMethod and errNotFound are requests for no operation of the API.
var (
	errNotFound = &inference.Error{Kind: inference.ResourceNotFound, Op: "find operation", Message: "Not found"}
	errMethod   = &inference.Error{Kind: inference.Validation, Op: "find operation", Message: "Method Not Allowed"}
)

func formOf(e *inference.Error) form {
	switch {
	case e == errMethod:
		return form{http.StatusMethodNotAllowed, "invalid_request_error"}
	case e.Kind == inference.Validation && e.Op == opReadRequest:
		return form{http.StatusRequestEntityTooLarge, "request_too_large"}
	}
	if f, ok := forms[e.Kind]; ok {
		return f
	}
	return apiError
}

// errorBody is the JSON of an error, as a body and as an event.
type errorBody struct {
	Type      string            `json:"type"` // "error"
	Error     anthropic.Failure `json:"error"`
	RequestID string            `json:"request_id"`
}

func encodeError(e *inference.Error, requestID string) []byte {
	text, err := dialect.WriteBody(errorBody{"error", anthropic.Failure{Type: formOf(e).name, Message: e.Message}, requestID})
	if err != nil {
		panic(err) // strings always encode
	}
	return text
}

func errorResponse(e *inference.Error, c *call) *inference.HTTPResponse {
	e = front.Plain(e)
	header := http.Header{"Content-Type": {"application/json"}}
	c.describe(header)
	if e.RetryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	}
	if e == errMethod {
		header.Set("Allow", http.MethodPost)
	}
	return &inference.HTTPResponse{Status: formOf(e).status, Header: header, Body: encodeError(e, c.visit.ID)}
}

// errorEvent is an error in a stream that has begun.
func errorEvent(e *inference.Error, requestID string) []byte {
	return sse.Append(nil, sse.Event{Type: "error", Data: encodeError(front.Plain(e), requestID)})
}
