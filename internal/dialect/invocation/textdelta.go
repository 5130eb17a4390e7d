package invocation

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"fairway/internal/dialect"
	"fairway/internal/dialect/anthropic"
	"fairway/internal/inference"
	"fairway/internal/wire/eventstream"
)

// AppendText appends the text of an event that is more of the text block which is open,
// as nearly every event of a stream is, at a fraction of what Read takes. Ok is false for
// every other event, and for one that is written in another way than the services do:
// those are for Read. The event is one of a checked frame.
func (r *Reader) AppendText(dst []byte, e inference.Event) (to []byte, ok bool) {
	if r.opening == nil {
		return dst, false
	}
	m, err := eventstream.Split(e.Raw)
	if err != nil {
		return dst, false
	}
	event := m.Payload
	switch {
	case r.operation == inference.ConverseStream:
		ok = bytes.Equal(m.Headers, deltaHeaders)
	case bytes.Equal(m.Headers, chunkHeaders):
		r.scratch, err = appendChunk(r.scratch[:0], event)
		event, ok = r.scratch, err == nil
	}
	if !ok {
		return dst, false
	}
	said, ok := bytes.CutPrefix(event, r.opening)
	if !ok {
		return dst, false
	}
	return appendSaid(dst, said)
}

// appendSaid appends the text of a JSON string without its first quote, behind which an
// event of a delta ends.
func appendSaid(dst, said []byte) ([]byte, bool) {
	end, escaped := 0, false
	for end < len(said) && said[end] != '"' && said[end] >= ' ' {
		if said[end] == '\\' {
			escaped = true
			end++
		}
		end++
	}
	if end >= len(said) || said[end] != '"' || !endsDelta(said[end+1:]) || !utf8.Valid(said[:end]) {
		return dst, false
	}
	if !escaped {
		return append(dst, said[:end]...), true
	}
	var text string
	if json.Unmarshal(append([]byte{'"'}, said[:end+1]...), &text) != nil {
		return dst, false
	}
	return append(dst, text...), true
}

// endsDelta reports whether nothing of meaning follows a delta's text: the braces, and
// the filler.
func endsDelta(rest []byte) bool {
	if string(rest) == "}}" {
		return true
	}
	filler, ok := bytes.CutPrefix(rest, []byte(`},"p":"`))
	return ok && bytes.IndexByte(filler, '"') == len(filler)-2 && bytes.HasSuffix(filler, []byte(`"}`))
}

// follow notes which block is open, by what Read gives.
func (r *Reader) follow(p *dialect.Piece) {
	switch p.Kind {
	case dialect.BlockBegan:
		r.opening = nil
		if p.Block.Type == dialect.Text {
			r.opening = r.openingOf(p.Index)
		}
	case dialect.BlockEnded:
		r.opening = nil
	}
}

// openingOf is how a text delta of a block begins, up to its text; nil where the dialect
// has no one way to write it.
func (r *Reader) openingOf(index int) []byte {
	if r.operation == inference.ConverseStream {
		return append(strconv.AppendInt([]byte(`{"contentBlockIndex":`), int64(index), 10), `,"delta":{"text":"`...)
	}
	if _, ok := r.spoken.(anthropic.Dialect); ok {
		return append(strconv.AppendInt([]byte(`{"type":"content_block_delta","index":`), int64(index), 10), `,"delta":{"type":"text_delta","text":"`...)
	}
	return nil
}
