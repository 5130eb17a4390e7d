package sim

import (
	"context"
	"errors"
	"math"
	"strings"

	"fairway/internal/inference"
	"fairway/internal/dialect/anthropic"
)

// maxBody is Bedrock's limit on an InvokeModel body in bytes.
const maxBody = 25_000_000

// call is a request that the region has accepted.
type call struct {
	model   inference.Model
	tokens  Tokenizer
	request *anthropic.Request
	input   int // tokens
}

// open reads and checks a request as Bedrock does before a model sees it. Errors
// are Validation.
func (w *World) open(t inference.Target, r *inference.Request) (*call, error) {
	if r.Operation != inference.InvokeModel {
		return nil, invalid("simulated regions do not answer " + string(r.Operation) + " yet: use InvokeModel")
	}
	model, ok := w.config.Models(inference.ModelID(t.Model))
	if !ok {
		return nil, invalid(unknownModel)
	}
	if r.Header.Get("X-Amzn-Bedrock-Guardrailidentifier") != "" {
		return nil, invalid(noGuardrail)
	}
	if !model.ID.IsAnthropic() {
		return nil, invalid("simulated regions speak Anthropic Messages only so far, not the format of " +
			familyName(model.ID) + " models: use an anthropic.claude model")
	}
	if len(r.Body) > maxBody {
		return nil, invalid(inputTooLong)
	}
	return w.read(model, r.Body)
}

func (w *World) read(model inference.Model, body []byte) (*call, error) {
	voice := voiceOf(model.ID)
	request, err := anthropic.Decode(body)
	if wrong, ok := errors.AsType[*anthropic.TypeError](err); ok {
		return nil, invalid(voice.say(typeFinding(wrong)))
	}
	if err != nil {
		return nil, invalid(malformed)
	}
	if found := check(model, request); len(found) > 0 {
		return nil, invalid(voice.say(found...))
	}
	tokens := w.config.Tokens(model.ID)
	c := &call{model: model, tokens: tokens, request: request, input: tokens.Messages(request)}
	if found := c.checkWindow(); found != "" {
		return nil, invalid(found)
	}
	return c, nil
}

// limit is max_tokens, kept to what can be added up where a model's own limit is
// not known.
func (c *call) limit() int { return min(*c.request.MaxTokens, math.MaxInt32) }

// write asks the text source for its reply and cuts it as the request wants. A
// prefill that is not how the reply begins is followed by all of it.
func (w *World) write(ctx context.Context, c *call) (draft, error) {
	conversation := *c.request
	prefill, prefilled := c.request.Prefill()
	if prefilled {
		conversation.Messages = conversation.Messages[:len(conversation.Messages)-1]
	}
	reply, err := w.config.Text.Reply(ctx, c.model.ID, &conversation)
	if err != nil {
		return draft{}, err
	}
	if prefilled {
		reply.Text = strings.TrimPrefix(reply.Text, prefill)
	}
	return c.cut(reply), nil
}

// count is how many tokens each piece has.
func (c *call) count(pieces []string) []int {
	counts := make([]int, len(pieces))
	for i, p := range pieces {
		counts[i] = c.tokens.Text(p)
	}
	return counts
}

// familyName is the first two words of a model id: "amazon nova", "meta llama3".
func familyName(model inference.ModelID) string {
	provider, rest, _ := strings.Cut(string(model), ".")
	family, _, _ := strings.Cut(rest, "-")
	return strings.TrimSpace(provider + " " + family)
}

func invalid(message string) error {
	return &inference.Error{Kind: inference.Validation, Message: message}
}
