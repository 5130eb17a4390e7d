package sim

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"time"
	"unicode/utf8"

	"fairway/internal/dialect"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
)

// speech is an answer that is being spoken: a stream's in pieces, a unary one's in
// whole blocks, which take the same time.
type speech struct {
	pieces  []dialect.Piece // still to come; of a delta that is parted, the rest
	parted  bool            // deltas are
	longest int             // bytes of a part of the first delta, 0 before it is begun
	failure error           // in place of the end, nil without
	tokens  int             // of the whole answer
	bytes   int             // of it
	said    int             // bytes
}

// line is a piece of an answer, and how many tokens have been spoken once it is
// out.
type line struct {
	piece dialect.Piece
	until int
}

func (p pace) speech(c *call, d draft) speech {
	first := p.first(c.input)
	answer := dialect.Answer{
		Content: d.content, Stop: d.stop, Usage: c.usage(d.tokens),
		LatencyMS: (first + p.token*time.Duration(d.tokens)).Milliseconds(),
	}
	pieces := answer.Pieces()
	pieces[0].LatencyMS = first.Milliseconds()
	bytes := 0
	for _, b := range d.content {
		bytes += len(b.Text) + len(b.Input)
	}
	return speech{pieces: pieces, parted: c.streams, failure: d.failure, tokens: d.tokens, bytes: bytes}
}

func (c *call) usage(output int) inference.Usage {
	return inference.Usage{InputTokens: c.input, OutputTokens: output, Caching: c.model.Caching}
}

// next takes the line that follows; there is one up to the piece Ended.
func (s *speech) next() line {
	p := s.pieces[0]
	if p.Kind == dialect.Delta {
		p.Text = s.part(p.Text)
		s.said += len(p.Text)
	}
	if rest := s.pieces[0].Text[len(p.Text):]; rest != "" {
		s.pieces[0].Text = rest
	} else {
		s.pieces, s.longest = s.pieces[1:], 0
	}
	return line{p, s.tokens * s.said / max(1, s.bytes)}
}

// A delta is parted into at least so many pieces, if it has as many runes, and
// into pieces of at most about so many bytes.
const (
	minPieces = 5
	maxPiece  = 24
)

// part is the beginning of a delta as models stream it: a word or the beginning of
// a long one, or a single rune where the delta has too few of them.
func (s *speech) part(delta string) string {
	if !s.parted {
		return delta
	}
	if s.longest == 0 {
		s.longest = maxPiece
		rest, n := delta, 0
		for ; rest != "" && n < minPieces; n++ {
			rest = rest[word(rest, maxPiece):]
		}
		if n < minPieces {
			s.longest = 1
		}
	}
	return delta[:word(delta, s.longest)]
}

// word is the length of text up to the blank that begins its next word, or to the
// end of the rune with which it becomes longest.
func word(text string, longest int) int {
	_, n := utf8.DecodeRuneInString(text)
	for n < min(len(text), longest) && text[n] != ' ' && text[n] != '\n' {
		_, size := utf8.DecodeRuneInString(text[n:])
		n += size
	}
	return n
}

// sign gives tool calls an id and reasoning a signature, where they have none.
func (c *call) sign(content []dialect.Block, r *rand.Rand) {
	for i := range content {
		switch b := &content[i]; {
		case b.Type == dialect.ToolUse && b.ID == "":
			b.ID = c.idPrefix() + token(r)
		case b.Type == dialect.Reasoning && b.Signature == "":
			b.Signature = base64.StdEncoding.EncodeToString([]byte(token(r) + token(r) + token(r)))
		}
	}
}

// idPrefix is how ids of tool calls begin: as the model's own maker has it, or
// Converse.
func (c *call) idPrefix() string {
	switch {
	case c.converse:
		return "tooluse_"
	case c.model.ID.IsAnthropic():
		return "toolu_bdrk_01"
	}
	return "call_"
}

// head names the answer.
func (c *call) head(r *rand.Rand, now time.Time) dialect.Head {
	return dialect.Head{
		ID: fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64()), Model: invocation.NameOf(c.model.ID), Created: now.Unix(),
		Service: c.service, Fields: c.conversation.Fields,
	}
}

// token is the 22 letters and digits that ids end with.
func token(r *rand.Rand) string {
	const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	var b [22]byte
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b[:])
}
