package openai

import (
	"encoding/json"
	"maps"
	"slices"

	"fairway/internal/dialect"
)

// requestBody is what EncodeRequest writes. max_tokens, not its successor
// max_completion_tokens, since every server of the dialect knows it.
type requestBody struct {
	Messages        []messageBody     `json:"messages"`
	Tools           []toolBody        `json:"tools,omitempty"`
	ToolChoice      any               `json:"tool_choice,omitempty"`
	MaxTokens       *int              `json:"max_tokens,omitempty"`
	Temperature     *float64          `json:"temperature,omitempty"`
	TopP            *float64          `json:"top_p,omitempty"`
	TopK            *int              `json:"top_k,omitempty"`
	Stop            []string          `json:"stop,omitempty"`
	ResponseFormat  *formatBody       `json:"response_format,omitempty"`
	ReasoningEffort string            `json:"reasoning_effort,omitempty"`
	User            string            `json:"user,omitempty"`
	Metadata        map[string]string `json:"metadata,omitempty"`
}

type toolBody struct {
	Type     string       `json:"type"` // "function"
	Function functionBody `json:"function"`
}

type functionBody struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"`
	Strict      bool            `json:"strict,omitempty"`
}

type formatBody struct {
	Type       string          `json:"type"`
	JSONSchema *jsonSchemaBody `json:"json_schema,omitempty"`
}

type jsonSchemaBody struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Schema      json.RawMessage `json:"schema"`
	Strict      bool            `json:"strict,omitempty"`
}

// EncodeRequest writes a request body. The error is a Validation that names what
// chat completions cannot carry. The members of Extra stand beside the dialect's
// own.
func (Dialect) EncodeRequest(c *dialect.Conversation) ([]byte, error) {
	if only := c.OfBedrock(); only != "" {
		return nil, cannotCarry(only, "leave it out, or use a model on Amazon Bedrock")
	}
	r := requestBody{
		Tools: tools(c.Tools), ToolChoice: toolChoice(c.ToolChoice),
		MaxTokens: c.MaxTokens, Temperature: c.Temperature, TopP: c.TopP, TopK: c.TopK,
		Stop: c.StopSequences, ResponseFormat: responseFormat(c.Output),
		User: c.Metadata[userID], Metadata: maps.Clone(c.Metadata),
	}
	delete(r.Metadata, userID)
	var err error
	if r.ReasoningEffort, err = effort(c.Thinking); err != nil {
		return nil, err
	}
	if r.Messages, err = messages(c); err != nil {
		return nil, err
	}
	body, err := dialect.WriteBody(r)
	if err != nil {
		return nil, cannotCarry("a schema or an input that is no JSON", "correct it")
	}
	return withExtra(body, c.Extra)
}

// withExtra puts the members of extra at the end of a body.
func withExtra(body []byte, extra json.RawMessage) ([]byte, error) {
	if len(extra) > 0 && checkObject(extra) != nil {
		return nil, cannotCarry("additional fields that are no JSON object", "correct them")
	}
	taken := map[string]bool{"model": true, "stream": true, "stream_options": true}
	for m := range members(body) {
		taken[m.name] = true
	}
	for m := range members(extra) {
		if taken[m.name] {
			return nil, cannotCarry("the additional field "+clip(m.name), "the request has it already")
		}
		taken[m.name] = true
		body = append(body[:len(body)-1], ',')
		body = append(append(body, extra[m.from:m.to]...), '}')
	}
	return body, nil
}

func tools(list []dialect.Tool) []toolBody {
	var bodies []toolBody
	for _, t := range list {
		bodies = append(bodies, toolBody{"function", functionBody{t.Name, t.Description, t.Schema, t.Strict}})
	}
	return bodies
}

func toolChoice(c *dialect.ToolChoice) any {
	if c == nil {
		return nil
	}
	for word, mode := range toolModes {
		if mode == c.Mode {
			return word
		}
	}
	return toolBody{"function", functionBody{Name: c.Name}}
}

// responseFormat: a schema needs a name; one that was given none is "answer".
func responseFormat(o *dialect.OutputFormat) *formatBody {
	switch {
	case o == nil:
		return nil
	case o.Schema == nil:
		return &formatBody{Type: "json_object"}
	}
	name := o.Name
	if name == "" {
		name = "answer"
	}
	return &formatBody{Type: "json_schema", JSONSchema: &jsonSchemaBody{name, o.Description, o.Schema, o.Strict}}
}

// effort is the reasoning_effort of t, empty where the server is to decide.
func effort(t *dialect.Thinking) (string, error) {
	switch {
	case t == nil:
		return "", nil
	case t.Budget != nil:
		return "", cannotCarry("a budget of thinking tokens", "give an effort instead")
	case t.Mode == "disabled":
		return "none", nil
	case t.Effort == "", slices.Contains(efforts, t.Effort):
		return t.Effort, nil
	}
	return "", cannotCarry("the effort "+clip(t.Effort), "use minimal, low, medium, high or xhigh")
}
