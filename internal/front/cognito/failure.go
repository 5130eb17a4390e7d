package cognito

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"fairway/internal/front"
	"fairway/internal/identitypool"
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

// answer is what is sent.
type answer struct {
	status int
	kind   string // of the exception, empty for none
	body   any
}

// failureOf is the service's answer to an error: the status 400 and the exception's
// name, but for what is our own fault, of which nothing is told.
func failureOf(err error) answer {
	status, kind, message := http.StatusBadRequest, internalError, ""
	if e, ok := errors.AsType[*front.Exception](err); ok {
		kind, message = e.Name, e.Message
	} else if e, ok := errors.AsType[*userpool.Error](err); ok {
		kind, message = string(e.Kind), e.Message
	} else if e, ok := errors.AsType[*identitypool.Error](err); ok {
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
