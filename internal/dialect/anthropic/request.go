// Package anthropic holds the wire shapes of Anthropic's Messages format as
// Amazon Bedrock's InvokeModel carries it: a decoder for requests, an encoder
// for responses, and how model ids map to Anthropic's names. It reads what is
// there and judges nothing but JSON types: whether a request is acceptable is
// for whoever serves it to say.
//
// Source: Bedrock User Guide, "Anthropic Claude Messages API", Request and Response.
package anthropic

import (
	"encoding/json"
	"strings"
)

// Version is the one value of anthropic_version that Bedrock takes.
const Version = "bedrock-2023-05-31"

// Request is the body of a Messages call. A pointer or slice is nil when the key
// is absent or null. Strings and raw JSON may share memory with the decoded
// body, which must not change afterwards.
type Request struct {
	AnthropicVersion *string
	MaxTokens        *int
	Messages         []Message // non-nil when the key is there, even if empty
	System           []Block   // a plain string decodes as one text block
	Temperature      *float64
	TopP             *float64
	TopK             *int
	StopSequences    []string
	Tools            []Tool
	ToolChoice       *ToolChoice
	Thinking         *Thinking

	Model  *string // Anthropic's own endpoint only; Bedrock names the model in the URL
	Stream *bool   // Anthropic's own endpoint only; on Bedrock the operation says it

	Unknown []string // top-level keys that are none of the format's, in order
}

// Message is one turn. An absent role is empty; absent content is nil.
type Message struct {
	Role    string
	Content []Block // a plain string decodes as one text block
}

// Block is a content block; Type tells which of the other fields count. Keys not
// listed here are read over.
type Block struct {
	Type string

	Text     string // text
	Thinking string // thinking

	Source *Source // image, document
	Title  string  // document

	ID    string          // tool_use
	Name  string          // tool_use
	Input json.RawMessage // tool_use

	ToolUseID string  // tool_result
	Content   []Block // tool_result; a plain string decodes as one text block
	IsError   bool    // tool_result
}

// Source is where an image or document comes from.
type Source struct {
	Type      string // "base64", "text", "url", ...
	MediaType string
	Data      string // base64 text for "base64", the text itself for "text"
	URL       string
}

// Tool is something the model may call.
type Tool struct {
	Type        string // empty or "custom"; anything else is a tool Anthropic defines
	Name        string
	Description string
	InputSchema json.RawMessage // a JSON Schema object; nil when absent
}

// Custom reports whether the caller defines the tool's input.
func (t Tool) Custom() bool { return t.Type == "" || t.Type == "custom" }

// ToolChoice says whether the model has to call a tool.
type ToolChoice struct {
	Type string // "auto", "any", "tool" or "none"
	Name string // for "tool"
}

// Thinking switches extended thinking on.
type Thinking struct {
	Type         string // "enabled", "disabled" or "adaptive"
	BudgetTokens *int
}

// Prefill is the text of a trailing assistant message, which the model continues,
// and whether there is one.
func (r *Request) Prefill() (string, bool) {
	if len(r.Messages) == 0 {
		return "", false
	}
	last := r.Messages[len(r.Messages)-1]
	return last.Text(), last.Role == "assistant"
}

// Text is the message's text blocks joined by newlines.
func (m Message) Text() string { return joinText(m.Content) }

// SystemText is the system prompt's text blocks joined by newlines.
func (r *Request) SystemText() string { return joinText(r.System) }

// LastUserText is the text of the last user message that has any.
func (r *Request) LastUserText() string {
	for i := len(r.Messages) - 1; i >= 0; i-- {
		if r.Messages[i].Role != "user" {
			continue
		}
		if text := r.Messages[i].Text(); text != "" {
			return text
		}
	}
	return ""
}

func joinText(blocks []Block) string {
	if len(blocks) == 1 && blocks[0].Type == "text" {
		return blocks[0].Text
	}
	var text strings.Builder
	for _, b := range blocks {
		if b.Type != "text" {
			continue
		}
		if text.Len() > 0 {
			text.WriteByte('\n')
		}
		text.WriteString(b.Text)
	}
	return text.String()
}
