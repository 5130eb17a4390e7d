package modelserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fairway/internal/inference"
)

// The service's texts for a region that gives no answer, and for a model that the
// caller may not use.
const (
	msgUnavailable = "Bedrock is unable to process your request."
	msgNoAccess    = "You don't have access to the model with the specified model ID."
)

// Broken is the error of a connection that failed, or of an answer that cannot be
// read.
func (s *Server) Broken(err error) *inference.Error {
	return &inference.Error{Kind: inference.ServiceUnavailable, Op: s.op, Message: msgUnavailable, Transport: true, Err: err}
}

// told is what came of an answer's event: an error that the server tells of, or one
// of reading it.
func (s *Server) told(err error) *inference.Error {
	e, ok := errors.AsType[*inference.Error](err)
	if !ok {
		return s.Broken(err)
	}
	return worded(*e)
}

// refused is the error of a response that is not 200.
func (s *Server) refused(response *http.Response) *inference.Error {
	status := response.StatusCode
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxText)) // what there is of it
	kind, message := s.refusal(text)
	if kind == "" {
		kind = kindOf(status)
	}
	foreign := message != ""
	if !foreign {
		message = "the model's server answered with HTTP status " + strconv.Itoa(status)
	}
	return worded(inference.Error{
		Kind: kind, Op: s.op, Message: message, Foreign: foreign,
		RetryAfter: retryAfter(response.Header.Get("Retry-After")),
		Err:        fmt.Errorf("the server answered with HTTP status %d", status),
	})
}

// maxMessage is how much of a server's message is passed on, in bytes.
const maxMessage = 1000

// worded is e with a message that the caller may read: what a server has against
// our key is not.
func worded(e inference.Error) *inference.Error {
	switch {
	case e.Kind == inference.AccessDenied:
		e.Message, e.Foreign = msgNoAccess, false
	case len(e.Message) > maxMessage:
		e.Message = strings.ToValidUTF8(e.Message[:maxMessage], "")
	}
	return &e
}

// kindOf is the kind of an HTTP status.
func kindOf(status int) inference.Kind {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return inference.Validation
	case http.StatusUnauthorized, http.StatusForbidden:
		return inference.AccessDenied
	case http.StatusNotFound:
		return inference.ResourceNotFound
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return inference.ModelTimeout
	case http.StatusTooManyRequests:
		return inference.Throttling
	case http.StatusBadGateway, http.StatusServiceUnavailable, statusOverloaded:
		return inference.ServiceUnavailable
	}
	return inference.InternalServer
}

// statusOverloaded is Anthropic's ("Errors", API reference).
const statusOverloaded = 529

// maxRetryAfter bounds what a server may ask for.
const maxRetryAfter = time.Hour

// retryAfter reads a number of seconds; 0 is not told.
func retryAfter(text string) time.Duration {
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || !(seconds > 0) {
		return 0
	}
	return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second))
}

// failure is err as the region's; a context that has ended explains all that
// failed under it. The first that has counts.
func (s *Server) failure(err error, region inference.Region, contexts ...context.Context) *inference.Error {
	e := *inference.AsError(err)
	for _, ctx := range contexts {
		if ended := ctx.Err(); errors.Is(ended, context.Canceled) {
			e = inference.Error{Kind: inference.Canceled, Op: s.op, Message: "the caller went away", Err: ended}
			break
		} else if ended != nil {
			e = *s.Broken(ended)
			break
		}
	}
	e.Region = region
	return &e
}
