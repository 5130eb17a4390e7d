package continuation

import (
	"errors"
	"strings"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// prime begins to write what follows the first seam: the writer is told what the caller
// has, of which nothing is written again.
func (t *Thread) prime() error {
	if t.writer != nil {
		return nil
	}
	w, h := t.form.Begin(t.head()), &t.heard
	pieces := []dialect.Piece{{Kind: dialect.Began, Usage: t.leg.told}}
	if h.stop != nil {
		pieces = append(pieces, dialect.Piece{Kind: dialect.Stopped, Stop: *h.stop})
	} else {
		for i := range h.next {
			pieces = append(pieces, dialect.Piece{Kind: dialect.BlockBegan, Index: i, Block: dialect.Block{Type: dialect.Text}})
			if i < h.next-1 || !h.open {
				pieces = append(pieces, dialect.Piece{Kind: dialect.BlockEnded, Index: i})
			}
		}
	}
	for _, p := range pieces {
		if _, err := w.Write(p); err != nil {
			return err
		}
	}
	t.writer = w
	return nil
}

// end is what the answer lacks but for content.
func (t *Thread) end(stop dialect.Stop) ([]inference.Event, bool) {
	known := t.writer == nil && t.heard.stop != nil // by the caller
	if t.prime() != nil {
		return nil, false
	}
	j := joined{thread: t}
	if t.heard.open {
		j.write(dialect.Piece{Kind: dialect.BlockEnded, Index: t.heard.next - 1})
	}
	if t.heard.stop == nil {
		j.write(dialect.Piece{Kind: dialect.Stopped, Stop: stop})
	}
	usage := t.total
	j.write(dialect.Piece{Kind: dialect.Ended, Usage: &usage})
	t.heard.ended = true
	if j.err != nil || len(j.events) == 0 {
		return nil, false
	}
	if known {
		j.events = j.events[len(j.events)-1:]
	}
	return j.events, true
}

// Join takes in an event of the target that goes on, and is what the caller is sent for
// it: none, one or several. Usage is that of all legs together. The error is an
// *inference.Error: what the event carries, or what cannot follow upon text.
func (t *Thread) Join(e inference.Event) ([]inference.Event, error) {
	if t.writer == nil {
		return nil, unsound(errNoLeg)
	}
	t.leg.silent = t.leg.silent && e.IsLifeSign()
	t.leg.tell(e.Usage)
	pieces, err := t.leg.reader.Read(e)
	if err != nil {
		return nil, err
	}
	j := joined{thread: t}
	for i := range pieces {
		if j.take(&pieces[i]); j.err != nil {
			return nil, unsound(j.err)
		}
	}
	return j.events, nil
}

var (
	errNoLeg    = errors.New("an event where no target goes on")
	errThinking = errors.New("the target began to think in the middle of the answer")
	errBeyond   = errors.New("the target went on behind its own end")
	errNoStop   = errors.New("the target ended without saying why it stopped")
)

// unsound is the error of a target that does not go on as it was asked to.
func unsound(err error) error {
	return &inference.Error{
		Kind: inference.ModelStreamError, Op: "continue answer",
		Message: "The model's answer broke off and could not be continued. Try your request again.", Err: err,
	}
}

// joined is what one event of a further leg comes to.
type joined struct {
	thread *Thread
	events []inference.Event
	err    error
}

// write sends the caller a piece.
func (j *joined) write(p dialect.Piece) {
	if j.err != nil {
		return
	}
	var events []inference.Event
	if events, j.err = j.thread.writer.Write(p); j.err == nil {
		j.events = append(j.events, events...)
	}
}

// send is write for a piece of the answer's content, in the block that it belongs to
// for the caller.
func (j *joined) send(p dialect.Piece) {
	if p.Index = j.thread.heard.next; p.Kind != dialect.BlockBegan {
		p.Index--
	}
	if j.write(p); j.err == nil {
		j.thread.hear(&p)
	}
}

func (j *joined) take(p *dialect.Piece) {
	h, leg := &j.thread.heard, &j.thread.leg
	if h.ended || h.stop != nil && p.Kind != dialect.Began && p.Kind != dialect.Ended {
		j.err = errBeyond
		return
	}
	switch p.Kind {
	case dialect.Began: // the caller has it
	case dialect.BlockBegan:
		j.begin(p)
	case dialect.Delta, dialect.Signature:
		j.grow(p)
	case dialect.BlockEnded:
		if leg.pending {
			leg.pending = false
			return
		}
		j.send(*p)
	case dialect.Stopped:
		j.close()
		j.write(*p)
		h.stop = &p.Stop
	case dialect.Ended:
		if h.ended = true; h.stop == nil {
			j.err = errNoStop
			return
		}
		leg.tell(p.Usage)
		used := j.thread.used()
		if leg.told != nil && leg.told.OutputTokens > 0 { // it is not an estimate
			used = *leg.told
		}
		usage := j.thread.total.Plus(used)
		p.Usage = &usage
		j.write(*p)
	}
}

// begin begins a block. A first text goes on in the block that is open; a text of which
// there is nothing yet may be all white space that the caller has.
func (j *joined) begin(p *dialect.Piece) {
	switch p.Block.Type {
	case dialect.Text:
		j.thread.leg.pending = !j.thread.heard.open
	case dialect.ToolUse:
		j.close()
		j.thread.leg.held = ""
		j.send(*p)
	default:
		j.err = errThinking
	}
}

// close ends the text block that is open, if one is.
func (j *joined) close() {
	if j.thread.heard.open {
		j.send(dialect.Piece{Kind: dialect.BlockEnded})
	}
}

func (j *joined) grow(p *dialect.Piece) {
	leg := &j.thread.leg
	if j.thread.heard.open || leg.pending {
		rest := leg.without(p.Text)
		leg.from -= len(p.Text) - len(rest) // the leg wrote it too
		p.Text = rest
	}
	if p.Text == "" {
		return
	}
	if leg.pending {
		leg.pending = false
		j.send(dialect.Piece{Kind: dialect.BlockBegan, Block: dialect.Block{Type: dialect.Text}})
	}
	j.send(*p)
}

// without takes off text the white space that the caller has.
func (l *leg) without(text string) string {
	n := 0
	for n < min(len(l.held), len(text)) && l.held[n] == text[n] {
		n++
	}
	if l.held = l.held[n:]; n < len(text) {
		l.held = ""
	}
	return strings.Clone(text[n:])
}
