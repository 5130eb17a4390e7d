package invocation

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"fairway/internal/dialect"
)

// What is counted of a text, in bytes.
const (
	sampled   = 8_192  // for the estimate, in all
	sampledOf = 512    // of one string, a third each of its start, middle and end
	pieceLen  = 16_384 // of what is counted at once for the upper end; base64 of whole bytes
)

// estimate is the tokens of JSON texts: of their strings by a sample, and of media by
// their size. Texts that only look like media are told by where they stand: under a
// member that has media, and not in the JSON of a tool.
type estimate struct {
	sample      []byte
	size, media int             // bytes of strings, tokens of media
	mark        string          // a member's name to look for, empty for none
	marked      bool            // it is there
	encoded     []dialect.Place // the media that are in the text
	plain       bool            // there is a word for media that are plain text
}

func (e *estimate) read(text []byte) {
	var last dialect.Place // the name before a value, empty where there is none
	var kind mediaKind
	free := 0 // where the JSON of a tool ends
	for at := range dialect.Strings(text) {
		s := text[at.From:at.To]
		if isNamed(text, at) {
			e.marked = e.marked || string(s) == e.mark && e.mark != ""
			if at.From >= free && isFree(s) {
				free = valueEnd(text, at)
			}
			kind = max(kind, kindOf(s))
			last = at
			e.add(text, at)
			continue
		}
		name := text[last.From:last.To]
		last = dialect.Place{}
		if at.From < free || !e.readMedia(text, name, at, &kind) {
			e.add(text, at)
		}
	}
}

// readMedia reads a value that stands where media may, and reports whether it is one.
func (e *estimate) readMedia(text, name []byte, at dialect.Place, kind *mediaKind) bool {
	s := text[at.From:at.To]
	data, isMedia := encoded(name, s)
	if !isMedia {
		e.plain = e.plain || isPlain(s)
		*kind = max(*kind, kindOf(s))
		return false
	}
	if *kind == unknownKind {
		*kind = kindBehind(text, at)
	}
	e.plain = e.plain || bytes.HasPrefix(s, []byte("data:text/"))
	e.media += kind.tokens(data)
	*kind = unknownKind
	if data > 0 {
		e.encoded = append(e.encoded, dialect.Place{From: at.To - data, To: at.To})
	}
	return data > 0 // an address is a text, too
}

// add has a string counted.
func (e *estimate) add(text []byte, at dialect.Place) {
	s := text[at.From:at.To]
	e.size += len(s)
	if e.sample == nil {
		e.sample = make([]byte, 0, min(len(text), sampled))
	}
	room := min(sampledOf, sampled-len(e.sample))
	if len(s) <= room {
		e.sample = append(e.sample, s...)
		return
	}
	third := room / 3
	middle := (len(s) - third) / 2
	e.sample = append(e.sample, s[:third]...)
	e.sample = append(e.sample, s[middle:middle+third]...)
	e.sample = append(e.sample, s[len(s)-third:]...)
}

// tokens is the mean.
func (e *estimate) tokens(count func(string) int) int {
	if len(e.sample) == 0 {
		return e.media
	}
	return e.media + int(int64(count(string(e.sample)))*int64(e.size)/int64(len(e.sample)))
}

// most is the tokens of all that is no media, what stands between strings included: a
// tool's JSON is a text. Where media may be plain text they are counted as that, too.
func (e *estimate) most(text []byte, count func(string) int) (n int) {
	from := 0
	for _, at := range e.encoded {
		n += inPieces(text[from:at.From], count)
		if e.plain {
			n += inPieces(text[at.From:at.To], func(piece string) int { return max(count(piece), count(decoded(piece))) })
		}
		from = at.To
	}
	return n + inPieces(text[from:], count)
}

func inPieces(text []byte, count func(string) int) (n int) {
	for piece := range slices.Chunk(text, pieceLen) {
		n += count(string(piece))
	}
	return n
}

// decoded is what decodes of some base64.
func decoded(text string) string {
	s, _ := base64.StdEncoding.DecodeString(text)
	return string(s)
}

// isFree reports whether a member's value is JSON of a tool, where any name may stand and
// all is text. A name that is written with escapes may be one of those.
func isFree(name []byte) bool {
	switch strings.ToLower(string(name)) {
	case "input", "json", "inputschema", "input_schema", "parameters", "schema":
		return true
	}
	return bytes.IndexByte(name, '\\') >= 0
}

// valueEnd is where the value of the member ends that has that name.
func valueEnd(text []byte, name dialect.Place) int {
	colon := name.To + bytes.IndexByte(text[name.To:], ':')
	return dialect.Value(text, colon+1).To
}

// isPlain reports whether a value names a format of documents that is plain text.
func isPlain(s []byte) bool {
	if len(s) > longestWord {
		return false
	}
	if bytes.IndexByte(s, '\\') < 0 {
		return isPlainWord(string(s))
	}
	var word string
	return json.Unmarshal(slices.Concat([]byte{'"'}, s, []byte{'"'}), &word) == nil && isPlainWord(word)
}

func isPlainWord(word string) bool {
	switch word {
	case "txt", "md", "csv", "html", "text/plain", "text/markdown", "text/csv", "text/html":
		return true
	}
	return false
}
