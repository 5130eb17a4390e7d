package route

import (
	"strings"

	"fairway/internal/inference"
)

// verdict is what a failed attempt means for the call.
type verdict int

const (
	// stop: another region would say the same.
	stop verdict = iota
	// next: the region is in trouble; its breaker counts the failure.
	next
	// nextOnce: the model failed on this request; one other target may try.
	nextOnce
	// nextWithoutBlame: the region is well but will not run this call.
	nextWithoutBlame
)

// useCaseForm begins the 404 of an account that has not filled out the model
// provider's form: no region answers before that is done.
const useCaseForm = "Model use case details have not been submitted"

// notOnDemand is in the 400 of a model that a region has for profiles only: the
// target was wrong about it, and the request may be right elsewhere.
const notOnDemand = "with on-demand throughput isn\u2019t supported"

// judge says whether a failure before the first content moves the call on.
//
// A 403 from a region means that our account is not entitled there: what IAM
// denies was refused before a target was planned. The credential errors are of
// the same sort, since regions that an account has not opted into know none of
// its credentials.
func judge(e *inference.Error) verdict {
	switch {
	case e.Kind == inference.Canceled:
		return stop
	case e.Transport:
		return next
	case isCredential(e.Kind):
		return nextWithoutBlame
	}
	switch e.Kind {
	case inference.Validation:
		if strings.Contains(e.Message, notOnDemand) {
			return nextWithoutBlame
		}
		return stop
	case inference.Conflict:
		return stop
	case inference.ResourceNotFound:
		if e.EndOfLife || strings.HasPrefix(e.Message, useCaseForm) {
			return stop
		}
		return nextWithoutBlame
	case inference.AccessDenied, inference.ServiceQuotaExceeded, inference.Throttling:
		return nextWithoutBlame
	case inference.ModelError:
		if e.OriginalStatus >= 500 {
			return nextOnce
		}
		return stop
	default: // ModelTimeout, ModelNotReady, ModelStreamError, InternalServer, ServiceUnavailable, unknown kinds
		return next
	}
}

// ending is what a failure shows of the target's health.
func (v verdict) ending() ending {
	if v == next {
		return failed
	}
	return untold
}

// unavailable is the service's text for a region without capacity.
const unavailable = "Bedrock is unable to process your request."

// passing reports whether the caller may expect better by waiting.
func passing(e *inference.Error) bool {
	return judge(e) == next || e.Kind == inference.Throttling
}

// mends reports whether the target itself may answer the same call a moment later. Of
// a region that took the request and broke on it that is not to be expected.
func mends(e *inference.Error) bool {
	return e.Transport || e.Kind == inference.Throttling || e.Kind == inference.ServiceUnavailable || e.Kind == inference.ModelNotReady
}

// asAnswered is e as the caller reads it. Connections and credentials between us
// and a region are not the caller's: such a failure reads as a 503.
func asAnswered(e *inference.Error) *inference.Error {
	answered := *e
	answered.Transport = false
	if e.Kind != inference.Canceled && (e.Transport || isCredential(e.Kind)) {
		answered.Kind, answered.Message, answered.Foreign, answered.Err = inference.ServiceUnavailable, unavailable, false, e
	}
	return &answered
}

// isCredential reports whether the service did not know who called.
func isCredential(k inference.Kind) bool {
	switch k {
	case inference.UnrecognizedClient, inference.InvalidSignature, inference.MissingAuth,
		inference.ExpiredToken, inference.IncompleteSignature:
		return true
	}
	return false
}
