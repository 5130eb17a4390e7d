package converse

import (
	"encoding/json"
	"strconv"

	"fairway/internal/dialect"
)

// contentBlock is the unions ContentBlock, SystemContentBlock and
// ToolResultContentBlock: exactly one member is given.
type contentBlock struct {
	Text             *string           `json:"text,omitempty"`
	Image            *media            `json:"image,omitempty"`
	Document         *media            `json:"document,omitempty"`
	Video            *media            `json:"video,omitempty"`
	Audio            *media            `json:"audio,omitempty"`
	ToolUse          *toolUse          `json:"toolUse,omitempty"`
	ToolResult       *toolResult       `json:"toolResult,omitempty"`
	JSON             json.RawMessage   `json:"json,omitempty"`
	GuardContent     *guardContent     `json:"guardContent,omitempty"`
	CachePoint       *cachePoint       `json:"cachePoint,omitempty"`
	ReasoningContent *reasoningContent `json:"reasoningContent,omitempty"`
	CitationsContent json.RawMessage   `json:"citationsContent,omitempty"`
	SearchResult     *searchResult     `json:"searchResult,omitempty"`
	ToolAddition     json.RawMessage   `json:"toolAddition,omitempty"`
	ToolRemoval      json.RawMessage   `json:"toolRemoval,omitempty"`
}

type toolUse struct {
	ToolUseID string          `json:"toolUseId"`
	Name      string          `json:"name"`
	Input     json.RawMessage `json:"input"`
	Type      string          `json:"type,omitempty"` // of a tool that the service runs
}

type toolResult struct {
	ToolUseID string         `json:"toolUseId"`
	Content   []contentBlock `json:"content"`
	Status    string         `json:"status,omitempty"` // "success" or "error"
	Type      string         `json:"type,omitempty"`
}

type guardContent struct {
	Text  *guardedText    `json:"text,omitempty"`
	Image json.RawMessage `json:"image,omitempty"`
}

type guardedText struct {
	Text       string   `json:"text"`
	Qualifiers []string `json:"qualifiers,omitempty"`
}

type searchResult struct {
	Source    string     `json:"source"`
	Title     string     `json:"title"`
	Content   []text     `json:"content"`
	Citations *citations `json:"citations,omitempty"`
}

type cachePoint struct {
	Type string `json:"type"` // "default"
	TTL  string `json:"ttl,omitempty"`
}

type reasoningContent struct {
	ReasoningText   *reasoningText `json:"reasoningText,omitempty"`
	RedactedContent *string        `json:"redactedContent,omitempty"` // base64
}

type reasoningText struct {
	Text      string `json:"text"`
	Signature string `json:"signature,omitempty"`
}

// given counts the members of a union.
func given(members ...bool) int {
	n := 0
	for _, m := range members {
		if m {
			n++
		}
	}
	return n
}

// one is the refusal of a union that has not exactly one member that is known.
func one(members ...bool) error {
	if given(members...) != 1 {
		return &refusal{"", "exactly one member is wanted"}
	}
	return nil
}

func readBlocks(blocks []contentBlock, member string) ([]dialect.Block, error) {
	if len(blocks) == 0 {
		return nil, nil
	}
	read := make([]dialect.Block, len(blocks))
	for i := range blocks {
		var err error
		if read[i], err = blocks[i].read(); err != nil {
			return nil, under(under(err, strconv.Itoa(i)), member)
		}
	}
	return read, nil
}

