package nova

import (
	"encoding/json"
	"strconv"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// contentBlock is a block of a message, of the system prompt or of a tool result:
// exactly one member is given.
type contentBlock struct {
	Text       *string         `json:"text,omitempty"`
	Image      *media          `json:"image,omitempty"`
	Video      *media          `json:"video,omitempty"`
	Document   *media          `json:"document,omitempty"`
	Audio      *media          `json:"audio,omitempty"`
	ToolUse    *toolUse        `json:"toolUse,omitempty"`
	ToolResult *toolResult     `json:"toolResult,omitempty"`
	JSON       json.RawMessage `json:"json,omitempty"`
	CachePoint *cachePoint     `json:"cachePoint,omitempty"`
	Reasoning  *reasoning      `json:"reasoningContent,omitempty"`
}

type media struct {
	Format string `json:"format"`
	Name   string `json:"name"` // of a document
	Source struct {
		Bytes      string `json:"bytes"` // base64
		S3Location *struct {
			URI         string `json:"uri"`
			BucketOwner string `json:"bucketOwner"`
		} `json:"s3Location"`
	} `json:"source"`
}

type toolUse struct {
	ToolUseID string          `json:"toolUseId"`
	Name      string          `json:"name"`
	Input     json.RawMessage `json:"input"`
}

type toolResult struct {
	ToolUseID string         `json:"toolUseId"`
	Content   []contentBlock `json:"content"`
	Status    string         `json:"status"` // "success" or "error"
}

type cachePoint struct {
	Type string `json:"type"` // "default"
}

type reasoning struct {
	ReasoningText *reasoningText `json:"reasoningText,omitempty"`
}

type reasoningText struct {
	Text      string `json:"text"`
	Signature string `json:"signature,omitempty"`
}

func (r *request) messages(c *dialect.Conversation) (err *inference.Error) {
	if c.System, err = read(r.System, "#/system"); err != nil {
		return err
	}
	if r.Messages == nil {
		return dialect.Malformed("#: required key [messages] not found")
	}
	for i, m := range r.Messages {
		path := "#/messages/" + strconv.Itoa(i)
		if m.Role != dialect.User && m.Role != dialect.Assistant {
			return dialect.Malformed(path + "/role: not a valid enum value")
		}
		content, err := read(m.Content, path+"/content")
		if err != nil {
			return err
		}
		for n, b := range content {
			if b.Type == dialect.JSON {
				return dialect.Malformed(path + "/content/" + strconv.Itoa(n) + ": json belongs into a tool result")
			}
		}
		c.Messages = append(c.Messages, dialect.Message{Role: m.Role, Content: content})
	}
	return nil
}

func read(blocks []contentBlock, path string) ([]dialect.Block, *inference.Error) {
	var content []dialect.Block
	for i, b := range blocks {
		at := path + "/" + strconv.Itoa(i)
		block, err := b.read(at)
		if err != nil {
			return nil, err
		}
		content = append(content, block)
	}
	return content, nil
}

// given is how many members of the union are.
func (b *contentBlock) given() int {
	n := 0
	for _, member := range [...]bool{b.Text != nil, b.Image != nil, b.Video != nil, b.Document != nil, b.Audio != nil,
		b.ToolUse != nil, b.ToolResult != nil, b.JSON != nil, b.CachePoint != nil, b.Reasoning != nil} {
		if member {
			n++
		}
	}
	return n
}

func (b *contentBlock) read(path string) (dialect.Block, *inference.Error) {
	switch {
	case b.given() != 1:
		return dialect.Block{}, dialect.Malformed(path + ": exactly one kind of content is wanted")
	case b.Text != nil:
		return dialect.Block{Type: dialect.Text, Text: *b.Text}, nil
	case b.Image != nil:
		return b.Image.read(dialect.Image, path)
	case b.Video != nil:
		return b.Video.read(dialect.Video, path)
	case b.Document != nil:
		return b.Document.read(dialect.Document, path)
	case b.Audio != nil:
		return b.Audio.read(dialect.Audio, path)
	case b.ToolUse != nil:
		return b.ToolUse.read(path)
	case b.ToolResult != nil:
		return b.ToolResult.read(path + "/toolResult")
	case b.JSON != nil:
		return dialect.Block{Type: dialect.JSON, Input: b.JSON}, nil
	case b.CachePoint != nil:
		return dialect.Block{Type: dialect.CachePoint}, nil
	case b.Reasoning.ReasoningText == nil:
		return dialect.Block{}, dialect.Malformed(path + "/reasoningContent: required key [reasoningText] not found")
	}
	t := b.Reasoning.ReasoningText
	return dialect.Block{Type: dialect.Reasoning, Text: t.Text, Signature: t.Signature}, nil
}

func (t *toolUse) read(path string) (dialect.Block, *inference.Error) {
	if t.Input == nil {
		return dialect.Block{}, dialect.Malformed(path + "/toolUse: required key [input] not found")
	}
	return dialect.Block{Type: dialect.ToolUse, ID: t.ToolUseID, Name: t.Name, Input: t.Input}, nil
}

func (t *toolResult) read(path string) (dialect.Block, *inference.Error) {
	content, err := read(t.Content, path+"/content")
	if err != nil {
		return dialect.Block{}, err
	}
	for i, b := range content {
		switch b.Type {
		case dialect.Text, dialect.JSON, dialect.Image, dialect.Document, dialect.Video:
		default:
			return dialect.Block{}, dialect.Malformed(path + "/content/" + strconv.Itoa(i) + ": does not belong into a tool result")
		}
	}
	if t.Status != "" && t.Status != "success" && t.Status != "error" {
		return dialect.Block{}, dialect.Malformed(path + "/status: not a valid enum value")
	}
	return dialect.Block{Type: dialect.ToolResult, ID: t.ToolUseID, Content: content, IsError: t.Status == "error"}, nil
}

func (m *media) read(kind dialect.BlockType, path string) (dialect.Block, *inference.Error) {
	read := &dialect.Media{Format: m.Format, Name: m.Name, Data: m.Source.Bytes}
	if s := m.Source.S3Location; s != nil {
		read.URI, read.Owner = s.URI, s.BucketOwner
	}
	path += "/" + string(kind)
	switch {
	case m.Format == "":
		return dialect.Block{}, dialect.Malformed(path + ": required key [format] not found")
	case (read.Data == "") == (read.URI == ""):
		return dialect.Block{}, dialect.Malformed(path + "/source: exactly one of [bytes, s3Location] is wanted")
	case read.Data != "" && !dialect.IsBase64(read.Data):
		return dialect.Block{}, dialect.Malformed(path + "/source/bytes: not base64")
	}
	return dialect.Block{Type: kind, Media: read}, nil
}
