package anthropic

import (
	"encoding/json"
	"strings"

	"fairway/internal/dialect"
)

// notCarried is the problem of a member that only Claude itself would take.
const notCarried = "cannot be carried to the called model: leave it out"

// Conversation is r in the vocabulary of all dialects. What that cannot hold is a
// Validation that names the member. It does not miss max_tokens: a call that
// counts tokens has none. The result shares memory with r.
func Conversation(r *Request) (*dialect.Conversation, error) {
	if err := carried(r); err != nil {
		return nil, err
	}
	c := &dialect.Conversation{
		MaxTokens:     r.MaxTokens,
		Temperature:   r.Temperature,
		TopP:          r.TopP,
		TopK:          r.TopK,
		StopSequences: r.StopSequences,
	}
	if r.Metadata != nil && r.Metadata.UserID != "" {
		c.Metadata = map[string]string{"user_id": r.Metadata.UserID}
	}
	var err error
	if c.System, err = contents("system", r.System, systemBlock); err != nil {
		return nil, err
	}
	if c.Messages, err = messages(r.Messages); err != nil {
		return nil, err
	}
	if c.Tools, err = tools(r.Tools); err != nil {
		return nil, err
	}
	if c.ToolChoice, err = toolChoice(r.ToolChoice); err != nil {
		return nil, err
	}
	if c.Thinking, err = thinking(r); err != nil {
		return nil, err
	}
	if c.Output, err = outputFormat(r.OutputConfig); err != nil {
		return nil, err
	}
	return c, nil
}

// carried refuses the top-level members that a Conversation has no place for.
func carried(r *Request) error {
	switch {
	case len(r.Unknown) > 0:
		return refuse(clip(r.Unknown[0]), extra)
	case len(r.AnthropicBeta) > 0:
		return refuse("anthropic_beta", notCarried)
	case r.ContextManagement != nil:
		return refuse("context_management", notCarried)
	case r.Metadata != nil && len(r.Metadata.Unknown) > 0:
		return refuse("metadata."+clip(r.Metadata.Unknown[0]), extra)
	case r.Messages == nil:
		return refuse("messages", required)
	case len(r.Messages) == 0:
		return refuse("messages", "at least one message is required")
	}
	return nil
}

func messages(from []Message) ([]dialect.Message, error) {
	to := make([]dialect.Message, len(from))
	for i, m := range from {
		path := at("messages", i)
		switch {
		case len(m.Unknown) > 0:
			return nil, refuse(path+"."+clip(m.Unknown[0]), extra)
		case m.Role != "user" && m.Role != "assistant":
			return nil, refuse(path+".role", "Input should be 'user' or 'assistant'")
		case m.Content == nil:
			return nil, refuse(path+".content", required)
		}
		content, err := contents(path+".content", m.Content, block)
		if err != nil {
			return nil, err
		}
		to[i] = dialect.Message{Role: dialect.Role(m.Role), Content: content}
	}
	return to, nil
}

// contents maps a list of blocks; a cache point follows each that ends a cached
// prefix.
func contents(path string, from []Block, one func(string, *Block) (dialect.Block, error)) ([]dialect.Block, error) {
	if len(from) == 0 {
		return nil, nil
	}
	to := make([]dialect.Block, 0, len(from))
	for i := range from {
		b, path := &from[i], at(path, i)
		if len(b.Unknown) > 0 {
			return nil, refuse(path+"."+clip(b.Unknown[0]), notCarried)
		}
		mapped, err := one(path, b)
		if err != nil {
			return nil, err
		}
		to = append(to, mapped)
		if b.CacheControl != nil {
			ttl, err := cacheTTL(path, b.CacheControl)
			if err != nil {
				return nil, err
			}
			to = append(to, dialect.Block{Type: dialect.CachePoint, TTL: ttl})
		}
	}
	return to, nil
}

func cacheTTL(path string, c *CacheControl) (string, error) {
	switch {
	case c.Type != "ephemeral":
		return "", refuse(path+".cache_control.type", "Input should be 'ephemeral'")
	case c.TTL != "" && c.TTL != "5m" && c.TTL != "1h":
		return "", refuse(path+".cache_control.ttl", "Input should be '5m' or '1h'")
	}
	return c.TTL, nil
}

func systemBlock(path string, b *Block) (dialect.Block, error) {
	if b.Type != "text" {
		return dialect.Block{}, refuse(path+".type", "Input should be 'text'")
	}
	return block(path, b)
}

// resultBlock is a block inside a tool_result.
func resultBlock(path string, b *Block) (dialect.Block, error) {
	switch {
	case b.CacheControl != nil:
		return dialect.Block{}, refuse(path+".cache_control", "put it on the tool_result itself")
	case b.Type == "text", b.Type == "image", b.Type == "document":
		return block(path, b)
	}
	return dialect.Block{}, refuse(path+".type", notCarried)
}

