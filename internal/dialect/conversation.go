package dialect

import (
	"slices"
	"strings"
)

// OfBedrock is the first thing that c asks for and only Bedrock itself can do, by
// its name there, empty where there is none: an upstream that calls another server
// refuses it.
func (c *Conversation) OfBedrock() string {
	switch asked := c.beside(); {
	case asked != "":
		return asked
	case !c.Service.IsUsual():
		return "performanceConfig or serviceTier"
	case c.has(func(b *Block) bool { return b.Type == Guarded }):
		return "guardContent"
	}
	return ""
}

// IsPlain reports whether an Answer holds all that may be answered to c.
func (c *Conversation) IsPlain() bool { return c.beside() == "" }

// beside is the first thing that c asks for and Bedrock answers beside an Answer, or
// in it as no piece tells.
func (c *Conversation) beside() string {
	switch {
	case c.Guardrail != nil:
		return "guardrailConfig"
	case len(c.Variables) > 0:
		return "promptVariables"
	case slices.ContainsFunc(c.Fields, func(f string) bool { return f != StopSequenceField }):
		return "additionalModelResponseFieldPaths"
	case slices.ContainsFunc(c.Tools, func(t Tool) bool { return t.System }):
		return "systemTool"
	case c.has(func(b *Block) bool { return b.Cited }):
		return "citations"
	}
	return ""
}

// has reports whether any block is as is says.
func (c *Conversation) has(is func(*Block) bool) bool {
	if anyBlock(c.System, is) {
		return true
	}
	return slices.ContainsFunc(c.Messages, func(m Message) bool { return anyBlock(m.Content, is) })
}

func anyBlock(blocks []Block, is func(*Block) bool) bool {
	for i := range blocks {
		if is(&blocks[i]) || anyBlock(blocks[i].Content, is) {
			return true
		}
	}
	return false
}

// Prefill is the text of a trailing assistant message, which the model continues,
// and whether there is one.
func (c *Conversation) Prefill() (string, bool) {
	if len(c.Messages) == 0 {
		return "", false
	}
	last := c.Messages[len(c.Messages)-1]
	return last.Text(), last.Role == Assistant
}

// SystemText is the system prompt's text blocks joined by newlines.
func (c *Conversation) SystemText() string { return joinText(c.System) }

// LastUserText is the text of the last user message that has any.
func (c *Conversation) LastUserText() string {
	for i := len(c.Messages) - 1; i >= 0; i-- {
		if c.Messages[i].Role != User {
			continue
		}
		if text := c.Messages[i].Text(); text != "" {
			return text
		}
	}
	return ""
}

// Text is the message's text blocks joined by newlines.
func (m Message) Text() string { return joinText(m.Content) }

func joinText(blocks []Block) string {
	var texts []string
	for _, b := range blocks {
		if b.Type == Text || b.Type == Guarded {
			texts = append(texts, b.Text)
		}
	}
	return strings.Join(texts, "\n")
}
