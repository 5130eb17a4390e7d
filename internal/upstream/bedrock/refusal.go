package bedrock

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fairway/internal/inference"
)

// The service's texts for a region without capacity, and for a failure that it
// gives no words to.
const (
	unavailable = "Bedrock is unable to process your request."
	unexpected  = "The system encountered an unexpected error during processing. Try your request again."
)

// endOfLife is in the 404 of a retired model.
const endOfLife = "reached the end of its life"

// refusal is an HTTP error as the service means it: by its type, else by its
// status, as the SDKs read it (facts bedrock.md 1.5).
func refusal(r *http.Response, body []byte) *inference.Error {
	var said struct {
		Type           string `json:"__type"`
		Code           string `json:"code"`
		Message        string `json:"message"` // either casing: encoding/json tells none from the other
		OriginalStatus int    `json:"originalStatusCode"`
	}
	_ = json.Unmarshal(body, &said) // a proxy's page says nothing that we know
	kind := kindOf(cmp.Or(r.Header.Get("X-Amzn-Errortype"), said.Type, said.Code), r.StatusCode)
	return &inference.Error{
		Kind:           kind,
		Message:        cmp.Or(said.Message, silent(kind)),
		Foreign:        said.Message != "",
		RetryAfter:     retryAfter(r.Header, time.Now()),
		OriginalStatus: said.OriginalStatus,
		EndOfLife:      kind == inference.ResourceNotFound && strings.Contains(said.Message, endOfLife),
	}
}

// silent is the message of an error without one.
func silent(k inference.Kind) string {
	if k == inference.ServiceUnavailable {
		return unavailable
	}
	return unexpected
}

// kinds are what the service's names of errors mean here: its exceptions, and the
// common errors of all services (User Guide, "Troubleshooting Amazon Bedrock API
// error codes").
var kinds = map[string]inference.Kind{
	"ValidationException":                 inference.Validation,
	"ValidationError":                     inference.Validation,
	"UnknownOperationException":           inference.Validation,
	"SerializationException":              inference.Validation,
	"ServiceQuotaExceededException":       inference.ServiceQuotaExceeded,
	"ConflictException":                   inference.Conflict,
	"AccessDeniedException":               inference.AccessDenied,
	"MPAgreementBeingCreated":             inference.AccessDenied,
	"NotAuthorized":                       inference.AccessDenied,
	"OptInRequired":                       inference.AccessDenied,
	"ResourceNotFoundException":           inference.ResourceNotFound,
	"FTUFormNotFilled":                    inference.ResourceNotFound,
	"ModelTimeoutException":               inference.ModelTimeout,
	"ModelErrorException":                 inference.ModelError,
	"ModelStreamErrorException":           inference.ModelStreamError,
	"ThrottlingException":                 inference.Throttling,
	"Throttling":                          inference.Throttling,
	"TooManyRequestsException":            inference.Throttling,
	"RequestLimitExceeded":                inference.Throttling,
	"ModelNotReadyException":              inference.ModelNotReady,
	"InternalServerException":             inference.InternalServer,
	"InternalFailure":                     inference.InternalServer,
	"InternalServerError":                 inference.InternalServer,
	"ServiceUnavailableException":         inference.ServiceUnavailable,
	"ServiceUnavailable":                  inference.ServiceUnavailable,
	"UnrecognizedClientException":         inference.UnrecognizedClient,
	"InvalidClientTokenId":                inference.UnrecognizedClient,
	"InvalidSignatureException":           inference.InvalidSignature,
	"SignatureDoesNotMatch":               inference.InvalidSignature,
	"MissingAuthenticationToken":          inference.MissingAuth,
	"MissingAuthenticationTokenException": inference.MissingAuth,
	"ExpiredTokenException":               inference.ExpiredToken,
	"RequestExpired":                      inference.ExpiredToken,
	"IncompleteSignature":                 inference.IncompleteSignature,
	"IncompleteSignatureException":        inference.IncompleteSignature,
}

// kindOf reads a type such as
// "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/" or
// "com.amazon.bedrock#ThrottlingException".
func kindOf(name string, status int) inference.Kind {
	name, _, _ = strings.Cut(name, ":")
	name = name[strings.LastIndexByte(name, '#')+1:]
	if kind, ok := kinds[name]; ok {
		return kind
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return inference.AccessDenied
	case http.StatusNotFound:
		return inference.ResourceNotFound
	case http.StatusRequestTimeout:
		return inference.ModelTimeout
	case http.StatusFailedDependency:
		return inference.ModelError
	case http.StatusTooManyRequests:
		return inference.Throttling
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return inference.ServiceUnavailable
	}
	if status >= 400 && status < 500 {
		return inference.Validation
	}
	return inference.InternalServer
}

// longestWait is the most that a region is believed to want to be left alone.
const longestWait = time.Hour

// retryAfter is how long to wait, by seconds or by date; 0 when it is not said.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil || errors.Is(err, strconv.ErrRange) {
		most := int(longestWait / time.Second)
		return time.Duration(min(max(seconds, 0), most)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), longestWait)
	}
	return 0
}
