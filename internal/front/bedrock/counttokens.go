package bedrock

import (
	"bytes"
	"encoding/json"
	"net/http"

	"fairway/internal/inference"
)

// countTokens is POST /model/{modelId}/count-tokens (Smithy shape
// CountTokensRequest): {"input": {"invokeModel": {"body": base64}}} or {"input":
// {"converse": {...}}} in, {"inputTokens": N} out.
var countTokens = operation{name: inference.CountTokens, phrase: "count tokens", check: checkCount, tell: tellNothing}

// checkCount checks that there is one thing to count. What is in it is the
// model's to judge.
func checkCount(c *call) (http.Header, error) {
	var body struct {
		Input *struct {
			InvokeModel *struct {
				Body *json.RawMessage `json:"body"`
			} `json:"invokeModel"`
			Converse *json.RawMessage `json:"converse"`
		} `json:"input"`
	}
	if err := decodeObject(c.operation, c.visit.Body, &body); err != nil {
		return nil, err
	}
	input := body.Input
	switch {
	case input == nil:
		return nil, c.operation.refuse(missing("input"))
	case (input.InvokeModel == nil) == (input.Converse == nil):
		return nil, c.operation.refuse("count tokens: input holds one of invokeModel and converse: send exactly one")
	case input.Converse != nil:
		if bytes.HasPrefix(*input.Converse, []byte("{")) {
			return http.Header{}, nil
		}
		return nil, c.operation.malformed("#/input/converse: expected type: JSONObject")
	case input.InvokeModel.Body == nil:
		return nil, c.operation.refuse(missing("input.invokeModel.body"))
	}
	var blob []byte
	if err := json.Unmarshal(*input.InvokeModel.Body, &blob); err != nil {
		return nil, c.operation.malformed("#/input/invokeModel/body: expected the InvokeModel body in base64")
	}
	return http.Header{}, nil
}

// missing is the service's text for a member that is required.
func missing(member string) string {
	return "1 validation error detected: Value null at '" + member + "' failed to satisfy constraint: Member must not be null"
}
