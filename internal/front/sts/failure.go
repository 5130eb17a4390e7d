package sts

import (
	"encoding/xml"
	"errors"
	"net/http"
	"strconv"

	"fairway/internal/front"
	"fairway/internal/inference"
)

// The codes that the door answers with (AWS Security Token Service API Reference,
// "Common Errors", and the errors of its operations).
const (
	accessDenied          = "AccessDenied"
	expiredToken          = "ExpiredToken"
	expiredIdentityToken  = "ExpiredTokenException"
	incompleteSignature   = "IncompleteSignature"
	internalFailure       = "InternalFailure"
	invalidAction         = "InvalidAction"
	invalidClientToken    = "InvalidClientTokenId"
	invalidIdentityToken  = "InvalidIdentityToken"
	malformedInput        = "MalformedInput"
	malformedQuery        = "MalformedQueryString"
	missingAction         = "MissingAction"
	missingAuth           = "MissingAuthenticationToken"
	signatureDoesNotMatch = "SignatureDoesNotMatch"
	throttling            = "Throttling"
	tooLarge              = "RequestEntityTooLarge"
	validationError       = "ValidationError"
)

// statuses are those of the codes that are not answered with 400.
var statuses = map[string]int{
	accessDenied: http.StatusForbidden, expiredToken: http.StatusForbidden, invalidClientToken: http.StatusForbidden,
	missingAuth: http.StatusForbidden, signatureDoesNotMatch: http.StatusForbidden,
	malformedQuery: http.StatusNotFound, tooLarge: http.StatusRequestEntityTooLarge,
	internalFailure: http.StatusInternalServerError,
}

// failure is an error as its caller is told of it.
type failure struct {
	code    string
	status  int
	message string
}

// codes is the table from kinds of the vocabulary to codes.
var codes = map[inference.Kind]string{
	inference.UnrecognizedClient:  invalidClientToken,
	inference.InvalidSignature:    signatureDoesNotMatch,
	inference.MissingAuth:         missingAuth,
	inference.ExpiredToken:        expiredToken,
	inference.IncompleteSignature: incompleteSignature,
	inference.AccessDenied:        accessDenied,
	inference.Validation:          validationError,
}

func asFailure(err error) failure {
	code, message := internalFailure, "The request processing has failed because of an unknown error, exception or failure."
	if refused, ok := errors.AsType[*front.Exception](err); ok {
		code, message = refused.Name, refused.Message
	} else if e := inference.AsError(err); codes[e.Kind] != "" {
		code, message = codes[e.Kind], e.Message
	}
	status, ok := statuses[code]
	if !ok {
		status = http.StatusBadRequest
	}
	return failure{code, status, message}
}

// document is the failure in the API's form.
func (f failure) document(id string) any {
	fault := "Sender"
	if f.status >= http.StatusInternalServerError {
		fault = "Receiver"
	}
	type detail struct{ Type, Code, Message string }
	return struct {
		XMLName   xml.Name
		Error     detail
		RequestID string `xml:"RequestId"`
	}{xml.Name{Space: namespace, Local: "ErrorResponse"}, detail{fault, f.code, f.message}, id}
}

// response is the answer of an operation: its result under an element of its own
// name, and the request's id.
type response struct {
	XMLName xml.Name
	Result  any
	ID      string `xml:"ResponseMetadata>RequestId"`
}

// writeXML sends a document.
func writeXML(w http.ResponseWriter, status int, document any) {
	body, err := xml.Marshal(document)
	if err != nil {
		panic(err) // the documents are of this package, and hold text only
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) // a failed write is the client's to notice
}
