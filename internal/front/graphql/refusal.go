package graphql

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fairway/internal/inference"
)

// refusal is a request that is not executed at all. Its body has no data.
type refusal struct {
	status    int
	errorType string // also the x-amzn-errortype header
	message   string
	locations []location
}

func (r *refusal) Error() string { return r.message }

func malformed(message string) *refusal {
	return &refusal{status: http.StatusBadRequest, errorType: "MalformedHttpRequestException", message: message}
}

func tooLarge(limit int) *refusal {
	return &refusal{
		status: http.StatusRequestEntityTooLarge, errorType: "RequestEntityTooLargeException",
		message: fmt.Sprintf("Request body is larger than %d bytes.", limit),
	}
}

// unauthenticated is AppSync's answer to a caller it does not know (facts of
// 2026-11, section 3.5; the text for an expired token is from memory). What is wrong
// with a signature has the names that every service gives it (amplify-js issue 3447).
func (f *Front) unauthenticated(ctx context.Context, id string, r *http.Request, err error) *refusal {
	e := inference.AsError(err)
	if strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-") && signatureKinds[e.Kind] {
		return &refusal{status: e.Kind.Status(), errorType: string(e.Kind), message: e.Message}
	}
	text, known := map[inference.Kind]string{
		inference.MissingAuth:         "Valid authorization header not provided.",
		inference.IncompleteSignature: "Valid authorization header not provided.",
		inference.UnrecognizedClient:  "You are not authorized to make this call.",
		inference.InvalidSignature:    "You are not authorized to make this call.",
		inference.AccessDenied:        "You are not authorized to make this call.",
		inference.ExpiredToken:        "Token has expired.",
		inference.Validation:          "Unable to parse JWT token.",
	}[e.Kind]
	if !known {
		f.log.LogAttrs(ctx, slog.LevelWarn, "authentication failed", slog.String("request_id", id), slog.Any("error", err))
		return &refusal{status: e.Kind.Status(), errorType: "InternalFailureException", message: "An internal error occurred."}
	}
	if e.Message != "" {
		text = e.Message
	}
	return &refusal{status: http.StatusUnauthorized, errorType: "UnauthorizedException", message: text}
}

// signatureKinds are the errors of a signature.
var signatureKinds = map[inference.Kind]bool{
	inference.UnrecognizedClient: true, inference.InvalidSignature: true, inference.IncompleteSignature: true, inference.ExpiredToken: true,
}

// overload refuses a request for which there is no room.
func (f *Front) overload(w http.ResponseWriter, err error) {
	e := inference.AsError(err)
	retryAfter(w.Header(), e.RetryAfter)
	f.refuse(w, &refusal{status: e.Kind.Status(), errorType: string(e.Kind), message: e.Message})
}

// retryAfter tells how long to wait, in whole seconds.
func retryAfter(h http.Header, wait time.Duration) {
	h.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
}

func (f *Front) refuse(w http.ResponseWriter, err error) {
	r, ok := errors.AsType[*refusal](err)
	if !ok {
		r = &refusal{status: http.StatusInternalServerError, errorType: "InternalFailureException", message: "An internal error occurred."}
	}
	out := append([]byte(nil), `{"errors":[{"errorType":`...)
	out = appendString(out, r.errorType)
	if r.locations != nil {
		out = appendLocations(append(out, `,"locations":`...), r.locations)
	}
	out = append(appendString(append(out, `,"message":`...), r.message), `}]}`...)
	w.Header().Set("X-Amzn-Errortype", r.errorType)
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(r.status)
	w.Write(out) // an error means that the caller has gone
}
