package invocation

import (
	"bytes"
	"encoding/json"

	"fairway/internal/inference"
)

// chunk looks at a model's own event. Which it is shows in its first key; where
// that does not tell, the event is parsed, but only until content has come.
func (i *Inspector) chunk(e *inference.Event) error {
	key, value := opening(i.event)
	switch string(key) {
	case "type":
		return i.anthropic(e, string(value))
	case "contentBlockDelta", "contentBlockStart", "contentBlockStop", "messageStart", "messageStop":
		e.Content = string(key) == "contentBlockDelta" || string(key) == "contentBlockStart"
	case "metadata":
		if err := i.nova(e); err != nil {
			return err
		}
	default:
		if err := i.other(e); err != nil {
			return err
		}
	}
	i.finish(e)
	return nil
}

// finish looks for the metrics that the last event has. They do not say how long the
// cache keeps what it wrote, which an earlier event may have said.
func (i *Inspector) finish(e *inference.Event) {
	if m := readMetrics(i.event); m != nil {
		e.Final, e.Usage = true, m.usage()
		e.Usage.CacheWrite1h = min(i.usage.CacheWrite1h, e.Usage.CacheWriteTokens)
	}
}

// anthropic looks at an event of Anthropic's by its type. Only message_start,
// message_delta and message_stop carry usage.
func (i *Inspector) anthropic(e *inference.Event, kind string) error {
	switch kind {
	case "content_block_delta":
		e.Content = true
		return nil
	case "content_block_start":
		e.Content = !i.content && startsToolCall(i.event)
		return nil
	case "message_start", "message_delta":
		return i.count(e)
	case "message_stop":
		e.Final = true
		if i.counted {
			usage := i.usage
			e.Usage = &usage
		}
		i.finish(e)
	}
	return nil
}

// startsToolCall reports whether a content_block_start is content of its own.
func startsToolCall(event []byte) bool {
	var start struct {
		ContentBlock struct {
			Type string `json:"type"`
		} `json:"content_block"`
	}
	return bytes.Contains(event, []byte(`tool_use`)) &&
		json.Unmarshal(event, &start) == nil && start.ContentBlock.Type == "tool_use"
}

// count takes in the usage of message_start, and of message_delta, whose output is
// the sum so far.
func (i *Inspector) count(e *inference.Event) error {
	var told struct {
		Message struct {
			Usage *tokenUsage `json:"usage"`
		} `json:"message"`
		Usage *tokenUsage `json:"usage"`
	}
	if err := json.Unmarshal(i.event, &told); err != nil {
		return err
	}
	for _, u := range []*tokenUsage{told.Message.Usage, told.Usage} {
		if u != nil {
			i.tell(u.usage())
		}
	}
	if i.counted {
		usage := i.usage
		e.Usage = &usage
	}
	return nil
}

// tell takes in what the usage u counts: an event need not repeat what another said.
func (i *Inspector) tell(u *inference.Usage) {
	if u == nil {
		return
	}
	i.counted = true
	i.usage.InputTokens = max(i.usage.InputTokens, u.InputTokens)
	i.usage.OutputTokens = max(i.usage.OutputTokens, u.OutputTokens)
	i.usage.CacheReadTokens = max(i.usage.CacheReadTokens, u.CacheReadTokens)
	i.usage.CacheWriteTokens = max(i.usage.CacheWriteTokens, u.CacheWriteTokens)
	i.usage.CacheWrite1h = max(i.usage.CacheWrite1h, u.CacheWrite1h)
	i.usage.Caching = i.usage.Caching || u.Caching
}

// nova looks at Nova's metadata, in which the metrics need not be.
func (i *Inspector) nova(e *inference.Event) error {
	var last struct {
		Metadata json.RawMessage `json:"metadata"`
	}
	if err := json.Unmarshal(i.event, &last); err != nil {
		return err
	}
	return i.converse(e, []byte("metadata"), last.Metadata)
}

// spoken is where the events of the other families have their text.
type spoken struct {
	Type       string `json:"type"`
	OutputText string `json:"outputText"` // Titan
	Generation string `json:"generation"` // Llama
	Outputs    []struct {
		Text string `json:"text"`
	} `json:"outputs"` // Mistral
	Choices []struct { // OpenAI
		Delta struct {
			Content          string          `json:"content"`
			ReasoningContent string          `json:"reasoning_content"`
			Reasoning        string          `json:"reasoning"`
			Refusal          string          `json:"refusal"`
			ToolCalls        json.RawMessage `json:"tool_calls"`
		} `json:"delta"`
	} `json:"choices"`
}

// other looks at an event that does not begin with its kind.
func (i *Inspector) other(e *inference.Event) error {
	if i.content && !bytes.Contains(i.event, []byte(`"message_`)) {
		e.Content = true
		return nil
	}
	var s spoken
	if err := json.Unmarshal(i.event, &s); err != nil {
		return err
	}
	if s.Type != "" {
		return i.anthropic(e, s.Type)
	}
	e.Content = s.OutputText != "" || s.Generation != ""
	for _, o := range s.Outputs {
		e.Content = e.Content || o.Text != ""
	}
	for _, c := range s.Choices {
		d := c.Delta
		e.Content = e.Content || d.Content+d.ReasoningContent+d.Reasoning+d.Refusal != "" || len(d.ToolCalls) > 0
	}
	return nil
}