func (b *contentBlock) read() (dialect.Block, error) {
	err := one(b.Text != nil, b.Image != nil, b.Document != nil, b.Video != nil, b.Audio != nil,
		b.ToolUse != nil, b.ToolResult != nil, b.JSON != nil, b.GuardContent != nil, b.CachePoint != nil,
		b.ReasoningContent != nil, b.CitationsContent != nil, b.SearchResult != nil, b.ToolAddition != nil, b.ToolRemoval != nil)
	switch {
	case err != nil:
		return dialect.Block{}, err
	case b.Text != nil:
		return dialect.Block{Type: dialect.Text, Text: *b.Text}, nil
	case b.Image != nil:
		return b.Image.read(dialect.Image)
	case b.Document != nil:
		return b.Document.read(dialect.Document)
	case b.Video != nil:
		return b.Video.read(dialect.Video)
	case b.Audio != nil:
		return b.Audio.read(dialect.Audio)
	case b.ToolUse != nil:
		return b.ToolUse.read()
	case b.ToolResult != nil:
		return b.ToolResult.read()
	case b.JSON != nil:
		return dialect.Block{Type: dialect.JSON, Input: b.JSON}, nil
	case b.GuardContent != nil:
		return b.GuardContent.read()
	case b.CachePoint != nil:
		return b.CachePoint.read()
	case b.ReasoningContent != nil:
		return b.ReasoningContent.read()
	case b.CitationsContent != nil:
		return dialect.Block{}, notCarried("citationsContent")
	case b.SearchResult != nil:
		return b.SearchResult.read(), nil
	case b.ToolAddition != nil:
		return dialect.Block{}, notCarried("toolAddition")
	}
	return dialect.Block{}, notCarried("toolRemoval")
}

func (t *toolUse) read() (dialect.Block, error) {
	switch {
	case t.Type != "":
		return dialect.Block{}, notCarried("toolUse.type")
	case t.Input == nil:
		return dialect.Block{}, &refusal{"toolUse.input", "is missing"}
	}
	return dialect.Block{Type: dialect.ToolUse, ID: t.ToolUseID, Name: t.Name, Input: t.Input}, nil
}

func (t *toolResult) read() (dialect.Block, error) {
	if t.Type != "" {
		return dialect.Block{}, notCarried("toolResult.type")
	}
	if err := among("toolResult.status", t.Status, "", "success", "error"); err != nil {
		return dialect.Block{}, err
	}
	content, err := readBlocks(t.Content, "toolResult.content")
	for i, b := range content {
		switch b.Type {
		case dialect.Text, dialect.JSON, dialect.Image, dialect.Document, dialect.Video, dialect.Found:
		default:
			return dialect.Block{}, &refusal{"toolResult.content." + strconv.Itoa(i), "does not belong into a tool result"}
		}
	}
	return dialect.Block{Type: dialect.ToolResult, ID: t.ToolUseID, Content: content, IsError: t.Status == "error"}, err
}

func (g *guardContent) read() (dialect.Block, error) {
	switch {
	case g.Image != nil:
		return dialect.Block{}, notCarried("guardContent.image")
	case g.Text == nil:
		return dialect.Block{}, &refusal{"guardContent", "exactly one member is wanted"}
	}
	for i, q := range g.Text.Qualifiers {
		if err := among("guardContent.text.qualifiers."+strconv.Itoa(i), q, "grounding_source", "query", "guard_content"); err != nil {
			return dialect.Block{}, err
		}
	}
	return dialect.Block{Type: dialect.Guarded, Text: g.Text.Text, Qualifiers: g.Text.Qualifiers}, nil
}

func (s *searchResult) read() dialect.Block {
	found := dialect.Block{Type: dialect.Found, Name: s.Title, Source: s.Source, Cited: s.Citations.asked()}
	for _, part := range s.Content {
		found.Content = append(found.Content, dialect.Block{Type: dialect.Text, Text: part.Text})
	}
	return found
}

func (p *cachePoint) read() (dialect.Block, error) {
	if err := among("cachePoint.type", p.Type, "default"); err != nil {
		return dialect.Block{}, err
	}
	return dialect.Block{Type: dialect.CachePoint, TTL: p.TTL}, among("cachePoint.ttl", p.TTL, "", "5m", "1h")
}

func (r *reasoningContent) read() (dialect.Block, error) {
	if err := one(r.ReasoningText != nil, r.RedactedContent != nil); err != nil {
		return dialect.Block{}, under(err, "reasoningContent")
	}
	if r.RedactedContent != nil {
		return dialect.Block{Type: dialect.Redacted, Text: *r.RedactedContent}, nil
	}
	return dialect.Block{Type: dialect.Reasoning, Text: r.ReasoningText.Text, Signature: r.ReasoningText.Signature}, nil
}
