package sim

import (
	"encoding/json"
	"fmt"
	"strings"

	"fairway/internal/dialect/openai"
)

// family is a group of models whose InvokeModel body is one prompt, guarded by a
// JSON Schema.
type family struct {
	prefix    string // of the model ids
	maxTokens string // path of max_tokens
	unasked   int    // max_tokens where the body has none (User Guide, the families' pages [M])
}

var families = []family{
	{"amazon.titan-text", "textGenerationConfig.maxTokenCount", 512},
	{"meta.llama", "max_gen_len", 512},
	{"mistral.mistral-7b", "max_tokens", 512},
	{"mistral.mixtral-8x7b", "max_tokens", 512},
	{"mistral.mistral-large-2402", "max_tokens", 512},
	{"mistral.mistral-small-2402", "max_tokens", 512},
}

// family is the zero one for a call that is of none, or comes by Converse.
func (c *call) family() family {
	for _, f := range families {
		if !c.converse && strings.HasPrefix(string(c.model.ID), f.prefix) {
			return f
		}
	}
	return family{}
}

// promptOf is the text of a body that its family's dialect has read.
func promptOf(body []byte) string {
	var has struct{ InputText, Prompt string }
	_ = json.Unmarshal(body, &has) // of the member that is there it is known to be a text
	return has.InputText + has.Prompt
}

// checkInvoke finds what is wrong with an InvokeModel body of another maker than
// Anthropic, beyond what its dialect refuses. The error is Validation.
func (c *call) checkInvoke() error {
	f, n, limit := c.family(), c.conversation.MaxTokens, c.model.MaxOutput
	switch {
	case len(c.conversation.Messages) == 0: // a chat completion may have system messages alone
		return invalid(schemaVoice.say(finding{path: "messages", schema: "expected minimum item count: 1, found: 0"}))
	case c.endsUnlikeMistral():
		return invalid(lastRole)
	case f.maxTokens == "" || n == nil:
		return c.checkMaxTokens()
	case *n < 1:
		return invalid(schemaVoice.say(below(f.maxTokens, float64(*n), 1)))
	case limit > 0 && *n > limit:
		return invalid(schemaVoice.say(above(f.maxTokens, float64(*n), float64(limit))))
	}
	return nil
}

// endsUnlikeMistral: Mistral's chat completions refuse a trailing assistant message
// that is not marked as a prefix, of which the format here has no word.
func (c *call) endsUnlikeMistral() bool {
	_, prefilled := c.conversation.Prefill()
	chat, ok := c.form.Dialect().(openai.Dialect)
	return prefilled && ok && chat.AnyTool && !c.model.Prefill
}

func (c *call) checkMaxTokens() error {
	n, limit := c.conversation.MaxTokens, c.model.MaxOutput
	switch {
	case n == nil:
	case *n < 1:
		return invalid(schemaVoice.say(below("max_tokens", float64(*n), 1)))
	case limit > 0 && (*n > limit || *n == limit && c.model.MaxOutputExcl):
		return invalid(fmt.Sprintf(aboveModelLimit, limit, limit))
	}
	return nil
}
