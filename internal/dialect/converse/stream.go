package converse

import (
	"encoding/json"
	"errors"

	"fairway/internal/dialect"
)

// The members of the union ConverseStreamOutput that are events, which are their
// types on the wire.
const (
	messageStart      = "messageStart"
	contentBlockStart = "contentBlockStart"
	contentBlockDelta = "contentBlockDelta"
	contentBlockStop  = "contentBlockStop"
	messageStop       = "messageStop"
	metadata          = "metadata"
)

// event is the payload of any of them.
type event struct {
	Role              dialect.Role       `json:"role,omitempty"`
	ContentBlockIndex *int               `json:"contentBlockIndex,omitempty"`
	Start             *blockStart        `json:"start,omitempty"`
	Delta             *blockDelta        `json:"delta,omitempty"`
	Metrics           *metrics           `json:"metrics,omitempty"`
	StopReason        dialect.StopReason `json:"stopReason,omitempty"`
	Usage             *tokenUsage        `json:"usage,omitempty"`
}

// blockStart is a union.
type blockStart struct {
	ToolUse *toolStart `json:"toolUse,omitempty"`
}

type toolStart struct {
	ToolUseID string `json:"toolUseId"`
	Name      string `json:"name"`
}

// blockDelta is a union. A citation is read over, what it stands beside is not.
type blockDelta struct {
	Text             *string         `json:"text,omitempty"`
	ToolUse          *toolDelta      `json:"toolUse,omitempty"`
	ReasoningContent *reasoningDelta `json:"reasoningContent,omitempty"`
	Citation         json.RawMessage `json:"citation,omitempty"`
}

type toolDelta struct {
	Input string `json:"input"` // more of a JSON text
}

// reasoningDelta is a union.
type reasoningDelta struct {
	Text            *string `json:"text,omitempty"`
	Signature       *string `json:"signature,omitempty"`
	RedactedContent *string `json:"redactedContent,omitempty"` // base64
}

// encoder writes ConverseStream events. The filler p of the service is left out:
// clients pass it over.
type encoder struct {
	open dialect.BlockType // of the block that was begun last
}

// NewEncoder begins the events of ConverseStream.
func (Dialect) NewEncoder(dialect.Head) dialect.Encoder { return new(encoder) }

var errPiece = errors.New("encode ConverseStream: a piece of an unknown kind")

// Encode writes no start for text and reasoning, as the service does.
func (e *encoder) Encode(p dialect.Piece) ([]dialect.Payload, error) {
	switch p.Kind {
	case dialect.Began:
		return payload(messageStart, event{Role: dialect.Assistant})
	case dialect.BlockBegan:
		e.open = p.Block.Type
		if e.open != dialect.ToolUse {
			return nil, nil
		}
		start := &blockStart{ToolUse: &toolStart{p.Block.ID, p.Block.Name}}
		return payload(contentBlockStart, event{ContentBlockIndex: &p.Index, Start: start})
	case dialect.Delta:
		return payload(contentBlockDelta, event{ContentBlockIndex: &p.Index, Delta: e.delta(p.Text)})
	case dialect.Signature:
		delta := &blockDelta{ReasoningContent: &reasoningDelta{Signature: &p.Text}}
		return payload(contentBlockDelta, event{ContentBlockIndex: &p.Index, Delta: delta})
	case dialect.BlockEnded:
		return payload(contentBlockStop, event{ContentBlockIndex: &p.Index})
	case dialect.Stopped:
		return payload(messageStop, event{StopReason: p.Stop.Reason})
	case dialect.Ended:
		return e.end(p)
	}
	return nil, errPiece
}

func (e *encoder) delta(text string) *blockDelta {
	switch e.open {
	case dialect.ToolUse:
		return &blockDelta{ToolUse: &toolDelta{text}}
	case dialect.Reasoning:
		return &blockDelta{ReasoningContent: &reasoningDelta{Text: &text}}
	case dialect.Redacted:
		return &blockDelta{ReasoningContent: &reasoningDelta{RedactedContent: &text}}
	}
	return &blockDelta{Text: &text}
}

func (e *encoder) end(p dialect.Piece) ([]dialect.Payload, error) {
	last := event{Metrics: &metrics{p.LatencyMS}, Usage: new(tokenUsage)}
	if p.Usage != nil {
		last.Usage = writeUsage(*p.Usage)
	}
	return payload(metadata, last)
}

func payload(kind string, e event) ([]dialect.Payload, error) {
	text, err := dialect.WriteBody(e)
	return []dialect.Payload{{Type: kind, JSON: text}}, err
}
