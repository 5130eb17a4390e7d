package invocation

import (
	"encoding/json"
	"errors"
	"strings"

	"fairway/internal/inference"
	"fairway/internal/wire/eventstream"
)

// exceptions are the kinds that a frame may name, by the service's unions and, for
// a frame of message type error, the documented codes.
var exceptions = map[string]inference.Kind{
	"internalserverexception":     inference.InternalServer,
	"modelstreamerrorexception":   inference.ModelStreamError,
	"validationexception":         inference.Validation,
	"throttlingexception":         inference.Throttling,
	"modeltimeoutexception":       inference.ModelTimeout,
	"serviceunavailableexception": inference.ServiceUnavailable,
	"modelerrorexception":         inference.ModelError,
	"modelnotreadyexception":      inference.ModelNotReady,
	"accessdeniedexception":       inference.AccessDenied,
	"resourcenotfoundexception":   inference.ResourceNotFound,
	"serviceunavailable":          inference.ServiceUnavailable,
	"validationerror":             inference.Validation,
}

// failure is the error that a frame carries, nil where it is an event.
func failure(op inference.Operation, m eventstream.Message) error {
	switch string(m.Headers.Text(eventstream.MessageType)) {
	case "event":
		return nil
	case "exception":
		var body struct {
			Message            string `json:"message"`
			OriginalStatusCode int    `json:"originalStatusCode"`
			OriginalMessage    string `json:"originalMessage"`
		}
		cause := json.Unmarshal(m.Payload, &body)
		if body.OriginalMessage != "" {
			cause = &inference.Error{Op: "the model said", Message: body.OriginalMessage, Foreign: true}
		}
		e := named(op, string(m.Headers.Text(eventstream.ExceptionType)), body.Message)
		e.OriginalStatus, e.Err = body.OriginalStatusCode, errors.Join(e.Err, cause)
		return e
	case "error":
		return named(op, string(m.Headers.Text(eventstream.ErrorCode)), string(m.Headers.Text(eventstream.ErrorMessage)))
	}
	return unreadable(op, errNoMessageType)
}

var errNoMessageType = errors.New("a frame without a known message type")

// named is the error of a name; one that is not known is an internal error.
func named(op inference.Operation, name, message string) *inference.Error {
	kind, ok := exceptions[strings.ToLower(name)]
	if !ok {
		return &inference.Error{Kind: inference.InternalServer, Op: string(op), Message: message, Foreign: true, Err: errors.New("an exception of type " + name)}
	}
	return &inference.Error{Kind: kind, Op: string(op), Message: message, Foreign: true}
}

// unreadable is the error for an answer that is not of its operation's form: the
// region is at fault, as when its connection drops.
func unreadable(op inference.Operation, err error) *inference.Error {
	return &inference.Error{
		Kind: inference.ServiceUnavailable, Op: string(op), Transport: true,
		Message: "Bedrock is unable to process your request.", Err: err,
	}
}
