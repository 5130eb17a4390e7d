package openai

import (
	"cmp"
	"strconv"
	"strings"

	"fairway/internal/dialect"
)

// received is a completion or a chunk as servers send it: what is not known is
// passed over.
type received struct {
	ID      string           `json:"id"`
	Created int64            `json:"created"`
	Model   string           `json:"model"`
	Choices []receivedChoice `json:"choices"`
	Usage   *usage           `json:"usage"`
	Error   *errorBody       `json:"error"`
}

type receivedChoice struct {
	Message      delta         `json:"message"`
	Delta        delta         `json:"delta"`
	FinishReason *finishReason `json:"finish_reason"`
}

// delta is what a chunk adds to the message, sent or received. Of a message that
// is received it is all that counts.
type delta struct {
	Role      string      `json:"role,omitempty"`
	Content   *string     `json:"content,omitempty"`
	Refusal   string      `json:"refusal,omitempty"`
	Reasoning string      `json:"reasoning_content,omitempty"`
	OtherWord string      `json:"reasoning,omitempty"` // Ollama's for the same; read only
	Signature string      `json:"reasoning_signature,omitempty"`
	ToolCalls []callDelta `json:"tool_calls,omitempty"`
}

type callDelta struct {
	Index    int      `json:"index"`
	ID       string   `json:"id,omitempty"`
	Type     string   `json:"type,omitempty"` // "function"
	Function callBody `json:"function"`
}

// text is the content, or the refusal in its place.
func (d *delta) text() string {
	if d.Content == nil {
		return d.Refusal
	}
	return *d.Content + d.Refusal
}

func (d *delta) reasoning() string { return cmp.Or(d.Reasoning, d.OtherWord) }

// id is the call's id; the nth of a server that gives none is "call_n".
func (c *callDelta) id(n int) string {
	if c.ID != "" {
		return c.ID
	}
	return "call_" + strconv.Itoa(n)
}

func (r *received) head() dialect.Head {
	return dialect.Head{ID: strings.TrimPrefix(r.ID, idPrefix), Model: r.Model, Created: r.Created}
}
