package nova

import (
	"errors"
	"fmt"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// response is the body of a unary answer.
type response struct {
	Output struct {
		Message message `json:"message"`
	} `json:"output"`
	StopReason dialect.StopReason `json:"stopReason"`
	Usage      tokenUsage         `json:"usage"`
}

type tokenUsage struct {
	InputTokens               int `json:"inputTokens"`
	OutputTokens              int `json:"outputTokens"`
	TotalTokens               int `json:"totalTokens"`
	CacheReadInputTokenCount  int `json:"cacheReadInputTokenCount"`
	CacheWriteInputTokenCount int `json:"cacheWriteInputTokenCount"`
}

func usageOf(u inference.Usage) tokenUsage {
	total := u.InputTokens + u.OutputTokens + u.CacheReadTokens + u.CacheWriteTokens
	return tokenUsage{u.InputTokens, u.OutputTokens, total, u.CacheReadTokens, u.CacheWriteTokens}
}

// EncodeAnswer writes {"output":{"message":...},"stopReason":...,"usage":...}.
func (Dialect) EncodeAnswer(a *dialect.Answer) ([]byte, error) {
	r := response{StopReason: a.Stop.Reason, Usage: usageOf(a.Usage)}
	r.Output.Message = message{Role: dialect.Assistant, Content: make([]contentBlock, len(a.Content))}
	for i, b := range a.Content {
		w := &r.Output.Message.Content[i]
		switch b.Type {
		case dialect.Text:
			w.Text = &b.Text
		case dialect.ToolUse:
			w.ToolUse = &toolUse{b.ID, b.Name, b.Input}
		case dialect.Reasoning:
			w.Reasoning = &reasoning{&reasoningText{b.Text, b.Signature}}
		default:
			return nil, fmt.Errorf("encode Nova answer: Nova has no block of type %s", b.Type)
		}
	}
	return dialect.WriteBody(r)
}

// event is an event of ConverseStream, under a key of its type.
type event map[string]any

// encoder writes a streamed answer.
type encoder struct {
	open dialect.BlockType // of the block that was begun last
}

// NewEncoder begins a streamed answer.
func (Dialect) NewEncoder(dialect.Head) dialect.Encoder { return new(encoder) }

var errPiece = errors.New("encode Nova stream: a piece that Nova does not have")

// Encode writes no start for text and reasoning.
func (e *encoder) Encode(p dialect.Piece) ([]dialect.Payload, error) {
	switch p.Kind {
	case dialect.Began:
		return payload("messageStart", event{"role": dialect.Assistant})
	case dialect.BlockBegan:
		e.open = p.Block.Type
		if e.open != dialect.ToolUse {
			return nil, nil
		}
		call := event{"toolUseId": p.Block.ID, "name": p.Block.Name}
		return payload("contentBlockStart", event{"contentBlockIndex": p.Index, "start": event{"toolUse": call}})
	case dialect.Delta:
		delta, err := e.delta(p.Text)
		if err != nil {
			return nil, err
		}
		return payload("contentBlockDelta", event{"contentBlockIndex": p.Index, "delta": delta})
	case dialect.Signature:
		delta := event{"reasoningContent": event{"signature": p.Text}}
		return payload("contentBlockDelta", event{"contentBlockIndex": p.Index, "delta": delta})
	case dialect.BlockEnded:
		return payload("contentBlockStop", event{"contentBlockIndex": p.Index})
	case dialect.Stopped:
		return payload("messageStop", event{"stopReason": p.Stop.Reason})
	case dialect.Ended:
		var usage inference.Usage
		if p.Usage != nil {
			usage = *p.Usage
		}
		return payload("metadata", event{"usage": usageOf(usage), "metrics": event{}, "trace": event{}})
	}
	return nil, errPiece
}

func (e *encoder) delta(text string) (event, error) {
	switch e.open {
	case dialect.Text:
		return event{"text": text}, nil
	case dialect.ToolUse:
		return event{"toolUse": event{"input": text}}, nil
	case dialect.Reasoning:
		return event{"reasoningContent": event{"text": text}}, nil
	}
	return nil, errPiece
}

func payload(kind string, e event) ([]dialect.Payload, error) {
	text, err := dialect.WriteBody(event{kind: e})
	return []dialect.Payload{{JSON: text}}, err
}
