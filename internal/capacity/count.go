package capacity

import (
	"encoding/json"
	"errors"
	"fmt"

	"fairway/internal/dialect"
	"fairway/internal/dialect/converse"
	"fairway/internal/tokens"
)

// Counted is the basis of a number that the service itself counted, by CountTokens.
const Counted tokens.Basis = "counted"

// counting is the body of CountTokens (facts bedrock.md 1.12).
type counting struct {
	Input struct {
		InvokeModel *struct {
			Body []byte `json:"body"` // in base64
		} `json:"invokeModel,omitempty"`
		Converse json.RawMessage `json:"converse,omitempty"`
	} `json:"input"`
}

// unwrap is what a body of CountTokens asks to have counted; any other body is itself.
func unwrap(given []byte) ([]byte, error) {
	var members map[string]json.RawMessage
	if json.Unmarshal(given, &members) != nil || len(members) != 1 || !isObject(members["input"]) {
		return given, nil
	}
	var c counting
	switch err := json.Unmarshal(given, &c); {
	case err != nil:
		return nil, fmt.Errorf("read the prompt as a body of CountTokens: %w", err)
	case (c.Input.InvokeModel == nil) == (c.Input.Converse == nil):
		return nil, errors.New("read the prompt as a body of CountTokens: input has one of invokeModel and converse: give exactly one")
	case c.Input.Converse != nil:
		return c.Input.Converse, nil
	}
	return c.Input.InvokeModel.Body, nil
}

// Counting is a body of CountTokens for the prompt: all of it that costs input tokens, as
// Converse has it, which every model takes that counts. The error is a Validation that
// names what Converse cannot carry.
func (p *Prompt) Counting() ([]byte, error) {
	c := p.conversation
	body, err := converse.Dialect{}.EncodeRequest(&dialect.Conversation{
		System: c.System, Messages: c.Messages, Tools: c.Tools, ToolChoice: c.ToolChoice, Thinking: c.Thinking,
	})
	if err != nil {
		return nil, err
	}
	var count counting
	count.Input.Converse = body
	return dialect.WriteBody(count)
}

// ReadCount is the number of input tokens in the answer of CountTokens.
func ReadCount(answer []byte) (int, error) {
	var counted struct {
		InputTokens *int `json:"inputTokens"`
	}
	if err := json.Unmarshal(answer, &counted); err != nil || counted.InputTokens == nil || *counted.InputTokens < 1 {
		return 0, errors.New("the answer is not one of CountTokens")
	}
	return *counted.InputTokens, nil
}
