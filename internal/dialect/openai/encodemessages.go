package openai

import (
	"encoding/base64"
	"strings"

	"fairway/internal/dialect"
)

// messageBody is a message of a request. Content is a string where there is one
// text, since not every server reads parts; else a list of partBody, or null.
type messageBody struct {
	Role       string         `json:"role"`
	Content    any            `json:"content"`
	Reasoning  string         `json:"reasoning_content,omitempty"`
	Signature  string         `json:"reasoning_signature,omitempty"`
	ToolCalls  []toolCallBody `json:"tool_calls,omitempty"`
	ToolCallID string         `json:"tool_call_id,omitempty"`
}

type toolCallBody struct {
	ID       string   `json:"id"`
	Type     string   `json:"type"` // "function"
	Function callBody `json:"function"`
}

type callBody struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

type partBody struct {
	Type       string     `json:"type"`
	Text       *string    `json:"text,omitempty"`
	ImageURL   *imageBody `json:"image_url,omitempty"`
	InputAudio *audioBody `json:"input_audio,omitempty"`
	File       *fileBody  `json:"file,omitempty"`
}

type imageBody struct {
	URL string `json:"url"`
}

type audioBody struct {
	Data   string `json:"data"`
	Format string `json:"format"`
}

type fileBody struct {
	Data string `json:"file_data"`
	Name string `json:"filename,omitempty"`
}

func messages(c *dialect.Conversation) ([]messageBody, error) {
	list := []messageBody{}
	if system, err := parts(c.System); err != nil {
		return nil, err
	} else if len(system) > 0 {
		list = append(list, messageBody{Role: "system", Content: content(system)})
	}
	for _, m := range c.Messages {
		of := userMessages
		if m.Role == dialect.Assistant {
			of = assistantMessage
		}
		bodies, err := of(m.Content)
		if err != nil {
			return nil, err
		}
		list = append(list, bodies...)
	}
	return list, nil
}

// userMessages are the messages of a user's turn: one for each tool result, and
// one for what else stands together.
func userMessages(blocks []dialect.Block) ([]messageBody, error) {
	var list []messageBody
	var beside []dialect.Block
	flush := func() error {
		together, err := parts(beside)
		if len(together) > 0 {
			list = append(list, messageBody{Role: "user", Content: content(together)})
		}
		beside = nil
		return err
	}
	for _, b := range blocks {
		if b.Type != dialect.ToolResult {
			beside = append(beside, b)
			continue
		}
		if err := flush(); err != nil {
			return nil, err
		}
		result, err := resultMessage(b)
		if err != nil {
			return nil, err
		}
		list = append(list, result)
	}
	return list, flush()
}

func resultMessage(b dialect.Block) (messageBody, error) {
	var texts []dialect.Block
	if b.IsError {
		texts = append(texts, dialect.Block{Type: dialect.Text, Text: "Error:"})
	}
	for _, inner := range b.Content {
		switch inner.Type {
		case dialect.JSON:
			texts = append(texts, dialect.Block{Type: dialect.Text, Text: string(inner.Input)})
		case dialect.Text, dialect.CachePoint:
			texts = append(texts, inner)
		default:
			return messageBody{}, cannotCarry("the "+string(inner.Type)+" of a tool result", "give it as text")
		}
	}
	list, err := parts(texts)
	return messageBody{Role: "tool", ToolCallID: b.ID, Content: content(list)}, err
}

// assistantMessage is a model's turn: the texts, the reasoning and the calls each
// in their own member.
func assistantMessage(blocks []dialect.Block) ([]messageBody, error) {
	m := messageBody{Role: "assistant"}
	var texts []dialect.Block
	for _, b := range blocks {
		switch b.Type {
		case dialect.Reasoning:
			m.Reasoning += b.Text
			m.Signature += b.Signature
		case dialect.ToolUse:
			m.ToolCalls = append(m.ToolCalls, toolCall(b))
		case dialect.Text, dialect.CachePoint:
			texts = append(texts, b)
		default:
			return nil, cannotCarry("the "+string(b.Type)+" of an assistant message", "leave it out")
		}
	}
	list, err := parts(texts)
	if len(list) > 0 {
		m.Content = content(list)
	}
	return []messageBody{m}, err
}

func toolCall(b dialect.Block) toolCallBody {
	arguments := string(b.Input)
	if arguments == "" {
		arguments = "{}"
	}
	return toolCallBody{ID: b.ID, Type: "function", Function: callBody{b.Name, arguments}}
}

// content is the content member of a message that has these parts.
func content(list []partBody) any {
	if len(list) == 0 {
		return ""
	}
	if len(list) == 1 && list[0].Text != nil {
		return *list[0].Text
	}
	return list
}

// parts are the content parts of blocks; cache points make none.
func parts(blocks []dialect.Block) ([]partBody, error) {
	var list []partBody
	for _, b := range blocks {
		switch b.Type {
		case dialect.CachePoint:
			continue
		case dialect.Text:
			list = append(list, partBody{Type: "text", Text: &b.Text})
			continue
		}
		p, err := mediaPart(b)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func mediaPart(b dialect.Block) (partBody, error) {
	refused := cannotCarry("a block of type "+string(b.Type), "leave it out")
	if b.Media == nil {
		return partBody{}, refused
	}
	m := b.Media
	switch b.Type {
	case dialect.Image:
		url, ok := imageURL(m)
		if !ok {
			return partBody{}, cannotCarry("an image that is not in the request", "send its bytes")
		}
		return partBody{Type: "image_url", ImageURL: &imageBody{url}}, nil
	case dialect.Audio:
		if m.Data == "" || (m.Format != "wav" && m.Format != "mp3") {
			return partBody{}, cannotCarry("audio of format "+clip(m.Format), "send the bytes of wav or mp3")
		}
		return partBody{Type: "input_audio", InputAudio: &audioBody{m.Data, m.Format}}, nil
	case dialect.Document:
		data := m.Data
		if m.Text != "" {
			data = base64.StdEncoding.EncodeToString([]byte(m.Text))
		}
		media, known := documentTypes[m.Format]
		if m.Context != "" {
			return partBody{}, cannotCarry("the context of a document", "give it as text beside it")
		}
		if data == "" || !known {
			return partBody{}, cannotCarry("a document that is not in the request", "send its bytes")
		}
		return partBody{Type: "file", File: &fileBody{"data:" + media + ";base64," + data, fileName(m)}}, nil
	}
	return partBody{}, refused
}

func imageURL(m *dialect.Media) (string, bool) {
	if m.Data != "" {
		return "data:image/" + m.Format + ";base64," + m.Data, true
	}
	return m.URI, len(m.URI) > 8 && m.URI[:8] == "https://"
}

func fileName(m *dialect.Media) string {
	if m.Name == "" {
		return ""
	}
	return strings.TrimSuffix(m.Name, "."+m.Format) + "." + m.Format
}
