package nova

import (
	"encoding/json"
	"errors"
	"fmt"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// decoder reads a streamed answer. Text and reasoning begin without a start, as in
// ConverseStream: blocks are begun and numbered here.
type decoder struct {
	blocks int               // begun so far
	open   dialect.BlockType // empty when none is
	at     int               // Nova's position of the open block
	ended  bool
}

// NewDecoder begins to read a streamed answer.
func (Dialect) NewDecoder() dialect.Decoder { return new(decoder) }

// streamed is an event: one member is given.
type streamed struct {
	MessageStart      *struct{}   `json:"messageStart"`
	ContentBlockStart *blockEvent `json:"contentBlockStart"`
	ContentBlockDelta *blockEvent `json:"contentBlockDelta"`
	ContentBlockStop  *blockEvent `json:"contentBlockStop"`
	MessageStop       *struct {
		StopReason dialect.StopReason `json:"stopReason"`
	} `json:"messageStop"`
	Metadata *struct {
		Usage tokenUsage `json:"usage"`
	} `json:"metadata"`
}

type blockEvent struct {
	Index int `json:"contentBlockIndex"`
	Start struct {
		ToolUse *toolUse `json:"toolUse"`
	} `json:"start"`
	Delta struct {
		Text    *string `json:"text"`
		ToolUse *struct {
			Input string `json:"input"`
		} `json:"toolUse"`
		Reasoning *reasoningDelta `json:"reasoningContent"`
	} `json:"delta"`
}

type reasoningDelta struct {
	Text      string `json:"text"`
	Signature string `json:"signature"`
}

var errEvent = errors.New("decode Nova stream: an event out of order")

// Decode passes over events that it does not know.
func (d *decoder) Decode(p dialect.Payload) ([]dialect.Piece, error) {
	var e streamed
	if err := json.Unmarshal(p.JSON, &e); err != nil {
		return nil, fmt.Errorf("decode Nova stream: %w", err)
	}
	switch {
	case d.ended:
		return nil, errEvent
	case e.MessageStart != nil:
		return []dialect.Piece{{Kind: dialect.Began}}, nil
	case e.ContentBlockStart != nil:
		return d.start(e.ContentBlockStart)
	case e.ContentBlockDelta != nil:
		return d.delta(e.ContentBlockDelta)
	case e.ContentBlockStop != nil:
		return d.end(nil), nil
	case e.MessageStop != nil:
		return append(d.end(nil), dialect.Piece{Kind: dialect.Stopped, Stop: dialect.Stop{Reason: e.MessageStop.StopReason}}), nil
	case e.Metadata != nil:
		d.ended = true
		return append(d.end(nil), dialect.Piece{Kind: dialect.Ended, Usage: e.Metadata.Usage.usage()}), nil
	}
	return nil, nil
}

func (u tokenUsage) usage() *inference.Usage {
	return &inference.Usage{
		InputTokens: u.InputTokens, OutputTokens: u.OutputTokens,
		CacheReadTokens: u.CacheReadInputTokenCount, CacheWriteTokens: u.CacheWriteInputTokenCount,
	}
}

func (d *decoder) start(e *blockEvent) ([]dialect.Piece, error) {
	if e.Start.ToolUse == nil {
		return nil, nil // of text, which its first delta begins
	}
	return d.begin(e.Index, dialect.Block{Type: dialect.ToolUse, ID: e.Start.ToolUse.ToolUseID, Name: e.Start.ToolUse.Name}), nil
}

func (d *decoder) delta(e *blockEvent) ([]dialect.Piece, error) {
	kind, piece := dialect.Text, dialect.Piece{Kind: dialect.Delta}
	switch delta := e.Delta; {
	case delta.Text != nil:
		piece.Text = *delta.Text
	case delta.ToolUse != nil:
		kind, piece.Text = dialect.ToolUse, delta.ToolUse.Input
	case delta.Reasoning == nil:
		return nil, errEvent
	case delta.Reasoning.Signature != "":
		kind, piece = dialect.Reasoning, dialect.Piece{Kind: dialect.Signature, Text: delta.Reasoning.Signature}
	default:
		kind, piece.Text = dialect.Reasoning, delta.Reasoning.Text
	}
	var pieces []dialect.Piece
	if d.open != kind || d.at != e.Index {
		if kind == dialect.ToolUse {
			return nil, errEvent
		}
		pieces = d.begin(e.Index, dialect.Block{Type: kind})
	}
	piece.Index = d.blocks - 1
	return append(pieces, piece), nil
}

// begin is what begins a block, and what ends the one before it.
func (d *decoder) begin(at int, b dialect.Block) []dialect.Piece {
	pieces := d.end(nil)
	d.open, d.at = b.Type, at
	d.blocks++
	return append(pieces, dialect.Piece{Kind: dialect.BlockBegan, Index: d.blocks - 1, Block: b})
}

// end adds what ends the open block, if one is.
func (d *decoder) end(pieces []dialect.Piece) []dialect.Piece {
	if d.open == "" {
		return pieces
	}
	d.open = ""
	return append(pieces, dialect.Piece{Kind: dialect.BlockEnded, Index: d.blocks - 1})
}
