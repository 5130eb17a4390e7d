package prompt

import (
	"encoding/json"
	"errors"
	"fmt"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// said is what one event of a stream says.
type said struct {
	text   string
	reason dialect.StopReason // of the last one
	usage  *inference.Usage   // likewise, where it is told
}

// decoder reads a streamed answer, which is one block of text.
type decoder struct {
	read  func(event []byte) (said, error)
	began bool
	open  bool
	ended bool
}

var errAfterEnd = errors.New("decode text stream: an event after the last one")

// Decode begins the answer with its first event and the block with its first text.
func (d *decoder) Decode(p dialect.Payload) ([]dialect.Piece, error) {
	s, err := d.read(p.JSON)
	switch {
	case err != nil:
		return nil, fmt.Errorf("decode text stream: %w", err)
	case d.ended:
		return nil, errAfterEnd
	}
	var pieces []dialect.Piece
	if !d.began {
		d.began = true
		pieces = append(pieces, dialect.Piece{Kind: dialect.Began})
	}
	if s.text != "" {
		if !d.open {
			d.open = true
			pieces = append(pieces, dialect.Piece{Kind: dialect.BlockBegan, Block: dialect.Block{Type: dialect.Text}})
		}
		pieces = append(pieces, dialect.Piece{Kind: dialect.Delta, Text: s.text})
	}
	if s.reason == "" {
		return pieces, nil
	}
	d.ended = true
	if d.open {
		pieces = append(pieces, dialect.Piece{Kind: dialect.BlockEnded})
	}
	return append(pieces,
		dialect.Piece{Kind: dialect.Stopped, Stop: dialect.Stop{Reason: s.reason}},
		dialect.Piece{Kind: dialect.Ended, Usage: s.usage}), nil
}

// NewDecoder begins to read a streamed answer.
func (Titan) NewDecoder() dialect.Decoder {
	return &decoder{read: func(event []byte) (said, error) {
		var e titanEvent
		if err := json.Unmarshal(event, &e); err != nil {
			return said{}, err
		}
		s := said{text: e.OutputText}
		if e.CompletionReason != nil {
			s.reason = titanStop(*e.CompletionReason)
		}
		if e.TotalOutputTokens != nil {
			s.usage = &inference.Usage{InputTokens: e.InputTextTokenCount, OutputTokens: *e.TotalOutputTokens}
		}
		return s, nil
	}}
}

func titanStop(reason string) dialect.StopReason {
	switch reason {
	case "LENGTH":
		return dialect.MaxTokens
	case "STOP_CRITERIA_MET":
		return dialect.StopSequence
	case "CONTENT_FILTERED":
		return dialect.ContentFiltered
	}
	return dialect.EndTurn
}

// NewDecoder begins to read a streamed answer.
func (Llama) NewDecoder() dialect.Decoder {
	return &decoder{read: func(event []byte) (said, error) {
		var e llamaAnswer
		if err := json.Unmarshal(event, &e); err != nil {
			return said{}, err
		}
		s := said{text: e.Generation, reason: stopOf(e.StopReason)}
		if e.PromptTokenCount != nil && e.GenerationTokenCount != nil {
			s.usage = &inference.Usage{InputTokens: *e.PromptTokenCount, OutputTokens: *e.GenerationTokenCount}
		}
		return s, nil
	}}
}

// NewDecoder begins to read a streamed answer.
func (Mistral) NewDecoder() dialect.Decoder {
	return &decoder{read: func(event []byte) (said, error) {
		var e mistralAnswer
		if err := json.Unmarshal(event, &e); err != nil {
			return said{}, err
		}
		return said{text: e.Outputs[0].Text, reason: stopOf(e.Outputs[0].StopReason)}, nil
	}}
}

// stopOf is why an answer of Llama or Mistral ended, empty while it has not. A stop
// sequence is told as any other end.
func stopOf(reason *string) dialect.StopReason {
	switch {
	case reason == nil || *reason == "":
		return ""
	case *reason == "length":
		return dialect.MaxTokens
	}
	return dialect.EndTurn
}
