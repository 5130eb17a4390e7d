package front

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"

	"fairway/internal/inference"
)

// errorNamespace follows the exception's name in x-amzn-ErrorType; SDKs cut at
// the colon.
const errorNamespace = ":http://internal.amazon.com/coral/com.amazon.bedrock/"

// msgUnavailable is what callers read when no region gave any HTTP answer.
const msgUnavailable = "Bedrock is unable to process your request."

// Plain is e as its caller is told of it. A transport failure has no form of its
// own: to the caller the service was not available.
func Plain(e *inference.Error) *inference.Error {
	if !e.Transport {
		return e
	}
	return &inference.Error{Kind: inference.ServiceUnavailable, Message: msgUnavailable, RetryAfter: e.RetryAfter}
}

// ServiceError is the service's answer to a failed call, of the Runtime and of
// the control plane.
func ServiceError(e *inference.Error) *inference.HTTPResponse {
	e = Plain(e)
	f := formOf(e)
	body := map[string]any{f.member: e.Message}
	if e.Kind == inference.ModelError && e.OriginalStatus != 0 {
		body["originalStatusCode"] = e.OriginalStatus
	}
	response := f.response(body)
	if e.RetryAfter > 0 {
		seconds := int(math.Ceil(e.RetryAfter.Seconds()))
		response.Header.Set("Retry-After", strconv.Itoa(seconds))
	}
	return response
}

// UnknownOperation answers a request that is for no operation: 404 where the path
// is of none, 405 where the method is another.
func UnknownOperation(status int) *inference.HTTPResponse {
	return form{status: status, name: "UnknownOperationException"}.response(map[string]any{
		"message": "The requested operation is not recognized by the service.",
	})
}

// form is how an error goes on the wire.
type form struct {
	status int
	name   string // of the exception
	member string // of the body that holds the message
}

// formOf is the table Kind -> form. The service itself writes "message"; what
// stands before it, checking signatures and IAM, writes "Message".
func formOf(e *inference.Error) form {
	f := form{e.Kind.Status(), string(e.Kind), "message"}
	switch e.Kind {
	case inference.MissingAuth, inference.UnrecognizedClient, inference.InvalidSignature,
		inference.ExpiredToken, inference.IncompleteSignature:
		f.member = "Message"
	case inference.AccessDenied:
		if strings.HasPrefix(e.Message, "User: ") { // IAM's own; the service refuses models by the same name
			f.member = "Message"
		}
	}
	return f
}

func (f form) response(body map[string]any) *inference.HTTPResponse {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		panic(err) // strings and numbers always encode
	}
	header := http.Header{}
	header.Set("Content-Type", "application/json")
	header.Set("X-Amzn-Errortype", f.name+errorNamespace)
	return &inference.HTTPResponse{Status: f.status, Header: header, Body: bytes.TrimRight(text.Bytes(), "\n")}
}

// ServiceWriter is w for an answer in the service's form: two names go out in the
// service's own case, which is not Go's.
func ServiceWriter(w http.ResponseWriter) http.ResponseWriter { return serviceWriter{w} }

type serviceWriter struct{ http.ResponseWriter }

var serviceNames = [...]struct{ canonical, service string }{
	{"X-Amzn-Requestid", "x-amzn-RequestId"},
	{"X-Amzn-Errortype", "x-amzn-ErrorType"},
}

// WriteHeader sends the header.
func (w serviceWriter) WriteHeader(status int) {
	h := w.Header()
	for _, name := range serviceNames {
		if values, ok := h[name.canonical]; ok {
			delete(h, name.canonical)
			h[name.service] = values
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w serviceWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Respond sends a whole response.
func Respond(w http.ResponseWriter, r *inference.HTTPResponse) {
	maps.Copy(w.Header(), r.Header)
	Send(w, r.Status, r.Body)
}

// Send sends a whole response, of which w has the header.
func Send(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) // a failed write is the client's to notice
}
