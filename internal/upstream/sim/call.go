package sim

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"strconv"

	"fairway/internal/dialect"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
)

// maxBody is Bedrock's limit on an InvokeModel body in bytes.
const maxBody = 25_000_000

// defaultMaxTokens is what a call that does not limit itself may write where the
// model's own limit is not known.
const defaultMaxTokens = 4096

// call is a request that the region has accepted.
type call struct {
	model        inference.Model
	tokens       Tokenizer
	form         invocation.Form
	conversation *dialect.Conversation
	prompt       string // the text that an InvokeModel body is of, empty for one of messages
	streams      bool
	converse     bool // Converse or ConverseStream
	service      inference.Service
	input        int // tokens
	limit        int // of the output, tokens
}

// open reads and checks a request as Bedrock does before a model sees it. Errors
// are Validation.
func (w *World) open(t inference.Target, r *inference.Request) (*call, error) {
	model, ok := w.config.Models(inference.ModelID(t.Model))
	switch {
	case !ok:
		return nil, invalid(unknownModel)
	case r.Header.Get("X-Amzn-Bedrock-Guardrailidentifier") != "":
		return nil, invalid(noGuardrail)
	case len(r.Body) > maxBody:
		return nil, invalid(inputTooLong)
	case r.Operation.Streams() && !model.Streaming:
		return nil, invalid(noStreaming)
	case r.Operation == inference.CountTokens && !model.CountTokens:
		return nil, invalid(noCounting)
	}
	c := &call{model: model, tokens: w.config.Tokens(model.ID), streams: r.Operation.Streams()}
	if err := c.read(r.Operation, r.Body); err != nil {
		return nil, err
	}
	if c.conversation.Guardrail != nil {
		return nil, invalid(noGuardrail)
	}
	c.service = cmp.Or(invocation.Asked(r.Header), c.conversation.Service)
	c.input = c.tokens.Conversation(c.conversation)
	if r.Operation == inference.CountTokens {
		return c, nil
	}
	c.limit = min(cmp.Or(c.asked(), c.family().unasked, model.MaxOutput, defaultMaxTokens), math.MaxInt32)
	if found := c.checkWindow(); found != "" {
		return nil, invalid(found)
	}
	return c, nil
}

// read decodes and checks the body of an operation that runs a model, or the one
// inside a CountTokens body.
func (c *call) read(op inference.Operation, body []byte) (err error) {
	switch op {
	case inference.CountTokens:
		op, body, err = counting(body)
		if err != nil {
			return err
		}
		return c.read(op, body)
	case inference.Converse, inference.ConverseStream:
		c.converse = true
	default:
		if c.model.ID.IsAnthropic() {
			return c.readMessages(op, body)
		}
	}
	if c.form, err = invocation.Of(op, c.model.ID); err != nil {
		return err
	}
	if c.conversation, err = c.form.Decode(body); err != nil {
		return err
	}
	if c.converse {
		return c.checkConverse()
	}
	if c.family().prefix != "" {
		c.prompt = promptOf(body)
	}
	return c.checkInvoke()
}

// counting is the call inside a CountTokens body, and its operation.
func counting(body []byte) (inference.Operation, []byte, error) {
	var counted struct {
		Input struct {
			InvokeModel *struct {
				Body []byte `json:"body"`
			} `json:"invokeModel"`
			Converse json.RawMessage `json:"converse"`
		} `json:"input"`
	}
	if err := dialect.ReadBody(body, &counted); err != nil {
		return "", nil, err
	}
	switch input := counted.Input; {
	case (input.InvokeModel == nil) == (input.Converse == nil):
		return "", nil, invalid(oneInput)
	case input.Converse != nil:
		return inference.Converse, input.Converse, nil
	default:
		return inference.InvokeModel, input.InvokeModel.Body, nil
	}
}

// counted is the answer of CountTokens, which costs nothing.
func (c *call) counted() []inference.Event {
	body := strconv.AppendInt([]byte(`{"inputTokens":`), int64(c.input), 10)
	return []inference.Event{{Raw: append(body, '}'), Content: true, Final: true}}
}

// asked is the call's max_tokens, 0 without.
func (c *call) asked() int {
	if c.conversation.MaxTokens == nil {
		return 0
	}
	return *c.conversation.MaxTokens
}

// write asks the text source for its reply and cuts it as the request wants.
func (w *World) write(ctx context.Context, c *call) (draft, error) {
	reply, behind, err := w.reply(ctx, c)
	if err != nil && reply == nil {
		return draft{}, err
	}
	d := c.cut(reply, behind)
	d.failure = err
	return d, nil
}

func invalid(message string) error {
	return &inference.Error{Kind: inference.Validation, Message: message}
}
