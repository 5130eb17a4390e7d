package openai

import (
	"cmp"
	"encoding/json"
	"strings"

	"fairway/internal/dialect"
)

// turns puts messages together. Bedrock's conversations alternate, so messages
// of one role in a row are one turn: the results of several tool calls, and what
// the user says beside them.
type turns struct {
	conversation *dialect.Conversation
	tools        map[string]string // id of a call -> name of the tool
}

func (r *request) readMessages(c *dialect.Conversation) error {
	if r.messages == nil {
		return refuseMissing("messages")
	}
	t := turns{c, map[string]string{}}
	err := list("messages", r.messages, t.read)
	if err == nil && len(c.Messages) == 0 && len(c.System) == 0 {
		return refuse("messages", "empty_array", "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.")
	}
	return err
}

// message is a message whose content and calls are still text.
type message struct {
	role, name, toolCallID, refusal string
	content, toolCalls              json.RawMessage
	reasoning, otherWord, signature string
}

func (t *turns) read(path string, object json.RawMessage) error {
	var m message
	err := fields{
		"role": &m.role, "content": &m.content, "name": &m.name,
		"tool_calls": &m.toolCalls, "tool_call_id": &m.toolCallID, "refusal": &m.refusal,
		"reasoning_content": &m.reasoning, "reasoning": &m.otherWord, "reasoning_signature": &m.signature,
		"annotations": only{[]any{}}, "audio": only{}, "function_call": only{},
	}.read(path, object)
	m.reasoning = cmp.Or(m.reasoning, m.otherWord)
	if err == nil {
		err = m.check(path, t.tools)
	}
	if err != nil {
		return err
	}
	switch m.role {
	case "user":
		return t.user(path, m)
	case "assistant":
		return t.assistant(path, m)
	case "tool":
		return t.result(path, m)
	default:
		return t.system(path, m)
	}
}

// check refuses what a message of its role cannot have. The name of a tool's
// result says nothing new when it is the called tool's.
func (m *message) check(path string, tools map[string]string) error {
	switch m.role {
	case "system", "developer", "user", "assistant", "tool":
	case "":
		return refuseMissing(path + ".role")
	default:
		return refuseValue(path+".role", m.role, "system", "developer", "user", "assistant", "tool")
	}
	assistant, tool := m.role == "assistant", m.role == "tool"
	switch {
	case !assistant && m.toolCalls != nil:
		return refuseUnsupported(path+".tool_calls", " Only assistant messages have it.")
	case !assistant && m.refusal != "":
		return refuseUnsupported(path+".refusal", " Only assistant messages have it.")
	case !assistant && m.reasoning+m.signature != "":
		return refuseUnsupported(path+".reasoning_content", " Only assistant messages have it.")
	case m.otherWord != "" && m.otherWord != m.reasoning:
		return refuse(path+".reasoning", "invalid_value", "Setting 'reasoning' and 'reasoning_content' at the same time is not supported.")
	case tool && m.toolCallID == "":
		return refuseMissing(path + ".tool_call_id")
	case !tool && m.toolCallID != "":
		return refuseUnsupported(path+".tool_call_id", " Only tool messages have it.")
	case m.name != "" && (!tool || m.name != tools[m.toolCallID]):
		return refuseUnsupported(path+".name", "")
	case !assistant && m.content == nil:
		return refuse(path+".content", "", "Invalid value for 'content': expected a string, got null.")
	}
	return nil
}

func (t *turns) add(role dialect.Role, blocks ...dialect.Block) {
	c := t.conversation
	if n := len(c.Messages); n > 0 && c.Messages[n-1].Role == role {
		c.Messages[n-1].Content = append(c.Messages[n-1].Content, blocks...)
		return
	}
	c.Messages = append(c.Messages, dialect.Message{Role: role, Content: blocks})
}

// system: what the system says stands before the conversation; in the midst of it
// there is no place for it.
func (t *turns) system(path string, m message) error {
	if len(t.conversation.Messages) > 0 {
		return refuse(path+".role", "unsupported_value",
			"Unsupported value: '"+path+".role' does not support '"+m.role+"' after the first turn with this model. Put it first.")
	}
	blocks, err := readContent(path+".content", m.content, "text")
	t.conversation.System = append(t.conversation.System, blocks...)
	return err
}

func (t *turns) user(path string, m message) error {
	blocks, err := readContent(path+".content", m.content, "text", "image_url", "input_audio", "file")
	t.add(dialect.User, blocks...)
	return err
}

func (t *turns) result(path string, m message) error {
	content, err := readContent(path+".content", m.content, "text")
	t.add(dialect.User, dialect.Block{Type: dialect.ToolResult, ID: m.toolCallID, Content: content})
	return err
}

// assistant: an empty text beside a tool call is how some clients say null.
func (t *turns) assistant(path string, m message) error {
	var blocks []dialect.Block
	if m.reasoning != "" || m.signature != "" {
		blocks = append(blocks, dialect.Block{Type: dialect.Reasoning, Text: m.reasoning, Signature: m.signature})
	}
	if m.content != nil && !(m.toolCalls != nil && string(m.content) == `""`) {
		content, err := readContent(path+".content", m.content, "text", "refusal")
		if err != nil {
			return err
		}
		blocks = append(blocks, content...)
	}
	if m.refusal != "" {
		blocks = append(blocks, dialect.Block{Type: dialect.Text, Text: m.refusal})
	}
	if m.toolCalls != nil {
		calls, err := t.readCalls(path+".tool_calls", m.toolCalls)
		if err != nil {
			return err
		}
		blocks = append(blocks, calls...)
	}
	if len(blocks) == 0 {
		return refuse(path+".content", "", "Invalid value for 'content': expected a string, got null.")
	}
	t.add(dialect.Assistant, blocks...)
	return nil
}

func (t *turns) readCalls(path string, array json.RawMessage) ([]dialect.Block, error) {
	var blocks []dialect.Block
	err := list(path, array, func(path string, object json.RawMessage) error {
		call := dialect.Block{Type: dialect.ToolUse}
		var kind, arguments string
		var function json.RawMessage
		if err := (fields{"id": &call.ID, "type": &kind, "function": &function, "index": nil}).read(path, object); err != nil {
			return err
		}
		switch {
		case kind != "function" && kind != "":
			return refuseValue(path+".type", kind, "function")
		case call.ID == "":
			return refuseMissing(path + ".id")
		case function == nil:
			return refuseMissing(path + ".function")
		}
		if err := (fields{"name": &call.Name, "arguments": &arguments}).read(path+".function", function); err != nil {
			return err
		}
		if call.Name == "" {
			return refuseMissing(path + ".function.name")
		}
		var ok bool
		if call.Input, ok = inputOf(arguments); !ok {
			return refuse(path+".function.arguments", "invalid_value", "Invalid value for '"+path+".function.arguments': expected a JSON object.")
		}
		t.tools[call.ID] = call.Name
		blocks = append(blocks, call)
		return nil
	})
	return blocks, err
}

// inputOf is the input of a tool call whose arguments are a JSON object; none at
// all is the empty one.
func inputOf(arguments string) (json.RawMessage, bool) {
	text := strings.TrimSpace(arguments)
	if text == "" {
		return json.RawMessage("{}"), true
	}
	return json.RawMessage(text), text[0] == '{' && json.Valid([]byte(text))
}
