package openai

import (
	"encoding/json"
	"fmt"
	"strings"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// completion is a whole answer, or a chunk of a streamed one. Answers have the
// keys in the order in which OpenAI sends them.
type completion struct {
	ID      string   `json:"id"`     // "chatcmpl-..."
	Object  string   `json:"object"` // "chat.completion" or "chat.completion.chunk"
	Created int64    `json:"created"`
	Model   string   `json:"model"`
	Choices []choice `json:"choices"`
	Usage   *usage   `json:"usage,omitempty"`
}

type choice struct {
	Index        int           `json:"index"`
	Message      *reply        `json:"message,omitempty"` // of a whole answer
	Delta        *delta        `json:"delta,omitempty"`   // of a chunk
	Logprobs     *struct{}     `json:"logprobs"`
	FinishReason *finishReason `json:"finish_reason"`
}

// reply is the message of a whole answer.
type reply struct {
	Role      string         `json:"role"` // "assistant"
	Content   *string        `json:"content"`
	Refusal   *string        `json:"refusal"`
	Reasoning string         `json:"reasoning_content,omitempty"`
	Signature string         `json:"reasoning_signature,omitempty"`
	ToolCalls []toolCallBody `json:"tool_calls,omitempty"`
}

// finishReason is why an answer ended.
type finishReason string

// The finish reasons.
const (
	finishStop          finishReason = "stop"
	finishLength        finishReason = "length"
	finishToolCalls     finishReason = "tool_calls"
	finishContentFilter finishReason = "content_filter"
	finishFunctionCall  finishReason = "function_call" // before there were tool calls; read only
)

// finishOf is an error of kind ModelError for an answer that broke off: there is no
// word for that.
func finishOf(s dialect.Stop) (finishReason, error) {
	if err := s.Failure(); err != nil {
		return "", err
	}
	switch s.Reason {
	case dialect.MaxTokens, dialect.ContextWindowExceeded:
		return finishLength, nil
	case dialect.StopToolUse:
		return finishToolCalls, nil
	case dialect.GuardrailIntervened, dialect.ContentFiltered:
		return finishContentFilter, nil
	default: // EndTurn, StopSequence
		return finishStop, nil
	}
}

// stopOf is the stop reason of an answer. A call that was forced ends with "stop",
// and some servers end every call so.
func stopOf(r finishReason, calls bool) (dialect.Stop, error) {
	switch r {
	case finishStop:
		if calls {
			return dialect.Stop{Reason: dialect.StopToolUse}, nil
		}
		return dialect.Stop{Reason: dialect.EndTurn}, nil
	case finishLength:
		return dialect.Stop{Reason: dialect.MaxTokens}, nil
	case finishToolCalls, finishFunctionCall:
		return dialect.Stop{Reason: dialect.StopToolUse}, nil
	case finishContentFilter:
		return dialect.Stop{Reason: dialect.ContentFiltered}, nil
	}
	return dialect.Stop{}, fmt.Errorf("decode chat completion: the finish reason %q is not known", clip(string(r)))
}

// usage counts tokens; PromptTokens includes what a cache read or wrote.
type usage struct {
	PromptTokens     int            `json:"prompt_tokens"`
	CompletionTokens int            `json:"completion_tokens"`
	TotalTokens      int            `json:"total_tokens"`
	PromptDetails    *promptDetails `json:"prompt_tokens_details,omitempty"`
}

type promptDetails struct {
	CachedTokens *int `json:"cached_tokens"`
}

func usageOf(u inference.Usage) *usage {
	prompt := u.InputTokens + u.CacheReadTokens + u.CacheWriteTokens
	told := &usage{PromptTokens: prompt, CompletionTokens: u.OutputTokens, TotalTokens: prompt + u.OutputTokens}
	if u.Caching || prompt > u.InputTokens {
		told.PromptDetails = &promptDetails{&u.CacheReadTokens}
	}
	return told
}

// counted is u as Bedrock counts. What a cache wrote is not told apart from input.
func (u *usage) counted() inference.Usage {
	c := inference.Usage{InputTokens: u.PromptTokens, OutputTokens: u.CompletionTokens}
	if u.PromptDetails != nil && u.PromptDetails.CachedTokens != nil {
		c.Caching = true
		c.CacheReadTokens = min(*u.PromptDetails.CachedTokens, u.PromptTokens)
		c.InputTokens -= c.CacheReadTokens
	}
	return c
}

// EncodeAnswer is the body of a whole answer. Its texts are one string, whatever
// stood between them.
func (Dialect) EncodeAnswer(a *dialect.Answer) ([]byte, error) {
	finish, err := finishOf(a.Stop)
	if err != nil {
		return nil, err
	}
	message := &reply{Role: string(dialect.Assistant)}
	var text strings.Builder
	for _, b := range a.Content {
		switch b.Type {
		case dialect.Text:
			text.WriteString(b.Text)
		case dialect.Reasoning:
			message.Reasoning += b.Text
			message.Signature += b.Signature
		case dialect.ToolUse:
			message.ToolCalls = append(message.ToolCalls, toolCall(b))
		}
	}
	if text.Len() > 0 || len(message.ToolCalls) == 0 {
		message.Content = new(text.String())
	}
	c := newCompletion(a.Head, "chat.completion")
	c.Choices = []choice{{Message: message, FinishReason: &finish}}
	c.Usage = usageOf(a.Usage)
	return dialect.WriteBody(c)
}

func newCompletion(h dialect.Head, object string) completion {
	return completion{ID: idPrefix + h.ID, Object: object, Created: h.Created, Model: h.Model, Choices: []choice{}}
}

const idPrefix = "chatcmpl-"

// DecodeAnswer reads the body of a whole answer: reasoning, text and tool calls,
// in this order.
func (Dialect) DecodeAnswer(body []byte) (*dialect.Answer, error) {
	var c received
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, fmt.Errorf("decode chat completion: %w", err)
	}
	if len(c.Choices) != 1 || c.Choices[0].FinishReason == nil {
		return nil, fmt.Errorf("decode chat completion: %d choices, want one that is finished", len(c.Choices))
	}
	m := c.Choices[0].Message
	stop, err := stopOf(*c.Choices[0].FinishReason, len(m.ToolCalls) > 0)
	if err != nil {
		return nil, err
	}
	a := &dialect.Answer{Head: c.head(), Stop: stop}
	if m.reasoning() != "" || m.Signature != "" {
		a.Content = append(a.Content, dialect.Block{Type: dialect.Reasoning, Text: m.reasoning(), Signature: m.Signature})
	}
	if text := m.text(); text != "" {
		a.Content = append(a.Content, dialect.Block{Type: dialect.Text, Text: text})
	}
	for i, call := range m.ToolCalls {
		input, ok := inputOf(call.Function.Arguments)
		if !ok {
			return nil, fmt.Errorf("decode chat completion: the arguments of tool call %d are no JSON object", i)
		}
		a.Content = append(a.Content, dialect.Block{Type: dialect.ToolUse, ID: call.id(i), Name: call.Function.Name, Input: input})
	}
	if c.Usage != nil {
		a.Usage = c.Usage.counted()
	}
	return a, nil
}
