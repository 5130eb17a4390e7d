package bedrock

import (
	"net/http"
	"strconv"
	"strings"

	"fairway/internal/front"
	"fairway/internal/inference"
)

// operation is what one operation of the API has of its own.
type operation struct {
	name   inference.Operation
	phrase string // in our messages

	// check refuses what no model would be asked, as Validation, and gives the
	// header of the call to the Gateway.
	check func(*call) (http.Header, error)

	// tell writes what the head of an answer has, given its first event. Content-Type
	// is set already.
	tell func(http.Header, *call, inference.Event)
}

// operationOf finds the operation by the path's last segment. Of the others that
// the Runtime API has, ApplyGuardrail, InvokeGuardrailChecks and the asynchronous
// ones have paths of another form, and the bidirectional stream has no place here.
func operationOf(action string) (operation, bool) {
	switch action {
	case "invoke":
		return invokeModel, true
	case "invoke-with-response-stream":
		return invokeModelWithResponseStream, true
	case "converse":
		return converse, true
	case "converse-stream":
		return converseStream, true
	case "count-tokens":
		return countTokens, true
	default:
		return operation{}, false
	}
}

// refuse is a Validation of the operation.
func (o operation) refuse(message string) error {
	return &inference.Error{Kind: inference.Validation, Op: "decode " + string(o.name), Message: message}
}

// malformed is the service's text for a body that is not what it should be; the
// finding may be empty.
func (o operation) malformed(finding string) error {
	if finding != "" {
		finding = ": " + finding
	}
	return o.refuse("Malformed input request" + finding + ", please reformat your input and try again.")
}

// maxIdentifier is the longest id or ARN, in bytes (Smithy shapes
// InvokeModelIdentifier and GuardrailIdentifier).
const maxIdentifier = 2048

// isIdentifier reports whether s is made as ids and ARNs are.
func isIdentifier(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:/"
	return len(s) <= maxIdentifier && strings.Trim(s, letters) == ""
}

// checkHead refuses what can be neither an id nor an ARN, and content that the
// operation does not take.
func checkHead(c *call) error {
	if c.model[0] == '.' || !isIdentifier(c.model) {
		return c.operation.refuse("The provided model identifier is invalid.")
	}
	if contentType := c.header.Get("Content-Type"); !front.IsJSON(contentType) {
		return c.operation.refuse(c.operation.phrase + ": content type " + strconv.Quote(front.Clip(contentType)) + " is not accepted: send application/json")
	}
	return nil
}