func block(path string, b *Block) (dialect.Block, error) {
	switch b.Type {
	case "text":
		return dialect.Block{Type: dialect.Text, Text: b.Text}, nil
	case "thinking":
		return dialect.Block{Type: dialect.Reasoning, Text: b.Thinking, Signature: b.Signature}, nil
	case "redacted_thinking":
		return dialect.Block{Type: dialect.Redacted, Text: b.Data}, nil
	case "image", "document":
		media, err := media(path, b)
		return dialect.Block{Type: dialect.BlockType(b.Type), Media: media}, err
	case "tool_use":
		input := b.Input
		if input == nil {
			input = json.RawMessage("{}")
		}
		return dialect.Block{Type: dialect.ToolUse, ID: b.ID, Name: b.Name, Input: input}, nil
	case "tool_result":
		content, err := contents(path+".content", b.Content, resultBlock)
		return dialect.Block{Type: dialect.ToolResult, ID: b.ToolUseID, Content: content, IsError: b.IsError}, err
	case "":
		return dialect.Block{}, refuse(path+".type", required)
	}
	return dialect.Block{}, refuse(path+".type", notCarried)
}

// tools maps the tools that the caller defines; those that Anthropic runs exist
// nowhere else.
func tools(from []Tool) ([]dialect.Tool, error) {
	if len(from) == 0 {
		return nil, nil
	}
	to := make([]dialect.Tool, len(from))
	for i, t := range from {
		path := at("tools", i)
		switch {
		case !t.Custom():
			return nil, refuse(path+".type", notCarried)
		case len(t.Unknown) > 0:
			return nil, refuse(path+"."+clip(t.Unknown[0]), notCarried)
		case t.Name == "":
			return nil, refuse(path+".name", required)
		case t.InputSchema == nil:
			return nil, refuse(path+".input_schema", required)
		}
		to[i] = dialect.Tool{Name: t.Name, Description: t.Description, Schema: t.InputSchema, Strict: t.Strict}
		if t.CacheControl != nil {
			ttl, err := cacheTTL(path, t.CacheControl)
			if err != nil {
				return nil, err
			}
			to[i].TTL = &ttl
		}
	}
	return to, nil
}

func toolChoice(from *ToolChoice) (*dialect.ToolChoice, error) {
	switch {
	case from == nil:
		return nil, nil
	case len(from.Unknown) > 0:
		return nil, refuse("tool_choice."+clip(from.Unknown[0]), extra)
	case from.DisableParallelToolUse:
		return nil, refuse("tool_choice.disable_parallel_tool_use", notCarried)
	case from.Type == "tool" && from.Name == "":
		return nil, refuse("tool_choice.name", required)
	}
	switch mode := dialect.ToolMode(from.Type); mode {
	case dialect.OneTool:
		return &dialect.ToolChoice{Mode: mode, Name: from.Name}, nil
	case dialect.AutoTool, dialect.AnyTool, dialect.NoTool:
		return &dialect.ToolChoice{Mode: mode}, nil
	}
	return nil, refuse("tool_choice.type", "Input should be 'auto', 'any', 'tool' or 'none'")
}

// thinking joins what the format keeps in two places: thinking and the effort.
func thinking(r *Request) (*dialect.Thinking, error) {
	var to dialect.Thinking
	if t := r.Thinking; t != nil {
		switch {
		case len(t.Unknown) > 0:
			return nil, refuse("thinking."+clip(t.Unknown[0]), notCarried)
		case t.Type != "enabled" && t.Type != "disabled" && t.Type != "adaptive":
			return nil, refuse("thinking.type", "Input should be 'enabled', 'disabled' or 'adaptive'")
		}
		to.Mode, to.Budget = t.Type, t.BudgetTokens
	}
	if r.OutputConfig != nil {
		to.Effort = r.OutputConfig.Effort
	}
	if to == (dialect.Thinking{}) {
		return nil, nil
	}
	return &to, nil
}

// outputFormat is strict: the format knows no other.
func outputFormat(config *OutputConfig) (*dialect.OutputFormat, error) {
	switch {
	case config == nil:
		return nil, nil
	case len(config.Unknown) > 0:
		return nil, refuse("output_config."+clip(config.Unknown[0]), extra)
	case config.Format == nil:
		return nil, nil
	case len(config.Format.Unknown) > 0:
		return nil, refuse("output_config.format."+clip(config.Format.Unknown[0]), extra)
	case config.Format.Type != "json_schema":
		return nil, refuse("output_config.format.type", "Input should be 'json_schema'")
	case config.Format.Schema == nil:
		return nil, refuse("output_config.format.schema", required)
	}
	return &dialect.OutputFormat{Schema: config.Format.Schema, Strict: true}, nil
}

// clip shortens a key that a message quotes.
func clip(key string) string {
	const most = 64
	if len(key) <= most {
		return key
	}
	return strings.ToValidUTF8(key[:most], "") + "..."
}
