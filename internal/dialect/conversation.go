package dialect

import "strings"

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
		if b.Type == Text {
			texts = append(texts, b.Text)
		}
	}
	return strings.Join(texts, "\n")
}
