package invocation

import (
	"encoding/base64"
	"encoding/json"

	"fairway/internal/dialect"
	"fairway/internal/dialect/converse"
	"fairway/internal/inference"
)

// Counted is the conversation inside a CountTokens body:
// {"input":{"invokeModel":{"body":"<base64>"}}} or {"input":{"converse":{...}}}.
// The error is a Validation.
func Counted(body []byte, model inference.ModelID) (*dialect.Conversation, error) {
	var request struct {
		Input struct {
			InvokeModel *struct {
				Body string `json:"body"`
			} `json:"invokeModel"`
			Converse json.RawMessage `json:"converse"`
		} `json:"input"`
	}
	if err := dialect.ReadBody(body, &request); err != nil {
		return nil, err
	}
	input := request.Input
	switch {
	case (input.InvokeModel == nil) == (input.Converse == nil):
		return nil, dialect.Malformed("#/input: exactly one of [invokeModel, converse] is wanted")
	case input.Converse != nil:
		return converse.Dialect{}.DecodeRequest(input.Converse)
	}
	inner, err := base64.StdEncoding.DecodeString(input.InvokeModel.Body)
	if err != nil {
		return nil, dialect.Malformed("#/input/invokeModel/body: not base64")
	}
	form, err := Of(inference.InvokeModel, model)
	if err != nil {
		return nil, err
	}
	return form.Decode(inner)
}
