// Package anthropic is the Anthropic Messages dialect, as Amazon Bedrock's
// InvokeModel and Anthropic's own endpoint carry it.
//
//	Decode        a body as wire types, judging nothing but JSON types: whether a
//	              request is acceptable is for whoever serves it to say
//	Conversation  wire types in the vocabulary of package dialect
//	Dialect       bodies and streams to that vocabulary and back
//	Open          a body opened at its top level, for who passes it on as it is
//
// Source: Bedrock User Guide, "Anthropic Claude Messages API", Request and
// Response; Anthropic API reference, "Messages" and "Streaming Messages".
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
	Metadata         *Metadata
	OutputConfig     *OutputConfig

	AnthropicBeta     []string        // flags of features in trial
	ContextManagement json.RawMessage // what the service is to take out of long conversations

	Model  *string // Anthropic's own endpoint only; Bedrock names the model in the URL
	Stream *bool   // Anthropic's own endpoint only; on Bedrock the operation says it

	Unknown []string // top-level keys that are none of the format's, in order
}

// Message is one turn. An absent role is empty; absent content is nil.
type Message struct {
	Role    string
	Content []Block // a plain string decodes as one text block

	Unknown []string // keys that are none of these, without those that are null
}

// Block is a content block; Type tells which of the other fields count.
type Block struct {
	Type string

	Text      string // text
	Thinking  string // thinking
	Signature string // thinking
	Data      string // redacted_thinking, in base64

	Source *Source // image, document
	Title  string  // document

	ID    string          // tool_use
	Name  string          // tool_use
	Input json.RawMessage // tool_use

	ToolUseID string  // tool_result
	Content   []Block // tool_result; a plain string decodes as one text block
	IsError   bool    // tool_result

	CacheControl *CacheControl
	Unknown      []string // as in Message; with citations where they are there or asked for
}

// CacheControl marks the end of a prefix that the service is to cache.
type CacheControl struct {
	Type string // "ephemeral"
	TTL  string // "5m", "1h" or empty
}

// Source is where an image or document comes from.
type Source struct {
	Type      string // "base64", "text", "url", ...
	MediaType string
	Data      string // base64 text for "base64", the text itself for "text"
	URL       string

	Unknown []string // as in Message
}

// Tool is something the model may call.
type Tool struct {
	Type        string // empty or "custom"; anything else is a tool Anthropic defines
	Name        string
	Description string
	InputSchema json.RawMessage // a JSON Schema object; nil when absent
	Strict      bool            // the input is to follow the schema

	CacheControl *CacheControl
	Unknown      []string // as in Message
}

// Custom reports whether the caller defines the tool's input.
func (t Tool) Custom() bool { return t.Type == "" || t.Type == "custom" }

// ToolChoice says whether the model has to call a tool.
type ToolChoice struct {
	Type string // "auto", "any", "tool" or "none"
	Name string // for "tool"

	DisableParallelToolUse bool
	Unknown                []string // as in Message
}

// Thinking switches extended thinking on.
type Thinking struct {
	Type         string // "enabled", "disabled" or "adaptive"
	BudgetTokens *int
	Unknown      []string // as in Message
}

// Metadata is about the request.
type Metadata struct {
	UserID  string
	Unknown []string // as in Message
}

// OutputConfig shapes the answer.
type OutputConfig struct {
	Effort  string // "low", "medium", "high", ...
	Format  *Format
	Unknown []string // as in Message
}

// Format constrains the text of the answer.
type Format struct {
	Type    string          // "json_schema"
	Schema  json.RawMessage // a JSON Schema object
	Unknown []string        // as in Message
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
