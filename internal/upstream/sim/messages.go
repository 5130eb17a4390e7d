package sim

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"fairway/internal/dialect/anthropic"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
)

// readMessages reads and checks Anthropic's own body. Members that only Claude
// itself would act on are accepted and make no difference, since no model runs.
func (c *call) readMessages(op inference.Operation, body []byte) error {
	voice := voiceOf(c.model.ID)
	request, err := anthropic.Decode(body)
	if wrong, ok := errors.AsType[*anthropic.TypeError](err); ok {
		return invalid(voice.say(typeFinding(wrong)))
	}
	switch {
	case errors.Is(err, anthropic.ErrSyntax):
		return invalid(malformed)
	case err != nil:
		return err
	}
	if found := check(c.model, request); len(found) > 0 {
		return invalid(voice.say(found...))
	}
	if c.form, err = invocation.Of(op, c.model.ID); err != nil {
		return err
	}
	defined := plain(request)
	if c.conversation, err = anthropic.Conversation(request); err != nil {
		return err
	}
	for _, i := range defined {
		c.conversation.Tools[i].Schema = nil
	}
	return nil
}

// plain takes out of r what has no place in a conversation: flags of features in
// trial, options of what only Claude does, and blocks of tools that run at
// Anthropic, which become blocks of other tools. It returns the positions of the
// tools that Anthropic defines, which have no schema.
func plain(r *anthropic.Request) (defined []int) {
	r.AnthropicBeta, r.ContextManagement, r.Metadata = nil, nil, nil
	if r.OutputConfig != nil {
		r.OutputConfig.Unknown = nil
	}
	if r.Thinking != nil {
		r.Thinking.Unknown = nil
	}
	if r.ToolChoice != nil {
		r.ToolChoice.Unknown, r.ToolChoice.DisableParallelToolUse = nil, false
	}
	for i := range r.Tools {
		t := &r.Tools[i]
		if t.Unknown = nil; !t.Custom() {
			defined = append(defined, i)
			t.Type, t.InputSchema = "", json.RawMessage("{}")
		}
	}
	r.System = plainBlocks(r.System)
	for i := range r.Messages {
		m := &r.Messages[i]
		m.Unknown, m.Content = nil, plainBlocks(m.Content)
	}
	return defined
}

func plainBlocks(blocks []anthropic.Block) []anthropic.Block {
	for i := range blocks {
		b := &blocks[i]
		b.Unknown = nil
		if b.Source != nil {
			b.Source.Unknown = nil
		}
		switch {
		case b.Type == "server_tool_use":
			b.Type = "tool_use"
		case strings.HasSuffix(b.Type, "tool_result"):
			b.Type, b.Content = "tool_result", slices.DeleteFunc(plainBlocks(b.Content), func(b anthropic.Block) bool {
				return b.Type != "text" && b.Type != "image" && b.Type != "document"
			})
			for j := range b.Content {
				b.Content[j].CacheControl = nil
			}
		case b.Type == "search_result":
			b.Type, b.Text = "text", anthropic.Message{Content: b.Content}.Text()
		}
	}
	return slices.DeleteFunc(blocks, func(b anthropic.Block) bool { return b.Type == "container_upload" })
}
