package openai

import (
	"encoding/json"
	"errors"
	"fmt"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// decoder reads the chunks of one answer. Usage may come with the last choice,
// after it or never; so only Done ends the answer.
type decoder struct {
	usage *inference.Usage // as last told
	began bool
	ended bool
	stop  *dialect.Stop

	open  bool              // a block is
	index int               // of the block that is open, or that is next
	block dialect.BlockType // of the one that is open
	call  callDelta         // how it began, where it is a ToolUse
	calls int               // tool calls begun
}

// NewDecoder begins to read a streamed answer, whose last event is Done. The usage
// of Ended is nil where the server told none.
func (Dialect) NewDecoder() dialect.Decoder { return new(decoder) }

// Decode gives the pieces of a chunk. The error is an *inference.Error where the
// server sent one in place of a chunk.
func (d *decoder) Decode(p dialect.Payload) ([]dialect.Piece, error) {
	if d.ended {
		return nil, nil
	}
	if string(p.JSON) == Done {
		return d.end()
	}
	var c received
	if err := json.Unmarshal(p.JSON, &c); err != nil {
		return nil, fmt.Errorf("decode chat completion chunk: %w", err)
	}
	if c.Error != nil {
		return nil, c.Error.asError()
	}
	if c.Usage != nil {
		d.usage = new(c.Usage.counted())
	}
	var pieces []dialect.Piece
	if !d.began {
		d.began = true
		pieces = append(pieces, dialect.Piece{Kind: dialect.Began})
	}
	if len(c.Choices) == 0 {
		return pieces, nil
	}
	return d.grow(pieces, &c.Choices[0])
}

// grow takes a choice in.
func (d *decoder) grow(pieces []dialect.Piece, c *receivedChoice) ([]dialect.Piece, error) {
	m := &c.Delta
	if d.stop != nil {
		return pieces, nil // some servers repeat the finish reason beside the usage
	}
	if text := m.reasoning(); text != "" {
		pieces = d.add(pieces, dialect.Reasoning, dialect.Piece{Kind: dialect.Delta, Text: text})
	}
	if m.Signature != "" {
		pieces = d.add(pieces, dialect.Reasoning, dialect.Piece{Kind: dialect.Signature, Text: m.Signature})
	}
	if text := m.text(); text != "" {
		pieces = d.add(pieces, dialect.Text, dialect.Piece{Kind: dialect.Delta, Text: text})
	}
	for _, call := range m.ToolCalls {
		var err error
		if pieces, err = d.addCall(pieces, call); err != nil {
			return nil, err
		}
	}
	if c.FinishReason == nil || *c.FinishReason == "" {
		return pieces, nil
	}
	stop, err := stopOf(*c.FinishReason, d.calls > 0)
	d.stop = &stop
	return append(d.close(pieces), dialect.Piece{Kind: dialect.Stopped, Stop: stop}), err
}

// add adds p to the open block, if that is of type t, and else to a new one.
func (d *decoder) add(pieces []dialect.Piece, t dialect.BlockType, p dialect.Piece) []dialect.Piece {
	if !d.open || d.block != t {
		pieces = d.begin(pieces, dialect.Block{Type: t})
	}
	p.Index = d.index
	return append(pieces, p)
}

// addCall adds to a tool call. A chunk that has another index or id than the open
// call begins the next one: some servers give all of them index 0.
func (d *decoder) addCall(pieces []dialect.Piece, call callDelta) ([]dialect.Piece, error) {
	same := d.open && d.block == dialect.ToolUse && call.Index == d.call.Index && (call.ID == "" || call.ID == d.call.ID)
	if !same {
		if call.Function.Name == "" {
			return nil, errors.New("decode chat completion chunk: a tool call that has no name")
		}
		call.ID = call.id(d.calls)
		pieces = d.begin(pieces, dialect.Block{Type: dialect.ToolUse, ID: call.ID, Name: call.Function.Name})
		d.call = call
		d.calls++
	}
	if call.Function.Arguments == "" {
		return pieces, nil
	}
	return append(pieces, dialect.Piece{Kind: dialect.Delta, Index: d.index, Text: call.Function.Arguments}), nil
}

func (d *decoder) begin(pieces []dialect.Piece, b dialect.Block) []dialect.Piece {
	pieces = d.close(pieces)
	d.open, d.block = true, b.Type
	return append(pieces, dialect.Piece{Kind: dialect.BlockBegan, Index: d.index, Block: b})
}

func (d *decoder) close(pieces []dialect.Piece) []dialect.Piece {
	if !d.open {
		return pieces
	}
	d.open = false
	d.index++
	return append(pieces, dialect.Piece{Kind: dialect.BlockEnded, Index: d.index - 1})
}

var errNoFinish = errors.New("decode chat completion chunk: the stream ended without a finish reason")

func (d *decoder) end() ([]dialect.Piece, error) {
	if d.stop == nil {
		return nil, errNoFinish
	}
	d.ended = true
	return []dialect.Piece{{Kind: dialect.Ended, Usage: d.usage}}, nil
}
