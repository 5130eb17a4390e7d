package dialect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"fairway/internal/inference"
)

// Collector makes an Answer of pieces.
type Collector struct {
	answer Answer
	inputs bytes.Buffer // of the tool call that is open
	open   bool         // a block is
	ended  bool
}

// NewCollector begins an answer.
func NewCollector(h Head) *Collector { return &Collector{answer: Answer{Head: h}} }

// Add takes the next piece in. The error is a piece out of order.
func (c *Collector) Add(p Piece) error {
	content := c.answer.Content
	switch p.Kind {
	case Began:
		if p.Usage != nil {
			c.answer.Usage = *p.Usage
		}
	case BlockBegan:
		if c.open || p.Index != len(content) {
			return fmt.Errorf("collect answer: block %d begins where block %d is due", p.Index, len(content))
		}
		c.answer.Content, c.open = append(content, p.Block), true
		c.inputs.Reset()
	case Delta, Signature, BlockEnded:
		if !c.open || p.Index != len(content)-1 {
			return fmt.Errorf("collect answer: a piece of block %d, which is not open", p.Index)
		}
		c.grow(&content[p.Index], p)
	case Stopped:
		c.answer.Stop = p.Stop
	case Ended:
		c.ended = true
		c.answer.LatencyMS = p.LatencyMS
		if p.Service != (inference.Service{}) {
			c.answer.Service = p.Service
		}
		if p.Usage != nil {
			c.answer.Usage = *p.Usage
		}
	}
	return nil
}

func (c *Collector) grow(b *Block, p Piece) {
	switch {
	case p.Kind == Signature:
		b.Signature += p.Text
	case p.Kind == BlockEnded:
		c.open = false
		if b.Type == ToolUse {
			b.Input = json.RawMessage(bytes.Clone(c.inputs.Bytes()))
			if len(b.Input) == 0 {
				b.Input = json.RawMessage("{}")
			}
		}
	case b.Type == ToolUse:
		c.inputs.WriteString(p.Text)
	default:
		b.Text += p.Text
	}
}

// Answer is the whole answer. The error is an answer that has not ended, or a tool
// call whose input is no JSON.
func (c *Collector) Answer() (*Answer, error) {
	if !c.ended || c.open {
		return nil, errors.New("collect answer: it has not ended")
	}
	for _, b := range c.answer.Content {
		if b.Type == ToolUse && !json.Valid(b.Input) {
			return nil, errors.New("collect answer: the input of tool " + b.Name + " is no JSON")
		}
	}
	return &c.answer, nil
}

// Pieces are the answer as a stream, each block in one delta.
func (a *Answer) Pieces() []Piece {
	began := a.Usage
	began.OutputTokens = 0
	pieces := make([]Piece, 0, 3+4*len(a.Content)) // the most that there are
	pieces = append(pieces, Piece{Kind: Began, Usage: &began})
	for i, b := range a.Content {
		pieces = append(pieces, Piece{Kind: BlockBegan, Index: i, Block: Block{Type: b.Type, ID: b.ID, Name: b.Name}})
		text := b.Text
		if b.Type == ToolUse {
			text = string(b.Input)
		}
		if text != "" {
			pieces = append(pieces, Piece{Kind: Delta, Index: i, Text: text})
		}
		if b.Signature != "" {
			pieces = append(pieces, Piece{Kind: Signature, Index: i, Text: b.Signature})
		}
		pieces = append(pieces, Piece{Kind: BlockEnded, Index: i})
	}
	usage := a.Usage
	return append(pieces,
		Piece{Kind: Stopped, Stop: a.Stop},
		Piece{Kind: Ended, Usage: &usage, LatencyMS: a.LatencyMS, Service: a.Service})
}
