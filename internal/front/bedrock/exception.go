package bedrock

import (
	"bytes"
	"cmp"
	"encoding/json"

	"fairway/internal/front"
	"fairway/internal/inference"
	"fairway/internal/wire/eventstream"
)

// exception is the frame that ends a stream with a failure.
func exception(op inference.Operation, e *inference.Error) []byte {
	e = front.Plain(e)
	name := exceptionOf(op, e.Kind)
	body := exceptionBody{Message: e.Message}
	if name == modelStreamError {
		body.OriginalStatusCode = cmp.Or(e.OriginalStatus, e.Kind.Status())
		body.OriginalMessage = e.Message
	}
	var payload bytes.Buffer
	encoder := json.NewEncoder(&payload)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		panic(err) // strings and numbers always encode
	}
	return eventstream.Append(nil, eventstream.ExceptionHeaders(name), bytes.TrimRight(payload.Bytes(), "\n"))
}

// exceptionBody is the payload of an exception; the latter two members are those
// of modelStreamErrorException alone.
type exceptionBody struct {
	Message            string `json:"message"`
	OriginalStatusCode int    `json:"originalStatusCode,omitempty"`
	OriginalMessage    string `json:"originalMessage,omitempty"`
}

const modelStreamError = "modelStreamErrorException"

// exceptionOf is the member of the operation's stream that says kind (Smithy
// unions ResponseStream and ConverseStreamOutput), else the nearest: one that
// tells as well whose fault it was and whether to try again.
func exceptionOf(op inference.Operation, kind inference.Kind) string {
	switch kind {
	case inference.Throttling:
		return "throttlingException"
	case inference.ServiceUnavailable, inference.ModelNotReady:
		return "serviceUnavailableException"
	case inference.ModelTimeout:
		if op == inference.InvokeModelWithResponseStream {
			return "modelTimeoutException"
		}
		return modelStreamError
	case inference.ModelStreamError, inference.ModelError:
		return modelStreamError
	}
	if status := kind.Status(); 400 <= status && status < 500 {
		return "validationException"
	}
	return "internalServerException"
}
