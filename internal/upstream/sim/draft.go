package sim

import (
	"encoding/json"
	"strings"

	"fairway/internal/dialect"
)

// draft is a reply after max_tokens and the stop sequences have cut it.
type draft struct {
	content []dialect.Block
	stop    dialect.Stop
	tokens  int
	failure error // that ends it in place of stop, nil without
}

// cut ends the reply where the request says: before the first stop sequence if
// that is written within max_tokens, else at the last token that fits.
func (c *call) cut(reply Reply) draft {
	d := draft{content: make([]dialect.Block, 0, len(reply)), stop: dialect.Stop{Reason: dialect.EndTurn}}
	for _, b := range reply {
		if c.add(&d, b); d.stop.Reason != dialect.EndTurn && d.stop.Reason != dialect.StopToolUse {
			break
		}
	}
	return d
}

// add takes the next block in, as much of it as the request lets through.
func (c *call) add(d *draft, b dialect.Block) {
	room := c.limit - d.tokens
	switch b.Type {
	case dialect.ToolUse:
		c.addTool(d, b, room)
		return
	case dialect.Redacted:
		d.content = append(d.content, b) // no text that could be cut
		return
	case dialect.Text:
		b.Text = c.untilStop(d, b.Text, room)
	}
	if end := c.tokens.Cut(b.Text, room); end < len(b.Text) {
		b.Text, d.stop = b.Text[:end], dialect.Stop{Reason: dialect.MaxTokens}
	}
	if b.Text != "" {
		d.content = append(d.content, b)
		d.tokens += c.tokens.Text(b.Text)
	}
}

// untilStop is the text before the first stop sequence, if that comes within room
// tokens.
func (c *call) untilStop(d *draft, text string, room int) string {
	end, sequence := firstOf(text, c.conversation.StopSequences)
	if sequence == "" || c.tokens.Text(text[:end+len(sequence)]) > room {
		return text
	}
	d.stop = dialect.Stop{Reason: dialect.StopSequence, Sequence: sequence}
	return text[:end]
}

// addTool adds a tool call. One that does not fit has begun all the same: it
// stays, without input.
func (c *call) addTool(d *draft, b dialect.Block, room int) {
	n := c.tokens.Text(b.Name) + c.tokens.Text(string(b.Input))
	d.stop = dialect.Stop{Reason: dialect.StopToolUse}
	if n > room {
		n, b.Input, d.stop.Reason = room, json.RawMessage("{}"), dialect.MaxTokens
	}
	d.content = append(d.content, b)
	d.tokens += n
}

// firstOf finds the sequence that text has first, and where; none is empty.
func firstOf(text string, sequences []string) (at int, sequence string) {
	for _, s := range sequences {
		if i := strings.Index(text, s); i >= 0 && s != "" && (sequence == "" || i < at) {
			at, sequence = i, s
		}
	}
	return at, sequence
}
