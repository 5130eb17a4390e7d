package anthropic

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// EncodeAnswer is the body of a Messages response. An answer that broke off is an
// error of kind ModelError.
func (Dialect) EncodeAnswer(a *dialect.Answer) ([]byte, error) {
	if err := a.Stop.Failure(); err != nil {
		return nil, err
	}
	r := newResponse(a.Head, a.Usage)
	for i := range a.Content {
		part, err := partOf(&a.Content[i])
		if err != nil {
			return nil, err
		}
		r.Content = append(r.Content, part)
	}
	reason, sequence := encodeStop(a.Stop)
	r.StopReason, r.StopSequence = &reason, sequence
	return dialect.WriteBody(r)
}

// response is a Response whose stop reason may not be there yet, as in the
// message that a stream starts with.
type response struct {
	ID           string      `json:"id"`
	Type         string      `json:"type"`
	Role         string      `json:"role"`
	Model        string      `json:"model"`
	Content      []Part      `json:"content"`
	StopReason   *StopReason `json:"stop_reason"`
	StopSequence *string     `json:"stop_sequence"`
	Usage        Usage       `json:"usage"`
}

func newResponse(h dialect.Head, u inference.Usage) *response {
	return &response{
		ID: messageID(h.ID), Type: "message", Role: "assistant", Model: h.Model, Content: []Part{}, Usage: usageOf(u),
	}
}

// messageID is the id of an answer in Bedrock's form, from the hex digits of the
// head's: 22 letters and digits hold the 128 bits of a UUID.
func messageID(hex string) string {
	n, ok := new(big.Int).SetString(hex, 16)
	if !ok {
		n = new(big.Int)
	}
	digits := n.Text(62)
	return "msg_bdrk_01" + strings.Repeat("0", max(0, 22-len(digits))) + digits
}

func usageOf(u inference.Usage) Usage {
	usage := Usage{
		InputTokens: u.InputTokens, CacheCreationInputTokens: u.CacheWriteTokens,
		CacheReadInputTokens: u.CacheReadTokens, OutputTokens: u.OutputTokens,
	}
	if u.CacheWrite1h > 0 {
		usage.CacheCreation = &CacheCreation{max(0, u.CacheWriteTokens-u.CacheWrite1h), u.CacheWrite1h}
	}
	return usage
}

func partOf(b *dialect.Block) (Part, error) {
	switch b.Type {
	case dialect.Text:
		return TextPart(b.Text), nil
	case dialect.Reasoning:
		return Part{Type: "thinking", Thinking: &b.Text, Signature: &b.Signature}, nil
	case dialect.Redacted:
		return Part{Type: "redacted_thinking", Data: b.Text}, nil
	case dialect.ToolUse:
		return Part{Type: "tool_use", ID: b.ID, Name: b.Name, Input: b.Input}, nil
	}
	return Part{}, fmt.Errorf("encode Messages answer: a block of type %s", b.Type)
}

// encodeStop is how an answer ended in Anthropic's words, which are Converse's
// but for one: whoever kept the rest of the text back, it is a refusal.
func encodeStop(s dialect.Stop) (StopReason, *string) {
	switch s.Reason {
	case dialect.ContentFiltered, dialect.GuardrailIntervened:
		return Refused, nil
	case dialect.StopSequence:
		if s.Sequence != "" {
			return StopSequence, &s.Sequence
		}
	}
	return StopReason(s.Reason), nil
}

func decodeStop(reason StopReason, sequence *string) dialect.Stop {
	to := dialect.Stop{Reason: dialect.StopReason(reason)}
	switch reason {
	case Refused:
		to.Reason = dialect.ContentFiltered
	case Paused:
		to.Reason = dialect.EndTurn
	}
	if sequence != nil {
		to.Sequence = *sequence
	}
	return to
}

// DecodeAnswer reads the body of a Messages response. The head has the model
// alone: an id of Anthropic's says nothing of our request.
func (Dialect) DecodeAnswer(body []byte) (*dialect.Answer, error) {
	var r struct {
		Type         string
		Model        string
		Content      []Part
		StopReason   *StopReason `json:"stop_reason"`
		StopSequence *string     `json:"stop_sequence"`
		Usage        *tally
	}
	switch err := json.Unmarshal(body, &r); {
	case err != nil:
		return nil, fmt.Errorf("decode Messages answer: %w", err)
	case r.Type != "message" || r.StopReason == nil || r.Usage == nil:
		return nil, errors.New("decode Messages answer: it has no message, stop reason or usage")
	}
	a := &dialect.Answer{Head: dialect.Head{Model: r.Model}, Stop: decodeStop(*r.StopReason, r.StopSequence)}
	r.Usage.addTo(&a.Usage)
	for i := range r.Content {
		b, err := r.Content[i].block()
		if err != nil {
			return nil, err
		}
		a.Content = append(a.Content, b)
	}
	return a, nil
}

// block is a part in the vocabulary of dialects. A part of an unknown type is an
// error: content is never left out.
func (p *Part) block() (dialect.Block, error) {
	switch p.Type {
	case "text":
		return dialect.Block{Type: dialect.Text, Text: value(p.Text)}, nil
	case "thinking":
		return dialect.Block{Type: dialect.Reasoning, Text: value(p.Thinking), Signature: value(p.Signature)}, nil
	case "redacted_thinking":
		return dialect.Block{Type: dialect.Redacted, Text: p.Data}, nil
	case "tool_use":
		input := p.Input
		if len(input) == 0 {
			input = json.RawMessage("{}")
		}
		return dialect.Block{Type: dialect.ToolUse, ID: p.ID, Name: p.Name, Input: input}, nil
	}
	return dialect.Block{}, &inference.Error{
		Kind: inference.ModelError, Op: "decode Messages answer",
		Message: "the model answered with content that cannot be carried: " + clip(p.Type),
	}
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// tally is a usage of which members may be missing: those of a later event
// replace those of an earlier one, since they count from the start.
type tally struct {
	InputTokens              *int `json:"input_tokens"`
	CacheCreationInputTokens *int `json:"cache_creation_input_tokens"`
	CacheReadInputTokens     *int `json:"cache_read_input_tokens"`
	OutputTokens             *int `json:"output_tokens"`

	CacheCreation *CacheCreation `json:"cache_creation"`
}

func (t *tally) addTo(u *inference.Usage) {
	for _, member := range []struct {
		from *int
		to   *int
	}{
		{t.InputTokens, &u.InputTokens}, {t.OutputTokens, &u.OutputTokens},
		{t.CacheReadInputTokens, &u.CacheReadTokens}, {t.CacheCreationInputTokens, &u.CacheWriteTokens},
	} {
		if member.from != nil {
			*member.to = *member.from
		}
	}
	if t.CacheCreation != nil {
		u.CacheWrite1h = t.CacheCreation.Ephemeral1hInputTokens
	}
	u.Caching = u.Caching || t.CacheReadInputTokens != nil
}
