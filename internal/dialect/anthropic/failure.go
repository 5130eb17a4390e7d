package anthropic

import "fairway/internal/inference"

// Failure is the error member of an error body or event.
type Failure struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

// kinds are what the error types of Anthropic's API mean ("Errors", API
// reference).
var kinds = map[string]inference.Kind{
	"invalid_request_error": inference.Validation,
	"authentication_error":  inference.AccessDenied,
	"billing_error":         inference.ServiceQuotaExceeded,
	"permission_error":      inference.AccessDenied,
	"not_found_error":       inference.ResourceNotFound,
	"request_too_large":     inference.Validation,
	"rate_limit_error":      inference.Throttling,
	"timeout_error":         inference.ModelTimeout,
	"api_error":             inference.InternalServer,
	"overloaded_error":      inference.ServiceUnavailable,
}

// Err is f as an error of the vocabulary. An unknown type, and the nil Failure,
// is InternalServer.
func (f *Failure) Err() *inference.Error {
	e := &inference.Error{Kind: inference.InternalServer, Op: "invoke Messages", Message: "the server told of an error and not which"}
	if f == nil {
		return e
	}
	if kind, ok := kinds[f.Type]; ok {
		e.Kind = kind
	}
	if f.Message != "" {
		e.Message, e.Foreign = f.Message, true
	}
	return e
}

// Known reports whether f has a type of Anthropic's.
func (f *Failure) Known() bool {
	if f == nil {
		return false
	}
	_, ok := kinds[f.Type]
	return ok
}
