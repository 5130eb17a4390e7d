package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"fairway/internal/wire/eventstream"
)

// converseUsage is the usage of Converse and of Nova's own answers.
type converseUsage struct {
	Input  int `json:"inputTokens"`
	Output int `json:"outputTokens"`
}

// readConversed reads a whole answer of Converse, or one in Nova's own form.
func readConversed(r io.Reader) (*answer, error) {
	var body struct {
		Output struct {
			Message struct {
				Content []struct {
					Text    *string `json:"text"`
					ToolUse *struct {
						Name  string          `json:"name"`
						Input json.RawMessage `json:"input"`
					} `json:"toolUse"`
					Reasoning *struct {
						Text struct{ Text string } `json:"reasoningText"`
					} `json:"reasoningContent"`
				} `json:"content"`
			} `json:"message"`
		} `json:"output"`
		Stop  string        `json:"stopReason"`
		Usage converseUsage `json:"usage"`
	}
	if err := json.NewDecoder(r).Decode(&body); err != nil {
		return nil, err
	}
	a := &answer{stop: body.Stop, input: body.Usage.Input, output: body.Usage.Output}
	for i, c := range body.Output.Message.Content {
		switch {
		case c.Text != nil:
			a.blocks = append(a.blocks, block{textBlock, *c.Text})
		case c.Reasoning != nil:
			a.blocks = append(a.blocks, block{reasoningBlock, c.Reasoning.Text.Text})
		case c.ToolUse != nil:
			input, err := canonical(c.ToolUse.Input)
			if err != nil {
				return nil, err
			}
			a.blocks = append(a.blocks, block{callOf(c.ToolUse.Name), input})
		default:
			return nil, fmt.Errorf("content %d is of no known sort", i)
		}
	}
	return a, nil
}

// readCount reads how many input tokens a CountTokens answer of either form tells.
func readCount(r io.Reader) (*answer, error) {
	var body struct {
		Bedrock   int `json:"inputTokens"`
		Anthropic int `json:"input_tokens"`
	}
	err := json.NewDecoder(r).Decode(&body)
	return &answer{input: body.Bedrock + body.Anthropic}, err
}

// readFrames reads an event stream, whose events take takes in.
func readFrames(r io.Reader, take func(a *assembly, event string, payload []byte) error) (*answer, error) {
	var a assembly
	for frames := eventstream.NewReader(r, 0); ; {
		frame, err := frames.Next()
		if err == io.EOF {
			return a.whole()
		}
		if err != nil {
			return &a.answer, err
		}
		m, err := eventstream.Split(frame)
		if err != nil {
			return &a.answer, err
		}
		switch sort := string(m.Headers.Text(eventstream.MessageType)); sort {
		case "event":
			err = take(&a, string(m.Headers.Text(eventstream.EventType)), m.Payload)
		case "exception":
			err = a.fail(string(m.Headers.Text(eventstream.ExceptionType)))
		default:
			err = fmt.Errorf("a message of type %q", sort)
		}
		if err != nil {
			return &a.answer, err
		}
	}
}

// readConverseStream reads the stream of ConverseStream.
func readConverseStream(r io.Reader) (*answer, error) { return readFrames(r, (*assembly).converse) }

// readClaudeStream reads the stream of InvokeModelWithResponseStream from a model
// that speaks Messages.
func readClaudeStream(r io.Reader) (*answer, error) {
	return readChunks(r, func(a *assembly, chunk []byte) error { return a.anthropic(chunk, "") })
}

// readNovaStream reads it from Nova: ConverseStream's events, each in an object that
// names it.
func readNovaStream(r io.Reader) (*answer, error) {
	return readChunks(r, func(a *assembly, chunk []byte) error {
		var named map[string]json.RawMessage
		if err := json.Unmarshal(chunk, &named); err != nil {
			return err
		}
		delete(named, "amazon-bedrock-invocationMetrics")
		for name, data := range named {
			if len(named) != 1 {
				return fmt.Errorf("%s is not alone in its chunk", name)
			}
			return a.converse(name, data)
		}
		return errors.New("a chunk without an event")
	})
}

// readChunks reads a stream of the model's own events, to the last of which Bedrock
// adds what it metered.
func readChunks(r io.Reader, take func(a *assembly, chunk []byte) error) (*answer, error) {
	var metered struct {
		Metrics *struct {
			Input  int `json:"inputTokenCount"`
			Output int `json:"outputTokenCount"`
		} `json:"amazon-bedrock-invocationMetrics"`
	}
	a, err := readFrames(r, func(a *assembly, event string, payload []byte) error {
		var chunk struct{ Bytes []byte }
		if event != "chunk" {
			return fmt.Errorf("an event of type %q", event)
		}
		if err := json.Unmarshal(payload, &chunk); err != nil {
			return err
		}
		if err := json.Unmarshal(chunk.Bytes, &metered); err != nil {
			return err
		}
		return take(a, chunk.Bytes)
	})
	switch m := metered.Metrics; {
	case err != nil || a.failed != "":
		return a, err
	case m == nil:
		return a, errors.New("the last chunk does not say what was metered")
	case m.Input != a.input || m.Output != a.output:
		return a, fmt.Errorf("%d tokens in and %d out are metered, %d and %d told", m.Input, m.Output, a.input, a.output)
	}
	return a, nil
}

// converse takes in an event of ConverseStream.
func (a *assembly) converse(event string, payload []byte) error {
	var e struct {
		Index int `json:"contentBlockIndex"`
		Start struct{ ToolUse *struct{ Name string } }
		Delta struct {
			Text      *string
			ToolUse   *struct{ Input string }
			Reasoning *struct{ Text string } `json:"reasoningContent"`
		}
		Stop  string `json:"stopReason"`
		Usage converseUsage
	}
	if err := json.Unmarshal(payload, &e); err != nil {
		return err
	}
	switch event {
	case "messageStart":
		return a.start()
	case "contentBlockStart":
		if e.Start.ToolUse == nil {
			return fmt.Errorf("block %d begins and is no call of a tool", e.Index)
		}
		return a.begin(e.Index, callOf(e.Start.ToolUse.Name))
	case "contentBlockDelta":
		switch {
		case e.Delta.Text != nil:
			return a.addTo(e.Index, textBlock, *e.Delta.Text)
		case e.Delta.Reasoning != nil:
			return a.addTo(e.Index, reasoningBlock, e.Delta.Reasoning.Text)
		case e.Delta.ToolUse != nil:
			return a.addTo(e.Index, "", e.Delta.ToolUse.Input)
		}
		return fmt.Errorf("a delta of block %d of no known sort", e.Index)
	case "contentBlockStop":
		return a.close(e.Index)
	case "messageStop":
		return a.halt(e.Stop)
	case "metadata":
		a.input, a.output = e.Usage.Input, e.Usage.Output
		return a.end()
	}
	return fmt.Errorf("an event of type %q", event)
}
