package anthropic

import (
	"encoding/json"
	"errors"
	"fmt"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// NewDecoder begins to read a stream of Messages events, Bedrock's with its
// metrics in the last one or Anthropic's own. An error event is its
// *inference.Error; content of an unknown type is an error, because it would be
// lost.
func (Dialect) NewDecoder() dialect.Decoder { return &decoder{open: -1} }

type decoder struct {
	open  int  // Anthropic's index of the block that is open, -1 without one
	block Part // as it started
	next  int  // our index of the next block
	usage inference.Usage
	state state
}

// state is how far a stream is.
type state uint8

const (
	idle state = iota
	begun
	stopped
	ended
)

// streamEvent has the members of all events.
type streamEvent struct {
	Type    string
	Index   int
	Message *struct{ Usage *tally }
	Block   *Part `json:"content_block"`
	Delta   struct {
		Type         string
		Text         string
		Thinking     string
		Signature    string
		PartialJSON  string      `json:"partial_json"`
		StopReason   *StopReason `json:"stop_reason"`
		StopSequence *string     `json:"stop_sequence"`
	}
	Usage   *tally
	Error   *Failure
	Metrics *struct {
		InvocationLatency int64 `json:"invocationLatency"`
	} `json:"amazon-bedrock-invocationMetrics"`
}

var errStream = errors.New("decode Messages stream: an event out of order")

func (d *decoder) Decode(p dialect.Payload) ([]dialect.Piece, error) {
	var e streamEvent
	if err := json.Unmarshal(p.JSON, &e); err != nil {
		return nil, fmt.Errorf("decode Messages stream: %w", err)
	}
	switch e.Type {
	case "error":
		return nil, e.Error.Err()
	case "message_start":
		return d.begin(&e)
	case "content_block_start":
		return d.start(&e)
	case "content_block_delta":
		return d.delta(&e)
	case "content_block_stop":
		return d.end(&e)
	case "message_delta":
		return d.stop(&e)
	case "message_stop":
		return d.finish(&e)
	}
	return nil, nil // a ping, or what is yet to be invented
}

func (d *decoder) begin(e *streamEvent) ([]dialect.Piece, error) {
	if d.state != idle {
		return nil, errStream
	}
	d.state = begun
	piece := dialect.Piece{Kind: dialect.Began}
	if e.Message != nil && e.Message.Usage != nil {
		e.Message.Usage.addTo(&d.usage)
		usage := d.usage
		piece.Usage = &usage
	}
	return []dialect.Piece{piece}, nil
}

// start begins a block, with what its start already holds of it.
func (d *decoder) start(e *streamEvent) ([]dialect.Piece, error) {
	if d.state != begun || d.open >= 0 || e.Index < 0 || e.Block == nil {
		return nil, errStream
	}
	b, err := e.Block.block()
	if err != nil {
		return nil, err
	}
	d.open, d.block = e.Index, *e.Block
	index := d.next
	d.next++
	head := dialect.Block{Type: b.Type, ID: b.ID, Name: b.Name}
	pieces := []dialect.Piece{{Kind: dialect.BlockBegan, Index: index, Block: head}}
	text := b.Text
	if b.Type == dialect.ToolUse && string(b.Input) != "{}" {
		text = string(b.Input)
	}
	if text != "" {
		pieces = append(pieces, dialect.Piece{Kind: dialect.Delta, Index: index, Text: text})
	}
	if b.Signature != "" {
		pieces = append(pieces, dialect.Piece{Kind: dialect.Signature, Index: index, Text: b.Signature})
	}
	return pieces, nil
}

// delta passes over what belongs to no block type that is known: citations.
func (d *decoder) delta(e *streamEvent) ([]dialect.Piece, error) {
	if d.open < 0 || e.Index != d.open {
		return nil, errStream
	}
	piece := dialect.Piece{Kind: dialect.Delta, Index: d.next - 1}
	switch e.Delta.Type + " of " + d.block.Type {
	case "text_delta of text":
		piece.Text = e.Delta.Text
	case "thinking_delta of thinking":
		piece.Text = e.Delta.Thinking
	case "input_json_delta of tool_use":
		piece.Text = e.Delta.PartialJSON
	case "signature_delta of thinking":
		piece.Kind, piece.Text = dialect.Signature, e.Delta.Signature
	}
	if piece.Text == "" {
		return nil, nil
	}
	return []dialect.Piece{piece}, nil
}

func (d *decoder) end(e *streamEvent) ([]dialect.Piece, error) {
	if d.open < 0 || e.Index != d.open {
		return nil, errStream
	}
	d.open = -1
	return []dialect.Piece{{Kind: dialect.BlockEnded, Index: d.next - 1}}, nil
}

// stop takes the usage of each message_delta and ends at the one with a reason.
func (d *decoder) stop(e *streamEvent) ([]dialect.Piece, error) {
	if d.state != begun || d.open >= 0 {
		return nil, errStream
	}
	if e.Usage != nil {
		e.Usage.addTo(&d.usage)
	}
	if e.Delta.StopReason == nil {
		return nil, nil
	}
	d.state = stopped
	return []dialect.Piece{{Kind: dialect.Stopped, Stop: decodeStop(*e.Delta.StopReason, e.Delta.StopSequence)}}, nil
}

func (d *decoder) finish(e *streamEvent) ([]dialect.Piece, error) {
	if d.state != stopped {
		return nil, errStream
	}
	d.state = ended
	usage := d.usage
	piece := dialect.Piece{Kind: dialect.Ended, Usage: &usage}
	if e.Metrics != nil {
		piece.LatencyMS = e.Metrics.InvocationLatency
	}
	return []dialect.Piece{piece}, nil
}
