package tokens

import (
	"bytes"
	"encoding/json"

	"fairway/internal/dialect"
)

// Tokens that a call has beyond its texts. The tool prompt is the hidden system
// prompt that tools bring with them (Anthropic documents 313 to 346 for Claude
// 4); the other figures are ours, within the range of the facts sheet.
const (
	perMessage = 4
	perCall    = 3
	perTool    = 8
	toolPrompt = 346
)

// Conversation estimates the input tokens of a call: system prompt, messages,
// tools, media and what the format itself takes. Cache points are free.
func (f Family) Conversation(c *dialect.Conversation) int {
	n := perCall + f.blocks(c.System)
	for i := range c.Messages {
		n += perMessage + f.blocks(c.Messages[i].Content)
	}
	return n + f.tools(c.Tools)
}

func (f Family) tools(tools []dialect.Tool) int {
	if len(tools) == 0 {
		return 0
	}
	n := toolPrompt
	for i := range tools {
		t := &tools[i]
		n += perTool + f.Text(t.Name) + f.Text(t.Description) + f.json(t.Schema)
	}
	return n
}

// json estimates a JSON text as it is without white space around its values, which
// dialects keep or not.
func (f Family) json(text json.RawMessage) int {
	if bytes.ContainsAny(text, " \t\r\n") {
		var compact bytes.Buffer
		if json.Compact(&compact, text) == nil {
			text = compact.Bytes()
		}
	}
	return f.Text(string(text))
}

func (f Family) blocks(blocks []dialect.Block) int {
	n := 0
	for i := range blocks {
		n += f.block(&blocks[i])
	}
	return n
}

func (f Family) block(b *dialect.Block) int {
	if b.Type == dialect.Redacted {
		return 0 // its size says nothing of the text in it
	}
	n := f.Text(b.Text) + f.Text(b.Name) + f.Text(b.Source) + f.json(b.Input)
	if b.Media != nil {
		n += f.media(b.Type, b.Media)
	}
	return n + f.blocks(b.Content)
}
