package openai

import (
	"encoding/json"

	"fairway/internal/dialect"
)

// noInput is the schema of a function without parameters.
const noInput = `{"type":"object","properties":{}}`

func (r *request) readTools(c *dialect.Conversation) error {
	if r.tools == nil {
		return nil
	}
	return list("tools", r.tools, func(path string, element json.RawMessage) error {
		tool, err := readTool(path, element)
		c.Tools = append(c.Tools, tool)
		return err
	})
}

func readTool(path string, object json.RawMessage) (dialect.Tool, error) {
	function, err := readFunction(path, object)
	if err != nil {
		return dialect.Tool{}, err
	}
	t := dialect.Tool{Schema: json.RawMessage(noInput)}
	path += ".function"
	err = fields{"name": &t.Name, "description": &t.Description, "parameters": &t.Schema, "strict": &t.Strict}.read(path, function)
	switch {
	case err != nil:
	case t.Name == "":
		err = refuseMissing(path + ".name")
	case t.Schema[0] != '{':
		err = refuseType(path+".parameters", "an object", t.Schema)
	}
	return t, err
}

// readFunction is the member function of an object whose type is "function": a
// tool, or the choice of one.
func readFunction(path string, object json.RawMessage) (json.RawMessage, error) {
	if object[0] != '{' {
		return nil, refuseType(path, "an object", object)
	}
	var kind string
	var function json.RawMessage
	for m := range members(object) { // what else there is depends on the type
		if m.name == "type" && m.value[0] == '"' {
			kind = unquote(m.value)
		}
	}
	if kind != "function" {
		return nil, refuseValue(path+".type", kind, "function")
	}
	if err := (fields{"type": nil, "function": &function}).read(path, object); err != nil {
		return nil, err
	}
	if function == nil {
		return nil, refuseMissing(path + ".function")
	}
	return function, nil
}

func (r *request) readToolChoice(c *dialect.Conversation) error {
	if r.toolChoice == nil {
		return nil
	}
	if r.toolChoice[0] != '"' {
		return r.readNamedChoice(c)
	}
	word := unquote(r.toolChoice)
	mode, ok := toolModes[word]
	switch {
	case word == "any" && r.anyTool:
		mode = dialect.AnyTool
	case !ok:
		return refuseValue("tool_choice", word, "none", "auto", "required")
	}
	c.ToolChoice = &dialect.ToolChoice{Mode: mode}
	return nil
}

var toolModes = map[string]dialect.ToolMode{
	"none": dialect.NoTool, "auto": dialect.AutoTool, "required": dialect.AnyTool,
}

func (r *request) readNamedChoice(c *dialect.Conversation) error {
	function, err := readFunction("tool_choice", r.toolChoice)
	if err != nil {
		return err
	}
	choice := dialect.ToolChoice{Mode: dialect.OneTool}
	if err := (fields{"name": &choice.Name}).read("tool_choice.function", function); err != nil {
		return err
	}
	if choice.Name == "" {
		return refuseMissing("tool_choice.function.name")
	}
	c.ToolChoice = &choice
	return nil
}
