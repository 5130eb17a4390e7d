package cognito

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"fairway/internal/identitypool"
	"fairway/internal/inference"
	"fairway/internal/userpool"
)

// The exceptions that the door itself answers with.
const (
	serialization    = "SerializationException"
	tooLarge         = "RequestEntityTooLargeException"
	tooManyRequests  = string(userpool.TooManyRequests)
	unknownOperation = "UnknownOperationException"
)

const internalError = string(userpool.InternalError)

// refusal is an error of the door itself.
type refusal struct{ kind, message string }

// Error is the operator's line.
func (r refusal) Error() string { return r.kind + ": " + r.message }

func refuse(kind, message string) error { return refusal{kind, message} }

// answer is what is sent.
type answer struct {
	status int
	kind   string // of the exception, empty for none
	body   any
}

// told are the kinds of an identity pool's errors that its clients are told of.
var told = []inference.Kind{
	inference.ResourceNotFound, identitypool.InvalidConfiguration, identitypool.InvalidParameter, identitypool.NotAuthorized,
}

// failureOf is the service's answer to an error: the status 400 and the exception's
// name, but for what is our own fault, of which nothing is told.
func failureOf(err error) answer {
	status, kind, message := http.StatusBadRequest, internalError, ""
	if r, ok := errors.AsType[refusal](err); ok {
		kind, message = r.kind, r.message
	} else if e, ok := errors.AsType[*userpool.Error](err); ok {
		kind, message = string(e.Kind), e.Message
	} else if e, ok := errors.AsType[*inference.Error](err); ok && slices.Contains(told, e.Kind) {
		kind, message = string(e.Kind), e.Message
	}
	if kind == internalError {
		status, message = http.StatusInternalServerError, "Something went wrong"
	}
	return answer{status, kind, map[string]string{"__type": kind, "message": message}}
}

// send sends an answer. Nobody keeps a copy of it.
func send(w http.ResponseWriter, a answer) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(a.body); err != nil {
		panic(err) // outputs are structs of text and numbers
	}
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Cache-Control", "no-store")
	if a.kind != "" {
		header.Set("X-Amzn-Errortype", a.kind+":") // as the service writes it; clients cut there
	}
	header.Set("Content-Length", strconv.Itoa(text.Len()))
	w.WriteHeader(a.status)
	w.Write(text.Bytes()) // a failed write is the client's to notice
}
