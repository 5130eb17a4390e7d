package anthropic

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"fairway/internal/dialect/anthropic"
	"fairway/internal/inference"
)

// maxError is how much of an error's body, or of a count's, is read, in bytes.
const maxError = 64 << 10

var (
	errNoCount = errors.New("the answer has no count of tokens")
	errCut     = errors.New("the stream ended before message_stop")
)

// unavailable is the service's text for a region that gives no answer.
const unavailable = "Bedrock is unable to process your request."

// broken is a connection that failed, or gave what cannot be read.
func broken(err error) *inference.Error {
	return &inference.Error{Kind: inference.ServiceUnavailable, Op: "invoke Messages", Message: unavailable, Transport: true, Err: err}
}

// refusal is the error of a response that is not 200: by the error type that it
// names, else by its status.
func refusal(response *http.Response) *inference.Error {
	var body struct{ Error *anthropic.Failure }
	text, err := io.ReadAll(io.LimitReader(response.Body, maxError))
	if err == nil {
		err = json.Unmarshal(text, &body)
	}
	var e *inference.Error
	if err == nil && body.Error.Known() {
		e = body.Error.Err()
	} else {
		e = &inference.Error{
			Kind: kindOf(response.StatusCode), Op: "invoke Messages",
			Message: "the model's server answered with HTTP status " + strconv.Itoa(response.StatusCode),
		}
		if body.Error != nil && body.Error.Message != "" {
			e.Message = body.Error.Message
		}
	}
	e.RetryAfter = retryAfter(response.Header.Get("Retry-After"))
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
	case http.StatusBadGateway, http.StatusServiceUnavailable, 529:
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
// failed under it. Only the first that has counts.
func failure(err error, region inference.Region, contexts ...context.Context) *inference.Error {
	for _, ctx := range contexts {
		switch ended := ctx.Err(); {
		case errors.Is(ended, context.Canceled):
			return &inference.Error{Kind: inference.Canceled, Op: "invoke Messages", Region: region, Message: "the caller went away", Err: ended}
		case ended != nil:
			e := broken(ended)
			e.Region = region
			return e
		}
	}
	e := *inference.AsError(err)
	e.Region = region
	return &e
}
