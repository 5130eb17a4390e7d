// Package nova is the dialect of the InvokeModel bodies of Amazon Nova's
// understanding models: Converse's words in a schema of their own.
//
// Source: Amazon Nova User Guide, "Complete request schema" [M]; facts bedrock.md
// 1.6 and 1.9. What the schema does not have is refused.
package nova

import (
	"encoding/json"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// Dialect is Nova's, as server; of the client's side it reads streams.
type Dialect struct{}

var _ dialect.Server = Dialect{}

type request struct {
	SchemaVersion   string           `json:"schemaVersion"` // "messages-v1"
	System          []contentBlock   `json:"system"`
	Messages        []message        `json:"messages"`
	InferenceConfig *inferenceConfig `json:"inferenceConfig"`
	ToolConfig      *toolConfig      `json:"toolConfig"`
}

type message struct {
	Role    dialect.Role   `json:"role"`
	Content []contentBlock `json:"content"`
}

// inferenceConfig has the limit under two names, the second from before
// messages-v1 was final.
type inferenceConfig struct {
	MaxTokens     *int     `json:"maxTokens"`
	MaxNewTokens  *int     `json:"max_new_tokens"`
	Temperature   *float64 `json:"temperature"`
	TopP          *float64 `json:"topP"`
	TopK          *int     `json:"topK"`
	StopSequences []string `json:"stopSequences"`

	ReasoningConfig *struct {
		Type      string `json:"type"` // "enabled" or "disabled"
		MaxEffort string `json:"maxReasoningEffort"`
	} `json:"reasoningConfig"`
}

type toolConfig struct {
	Tools []struct {
		ToolSpec *struct {
			Name        string `json:"name"`
			Description string `json:"description"`
			InputSchema struct {
				JSON json.RawMessage `json:"json"`
			} `json:"inputSchema"`
		} `json:"toolSpec"`
	} `json:"tools"`
	ToolChoice *struct {
		Auto *struct{} `json:"auto"`
		Any  *struct{} `json:"any"`
		Tool *struct {
			Name string `json:"name"`
		} `json:"tool"`
	} `json:"toolChoice"`
}

// DecodeRequest reads the body of a call of Nova.
func (Dialect) DecodeRequest(body []byte) (*dialect.Conversation, error) {
	var r request
	if err := dialect.ReadBody(body, &r); err != nil {
		return nil, err
	}
	if v := r.SchemaVersion; v != "" && v != "messages-v1" {
		return nil, dialect.Malformed("#/schemaVersion: not a valid enum value")
	}
	c := new(dialect.Conversation)
	for _, step := range []func(*dialect.Conversation) *inference.Error{r.messages, r.sampling, r.tools} {
		if err := step(c); err != nil {
			return nil, err
		}
	}
	if len(c.Messages) == 0 {
		return nil, dialect.Malformed("#/messages: expected minimum item count: 1, found: 0")
	}
	return c, nil
}

func (r *request) sampling(c *dialect.Conversation) *inference.Error {
	s := r.InferenceConfig
	if s == nil {
		return nil
	}
	c.MaxTokens, c.Temperature, c.TopP, c.TopK, c.StopSequences = s.MaxTokens, s.Temperature, s.TopP, s.TopK, s.StopSequences
	if c.MaxTokens == nil {
		c.MaxTokens = s.MaxNewTokens
	}
	if t := s.ReasoningConfig; t != nil {
		c.Thinking = &dialect.Thinking{Mode: t.Type, Effort: t.MaxEffort}
	}
	return nil
}

func (r *request) tools(c *dialect.Conversation) *inference.Error {
	if r.ToolConfig == nil {
		return nil
	}
	for _, t := range r.ToolConfig.Tools {
		s := t.ToolSpec
		switch {
		case s == nil:
			return dialect.Malformed("#/toolConfig/tools: required key [toolSpec] not found")
		case s.InputSchema.JSON == nil:
			return dialect.Malformed("#/toolConfig/tools/toolSpec/inputSchema: required key [json] not found")
		}
		c.Tools = append(c.Tools, dialect.Tool{Name: s.Name, Description: s.Description, Schema: s.InputSchema.JSON})
	}
	switch choice := r.ToolConfig.ToolChoice; {
	case choice == nil:
	case choice.Tool != nil:
		c.ToolChoice = &dialect.ToolChoice{Mode: dialect.OneTool, Name: choice.Tool.Name}
	case choice.Any != nil:
		c.ToolChoice = &dialect.ToolChoice{Mode: dialect.AnyTool}
	case choice.Auto != nil:
		c.ToolChoice = &dialect.ToolChoice{Mode: dialect.AutoTool}
	}
	return nil
}
