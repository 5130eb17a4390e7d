package converse

import (
	"bytes"
	"encoding/json"
	"strconv"

	"fairway/internal/dialect"
)

// DecodeRequest reads a ConverseRequest or a ConverseTokensRequest. Which latency
// and service tier serve the call changes no answer: their values are checked and
// not kept.
func (Dialect) DecodeRequest(body []byte) (*dialect.Conversation, error) {
	var r request
	if err := dialect.ReadBody(body, &r); err != nil {
		return nil, err
	}
	c := new(dialect.Conversation)
	for _, step := range []func(*dialect.Conversation) error{
		r.readUnknown, r.readMessages, r.readSampling, r.ToolConfig.read, r.readGuardrail, r.readAdditional, r.readOutput,
	} {
		if err := step(c); err != nil {
			return nil, invalid("decode Converse request", err)
		}
	}
	return c, nil
}

// readUnknown refuses what is not carried and checks what is not kept.
func (r *request) readUnknown(c *dialect.Conversation) error {
	c.Metadata = r.RequestMetadata
	switch {
	case r.PromptVariables != nil:
		return notCarried("promptVariables")
	case r.AdditionalModelResponseFieldPaths != nil:
		return notCarried("additionalModelResponseFieldPaths")
	}
	if p := r.PerformanceConfig; p != nil {
		if err := among("performanceConfig.latency", p.Latency, "", "standard", "optimized"); err != nil {
			return err
		}
	}
	if t := r.ServiceTier; t != nil {
		return among("serviceTier.type", t.Type, "default", "priority", "flex", "reserved")
	}
	return nil
}

func (r *request) readMessages(c *dialect.Conversation) (err error) {
	if c.System, err = readBlocks(r.System, "system"); err != nil {
		return err
	}
	for i, b := range c.System {
		if b.Type != dialect.Text && b.Type != dialect.CachePoint {
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
// every dialect has: thinking and top_k, where they are of the usual shape.
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
	switch len(members) {
	case 0:
	case count:
		c.Extra = fields
	default:
		c.Extra, _ = dialect.WriteBody(members) // JSON texts always encode
	}
	return nil
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
	case s.Description != "":
		return notCarried(path + ".description")
	}
	c.Output = &dialect.OutputFormat{Schema: json.RawMessage(s.Schema), Name: s.Name, Strict: true}
	return nil
}
