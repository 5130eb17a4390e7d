package openai

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fairway/internal/dialect/openai"
	"fairway/internal/inference"
)

const op = "invoke chat completions"

// The service's texts for a region that gives no answer, and for a model that the
// caller may not use.
const (
	msgUnavailable = "Bedrock is unable to process your request."
	msgNoAccess    = "You don't have access to the model with the specified model ID."
)

// broken is a connection that failed, or gave what cannot be read.
func broken(err error) *inference.Error {
	return &inference.Error{Kind: inference.ServiceUnavailable, Op: op, Message: msgUnavailable, Transport: true, Err: err}
}

func refused(kind inference.Kind, message string) *inference.Error {
	return &inference.Error{Kind: kind, Op: op, Message: message}
}

// How much of an error's body is read, and how much of its text is passed on, in
// bytes.
const (
	maxError   = 64 << 10
	maxMessage = 1000
)

// refusal is the error of a response that is not 200. What a server has against
// our key is not for the caller to read.
func refusal(response *http.Response) *inference.Error {
	status := response.StatusCode
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxError)) // what there is of it
	e := refused(kindOf(status), openai.ErrorMessage(text))
	e.Err = fmt.Errorf("the server answered with HTTP status %d", status)
	e.RetryAfter = retryAfter(response.Header.Get("Retry-After"))
	switch {
	case e.Kind == inference.AccessDenied:
		e.Message = msgNoAccess
	case e.Message == "":
		e.Message = "the model's server answered with HTTP status " + strconv.Itoa(status)
	case len(e.Message) > maxMessage:
		e.Message = strings.ToValidUTF8(e.Message[:maxMessage], "")
	}
	return e
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
	case http.StatusBadGateway, http.StatusServiceUnavailable:
		return inference.ServiceUnavailable
	}
	return inference.InternalServer
}

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
func failure(err error, region inference.Region, contexts ...context.Context) *inference.Error {
	e := *inference.AsError(err)
	for _, ctx := range contexts {
		if ended := ctx.Err(); errors.Is(ended, context.Canceled) {
			e = *refused(inference.Canceled, "the caller went away")
			e.Err = ended
			break
		} else if ended != nil {
			e = *broken(ended)
			break
		}
	}
	e.Region = region
	return &e
}
