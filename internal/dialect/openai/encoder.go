package openai

import (
	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// encoder writes the chunks of one answer.
type encoder struct {
	usage bool
	chunk completion
	block dialect.BlockType // that is open
	calls int               // tool calls begun
	stop  dialect.Stop
}

// NewEncoder begins a streamed answer. Its payloads have no type; Done is none of
// them.
func (d Dialect) NewEncoder(h dialect.Head) dialect.Encoder {
	return &encoder{usage: d.Usage, chunk: newCompletion(h, "chat.completion.chunk")}
}

// Encode gives the chunks of a piece. The one with the finish reason goes out with
// Ended, so that the last chunk is always one of Ended's.
func (e *encoder) Encode(p dialect.Piece) ([]dialect.Payload, error) {
	switch p.Kind {
	case dialect.Began:
		return e.one(delta{Role: string(dialect.Assistant), Content: new("")})
	case dialect.BlockBegan:
		return e.begin(p.Block)
	case dialect.Delta:
		return e.grow(p.Text)
	case dialect.Signature:
		return e.one(delta{Signature: p.Text})
	case dialect.Stopped:
		e.stop = p.Stop
	case dialect.Ended:
		return e.end(p)
	}
	return nil, nil
}

// begin opens a block. Only a tool call has a chunk for it.
func (e *encoder) begin(b dialect.Block) ([]dialect.Payload, error) {
	e.block = b.Type
	if b.Type != dialect.ToolUse {
		return nil, nil
	}
	e.calls++
	return e.one(delta{ToolCalls: []callDelta{{Index: e.calls - 1, ID: b.ID, Type: "function", Function: callBody{Name: b.Name}}}})
}

func (e *encoder) grow(text string) ([]dialect.Payload, error) {
	switch e.block {
	case dialect.ToolUse:
		return e.one(delta{ToolCalls: []callDelta{{Index: e.calls - 1, Function: callBody{Arguments: text}}}})
	case dialect.Reasoning:
		return e.one(delta{Reasoning: text})
	case dialect.Redacted: // only the model reads it
		return nil, nil
	}
	return e.one(delta{Content: &text})
}

func (e *encoder) end(p dialect.Piece) ([]dialect.Payload, error) {
	finish, err := finishOf(e.stop)
	if err != nil {
		return nil, err
	}
	last, err := e.payload(choice{Delta: &delta{}, FinishReason: &finish})
	if err != nil || !e.usage {
		return []dialect.Payload{last}, err
	}
	if p.Usage != nil {
		e.chunk.Usage = usageOf(*p.Usage)
	}
	usage, err := e.payload()
	return []dialect.Payload{last, usage}, err
}

// EncodeUsage is the chunk that tells a stream's usage, for a stream whose other
// chunks are not written here.
func EncodeUsage(h dialect.Head, u inference.Usage) ([]byte, error) {
	c := newCompletion(h, "chat.completion.chunk")
	c.Usage = usageOf(u)
	return dialect.WriteBody(c)
}

func (e *encoder) one(d delta) ([]dialect.Payload, error) {
	payload, err := e.payload(choice{Delta: &d})
	return []dialect.Payload{payload}, err
}

// payload is a chunk with the given choices, which may be none.
func (e *encoder) payload(choices ...choice) (dialect.Payload, error) {
	e.chunk.Choices = append(e.chunk.Choices[:0], choices...)
	text, err := dialect.WriteBody(&e.chunk)
	return dialect.Payload{JSON: text}, err
}
