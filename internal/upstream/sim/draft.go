package sim

import (
	"math/rand/v2"
	"strings"

	"fairway/internal/inference"
	"fairway/internal/dialect/anthropic"
)

// draft is a reply after max_tokens and the stop sequences have cut it.
type draft struct {
	text     string
	tool     *ToolCall // nil without one
	stop     anthropic.StopReason
	sequence *string // the stop sequence that ended it
	tokens   int
}

// cut ends the reply where the request says: before the first stop sequence if
// that is written within max_tokens, else at the last token that fits.
func (c *call) cut(reply Reply) draft {
	limit := c.limit()
	d := draft{text: reply.Text, tool: reply.Tool, stop: anthropic.EndTurn}
	if end, sequence := firstOf(reply.Text, c.request.StopSequences); sequence != nil &&
		c.tokens.Text(reply.Text[:end+len(*sequence)]) <= limit {
		d.text, d.tool, d.stop, d.sequence = reply.Text[:end], nil, anthropic.StopSequence, sequence
	}
	if end := c.tokens.Cut(d.text, limit); end < len(d.text) {
		d.text, d.tool, d.stop = d.text[:end], nil, anthropic.MaxTokens
	}
	d.tokens = c.tokens.Text(d.text)
	if d.tool != nil {
		d.call(c.tokens.Text(d.tool.Name)+c.tokens.Text(string(d.tool.Input)), limit)
	}
	return d
}

// call adds the tool call of n tokens. One that does not fit has begun all the
// same: it stays, without input.
func (d *draft) call(n, limit int) {
	d.stop = anthropic.ToolUse
	if d.tokens += n; d.tokens > limit {
		d.tokens, d.stop = limit, anthropic.MaxTokens
		d.tool = &ToolCall{Name: d.tool.Name, Input: []byte("{}")}
	}
}

// firstOf finds the sequence that text has first, and where.
func firstOf(text string, sequences []string) (at int, sequence *string) {
	for i, s := range sequences {
		if j := strings.Index(text, s); j >= 0 && (sequence == nil || j < at) {
			at, sequence = j, &sequences[i]
		}
	}
	return at, sequence
}

// minPieces is how many pieces a reply has at least, if it has as many runes.
const minPieces = 5

// pieces are the parts in which the reply is spoken: words, as models stream
// them, or single runes where there are too few words. Joined they are the text,
// then the tool's input.
func (d draft) pieces() []string {
	all := d.text
	if d.tool != nil {
		all += string(d.tool.Input)
	}
	words := splitBefore(all, func(r rune) bool { return r == ' ' || r == '\n' })
	if len(words) < minPieces {
		return splitBefore(all, func(rune) bool { return true })
	}
	return words
}

// splitBefore cuts s in front of each rune that begins a part.
func splitBefore(s string, begins func(rune) bool) []string {
	parts := make([]string, 0, len(s)/6+1)
	start := 0
	for i, r := range s {
		if i > start && begins(r) {
			parts = append(parts, s[start:i])
			start = i
		}
	}
	if start < len(s) {
		parts = append(parts, s[start:])
	}
	return parts
}

// response is the draft in Anthropic's shape.
func (d draft) response(v *visit, model inference.ModelID, usage inference.Usage) *anthropic.Response {
	r := &anthropic.Response{
		ID:           "msg_bdrk_01" + token(v.rand),
		Type:         "message",
		Role:         "assistant",
		Model:        anthropic.ModelName(string(model)),
		Content:      []anthropic.Part{},
		StopReason:   d.stop,
		StopSequence: d.sequence,
		Usage:        anthropic.Usage{InputTokens: usage.InputTokens, OutputTokens: usage.OutputTokens},
	}
	if d.text != "" {
		r.Content = append(r.Content, anthropic.TextPart(d.text))
	}
	if d.tool != nil {
		r.Content = append(r.Content, anthropic.Part{
			Type: "tool_use", ID: "toolu_bdrk_01" + token(v.rand), Name: d.tool.Name, Input: d.tool.Input,
		})
	}
	return r
}

// token is the 22 letters and digits that Anthropic's ids end with.
func token(r *rand.Rand) string {
	const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	var b [22]byte
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b[:])
}
