package inference

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Kind classifies an error. Its text is the exception name of the service.
type Kind string

// Bedrock's modelled exceptions, the service's four names for a caller it does
// not know, and Canceled for a caller that went away.
const (
	Validation           Kind = "ValidationException"
	ServiceQuotaExceeded Kind = "ServiceQuotaExceededException"
	Conflict             Kind = "ConflictException"
	TooManyTags          Kind = "TooManyTagsException"
	AccessDenied         Kind = "AccessDeniedException"
	ResourceNotFound     Kind = "ResourceNotFoundException"
	ModelTimeout         Kind = "ModelTimeoutException"
	ModelError           Kind = "ModelErrorException"
	ModelStreamError     Kind = "ModelStreamErrorException"
	Throttling           Kind = "ThrottlingException"
	ModelNotReady        Kind = "ModelNotReadyException"
	InternalServer       Kind = "InternalServerException"
	ServiceUnavailable   Kind = "ServiceUnavailableException"

	UnrecognizedClient  Kind = "UnrecognizedClientException"
	InvalidSignature    Kind = "InvalidSignatureException"
	MissingAuth         Kind = "MissingAuthenticationTokenException"
	ExpiredToken        Kind = "ExpiredTokenException"
	IncompleteSignature Kind = "IncompleteSignatureException"

	Canceled Kind = "Canceled"
)

var statuses = map[Kind]int{
	Validation: 400, ServiceQuotaExceeded: 400, Conflict: 400, TooManyTags: 400, IncompleteSignature: 400,
	AccessDenied: 403, UnrecognizedClient: 403, InvalidSignature: 403, MissingAuth: 403, ExpiredToken: 403,
	ResourceNotFound: 404, ModelTimeout: 408,
	ModelError: 424, ModelStreamError: 424,
	Throttling: 429, ModelNotReady: 429,
	InternalServer: 500, ServiceUnavailable: 503,
	Canceled: 499,
}

// Status is the HTTP status of the kind; unknown kinds are 500.
func (k Kind) Status() int {
	if s, ok := statuses[k]; ok {
		return s
	}
	return http.StatusInternalServerError
}

// Error is the one error type that crosses packages. Message is the caller's
// voice: the service's own wording where that is known. The chain in Err is the
// operator's and never reaches a caller.
type Error struct {
	Kind           Kind
	Op             string        // what was being done, "invoke model"
	Region         Region        // where, empty when nowhere in particular
	Message        string        // what the caller reads
	Foreign        bool          // Message is the text of a region or a server, which may quote the request
	RetryAfter     time.Duration // how long to wait, 0 when not known
	Transport      bool          // no HTTP answer came: refused, dropped or timed out
	OriginalStatus int           // status behind a ModelError, 0 when not known
	EndOfLife      bool          // the model is retired
	Err            error         // cause
}

// Error is the operator's line: operation, region, kind, message, cause.
func (e *Error) Error() string {
	cause := ""
	if e.Err != nil {
		cause = e.Err.Error()
	}
	return e.line(e.Message, cause)
}

// LogValue is that line as a log may hold it. The message of a Validation, and one
// that is Foreign, may quote the request: it is left out, wherever in the chain it
// stands.
func (e *Error) LogValue() slog.Value {
	message, cause := e.Message, ""
	if e.Kind == Validation || e.Foreign {
		message = ""
	}
	if inner, ok := errors.AsType[*Error](e.Err); ok {
		cause = inner.LogValue().String()
	} else if e.Err != nil {
		cause = e.Err.Error()
	}
	return slog.StringValue(e.line(message, cause))
}

func (e *Error) line(message, cause string) string {
	parts := []string{e.Op, string(e.Region), string(e.Kind), message, cause}
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), ": ")
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// Status is the HTTP status the region answered with, 0 when no answer came.
func (e *Error) Status() int {
	if e.Transport {
		return 0
	}
	return e.Kind.Status()
}

// AsError gives err as an *Error; whatever is not one is an internal error whose
// text a caller never sees.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{
		Kind:    InternalServer,
		Message: "The system encountered an unexpected error during processing. Try your request again.",
		Err:     err,
	}
}
