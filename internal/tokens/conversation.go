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
	w := walk{count: f.Text}
	w.conversation(c)
	return w.text + w.frame
}

// walk goes through a call and adds up its tokens: of texts by count, and of all that is
// no text.
type walk struct {
	count       func(string) int
	text, frame int
}

func (w *walk) conversation(c *dialect.Conversation) {
	w.frame += perCall
	w.blocks(c.System)
	for i := range c.Messages {
		w.frame += perMessage
		w.blocks(c.Messages[i].Content)
	}
	w.tools(c.Tools)
}

func (w *walk) tools(tools []dialect.Tool) {
	if len(tools) == 0 {
		return
	}
	w.frame += toolPrompt
	for i := range tools {
		t := &tools[i]
		w.frame += perTool
		w.texts(t.Name, t.Description)
		w.json(t.Schema)
	}
}

func (w *walk) texts(texts ...string) {
	for _, s := range texts {
		if s != "" {
			w.text += w.count(s)
		}
	}
}

// json adds a JSON text as it is without white space around its values, which dialects
// keep or not.
func (w *walk) json(text json.RawMessage) {
	if bytes.ContainsAny(text, " \t\r\n") {
		var compact bytes.Buffer
		if json.Compact(&compact, text) == nil {
			text = compact.Bytes()
		}
	}
	w.texts(string(text))
}

func (w *walk) blocks(blocks []dialect.Block) {
	for i := range blocks {
		w.block(&blocks[i])
	}
}

func (w *walk) block(b *dialect.Block) {
	if b.Type == dialect.Redacted {
		return // its size says nothing of the text in it
	}
	w.texts(b.Text, b.Name, b.Source)
	w.json(b.Input)
	if b.Media != nil {
		w.media(b.Type, b.Media)
	}
	w.blocks(b.Content)
}
