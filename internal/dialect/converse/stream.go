package converse

import (
	"encoding/json"
	"errors"
	"strconv"

	"fairway/internal/dialect"
	"fairway/internal/inference"
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

// event is the payload of any of them, its members in the order in which the
// service sends them.
type event struct {
	Fields            *fields            `json:"additionalModelResponseFields,omitempty"`
	ContentBlockIndex *int               `json:"contentBlockIndex,omitempty"`
	Delta             *blockDelta        `json:"delta,omitempty"`
	Metrics           *metrics           `json:"metrics,omitempty"`
	Filler            string             `json:"p,omitempty"`
	Performance       *performanceConfig `json:"performanceConfig,omitempty"`
	Role              dialect.Role       `json:"role,omitempty"`
	ServiceTier       *serviceTier       `json:"serviceTier,omitempty"`
	Start             *blockStart        `json:"start,omitempty"`
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

// encoder writes ConverseStream events.
type encoder struct {
	head   dialect.Head
	filler *dialect.Filler
	open   dialect.BlockType // of the block that was begun last
}

// NewEncoder begins the events of ConverseStream.
func (Dialect) NewEncoder(h dialect.Head) dialect.Encoder {
	return &encoder{head: h, filler: dialect.NewFiller(h)}
}

var errPiece = errors.New("encode ConverseStream: a piece of an unknown kind")

// Encode writes no start for text and reasoning, as the service does.
func (e *encoder) Encode(p dialect.Piece) ([]dialect.Payload, error) {
	switch p.Kind {
	case dialect.Began:
		return e.payload(messageStart, event{Role: dialect.Assistant})
	case dialect.BlockBegan:
		e.open = p.Block.Type
		if e.open != dialect.ToolUse {
			return nil, nil
		}
		start := &blockStart{ToolUse: &toolStart{p.Block.ID, p.Block.Name}}
		return e.payload(contentBlockStart, event{ContentBlockIndex: &p.Index, Start: start})
	case dialect.Delta:
		return e.delta(p)
	case dialect.Signature:
		delta := &blockDelta{ReasoningContent: &reasoningDelta{Signature: &p.Text}}
		return e.payload(contentBlockDelta, event{ContentBlockIndex: &p.Index, Delta: delta})
	case dialect.BlockEnded:
		return e.payload(contentBlockStop, event{ContentBlockIndex: &p.Index})
	case dialect.Stopped:
		return e.payload(messageStop, event{StopReason: p.Stop.Reason, Fields: writeFields(e.head, p.Stop)})
	case dialect.Ended:
		return e.end(p)
	}
	return nil, errPiece
}

// deltas are the text of a delta's JSON before the value and behind it.
var deltas = map[dialect.BlockType][2]string{
	dialect.Text:      {`,"delta":{"text":`, `},"p":"`},
	dialect.ToolUse:   {`,"delta":{"toolUse":{"input":`, `}},"p":"`},
	dialect.Reasoning: {`,"delta":{"reasoningContent":{"text":`, `}},"p":"`},
	dialect.Redacted:  {`,"delta":{"reasoningContent":{"redactedContent":`, `}},"p":"`},
}

// delta is written by hand: it is nearly every event of a stream.
func (e *encoder) delta(p dialect.Piece) ([]dialect.Payload, error) {
	around, ok := deltas[e.open]
	if !ok {
		return nil, errPiece
	}
	filler := e.filler.Next()
	json := make([]byte, 0, len(`{"contentBlockIndex":`)+len(around[0])+len(p.Text)+len(around[1])+len(filler)+16)
	json = append(json, `{"contentBlockIndex":`...)
	json = strconv.AppendInt(json, int64(p.Index), 10)
	json = append(json, around[0]...)
	json = dialect.AppendString(json, p.Text)
	json = append(json, around[1]...)
	json = append(json, filler...)
	return []dialect.Payload{{Type: contentBlockDelta, JSON: append(json, `"}`...)}}, nil
}

func (e *encoder) end(p dialect.Piece) ([]dialect.Payload, error) {
	last := event{Metrics: &metrics{p.LatencyMS}, Usage: new(tokenUsage)}
	if p.Usage != nil {
		last.Usage = writeUsage(*p.Usage)
	}
	served := p.Service
	if served == (inference.Service{}) {
		served = e.head.Service
	}
	last.Performance, last.ServiceTier = writeService(served)
	return e.payload(metadata, last)
}

func (e *encoder) payload(kind string, what event) ([]dialect.Payload, error) {
	what.Filler = e.filler.Next()
	text, err := dialect.WriteBody(what)
	return []dialect.Payload{{Type: kind, JSON: text}}, err
}
