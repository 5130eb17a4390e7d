package anthropic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"fairway/internal/dialect"
	"fairway/internal/dialect/anthropic"
	"fairway/internal/dialect/converse"
	"fairway/internal/inference"
)

// countTokens is POST /v1/messages/count_tokens: a Messages body without
// max_tokens in, {"input_tokens":N} out.
func (f *Front) countTokens(ctx context.Context, c *call) error {
	body, err := c.countBody()
	if err != nil {
		return err
	}
	stream, err := f.invoke(ctx, c, inference.CountTokens, body)
	if err != nil {
		return err
	}
	defer stream.Close()
	event, err := next(ctx, stream)
	if err != nil {
		return err
	}
	var counted struct {
		InputTokens *int `json:"inputTokens"`
	}
	if err := json.Unmarshal(event.Raw, &counted); err != nil {
		return fmt.Errorf("read count of tokens: %w", err)
	}
	if counted.InputTokens == nil {
		return errors.New("read count of tokens: there is none")
	}
	stream.Close() // completes the record
	return f.respond(c, fmt.Appendf(nil, `{"input_tokens":%d}`, *counted.InputTokens))
}

// countBody is the body of Bedrock's CountTokens: what is to be counted, in the
// form in which the model would be called.
func (c *call) countBody() ([]byte, error) {
	if c.model.IsAnthropic() {
		return countInput("invokeModel", map[string][]byte{"body": c.countNative()})
	}
	if err := c.checkBetas(); err != nil {
		return nil, err
	}
	request, err := anthropic.Decode(c.visit.Body)
	if err != nil {
		return nil, anthropic.Refusal(err)
	}
	asked, err := anthropic.Conversation(request)
	if err != nil {
		return nil, err
	}
	body, err := converse.Dialect{}.EncodeRequest(&dialect.Conversation{
		System: asked.System, Messages: asked.Messages, Tools: asked.Tools, ToolChoice: asked.ToolChoice, Thinking: asked.Thinking,
	})
	if err != nil {
		return nil, err
	}
	return countInput("converse", json.RawMessage(body))
}

// countNative is the body that Claude counts. InvokeModel wants a max_tokens,
// which counts for nothing.
func (c *call) countNative() []byte {
	if c.body.MaxTokens {
		return c.nativeBody(nil, nil)
	}
	return c.nativeBody([]string{"max_tokens"}, []string{`"max_tokens":1`})
}

// countInput is {"input":{FORM:body}}.
func countInput(form string, body any) ([]byte, error) {
	return dialect.WriteBody(map[string]any{"input": map[string]any{form: body}})
}
