package converse

import (
	"encoding/json"
	"strconv"

	"fairway/internal/dialect"
)

type toolConfig struct {
	Tools      []tool      `json:"tools"`
	ToolChoice *toolChoice `json:"toolChoice,omitempty"`
}

// tool is a union: exactly one member is given.
type tool struct {
	ToolSpec   *toolSpec   `json:"toolSpec,omitempty"`
	CachePoint *cachePoint `json:"cachePoint,omitempty"`
	SystemTool *namedTool  `json:"systemTool,omitempty"`
}

type toolSpec struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	InputSchema struct {
		JSON json.RawMessage `json:"json"`
	} `json:"inputSchema"`
	Strict bool `json:"strict,omitempty"`
}

// toolChoice is a union: exactly one member is given.
type toolChoice struct {
	Auto *struct{}  `json:"auto,omitempty"`
	Any  *struct{}  `json:"any,omitempty"`
	Tool *namedTool `json:"tool,omitempty"`
}

type namedTool struct {
	Name string `json:"name"`
}

func (t *toolConfig) read(into *dialect.Conversation) error {
	switch {
	case t == nil:
		return nil
	case len(t.Tools) == 0:
		return broken("[]", "toolConfig.tools", "have length greater than or equal to 1")
	}
	for i := range t.Tools {
		if err := t.Tools[i].read(&into.Tools); err != nil {
			return under(under(err, strconv.Itoa(i)), "toolConfig.tools")
		}
	}
	if c := t.ToolChoice; c != nil {
		if err := one(c.Auto != nil, c.Any != nil, c.Tool != nil); err != nil {
			return under(err, "toolConfig.toolChoice")
		}
		switch {
		case c.Auto != nil:
			into.ToolChoice = &dialect.ToolChoice{Mode: dialect.AutoTool}
		case c.Any != nil:
			into.ToolChoice = &dialect.ToolChoice{Mode: dialect.AnyTool}
		default:
			into.ToolChoice = &dialect.ToolChoice{Mode: dialect.OneTool, Name: c.Tool.Name}
		}
	}
	return nil
}

// read adds the tool, or a cache point to the tool before it.
func (t *tool) read(into *[]dialect.Tool) error {
	if err := one(t.ToolSpec != nil, t.CachePoint != nil, t.SystemTool != nil); err != nil {
		return err
	}
	switch {
	case t.SystemTool != nil:
		*into = append(*into, dialect.Tool{Name: t.SystemTool.Name, System: true})
		return nil
	case t.ToolSpec != nil:
		s := t.ToolSpec
		if s.InputSchema.JSON == nil {
			return &refusal{"toolSpec.inputSchema.json", "is missing"}
		}
		*into = append(*into, dialect.Tool{Name: s.Name, Description: s.Description, Schema: s.InputSchema.JSON, Strict: s.Strict})
		return nil
	}
	point, err := t.CachePoint.read()
	switch {
	case err != nil:
		return err
	case len(*into) == 0 || (*into)[len(*into)-1].TTL != nil:
		return &refusal{"cachePoint", "follows no tool"}
	}
	(*into)[len(*into)-1].TTL = &point.TTL
	return nil
}

// anyInput is the schema of a tool that has none.
var anyInput = json.RawMessage(`{"type":"object","properties":{}}`)

func writeTool(t dialect.Tool) tool {
	if t.System {
		return tool{SystemTool: &namedTool{t.Name}}
	}
	spec := &toolSpec{Name: t.Name, Description: t.Description, Strict: t.Strict}
	if spec.InputSchema.JSON = t.Schema; t.Schema == nil {
		spec.InputSchema.JSON = anyInput
	}
	return tool{ToolSpec: spec}
}

func writeTools(c *dialect.Conversation) (*toolConfig, error) {
	if c.ToolChoice != nil && c.ToolChoice.Mode == dialect.NoTool && len(c.Tools) > 0 {
		return nil, &refusal{"tool choice none", "Converse has no such choice: leave the tools out"}
	}
	if len(c.Tools) == 0 {
		return nil, nil
	}
	config := &toolConfig{Tools: make([]tool, 0, len(c.Tools))}
	for _, t := range c.Tools {
		config.Tools = append(config.Tools, writeTool(t))
		if t.TTL != nil {
			config.Tools = append(config.Tools, tool{CachePoint: &cachePoint{"default", *t.TTL}})
		}
	}
	if choice := c.ToolChoice; choice != nil {
		switch config.ToolChoice = new(toolChoice); choice.Mode {
		case dialect.AutoTool:
			config.ToolChoice.Auto = &struct{}{}
		case dialect.AnyTool:
			config.ToolChoice.Any = &struct{}{}
		default:
			config.ToolChoice.Tool = &namedTool{choice.Name}
		}
	}
	return config, nil
}
