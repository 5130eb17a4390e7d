package sim

import (
	"cmp"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"fairway/internal/dialect"
)

// draft is a reply after max_tokens and the stop sequences have cut it.
type draft struct {
	behind  string // the text that the model writes on in
	content []dialect.Block
	stop    dialect.Stop
	tokens  int
	failure error // that ends it in place of stop, nil without
}

// cut ends the reply where the request says: before the first stop sequence if
// that is written within max_tokens, else where so many tokens are reached.
func (c *call) cut(reply Reply, behind string) draft {
	d := draft{behind: behind, content: make([]dialect.Block, 0, len(reply)), stop: dialect.Stop{Reason: dialect.EndTurn}}
	for _, b := range reply {
		if c.add(&d, b); d.stop.Reason != dialect.EndTurn && d.stop.Reason != dialect.StopToolUse {
			break
		}
	}
	return d
}

// add takes the next block in, as much of it as the request lets through.
func (c *call) add(d *draft, b dialect.Block) {
	switch b.Type {
	case dialect.ToolUse:
		c.addTool(d, b, c.limit-d.tokens)
		return
	case dialect.Redacted:
		d.content = append(d.content, b) // no text that could be cut
		return
	}
	end, reached := c.reach(d, b.Text)
	if reached {
		d.stop = dialect.Stop{Reason: dialect.MaxTokens}
	}
	if b.Type == dialect.Text {
		if at, sequence := firstOf(b.Text[:end], c.conversation.StopSequences); sequence != "" {
			end, d.stop = at, dialect.Stop{Reason: dialect.StopSequence, Sequence: sequence}
		}
	}
	if b.Text = b.Text[:end]; b.Text != "" {
		d.content = append(d.content, b)
		d.tokens += c.grown(d, b.Text)
	}
}

// grown is how many tokens more there are with text behind what the model writes on
// in. Since tokens are counted in whole ones, that may be one less than text has alone;
// so counted, a reply has as many tokens in one piece as in several that go on with one
// another, and its limit ends it at the same letter.
func (c *call) grown(d *draft, text string) int {
	return max(0, c.tokens.Text(d.behind+text)-c.tokens.Text(d.behind))
}

// reach is where text uses up what is left of max_tokens. That ends a text even where it
// is complete, since its end would take another token. Reached is false, and end that
// of the text, where some is left.
func (c *call) reach(d *draft, text string) (end int, reached bool) {
	room := c.limit - d.tokens
	if room <= 0 {
		return 0, true
	}
	all := d.behind + text
	below := c.tokens.Cut(all, c.tokens.Text(d.behind)+room-1)
	if below >= len(all) {
		return len(text), false
	}
	_, size := utf8.DecodeRuneInString(all[below:])
	return below + size - len(d.behind), true
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

// firstOf finds the sequence that is the first to be complete in text, and where it
// begins; of those that end together the longest. None is empty.
func firstOf(text string, sequences []string) (at int, sequence string) {
	for _, s := range sequences {
		i := strings.Index(text, s)
		if i < 0 || s == "" {
			continue
		}
		if by := cmp.Compare(i+len(s), at+len(sequence)); sequence == "" || by < 0 || by == 0 && i < at {
			at, sequence = i, s
		}
	}
	return at, sequence
}
