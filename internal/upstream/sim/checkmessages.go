package sim

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"fairway/internal/dialect/anthropic"
)

// blockTypes are the content blocks of the format, as an error lists them.
var blockTypes = []string{
	"container_upload", "document", "image", "redacted_thinking", "search_result", "server_tool_use",
	"text", "thinking", "tool_result", "tool_use", "web_search_tool_result",
}

func (c *checker) messages() {
	messages := c.r.Messages
	if len(messages) == 0 {
		c.add(finding{
			path:   "messages",
			schema: "expected minimum item count: 1, found: 0",
			native: "messages: at least one message is required",
		})
		return
	}
	before := len(c.found)
	for i, m := range messages {
		c.message(i, m)
	}
	if len(c.found) > before {
		return // what follows reads roles and blocks
	}
	if messages[0].Role != "user" {
		c.native(firstIsUser)
	}
	c.alternation()
	c.toolPairs()
	c.prefill()
}

func (c *checker) message(i int, m anthropic.Message) {
	path := "messages." + strconv.Itoa(i)
	switch m.Role {
	case "user", "assistant":
	case "":
		c.add(missing(path, "role"))
	case "system":
		c.add(finding{path: path + ".role", schema: "system is not a valid enum value", native: systemRole})
	default:
		c.add(finding{
			path:   path + ".role",
			schema: clip(m.Role, maxItemRunes) + " is not a valid enum value",
			native: path + ".role: Input should be 'user' or 'assistant'",
		})
	}
	last := i == len(c.r.Messages)-1
	switch {
	case m.Content == nil:
		c.add(missing(path, "content"))
	case len(m.Content) == 0 && !(last && m.Role == "assistant"):
		c.native("%s: all messages must have non-empty content except for the optional final assistant message", path)
	}
	for j, b := range m.Content {
		c.block(path+".content."+strconv.Itoa(j), m.Role, b)
	}
}

func (c *checker) block(path, role string, b anthropic.Block) {
	switch {
	case b.Type == "":
		c.add(finding{
			path:   path,
			schema: "required key [type] not found",
			native: path + ": Unable to extract tag using discriminator 'type'",
		})
	case !slices.Contains(blockTypes, b.Type):
		c.add(badTag(path, b.Type, "'"+strings.Join(blockTypes, "', '")+"'"))
	case b.Type == "text" && b.Text == "":
		c.native(emptyText)
	case (b.Type == "image" || b.Type == "document") && b.Source == nil:
		c.add(missing(path+"."+b.Type, "source"))
	case b.Type == "tool_use" && role == "user":
		c.native("%s: `tool_use` blocks can only be in `assistant` messages", path)
	case b.Type == "tool_result" && role == "assistant":
		c.native("%s: `tool_result` blocks can only be in `user` messages", path)
	}
}

// alternation holds for Claude 3 and 3.5; later models merge turns of one role.
func (c *checker) alternation() {
	if c.generation >= firstNative {
		return
	}
	for i := 1; i < len(c.r.Messages); i++ {
		if role := c.r.Messages[i].Role; role == c.r.Messages[i-1].Role {
			c.native(rolesAlternate, role)
			return
		}
	}
}

// toolPairs wants each tool_use answered by a tool_result in the next user turn,
// and each tool_result asked for in the assistant turn before.
func (c *checker) toolPairs() {
	asked := map[string]int{} // id to the message that has it
	for i, m := range c.r.Messages {
		for j, b := range m.Content {
			switch b.Type {
			case "tool_use":
				asked[b.ID] = i
			case "tool_result":
				if _, ok := asked[b.ToolUseID]; !ok {
					c.native(resultWithoutUse, i, j, clip(b.ToolUseID, maxItemRunes))
					return
				}
				delete(asked, b.ToolUseID)
			}
		}
		turnEnds := i+1 == len(c.r.Messages) || c.r.Messages[i+1].Role == "assistant"
		if m.Role == "user" && turnEnds && len(asked) > 0 {
			id, at := firstAsked(asked)
			c.native(useWithoutResult, at, clip(id, maxItemRunes))
			return
		}
	}
}

// firstAsked is the earliest open tool_use, ties by id.
func firstAsked(asked map[string]int) (id string, at int) {
	first := true
	for candidate, i := range asked {
		if first || i < at || i == at && candidate < id {
			id, at, first = candidate, i, false
		}
	}
	return id, at
}

func (c *checker) prefill() {
	text, prefilled := c.r.Prefill()
	if !prefilled {
		return
	}
	if !c.model.Prefill {
		c.native(noPrefill)
		return
	}
	if endsInSpace(text) {
		c.native(trailingSpace)
	}
}

func endsInSpace(text string) bool { return text != strings.TrimRightFunc(text, unicode.IsSpace) }
