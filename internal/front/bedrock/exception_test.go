package bedrock

import (
	"encoding/json"
	"testing"

	"fairway/internal/inference"
	"fairway/internal/wire/eventstream"
)

// unions are the exceptions that the streams of the API have (Smithy unions
// ResponseStream and ConverseStreamOutput).
var unions = map[inference.Operation][]string{
	inference.InvokeModelWithResponseStream: {
		"internalServerException", "modelStreamErrorException", "validationException", "throttlingException",
		"modelTimeoutException", "serviceUnavailableException",
	},
	inference.ConverseStream: {
		"internalServerException", "modelStreamErrorException", "validationException", "throttlingException",
		"serviceUnavailableException",
	},
}

// TestExceptionsAreOfTheirUnion: whatever fails, clients know the exception, and
// each that they know is the answer to something.
func TestExceptionsAreOfTheirUnion(t *testing.T) {
	kinds := []inference.Kind{
		inference.Validation, inference.ServiceQuotaExceeded, inference.Conflict, inference.AccessDenied, inference.ResourceNotFound,
		inference.ModelTimeout, inference.ModelError, inference.ModelStreamError, inference.Throttling, inference.ModelNotReady,
		inference.InternalServer, inference.ServiceUnavailable, inference.ExpiredToken, "UnheardOfException",
	}
	for op, union := range unions {
		used := map[string]bool{}
		for _, member := range union {
			used[member] = false
		}
		for _, kind := range kinds {
			m, err := eventstream.Parse(exception(op, &inference.Error{Kind: kind, Message: "a \"<message>\""}))
			if err != nil {
				t.Fatal(err)
			}
			name := string(m.Headers.Text(eventstream.ExceptionType))
			if _, ok := used[name]; !ok {
				t.Errorf("%s of %s = %q, want one of %q", kind, op, name, union)
			}
			used[name] = true
			var body struct{ Message string }
			if err := json.Unmarshal(m.Payload, &body); err != nil || body.Message != "a \"<message>\"" {
				t.Errorf("%s of %s says %s, %v, want the message", kind, op, m.Payload, err)
			}
		}
		for member, ok := range used {
			if !ok {
				t.Errorf("%s of %s answers nothing", member, op)
			}
		}
	}
}
