package anthropic

import (
	"encoding/json"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// DefaultMaxTokens is the max_tokens of a call that sets none, on top of what it
// may think: Anthropic wants the member, and every Claude since version 3 can
// write that much.
const DefaultMaxTokens = 4096

// object is a JSON object on its way out.
type object map[string]any

// cannot is a Validation about what Anthropic cannot be given.
func cannot(path, problem string) *inference.Error {
	return &inference.Error{Kind: inference.Validation, Op: "encode Messages", Message: "encode Messages: " + path + " " + problem}
}

// EncodeRequest writes a Messages body without anthropic_version, model and
// stream. Where c sets no limit, DefaultMaxTokens does. The members of c.Extra
// become the body's. The name of an output format is a label and left out, and
// JSON inside a tool result becomes text.
func (Dialect) EncodeRequest(c *dialect.Conversation) ([]byte, error) {
	if only := c.OfBedrock(); only != "" {
		return nil, cannot(only, "is Bedrock's own: leave it out")
	}
	body := object{"max_tokens": maxTokens(c)}
	putSampling(body, c)
	putTools(body, c)
	putThinking(body, c)
	for _, put := range []func(object, *dialect.Conversation) error{putSystem, putMessages, putOutput, putMetadata, putExtra} {
		if err := put(body, c); err != nil {
			return nil, err
		}
	}
	return dialect.WriteBody(body)
}

func maxTokens(c *dialect.Conversation) int {
	switch {
	case c.MaxTokens != nil:
		return *c.MaxTokens
	case c.Thinking != nil && c.Thinking.Budget != nil:
		return *c.Thinking.Budget + DefaultMaxTokens
	}
	return DefaultMaxTokens
}

func putSampling(body object, c *dialect.Conversation) {
	if c.Temperature != nil {
		body["temperature"] = *c.Temperature
	}
	if c.TopP != nil {
		body["top_p"] = *c.TopP
	}
	if c.TopK != nil {
		body["top_k"] = *c.TopK
	}
	if len(c.StopSequences) > 0 {
		body["stop_sequences"] = c.StopSequences
	}
}

func putSystem(body object, c *dialect.Conversation) error {
	if len(c.System) == 0 {
		return nil
	}
	system, err := blocks("system", c.System)
	body["system"] = system
	return err
}

func putMessages(body object, c *dialect.Conversation) error {
	messages := make([]object, len(c.Messages))
	for i, m := range c.Messages {
		content, err := blocks(at("messages", i)+".content", m.Content)
		if err != nil {
			return err
		}
		messages[i] = object{"role": m.Role, "content": content}
	}
	body["messages"] = messages
	return nil
}

// blocks writes a list of blocks; a cache point becomes a member of the block
// before it.
func blocks(path string, from []dialect.Block) ([]object, error) {
	to := make([]object, 0, len(from))
	for i := range from {
		b, path := &from[i], at(path, i)
		if b.Type == dialect.CachePoint {
			if i == 0 || from[i-1].Type == dialect.CachePoint {
				return nil, cannot(path, "is a cache point without content before it")
			}
			to[len(to)-1]["cache_control"] = cacheControl(b.TTL)
			continue
		}
		written, err := encodeBlock(path, b)
		if err != nil {
			return nil, err
		}
		to = append(to, written)
	}
	return to, nil
}

func cacheControl(ttl string) object {
	control := object{"type": "ephemeral"}
	if ttl != "" {
		control["ttl"] = ttl
	}
	return control
}

func encodeBlock(path string, b *dialect.Block) (object, error) {
	switch b.Type {
	case dialect.Text:
		return object{"type": "text", "text": b.Text}, nil
	case dialect.JSON:
		return object{"type": "text", "text": string(b.Input)}, nil
	case dialect.Reasoning:
		return object{"type": "thinking", "thinking": b.Text, "signature": b.Signature}, nil
	case dialect.Redacted:
		return object{"type": "redacted_thinking", "data": b.Text}, nil
	case dialect.ToolUse:
		return object{"type": "tool_use", "id": b.ID, "name": b.Name, "input": b.Input}, nil
	case dialect.ToolResult:
		return encodeResult(path, b)
	case dialect.Image, dialect.Document:
		source, err := source(path, b)
		if err != nil {
			return nil, err
		}
		to := object{"type": string(b.Type), "source": source}
		if b.Type == dialect.Document && b.Media.Name != "" {
			to["title"] = b.Media.Name
		}
		if b.Media.Context != "" {
			to["context"] = b.Media.Context
		}
		return to, nil
	case dialect.Found:
		content, err := blocks(path+".content", b.Content)
		return object{"type": "search_result", "source": b.Source, "title": b.Name, "content": content}, err
	}
	return nil, cannot(path, "is a block that Anthropic does not know: "+string(b.Type))
}

func encodeResult(path string, b *dialect.Block) (object, error) {
	content, err := blocks(path+".content", b.Content)
	to := object{"type": "tool_result", "tool_use_id": b.ID, "content": content}
	if b.IsError {
		to["is_error"] = true
	}
	return to, err
}

func putTools(body object, c *dialect.Conversation) {
	if len(c.Tools) > 0 {
		tools := make([]object, len(c.Tools))
		for i, t := range c.Tools {
			tools[i] = encodeTool(t)
		}
		body["tools"] = tools
	}
	if choice := c.ToolChoice; choice != nil {
		to := object{"type": choice.Mode}
		if choice.Mode == dialect.OneTool {
			to["name"] = choice.Name
		}
		body["tool_choice"] = to
	}
}

func encodeTool(t dialect.Tool) object {
	to := object{"name": t.Name, "input_schema": t.Schema}
	if t.Description != "" {
		to["description"] = t.Description
	}
	if t.Strict {
		to["strict"] = true
	}
	if t.TTL != nil {
		to["cache_control"] = cacheControl(*t.TTL)
	}
	return to
}

func putThinking(body object, c *dialect.Conversation) {
	t := c.Thinking
	if t == nil {
		return
	}
	if t.Mode != "" {
		to := object{"type": t.Mode}
		if t.Budget != nil {
			to["budget_tokens"] = *t.Budget
		}
		body["thinking"] = to
	}
	if t.Effort != "" {
		body["output_config"] = object{"effort": t.Effort}
	}
}

func putOutput(body object, c *dialect.Conversation) error {
	if c.Output == nil {
		return nil
	}
	if c.Output.Schema == nil {
		return cannot("the output format", "is any JSON, which Anthropic does not promise: give a schema")
	}
	if c.Output.Description != "" {
		return cannot("the output format", "has a description, which Anthropic takes inside the schema alone: put it there")
	}
	config, ok := body["output_config"].(object)
	if !ok {
		config = object{}
		body["output_config"] = config
	}
	config["format"] = object{"type": "json_schema", "schema": c.Output.Schema}
	return nil
}

func putMetadata(body object, c *dialect.Conversation) error {
	for key, value := range c.Metadata {
		if key != "user_id" {
			return cannot("the request metadata", "has a key that Anthropic does not take, it takes user_id alone: "+clip(key))
		}
		body["metadata"] = object{"user_id": value}
	}
	return nil
}

// putExtra adds what only the model understands, and nothing that has its place
// elsewhere.
func putExtra(body object, c *dialect.Conversation) error {
	if c.Extra == nil {
		return nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(c.Extra, &members) != nil {
		return cannot("the additional request fields", "are no JSON object")
	}
	for key, value := range members {
		switch key {
		case "model", "stream", "anthropic_version", "temperature", "top_p", "stop_sequences":
			return cannot("the additional request field "+key, "has its place elsewhere")
		}
		if _, taken := body[key]; taken {
			return cannot("the additional request field "+clip(key), "is given twice")
		}
		body[key] = value
	}
	return nil
}
