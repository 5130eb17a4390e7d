package sim

import (
	"context"
	"fmt"
	"strings"

	"fairway/internal/inference"
	"fairway/internal/dialect/anthropic"
)

// Written is the default text source: a reply that says that no model ran and
// shows that it read the prompt, in the prompt's language. It is a function of
// its arguments alone, so it is the same in every region, and it names none.
type Written struct{}

// marker begins every reply, in every language, for whoever searches for it.
const marker = "[simulated] "

// Reply writes at least 40 words, or calls a tool where the request wants that:
// a forced tool or "any" always, "auto" as long as no tool has answered.
func (Written) Reply(_ context.Context, model inference.ModelID, m *anthropic.Request) (Reply, error) {
	prompt := m.LastUserText()
	lang := detect(prompt)
	if tool := chooseTool(m); tool != nil {
		reply := Reply{Tool: &ToolCall{Name: tool.Name, Input: exampleInput(tool.InputSchema, keywords(prompt, lang))}}
		if m.ToolChoice == nil || m.ToolChoice.Type == "auto" {
			reply.Text = marker + lang.notice // a model may speak first unless it is forced
		}
		return reply, nil
	}
	return Reply{Text: compose(lang, model, m, prompt)}, nil
}

func compose(lang *language, model inference.ModelID, m *anthropic.Request, prompt string) string {
	var b strings.Builder
	b.Grow(1024)
	b.WriteString(marker + lang.notice + "\n\n")
	fmt.Fprintf(&b, lang.asked, anthropic.ModelName(string(model)), len(m.Messages), lang.length(prompt))
	if quote := clip(withoutRegions(head(prompt, readBytes)), maxQuote); quote != "" {
		fmt.Fprintf(&b, "\n"+lang.quote, quote)
	}
	if words := keywords(prompt, lang); len(words) > 0 {
		fmt.Fprintf(&b, "\n"+lang.keys, strings.Join(words, lang.comma()))
	}
	if system := m.SystemText(); system != "" {
		fmt.Fprintf(&b, "\n"+lang.system, lang.length(system))
	}
	if len(m.Tools) > 0 {
		names := make([]string, len(m.Tools))
		for i, t := range m.Tools {
			names[i] = withoutRegions(t.Name)
		}
		fmt.Fprintf(&b, "\n"+lang.tools, strings.Join(names, lang.comma()))
	}
	b.WriteString("\n\n" + lang.close)
	return b.String()
}

// chooseTool is the tool to call now, nil for none. Tools that Anthropic defines
// have no schema to fill in, so only a forced choice calls one.
func chooseTool(m *anthropic.Request) *anthropic.Tool {
	choice := anthropic.ToolChoice{Type: "auto"}
	if m.ToolChoice != nil {
		choice = *m.ToolChoice
	}
	switch {
	case choice.Type == "none", choice.Type == "auto" && hasToolResult(m):
		return nil
	case choice.Type == "tool":
		return firstTool(m, func(t *anthropic.Tool) bool { return t.Name == choice.Name })
	}
	if custom := firstTool(m, func(t *anthropic.Tool) bool { return t.Custom() }); custom != nil || choice.Type == "auto" {
		return custom
	}
	return firstTool(m, func(*anthropic.Tool) bool { return true })
}

func firstTool(m *anthropic.Request, fits func(*anthropic.Tool) bool) *anthropic.Tool {
	for i := range m.Tools {
		if fits(&m.Tools[i]) {
			return &m.Tools[i]
		}
	}
	return nil
}

func hasToolResult(m *anthropic.Request) bool {
	for _, message := range m.Messages {
		for i := range message.Content {
			if message.Content[i].Type == "tool_result" {
				return true
			}
		}
	}
	return false
}
