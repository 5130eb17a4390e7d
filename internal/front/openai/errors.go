package openai

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"fairway/internal/dialect"
	"fairway/internal/dialect/openai"
	"fairway/internal/front"
	"fairway/internal/inference"
	"fairway/internal/wire/sse"
)

// form is how an error goes on the wire. An empty code is null.
type form struct {
	status int
	name   string // error.type
	code   string
}

var (
	invalidRequest = form{http.StatusBadRequest, "invalid_request_error", ""}
	unknownCaller  = form{http.StatusUnauthorized, "invalid_request_error", "invalid_api_key"}
	tooMany        = form{http.StatusTooManyRequests, "rate_limit_error", "rate_limit_exceeded"}
	serverError    = form{http.StatusInternalServerError, "server_error", ""}
	unavailable    = form{http.StatusServiceUnavailable, "server_error", ""}
)

// forms is the table Kind -> form; kinds that are not in it are a server error.
// The API has no 408: OpenAI's clients retry that like a 503.
var forms = map[inference.Kind]form{
	inference.Validation:           invalidRequest,
	inference.Conflict:             invalidRequest,
	inference.ServiceQuotaExceeded: {http.StatusTooManyRequests, "insufficient_quota", "insufficient_quota"},
	inference.MissingAuth:          unknownCaller,
	inference.UnrecognizedClient:   unknownCaller,
	inference.InvalidSignature:     unknownCaller,
	inference.ExpiredToken:         unknownCaller,
	inference.IncompleteSignature:  unknownCaller,
	inference.AccessDenied:         {http.StatusForbidden, "permission_error", "permission_denied"},
	inference.ResourceNotFound:     {http.StatusNotFound, "invalid_request_error", "model_not_found"},
	inference.Throttling:           tooMany,
	inference.ModelNotReady:        tooMany,
	inference.ModelTimeout:         unavailable,
	inference.ServiceUnavailable:   unavailable,
}

// misplaced is the cause of the errors for requests that are for no operation. It
// is their form.
type misplaced struct {
	form
	allow string // method, empty when the path is of no operation
}

// Error is the code.
func (m *misplaced) Error() string { return m.code }

func notFound(r *http.Request) error {
	return &inference.Error{
		Kind: inference.ResourceNotFound, Op: "find operation",
		Message: "Invalid URL (" + clip(r.Method) + " " + clip(r.URL.EscapedPath()) + ")",
		Err:     &misplaced{form{http.StatusNotFound, "invalid_request_error", "unknown_url"}, ""},
	}
}

func wrongMethod(r *http.Request, allow string) error {
	return &inference.Error{
		Kind: inference.Validation, Op: "find operation",
		Message: "Not allowed to " + clip(r.Method) + " on " + clip(r.URL.EscapedPath()) +
			". (HINT: Perhaps you meant to use a different HTTP method?)",
		Err: &misplaced{form{http.StatusMethodNotAllowed, "invalid_request_error", "method_not_supported"}, allow},
	}
}

// clip keeps what a message quotes short.
func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

func formOf(e *inference.Error) form {
	if m, ok := errors.AsType[*misplaced](e.Err); ok {
		return m.form
	}
	if f, ok := forms[e.Kind]; ok {
		return f
	}
	return serverError
}

// errorBody is the JSON of an error, as a body and as an event.
type errorBody struct {
	Error errorMember `json:"error"`
}

type errorMember struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

func encodeError(e *inference.Error) []byte {
	f, param := formOf(e), ""
	if at, ok := errors.AsType[*openai.ParameterError](e.Err); ok {
		param, f.code = at.Param, at.Code
	}
	text, err := dialect.WriteBody(errorBody{errorMember{e.Message, f.name, orNull(param), orNull(f.code)}})
	if err != nil {
		panic(err) // strings always encode
	}
	return text
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func errorResponse(e *inference.Error, c *call) *inference.HTTPResponse {
	e = front.Plain(e)
	header := http.Header{"Content-Type": {"application/json"}}
	c.describe(header)
	if e.RetryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	}
	if e.Kind == inference.ServiceQuotaExceeded {
		header.Set("X-Should-Retry", "false") // else OpenAI's clients retry every 429
	}
	if m, ok := errors.AsType[*misplaced](e.Err); ok && m.allow != "" {
		header.Set("Allow", m.allow)
	}
	return &inference.HTTPResponse{Status: formOf(e).status, Header: header, Body: encodeError(e)}
}

// errorEvent is an error in a stream that has begun. OpenAI's clients throw it.
func errorEvent(e *inference.Error) []byte {
	return sse.Append(nil, sse.Event{Data: encodeError(front.Plain(e))})
}
