package sim

import (
	"context"
	"fmt"
	"strings"

	"fairway/internal/dialect"
	"fairway/internal/dialect/anthropic"
	"fairway/internal/inference"
)

// Written is the default text source: a reply that says that no model ran and
// shows that it read the prompt, in the prompt's language. Its text is a function
// of the model and the conversation alone, so it is the same in every region and
// dialect, and it names no region.
type Written struct{}

// marker begins every reply, in every language, for whoever searches for it.
const marker = "[simulated] "

// Reply writes at least 40 words, or calls a tool where the request wants that:
// a forced tool or "any" always, "auto" as long as no tool has answered. Where the
// answer is to be JSON it is an example that fits, without a word about itself
// but in a schema of its own.
func (Written) Reply(_ context.Context, model inference.ModelID, c *dialect.Conversation) (Reply, error) {
	prompt := c.LastUserText()
	lang := detect(prompt)
	text := func(s string) dialect.Block { return dialect.Block{Type: dialect.Text, Text: s} }
	var reply Reply
	if thinks(c) {
		reply = append(reply, dialect.Block{Type: dialect.Reasoning, Text: marker + lang.notice})
	}
	tool := chooseTool(c)
	switch {
	case tool != nil:
		if !forced(c.ToolChoice) { // then a model may speak first
			reply = append(reply, text(marker+lang.notice))
		}
		input := exampleInput(tool.Schema, keywords(prompt, lang))
		return append(reply, dialect.Block{Type: dialect.ToolUse, Name: tool.Name, Input: input}), nil
	case c.Output != nil:
		return append(reply, text(exampleOutput(c.Output, lang, keywords(prompt, lang)))), nil
	}
	return append(reply, text(compose(lang, model, c, prompt))), nil
}

func thinks(c *dialect.Conversation) bool {
	return c.Thinking != nil && (c.Thinking.Mode == "enabled" || c.Thinking.Mode == "adaptive")
}

func compose(lang *language, model inference.ModelID, c *dialect.Conversation, prompt string) string {
	var b strings.Builder
	b.Grow(1024)
	b.WriteString(marker + lang.notice + "\n\n")
	fmt.Fprintf(&b, lang.asked, anthropic.ModelName(string(model)), turns(c), lang.length(prompt))
	if quote := clip(withoutRegions(head(prompt, readBytes)), maxQuote); quote != "" {
		fmt.Fprintf(&b, "\n"+lang.quote, quote)
	}
	if words := keywords(prompt, lang); len(words) > 0 {
		fmt.Fprintf(&b, "\n"+lang.keys, strings.Join(words, lang.comma()))
	}
	if system := c.SystemText(); system != "" {
		fmt.Fprintf(&b, "\n"+lang.system, lang.length(system))
	}
	if len(c.Tools) > 0 {
		names := make([]string, len(c.Tools))
		for i, t := range c.Tools {
			names[i] = withoutRegions(t.Name)
		}
		fmt.Fprintf(&b, "\n"+lang.tools, strings.Join(names, lang.comma()))
	}
	b.WriteString("\n\n" + lang.close)
	return b.String()
}

// turns is how many messages there are once those of one role in a row are taken
// for one: dialects part them differently.
func turns(c *dialect.Conversation) int {
	n := 0
	for i, m := range c.Messages {
		if i == 0 || m.Role != c.Messages[i-1].Role {
			n++
		}
	}
	return n
}

// chooseTool is the tool to call now, nil for none. Tools that the model's maker
// defines have no schema to fill in, so only a forced choice calls one.
func chooseTool(c *dialect.Conversation) *dialect.Tool {
	choice := dialect.ToolChoice{Mode: dialect.AutoTool}
	if c.ToolChoice != nil {
		choice = *c.ToolChoice
	}
	switch {
	case choice.Mode == dialect.NoTool, choice.Mode == dialect.AutoTool && hasToolResult(c):
		return nil
	case choice.Mode == dialect.OneTool:
		return firstTool(c, func(t *dialect.Tool) bool { return t.Name == choice.Name })
	}
	if own := firstTool(c, func(t *dialect.Tool) bool { return t.Schema != nil }); own != nil || choice.Mode == dialect.AutoTool {
		return own
	}
	return firstTool(c, func(*dialect.Tool) bool { return true })
}

func forced(choice *dialect.ToolChoice) bool { return choice != nil && choice.Mode != dialect.AutoTool }

func firstTool(c *dialect.Conversation, fits func(*dialect.Tool) bool) *dialect.Tool {
	for i := range c.Tools {
		if fits(&c.Tools[i]) {
			return &c.Tools[i]
		}
	}
	return nil
}

func hasToolResult(c *dialect.Conversation) bool {
	for _, m := range c.Messages {
		for i := range m.Content {
			if m.Content[i].Type == dialect.ToolResult {
				return true
			}
		}
	}
	return false
}
