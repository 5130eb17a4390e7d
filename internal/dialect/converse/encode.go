package converse

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"

	"fairway/internal/dialect"
)

// EncodeRequest writes a ConverseRequest without modelId. Thinking and TopK become
// the members that Claude has for them, in additionalModelRequestFields. The name of
// a document is a label: what Converse does not take in one becomes a hyphen.
func (Dialect) EncodeRequest(c *dialect.Conversation) ([]byte, error) {
	r := &request{RequestMetadata: c.Metadata, AdditionalModelResponseFieldPaths: c.Fields}
	for _, step := range []func(*dialect.Conversation) error{
		r.writeMessages, r.writeOptions, r.writeAdditional, r.writeOutput,
	} {
		if err := step(c); err != nil {
			return nil, invalid("encode Converse request", err)
		}
	}
	return dialect.WriteBody(r)
}

func (r *request) writeMessages(c *dialect.Conversation) (err error) {
	if r.System, err = writeBlocks(c.System, "system"); err != nil {
		return err
	}
	documents := 0
	for i, m := range c.Messages {
		content, err := writeBlocks(m.Content, "content")
		if err != nil {
			return under(err, "messages."+strconv.Itoa(i))
		}
		for _, b := range content {
			documents = b.nameDocuments(documents)
		}
		r.Messages = append(r.Messages, message{Role: m.Role, Content: content})
	}
	return nil
}

// nameDocuments gives documents names that Converse takes. n is how many there were
// before b.
func (b *contentBlock) nameDocuments(n int) int {
	if b.ToolResult != nil {
		for _, inner := range b.ToolResult.Content {
			n = inner.nameDocuments(n)
		}
	}
	if b.Document == nil {
		return n
	}
	n++
	name := documentName(strings.TrimSuffix(b.Document.Name, "."+b.Document.Format))
	b.Document.Name = cmp.Or(name, "document-"+strconv.Itoa(n))
	return n
}

// documentName is name with no more than DocumentBlock takes: letters, digits,
// hyphens, brackets, and single blanks between them.
func documentName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r == ' ', 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("-()[]", r):
			return r
		}
		return '-'
	}, name)
	return strings.Join(strings.Fields(name[:min(len(name), maxDocumentName)]), " ")
}

// maxDocumentName is of DocumentBlock, in characters.
const maxDocumentName = 200

// writeBlocks is never nil: content may be empty and must be there.
func writeBlocks(blocks []dialect.Block, member string) ([]contentBlock, error) {
	written := make([]contentBlock, len(blocks))
	for i, b := range blocks {
		var err error
		if written[i], err = writeBlock(b); err != nil {
			return nil, under(under(err, strconv.Itoa(i)), member)
		}
	}
	return written, nil
}

func writeBlock(b dialect.Block) (w contentBlock, err error) {
	switch b.Type {
	case dialect.Text:
		w.Text = &b.Text
	case dialect.Image:
		w.Image, err = writeMedia(b)
	case dialect.Document:
		w.Document, err = writeMedia(b)
	case dialect.Video:
		w.Video, err = writeMedia(b)
	case dialect.Audio:
		w.Audio, err = writeMedia(b)
	case dialect.ToolUse:
		w.ToolUse = &toolUse{ToolUseID: b.ID, Name: b.Name, Input: b.Input}
	case dialect.ToolResult:
		w.ToolResult, err = writeToolResult(b)
	case dialect.JSON:
		w.JSON = b.Input
	case dialect.Reasoning:
		w.ReasoningContent = &reasoningContent{ReasoningText: &reasoningText{b.Text, b.Signature}}
	case dialect.Redacted:
		w.ReasoningContent = &reasoningContent{RedactedContent: &b.Text}
	case dialect.CachePoint:
		w.CachePoint = &cachePoint{"default", b.TTL}
	case dialect.Guarded:
		w.GuardContent = new(guardContent)
		w.GuardContent.Text = &guardedText{b.Text, b.Qualifiers}
	case dialect.Found:
		w.SearchResult = writeFound(b)
	default:
		err = notCarried(string(b.Type))
	}
	return w, err
}

func writeFound(b dialect.Block) *searchResult {
	written := &searchResult{Source: b.Source, Title: b.Name, Content: []text{}, Citations: citing(b.Cited)}
	for _, part := range b.Content {
		written.Content = append(written.Content, text{part.Text})
	}
	return written
}

func writeToolResult(b dialect.Block) (*toolResult, error) {
	content, err := writeBlocks(b.Content, "toolResult.content")
	written := &toolResult{ToolUseID: b.ID, Content: content}
	if b.IsError {
		written.Status = "error"
	}
	return written, err
}

func (r *request) writeOptions(c *dialect.Conversation) (err error) {
	if c.MaxTokens != nil || c.Temperature != nil || c.TopP != nil || len(c.StopSequences) > 0 {
		r.InferenceConfig = &inferenceConfig{c.MaxTokens, c.Temperature, c.TopP, c.StopSequences}
	}
	if g := c.Guardrail; g != nil {
		r.GuardrailConfig = &guardrailConfig{GuardrailIdentifier: g.Identifier, GuardrailVersion: g.Version, Trace: g.Trace}
	}
	if latency := c.Service.Latency; latency != "" {
		r.PerformanceConfig = &performanceConfig{latency}
	}
	if tier := c.Service.Tier; tier != "" {
		r.ServiceTier = &serviceTier{tier}
	}
	for name, value := range c.Variables {
		if r.PromptVariables == nil {
			r.PromptVariables = map[string]text{}
		}
		r.PromptVariables[name] = text{value}
	}
	r.ToolConfig, err = writeTools(c)
	return err
}

func (r *request) writeAdditional(c *dialect.Conversation) error {
	members := map[string]json.RawMessage{}
	if len(c.Extra) > 0 && json.Unmarshal(c.Extra, &members) != nil {
		return &refusal{"additionalModelRequestFields", "is no object"}
	}
	if t := c.Thinking; t != nil && t.Mode != "" {
		if members["thinking"] != nil {
			return &refusal{"additionalModelRequestFields.thinking", "is given twice"}
		}
		members["thinking"], _ = json.Marshal(thinking{t.Mode, t.Budget}) // a string and a number always encode
	}
	if c.TopK != nil {
		if members["top_k"] != nil {
			return &refusal{"additionalModelRequestFields.top_k", "is given twice"}
		}
		members["top_k"] = strconv.AppendInt(nil, int64(*c.TopK), 10)
	}
	if len(members) == 0 {
		return nil
	}
	var err error
	r.AdditionalModelRequestFields, err = dialect.WriteBody(members)
	return err
}

// anyObject is the schema of an answer that may be any JSON object.
const anyObject = `{"type":"object"}`

func (r *request) writeOutput(c *dialect.Conversation) error {
	var o outputConfig
	if c.Thinking != nil {
		o.Effort = c.Thinking.Effort
	}
	if f := c.Output; f != nil {
		schema := &jsonSchema{Schema: anyObject, Name: f.Name, Description: f.Description}
		if f.Schema != nil {
			schema.Schema = string(f.Schema)
		}
		o.TextFormat = &textFormat{Type: "json_schema"}
		o.TextFormat.Structure.JSONSchema = schema
	}
	if o != (outputConfig{}) {
		r.OutputConfig = &o
	}
	return nil
}
