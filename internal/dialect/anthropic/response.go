package anthropic

import (
	"encoding/json"

	"fairway/internal/dialect"
)

// StopReason is why a reply ended.
type StopReason string

// The reasons a reply ends for.
const (
	EndTurn      StopReason = "end_turn"
	MaxTokens    StopReason = "max_tokens"
	StopSequence StopReason = "stop_sequence"
	ToolUse      StopReason = "tool_use"
	Refused      StopReason = "refusal"
	Paused       StopReason = "pause_turn"
)

// Response is the answer to a Messages call. Its JSON has the keys in the order
// in which Bedrock sends them.
type Response struct {
	ID           string     `json:"id"`   // "msg_bdrk_..."
	Type         string     `json:"type"` // "message"
	Role         string     `json:"role"` // "assistant"
	Model        string     `json:"model"`
	Content      []Part     `json:"content"` // never nil
	StopReason   StopReason `json:"stop_reason"`
	StopSequence *string    `json:"stop_sequence"` // null unless StopReason is StopSequence
	Usage        Usage      `json:"usage"`
}

// Part is a content block of a response; Type tells which of the others count.
type Part struct {
	Type      string          `json:"type"`
	Text      *string         `json:"text,omitempty"`      // text
	Thinking  *string         `json:"thinking,omitempty"`  // thinking
	Signature *string         `json:"signature,omitempty"` // thinking
	Data      string          `json:"data,omitempty"`      // redacted_thinking, in base64
	ID        string          `json:"id,omitempty"`        // tool_use, "toolu_bdrk_..."
	Name      string          `json:"name,omitempty"`      // tool_use
	Input     json.RawMessage `json:"input,omitempty"`     // tool_use
}

// Usage counts tokens; InputTokens excludes what the cache read or wrote.
type Usage struct {
	InputTokens              int `json:"input_tokens"`
	CacheCreationInputTokens int `json:"cache_creation_input_tokens"`
	CacheReadInputTokens     int `json:"cache_read_input_tokens"`

	CacheCreation *CacheCreation `json:"cache_creation,omitempty"` // nil where all are for five minutes
	OutputTokens  int            `json:"output_tokens"`
}

// CacheCreation counts what the cache wrote by how long it keeps it (facts:
// bedrock.md 1.10).
type CacheCreation struct {
	Ephemeral5mInputTokens int `json:"ephemeral_5m_input_tokens"`
	Ephemeral1hInputTokens int `json:"ephemeral_1h_input_tokens"`
}

// TextPart is a text block.
func TextPart(text string) Part { return Part{Type: "text", Text: &text} }

// Encode is the response's JSON, with <, > and & as they are.
func (r *Response) Encode() ([]byte, error) { return dialect.WriteBody(r) }
