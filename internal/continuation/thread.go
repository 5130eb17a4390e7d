package continuation

import (
	"encoding/json"

	"fairway/internal/dialect"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
	"fairway/internal/tokens"
)

// What of an answer is kept to hand over: beyond it the answer is not gone on with.
const (
	maxText   = 1 << 20 // bytes
	maxBlocks = 1_000
)

// Thread is an answer that may have to be gone on with. It is not safe for concurrent
// use.
type Thread struct {
	request  *inference.Request
	model    inference.ModelID
	form     invocation.Form
	shape    shape
	instruct bool // the model is told in words
	family   tokens.Family

	heard  heard
	leg    leg
	writer *invocation.Writer // of what follows the first seam; nil before it
	asked  *dialect.Conversation
	total  inference.Usage // of the legs that broke off
	spent  inference.Usage // of the last of them
	name   name
	text   []byte // of the event at hand
}

// heard is what the caller has of the answer.
type heard struct {
	began  bool
	text   []byte
	ends   []int // of complete blocks, in text
	open   bool  // a text block is
	next   int   // index of the next block
	beyond bool  // it has more than text, or more of it than is kept: text holds nothing
	broken bool  // it cannot be read
	stop   *dialect.Stop
	ended  bool
}

// leg is one target's part of the answer.
type leg struct {
	reader  *invocation.Reader
	asked   *dialect.Conversation // nil where it was not needed yet
	told    *inference.Usage      // as far as events told it
	from    int                   // where the leg begins in the text: with white space that it wrote again
	uncut   int                   // tokens written, where the text is not kept
	held    string                // white space that the caller has and the leg may begin with
	pending bool                  // a text block is begun, of which there is no text yet
	silent  bool                  // nothing has come of it since the one before broke off
}

// Sent takes in an event of the first target that goes to the caller as it is.
func (t *Thread) Sent(e inference.Event) {
	t.leg.tell(e.Usage)
	if t.heard.broken {
		return
	}
	if text, ok := t.leg.reader.AppendText(t.text[:0], e); ok {
		t.text = text
		t.grow(text)
		return
	}
	if !t.heard.began {
		t.name.read(t.form.Dialect(), e)
	}
	pieces, err := t.leg.reader.Read(e)
	if err != nil {
		t.heard.broken = true
		return
	}
	for i := range pieces {
		t.hear(&pieces[i])
	}
}

// hear takes in what the caller is sent.
func (t *Thread) hear(p *dialect.Piece) {
	h := &t.heard
	switch p.Kind {
	case dialect.Began:
		h.began = true
	case dialect.BlockBegan:
		h.next++
		if h.open = p.Block.Type == dialect.Text; !h.open {
			t.giveUp()
		}
	case dialect.Delta, dialect.Signature:
		t.grow([]byte(p.Text))
	case dialect.BlockEnded:
		h.ends, h.open = append(h.ends, len(h.text)), false
		if len(h.ends) > maxBlocks {
			t.giveUp()
		}
	case dialect.Stopped:
		h.stop = &p.Stop
	case dialect.Ended:
		h.ended = true
	}
}

func (t *Thread) grow(text []byte) {
	h := &t.heard
	if h.beyond {
		t.leg.uncut += t.family.Text(string(text))
		return
	}
	if h.text = append(h.text, text...); len(h.text) > maxText {
		t.giveUp()
	}
}

// giveUp forgets the text, but not how long it was.
func (t *Thread) giveUp() {
	h := &t.heard
	if !h.beyond {
		t.leg.uncut += t.family.Text(string(h.text[t.leg.from:]))
		h.beyond, h.text, h.ends, t.leg.from = true, nil, nil, 0
	}
}

// tell takes in a count of the leg's tokens; later ones include what earlier ones say.
func (l *leg) tell(u *inference.Usage) {
	switch {
	case u == nil:
	case l.told == nil:
		told := *u
		l.told = &told
	default:
		l.told.InputTokens = max(l.told.InputTokens, u.InputTokens)
		l.told.OutputTokens = max(l.told.OutputTokens, u.OutputTokens)
		l.told.CacheReadTokens = max(l.told.CacheReadTokens, u.CacheReadTokens)
		l.told.CacheWriteTokens = max(l.told.CacheWriteTokens, u.CacheWriteTokens)
		l.told.CacheWrite1h = max(l.told.CacheWrite1h, u.CacheWrite1h)
		l.told.Caching = l.told.Caching || u.Caching
	}
}

// Spent is what the leg that broke off has used, as far as it is known: what its events
// told, and else an estimate of what it read and of what it wrote; nothing, where Cut
// ended a leg of which nothing had come. It is the same before Cut and behind it.
func (t *Thread) Spent() inference.Usage {
	if t.leg.silent {
		return t.spent
	}
	return t.used()
}

func (t *Thread) used() inference.Usage {
	var used inference.Usage
	if t.leg.told != nil {
		used = *t.leg.told
	} else {
		used.InputTokens = t.input()
	}
	used.OutputTokens = max(used.OutputTokens, t.wrote())
	return used
}

// wrote estimates what the leg wrote, so that the legs have as many tokens together as
// the answer would have from one.
func (t *Thread) wrote() int {
	if t.heard.beyond {
		return t.leg.uncut
	}
	text := string(t.heard.text)
	return t.grown(text) - t.grown(text[:t.leg.from])
}

// grown estimates how many tokens more there are with text behind the caller's own.
func (t *Thread) grown(text string) int {
	own := t.own()
	return t.family.Text(own+text) - t.family.Text(own)
}

// own is the caller's part of the text that the model writes on in: its prompt, or a
// prefill of its own. A model that is told in words begins its own turn.
func (t *Thread) own() (text string) {
	asked := t.conversation()
	switch {
	case asked == nil || t.instruct:
	case t.shape.prompt != "":
		if place, ok := member(t.request.Body, dialect.Place{To: len(t.request.Body)}, t.shape.prompt); ok {
			_ = json.Unmarshal(t.request.Body[place.From:place.To], &text) // it has been read before
		}
	default:
		if prefill, ok := asked.Prefill(); ok {
			text = prefill
		}
	}
	return text
}

// input estimates what the leg read.
func (t *Thread) input() int {
	const bytesPerToken = 4
	if t.leg.asked == nil {
		t.leg.asked = t.conversation()
	}
	if t.leg.asked == nil {
		return len(t.request.Body) / bytesPerToken
	}
	return t.family.Conversation(t.leg.asked)
}

// conversation is what the request asks; nil where it cannot be read.
func (t *Thread) conversation() *dialect.Conversation {
	if t.asked == nil {
		t.asked, _ = t.form.Decode(t.request.Body)
	}
	return t.asked
}
