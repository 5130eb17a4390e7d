package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"fairway/internal/wire/sse"
)

type chatUsage struct {
	Input  int `json:"prompt_tokens"`
	Output int `json:"completion_tokens"`
}

type chatCall struct {
	Index    int
	Function struct{ Name, Arguments string }
}

// finish is a finish_reason in the words of the other doors.
func finish(reason string) string {
	switch reason {
	case "stop":
		return "end_turn"
	case "length":
		return "max_tokens"
	case "tool_calls":
		return "tool_use"
	}
	return reason
}

// readChat reads a whole chat completion.
func readChat(r io.Reader) (*answer, error) {
	var body struct {
		Choices []struct {
			Message struct {
				Content string
				Calls   []chatCall `json:"tool_calls"`
			}
			Finish string `json:"finish_reason"`
		}
		Usage chatUsage
	}
	if err := json.NewDecoder(r).Decode(&body); err != nil {
		return nil, err
	}
	if len(body.Choices) != 1 {
		return nil, fmt.Errorf("%d choices", len(body.Choices))
	}
	choice := body.Choices[0]
	a := &answer{stop: finish(choice.Finish), input: body.Usage.Input, output: body.Usage.Output}
	if choice.Message.Content != "" {
		a.blocks = append(a.blocks, block{textBlock, choice.Message.Content})
	}
	for _, c := range choice.Message.Calls {
		input, err := canonical([]byte(c.Function.Arguments))
		if err != nil {
			return nil, err
		}
		a.blocks = append(a.blocks, block{callOf(c.Function.Name), input})
	}
	return a, nil
}

// readChatChunks reads a streamed chat completion.
func readChatChunks(r io.Reader) (*answer, error) {
	var c chunks
	return readEvents(r, &c.assembly, func(e sse.Event) error { return c.take(e.Data) })
}

// chunks are those of one answer, which all have its id.
type chunks struct {
	assembly
	id    string
	usage *chatUsage
}

func (c *chunks) take(data []byte) error {
	if string(data) == "[DONE]" {
		if c.usage == nil {
			return errors.New("the end without the usage that was asked for")
		}
		return c.end()
	}
	var e struct {
		ID      string
		Choices []struct {
			Delta struct {
				Role    string
				Content string
				Calls   []chatCall `json:"tool_calls"`
			}
			Finish string `json:"finish_reason"`
		}
		Usage *chatUsage
		Error *struct{ Type string }
	}
	if err := json.Unmarshal(data, &e); err != nil {
		return err
	}
	if e.Error != nil {
		return c.fail(e.Error.Type)
	}
	switch {
	case c.id != "" && c.id != e.ID:
		return fmt.Errorf("a chunk of %s in the stream of %s", e.ID, c.id)
	case c.ended, c.usage != nil:
		return errAfterEnd
	}
	c.id = e.ID
	if e.Usage != nil {
		c.usage, c.input, c.output = e.Usage, e.Usage.Input, e.Usage.Output
	}
	for _, choice := range e.Choices {
		if choice.Delta.Role != "" {
			if err := c.start(); err != nil {
				return err
			}
		}
		if choice.Delta.Content != "" {
			if err := c.addTo(max(0, len(c.blocks)-1), textBlock, choice.Delta.Content); err != nil {
				return err
			}
		}
		for _, call := range choice.Delta.Calls {
			if err := c.call(call); err != nil {
				return err
			}
		}
		if choice.Finish != "" {
			if err := c.closeLast(); err != nil {
				return err
			}
			if err := c.halt(finish(choice.Finish)); err != nil {
				return err
			}
		}
	}
	return nil
}

// call takes in a piece of a tool's call: the first of each has the name.
func (c *chunks) call(piece chatCall) error {
	if piece.Function.Name != "" {
		if err := c.closeLast(); err != nil {
			return err
		}
		if err := c.begin(len(c.blocks), callOf(piece.Function.Name)); err != nil {
			return err
		}
	}
	return c.add(len(c.blocks)-1, "", piece.Function.Arguments)
}

// closeLast closes the block that is open: chunks do not say where one ends.
func (c *chunks) closeLast() error {
	if !c.open {
		return nil
	}
	return c.close(len(c.blocks) - 1)
}
