package converse

import (
	"encoding/json"
	"errors"
	"fmt"

	"fairway/internal/dialect"
)

// decoder reads ConverseStream events. The service begins text and reasoning
// without a start and may leave positions out: blocks are begun and numbered here.
type decoder struct {
	blocks int               // begun so far
	open   dialect.BlockType // empty when none is
	at     int               // the service's position of the open block
	done   bool
}

// NewDecoder begins to read the events of ConverseStream.
func (Dialect) NewDecoder() dialect.Decoder { return new(decoder) }

// What a stream can do wrong.
var (
	errAfterEnd  = errors.New("decode ConverseStream: an event after metadata")
	errNoIndex   = errors.New("decode ConverseStream: an event of a block without contentBlockIndex")
	errBlockType = errors.New("decode ConverseStream: a block that is no text, reasoning or tool call")
	errNoStart   = errors.New("decode ConverseStream: a tool call without its start")
)

// Decode reads one event by its type. Types it does not know are passed over.
func (d *decoder) Decode(p dialect.Payload) ([]dialect.Piece, error) {
	switch p.Type {
	case messageStart, contentBlockStart, contentBlockDelta, contentBlockStop, messageStop, metadata:
	default:
		return nil, nil
	}
	var e event
	if err := json.Unmarshal(p.JSON, &e); err != nil {
		return nil, fmt.Errorf("decode ConverseStream: %s: %w", p.Type, err)
	}
	if d.done {
		return nil, errAfterEnd
	}
	switch p.Type {
	case messageStart:
		return []dialect.Piece{{Kind: dialect.Began}}, nil
	case messageStop:
		return append(d.end(nil), dialect.Piece{Kind: dialect.Stopped, Stop: dialect.Stop{Reason: e.StopReason, Sequence: e.Fields.sequence()}}), nil
	case metadata:
		return d.finish(e), nil
	}
	if e.ContentBlockIndex == nil {
		return nil, errNoIndex
	}
	return d.block(p.Type, *e.ContentBlockIndex, e)
}

func (d *decoder) finish(e event) []dialect.Piece {
	d.done = true
	usage := e.Usage.read()
	ended := dialect.Piece{Kind: dialect.Ended, Usage: &usage, Service: readService(e.Performance, e.ServiceTier)}
	if e.Metrics != nil {
		ended.LatencyMS = e.Metrics.LatencyMS
	}
	return append(d.end(nil), ended)
}

func (d *decoder) block(kind string, at int, e event) ([]dialect.Piece, error) {
	switch {
	case kind == contentBlockStop && d.open != "" && at == d.at:
		return d.end(nil), nil
	case kind == contentBlockStop && d.blocks > 0 && at <= d.at: // the next block has ended it
		return nil, nil
	case kind == contentBlockStop: // of a text that is empty
		return d.end(d.begin(nil, at, dialect.Block{Type: dialect.Text})), nil
	case kind == contentBlockDelta:
		return d.delta(at, e.Delta)
	case e.Start == nil || e.Start.ToolUse == nil:
		return nil, errBlockType
	}
	t := e.Start.ToolUse
	return d.begin(nil, at, dialect.Block{Type: dialect.ToolUse, ID: t.ToolUseID, Name: t.Name}), nil
}

func (d *decoder) delta(at int, delta *blockDelta) ([]dialect.Piece, error) {
	kind, text, piece := dialect.Text, (*string)(nil), dialect.Delta
	switch {
	case delta == nil:
	case delta.Text != nil:
		text = delta.Text
	case delta.ToolUse != nil:
		kind, text = dialect.ToolUse, &delta.ToolUse.Input
	case delta.ReasoningContent != nil:
		kind, text, piece = delta.ReasoningContent.read()
	case delta.Citation != nil:
		return nil, nil
	}
	if text == nil {
		return nil, errBlockType
	}
	var pieces []dialect.Piece
	if d.open != kind || d.at != at {
		if kind == dialect.ToolUse {
			return nil, errNoStart
		}
		pieces = d.begin(nil, at, dialect.Block{Type: kind})
	}
	return append(pieces, dialect.Piece{Kind: piece, Index: d.blocks - 1, Text: *text}), nil
}

func (r *reasoningDelta) read() (dialect.BlockType, *string, dialect.PieceKind) {
	switch {
	case r.Text != nil:
		return dialect.Reasoning, r.Text, dialect.Delta
	case r.Signature != nil:
		return dialect.Reasoning, r.Signature, dialect.Signature
	}
	return dialect.Redacted, r.RedactedContent, dialect.Delta
}

// begin adds what begins a block, and what ends the one before it.
func (d *decoder) begin(pieces []dialect.Piece, at int, b dialect.Block) []dialect.Piece {
	pieces = d.end(pieces)
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
