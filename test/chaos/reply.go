package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"strings"

	"fairway/internal/wire/eventstream"
)

// said is what a region answers: to the same conversation the same.
type said struct {
	words         []string // with the space before each
	input, output int      // tokens
}

// reply answers a body of Messages or of Converse. A beginning of the answer at its end
// is gone on with.
func reply(body []byte) (*said, error) {
	var asked struct {
		System   spoken
		Messages []struct {
			Role    string
			Content spoken
		}
	}
	if err := json.Unmarshal(body, &asked); err != nil || len(asked.Messages) == 0 {
		return nil, fmt.Errorf("no conversation: %v", err)
	}
	sum := fnv.New64a()
	length, last := len(asked.System), asked.Messages[len(asked.Messages)-1]
	for _, m := range asked.Messages {
		length += len(m.Content)
		if m.Role == "user" {
			io.WriteString(sum, string(m.Content))
		}
	}
	whole, dice := "Now", rand.New(rand.NewPCG(sum.Sum64(), 0))
	for words := languages[dice.IntN(len(languages))]; len(whole) < 100 || dice.IntN(20) > 0; {
		whole += " " + words[dice.IntN(len(words))]
	}
	rest := whole
	if last.Role == "assistant" {
		var begins bool
		if rest, begins = strings.CutPrefix(whole, string(last.Content)); !begins {
			return nil, fmt.Errorf("the answer does not begin %.60q: it is %.60q", string(last.Content), whole)
		}
	}
	words := strings.SplitAfter(rest, " ")
	return &said{words: words, input: length/4 + 1, output: len(words)}, nil
}

// spoken is a text, or the texts of blocks.
type spoken string

// UnmarshalJSON reads either.
func (s *spoken) UnmarshalJSON(raw []byte) error {
	var blocks []struct{ Text string }
	if json.Unmarshal(raw, (*string)(s)) == nil {
		return nil
	}
	*s = ""
	err := json.Unmarshal(raw, &blocks)
	for _, b := range blocks {
		*s += spoken(b.Text)
	}
	return err
}

func (s *said) text() string { return strings.Join(s.words, "") }

// whole is the answer in one piece.
func (s *said) whole(operation string, claude bool) object {
	text := []any{object{"type": "text", "text": s.text()}}
	if operation == "invoke" && claude {
		return object{"id": "msg_chaos", "type": "message", "role": "assistant", "model": "claude", "content": text,
			"stop_reason": "end_turn", "stop_sequence": nil, "usage": object{"input_tokens": s.input, "output_tokens": s.output}}
	}
	return object{"output": object{"message": object{"role": "assistant", "content": []any{object{"text": s.text()}}}},
		"stopReason": "end_turn", "usage": s.usage(), "metrics": object{"latencyMs": 1}}
}

func (s *said) usage() object {
	return object{"inputTokens": s.input, "outputTokens": s.output, "totalTokens": s.input + s.output}
}

// frames are the answer as an event stream.
func (s *said) frames(operation string, claude bool) (frames [][]byte) {
	chunk := func(event object) {
		payload := encode(object{"bytes": base64.StdEncoding.EncodeToString(encode(event))})
		frames = append(frames, eventstream.Event("chunk", "application/json", payload))
	}
	if operation != "converse-stream" && claude {
		for _, event := range s.messageEvents() {
			chunk(event)
		}
		return frames
	}
	for _, e := range s.converseEvents() {
		switch {
		case operation == "converse-stream":
			frames = append(frames, eventstream.Event(e.name, "application/json", encode(e.data)))
		case e.name == "metadata":
			chunk(object{e.name: e.data, metered: s.metrics()})
		default:
			chunk(object{e.name: e.data})
		}
	}
	return frames
}

// metered is the member that Bedrock adds to the last chunk.
const metered = "amazon-bedrock-invocationMetrics"

func (s *said) metrics() object {
	return object{"inputTokenCount": s.input, "outputTokenCount": s.output, "invocationLatency": 1, "firstByteLatency": 1}
}

func (s *said) messageEvents() []object {
	usage := object{"input_tokens": s.input, "output_tokens": 1}
	events := []object{
		{"type": "message_start", "message": object{"id": "msg_chaos", "type": "message", "role": "assistant", "model": "claude",
			"content": []any{}, "stop_reason": nil, "stop_sequence": nil, "usage": usage}},
		{"type": "content_block_start", "index": 0, "content_block": object{"type": "text", "text": ""}},
	}
	for _, word := range s.words {
		events = append(events, object{"type": "content_block_delta", "index": 0, "delta": object{"type": "text_delta", "text": word}})
	}
	return append(events,
		object{"type": "content_block_stop", "index": 0},
		object{"type": "message_delta", "delta": object{"stop_reason": "end_turn", "stop_sequence": nil}, "usage": object{"output_tokens": s.output}},
		object{"type": "message_stop", metered: s.metrics()})
}

// event is one of ConverseStream.
type event struct {
	name string
	data object
}

func (s *said) converseEvents() []event {
	events := []event{{"messageStart", object{"role": "assistant"}}}
	for _, word := range s.words {
		events = append(events, event{"contentBlockDelta", object{"contentBlockIndex": 0, "delta": object{"text": word}}})
	}
	return append(events,
		event{"contentBlockStop", object{"contentBlockIndex": 0}},
		event{"messageStop", object{"stopReason": "end_turn"}},
		event{"metadata", object{"usage": s.usage(), "metrics": object{"latencyMs": 1}}})
}
