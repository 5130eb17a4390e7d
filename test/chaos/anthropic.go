package main

import (
	"encoding/json"
	"fmt"
	"io"

	"fairway/internal/wire/sse"
)

// anthropicUsage is the usage of a Messages answer and of its events.
type anthropicUsage struct {
	Input  int `json:"input_tokens"`
	Output int `json:"output_tokens"`
}

// anthropicBlock is a content block of an answer, and what begins one in a stream.
type anthropicBlock struct {
	Type     string          `json:"type"`
	Text     string          `json:"text"`
	Thinking string          `json:"thinking"`
	Name     string          `json:"name"`
	Input    json.RawMessage `json:"input"`
}

func (b *anthropicBlock) sort() string {
	switch b.Type {
	case "thinking":
		return reasoningBlock
	case "tool_use":
		return callOf(b.Name)
	}
	return b.Type
}

// readMessage reads a whole Messages answer.
func readMessage(r io.Reader) (*answer, error) {
	var body struct {
		Content []anthropicBlock `json:"content"`
		Stop    string           `json:"stop_reason"`
		Usage   anthropicUsage   `json:"usage"`
	}
	if err := json.NewDecoder(r).Decode(&body); err != nil {
		return nil, err
	}
	a := &answer{stop: body.Stop, input: body.Usage.Input, output: body.Usage.Output}
	for _, b := range body.Content {
		text := b.Text + b.Thinking
		if b.Type == "tool_use" {
			var err error
			if text, err = canonical(b.Input); err != nil {
				return nil, err
			}
		}
		a.blocks = append(a.blocks, block{b.sort(), text})
	}
	return a, nil
}

// readMessageEvents reads a Messages stream of server-sent events.
func readMessageEvents(r io.Reader) (*answer, error) {
	var a assembly
	return readEvents(r, &a, func(e sse.Event) error { return a.anthropic(e.Data, e.Type) })
}

// readEvents reads server-sent events, which take puts into a. After an error the
// server breaks the connection off, so that nobody takes the answer for whole.
func readEvents(r io.Reader, a *assembly, take func(sse.Event) error) (*answer, error) {
	for events := sse.NewReader(r, 0); ; {
		e, err := events.Next()
		switch {
		case err == io.EOF, err == io.ErrUnexpectedEOF && a.failed != "":
			return a.whole()
		case err != nil:
			return &a.answer, err
		}
		if err := take(e); err != nil {
			return &a.answer, err
		}
	}
}

// anthropic takes in an event of a Messages stream. Its type stands in the data and,
// of server-sent events, beside it too.
func (a *assembly) anthropic(data []byte, named string) error {
	var e struct {
		Type    string
		Message struct{ Usage anthropicUsage }
		Index   int
		Block   anthropicBlock `json:"content_block"`
		Delta   struct {
			Type     string
			Text     string
			Thinking string
			Partial  string `json:"partial_json"`
			Stop     string `json:"stop_reason"`
		}
		Usage anthropicUsage
		Error struct{ Type string }
	}
	if err := json.Unmarshal(data, &e); err != nil {
		return err
	}
	if named != "" && named != e.Type {
		return fmt.Errorf("an event %s of type %s", named, e.Type)
	}
	switch e.Type {
	case "message_start":
		a.input = e.Message.Usage.Input
		return a.start()
	case "content_block_start":
		return a.begin(e.Index, e.Block.sort())
	case "content_block_delta":
		switch e.Delta.Type {
		case "text_delta":
			return a.add(e.Index, textBlock, e.Delta.Text)
		case "thinking_delta", "signature_delta":
			return a.add(e.Index, reasoningBlock, e.Delta.Thinking)
		case "input_json_delta":
			return a.add(e.Index, "", e.Delta.Partial)
		}
		return fmt.Errorf("a delta of type %q", e.Delta.Type)
	case "content_block_stop":
		return a.close(e.Index)
	case "message_delta":
		a.output = e.Usage.Output
		a.input = max(a.input, e.Usage.Input)
		return a.halt(e.Delta.Stop)
	case "message_stop":
		return a.end()
	case "error":
		return a.fail(e.Error.Type)
	case "ping":
		return nil
	}
	return fmt.Errorf("an event of type %q", e.Type)
}
