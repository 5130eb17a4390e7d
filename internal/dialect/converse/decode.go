package converse

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// DecodeRequest reads a ConverseRequest or a ConverseTokensRequest.
func (Dialect) DecodeRequest(body []byte) (*dialect.Conversation, error) {
	var r request
	if err := dialect.ReadBody(body, &r); err != nil {
		return nil, err
	}
	c := new(dialect.Conversation)
	for _, step := range []func(*dialect.Conversation) error{
		r.readService, r.readFields, r.readMessages, r.readSampling, r.ToolConfig.read, r.readGuardrail, r.readAdditional, r.readOutput,
	} {
		if err := step(c); err != nil {
			return nil, invalid("decode Converse request", err)
		}
	}
	if len(c.Messages) == 0 {
		return nil, &inference.Error{Kind: inference.Validation, Op: "decode Converse request", Message: UserFirst}
	}
	return c, nil
}

// UserFirst is what the service says to a conversation without messages, and to one
// that the assistant begins.
const UserFirst = "A conversation must start with a user message. Try again with a conversation that starts with a user message."

// readService reads how the call is to be served. What it refuses, it refuses in the
// service's words, as the header of InvokeModel is (NousResearch/hermes-agent#34476).
func (r *request) readService(c *dialect.Conversation) error {
	c.Metadata = r.RequestMetadata
	if p := r.PerformanceConfig; p != nil {
		c.Service.Latency = p.Latency
		if !slices.Contains([]string{"", "standard", "optimized"}, p.Latency) {
			return broken(p.Latency, "performanceConfig.latency", "satisfy enum value set: [optimized, standard]")
		}
	}
	if t := r.ServiceTier; t != nil {
		c.Service.Tier = t.Type
		if !slices.Contains([]string{"default", "priority", "flex", "reserved"}, t.Type) {
			return &inference.Error{Kind: inference.Validation, Op: "decode Converse request", Message: "service tier provided is invalid"}
		}
	}
	return nil
}

// readFields reads the variables of a prompt, and which members of the model's own
// answer are to be told: the service passes over those that the answer does not have.
func (r *request) readFields(c *dialect.Conversation) error {
	for name, value := range r.PromptVariables {
		if c.Variables == nil {
			c.Variables = map[string]string{}
		}
		c.Variables[name] = value.Text
	}
	for i, pointer := range r.AdditionalModelResponseFieldPaths {
		if !strings.HasPrefix(pointer, "/") {
			return &refusal{"additionalModelResponseFieldPaths." + strconv.Itoa(i), "is no JSON pointer"}
		}
	}
	c.Fields = r.AdditionalModelResponseFieldPaths
	return nil
}

func (r *request) readMessages(c *dialect.Conversation) (err error) {
	if c.System, err = readBlocks(r.System, "system"); err != nil {
		return err
	}
	for i, b := range c.System {
		if b.Type != dialect.Text && b.Type != dialect.CachePoint && b.Type != dialect.Guarded {
			return notCarried("system." + strconv.Itoa(i) + "." + string(b.Type))
		}
	}
	for i, m := range r.Messages {
		path := "messages." + strconv.Itoa(i)
		if err := among(path+".role", string(m.Role), string(dialect.User), string(dialect.Assistant)); err != nil {
			return err
		}
		content, err := readBlocks(m.Content, "content")
		if err != nil {
			return under(err, path)
		}
		for n, b := range content {
			if b.Type == dialect.JSON {
				return &refusal{path + ".content." + strconv.Itoa(n) + ".json", "belongs into a tool result"}
			}
		}
		c.Messages = append(c.Messages, dialect.Message{Role: m.Role, Content: content})
	}
	return nil
}

func (r *request) readSampling(c *dialect.Conversation) error {
	if s := r.InferenceConfig; s != nil {
		c.MaxTokens, c.Temperature, c.TopP, c.StopSequences = s.MaxTokens, s.Temperature, s.TopP, s.StopSequences
	}
	return nil
}

func (r *request) readGuardrail(c *dialect.Conversation) error {
	g := r.GuardrailConfig
	if g == nil {
		return nil
	}
	c.Guardrail = &dialect.Guardrail{Identifier: g.GuardrailIdentifier, Version: g.GuardrailVersion, Trace: g.Trace}
	if g.StreamProcessingMode == "async" {
		return notCarried("guardrailConfig.streamProcessingMode")
	}
	return among("guardrailConfig.streamProcessingMode", g.StreamProcessingMode, "", "sync")
}

// readAdditional keeps the model's own members, apart from those of Claude that
// every dialect has: thinking and top_k, and the tool choice that Converse has not,
// where they are of the usual shape.
func (r *request) readAdditional(c *dialect.Conversation) error {
	fields := r.AdditionalModelRequestFields
	if len(fields) == 0 || string(fields) == "null" {
		return nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(fields, &members) != nil {
		return &refusal{"additionalModelRequestFields", "is no object"}
	}
	count := len(members)
	var topK int
	if json.Unmarshal(members["top_k"], &topK) == nil {
		c.TopK = &topK
		delete(members, "top_k")
	}
	if t := readThinking(members["thinking"]); t != nil {
		c.Thinking = t
		delete(members, "thinking")
	}
	if c.ToolChoice == nil && isNoTool(members["tool_choice"]) {
		c.ToolChoice = &dialect.ToolChoice{Mode: dialect.NoTool}
		delete(members, "tool_choice")
	}
	switch len(members) {
	case 0:
	case count:
		c.Extra = fields
	default:
		c.Extra, _ = dialect.WriteBody(members) // JSON texts always encode
	}
	return nil
}

// isNoTool reports whether member is Claude's {"type":"none"}.
func isNoTool(member json.RawMessage) bool {
	var choice map[string]string
	return json.Unmarshal(member, &choice) == nil && len(choice) == 1 && choice["type"] == string(dialect.NoTool)
}

// thinking is Claude's member of that name.
type thinking struct {
	Type         string `json:"type"`
	BudgetTokens *int   `json:"budget_tokens,omitempty"`
}

func readThinking(member json.RawMessage) *dialect.Thinking {
	var t thinking
	d := json.NewDecoder(bytes.NewReader(member))
	d.DisallowUnknownFields()
	if d.Decode(&t) != nil || t.Type == "" {
		return nil
	}
	return &dialect.Thinking{Mode: t.Type, Budget: t.BudgetTokens}
}

func (r *request) readOutput(c *dialect.Conversation) error {
	o := r.OutputConfig
	if o == nil {
		return nil
	}
	if o.Effort != "" {
		if c.Thinking == nil {
			c.Thinking = new(dialect.Thinking)
		}
		c.Thinking.Effort = o.Effort
	}
	f := o.TextFormat
	if f == nil {
		return nil
	}
	if err := among("outputConfig.textFormat.type", f.Type, "json_schema"); err != nil {
		return err
	}
	const path = "outputConfig.textFormat.structure.jsonSchema"
	s := f.Structure.JSONSchema
	switch {
	case s == nil:
		return &refusal{path, "is missing"}
	case !json.Valid([]byte(s.Schema)):
		return &refusal{path + ".schema", "is no JSON text"}
	}
	c.Output = &dialect.OutputFormat{Schema: json.RawMessage(s.Schema), Name: s.Name, Description: s.Description, Strict: true}
	return nil
}
