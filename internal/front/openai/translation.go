package openai

import (
	"encoding/json"
	"strings"

	"fairway/internal/dialect"
	"fairway/internal/dialect/converse"
	"fairway/internal/dialect/invocation"
	"fairway/internal/dialect/openai"
	"fairway/internal/inference"
	"fairway/internal/wire/sse"
)

// translation is the passage to every other model, through Converse.
type translation struct {
	call    *call
	reader  *invocation.Reader
	encoder dialect.Encoder
}

// request makes a Converse body of the chat completions body.
func (t *translation) request() (inference.Operation, []byte, error) {
	c := t.call
	if err := checkGuardrail(c.header); err != nil {
		return "", nil, err
	}
	conversation, err := openai.Dialect{}.DecodeRequest(c.body.Body)
	if err != nil {
		return "", nil, err
	}
	if id := c.header.Get(guardrailID); id != "" {
		conversation.Guardrail = &dialect.Guardrail{
			Identifier: id, Version: c.header.Get(guardrailVersion), Trace: strings.ToLower(c.header.Get(guardrailTrace)),
		}
	}
	if c.model.IsAnthropic() {
		carryNoTool(conversation)
	}
	op := inference.Converse
	if c.body.Stream {
		op = inference.ConverseStream
	}
	if t.reader, err = invocation.Read(op, c.model); err != nil {
		return "", nil, err
	}
	t.encoder = openai.Dialect{Usage: c.body.IncludeUsage}.NewEncoder(c.head())
	body, err := converse.Dialect{}.EncodeRequest(conversation)
	return op, body, err
}

// carryNoTool puts the choice of no tool where Claude has it, since Converse has none.
// Chat completions have no Extra that it could stand beside.
func carryNoTool(c *dialect.Conversation) {
	if c.ToolChoice != nil && c.ToolChoice.Mode == dialect.NoTool && len(c.Tools) > 0 {
		c.ToolChoice, c.Extra = nil, json.RawMessage(`{"tool_choice":{"type":"none"}}`)
	}
}

func (t *translation) whole(e inference.Event) ([]byte, error) {
	pieces, err := t.reader.Read(e)
	if err != nil {
		return nil, err
	}
	collector := dialect.NewCollector(t.call.head())
	for _, p := range pieces {
		if err := collector.Add(p); err != nil {
			return nil, err
		}
	}
	answer, err := collector.Answer()
	if err != nil {
		return nil, err
	}
	return openai.Dialect{}.EncodeAnswer(answer)
}

func (t *translation) chunks(dst []byte, e inference.Event) ([]byte, error) {
	pieces, err := t.reader.Read(e)
	if err != nil {
		return nil, err
	}
	for _, p := range pieces {
		payloads, err := t.encoder.Encode(p)
		if err != nil {
			return nil, err
		}
		for _, payload := range payloads {
			dst = sse.Append(dst, sse.Event{Data: payload.JSON})
		}
	}
	return dst, nil
}
