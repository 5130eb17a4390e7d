package tokens

import "fairway/internal/dialect/anthropic"

// Tokens that a call has beyond its texts. The tool prompt is the hidden system
// prompt that tools bring with them (Anthropic documents 313 to 346 for Claude
// 4); the other figures are ours, within the range of the facts sheet.
const (
	perMessage = 4
	perCall    = 3
	perTool    = 8
	toolPrompt = 346
)

// Messages estimates the input tokens of a Messages call: system prompt,
// conversation, tools, images and what the format itself takes.
func (f Family) Messages(r *anthropic.Request) int {
	n := perCall + f.blocks(r.System)
	for _, m := range r.Messages {
		n += perMessage + f.blocks(m.Content)
	}
	return n + f.tools(r.Tools)
}

func (f Family) tools(tools []anthropic.Tool) int {
	if len(tools) == 0 {
		return 0
	}
	n := toolPrompt
	for _, t := range tools {
		n += perTool + f.Text(t.Name) + f.Text(t.Description) + f.Text(string(t.InputSchema))
	}
	return n
}

func (f Family) blocks(blocks []anthropic.Block) int {
	n := 0
	for i := range blocks {
		n += f.block(&blocks[i])
	}
	return n
}

func (f Family) block(b *anthropic.Block) int {
	n := f.Text(b.Text) + f.Text(b.Thinking) + f.Text(b.Title) + f.Text(b.Name) + f.Text(string(b.Input))
	switch {
	case b.Source == nil:
	case b.Type == "image":
		n += image(b.Source)
	case b.Source.Type == "text":
		n += f.Text(b.Source.Data)
	default:
		n += document(b.Source)
	}
	return n + f.blocks(b.Content)
}
