package invocation

import (
	"bytes"

	"fairway/internal/dialect"
)

// What media count by: an image's most, and a page of a document, as package tokens
// has them.
const (
	imageTokens  = 1_600
	pageTokens   = 2_000
	bytesPerPage = 50_000
)

// behind is how far behind media their kind may stand, where members are in the order of
// the alphabet.
const behind = 100

// mediaKind is what is said of media before them; where more is said the greater counts.
type mediaKind uint8

const (
	unknownKind mediaKind = iota
	imageKind
	pagesKind // documents, videos and sounds
)

// kindOf is the kind that a name or a value says, as the dialects have them. One that is
// written with escapes may say any: pages are dearer.
func kindOf(s []byte) mediaKind {
	switch string(s) {
	case "image", "image_url", "image/png", "image/jpeg", "image/gif", "image/webp":
		return imageKind
	case "document", "video", "audio", "input_audio", "file", "file_data", "application/pdf":
		return pagesKind
	}
	if len(s) <= longestWord && bytes.IndexByte(s, '\\') >= 0 {
		return pagesKind
	}
	return unknownKind
}

// longestWord is the longest that a word of a dialect may be, written with escapes.
const longestWord = len("application/pdf") * len(`\u0000`)

// kindBehind is the kind that is said behind media in their block.
func kindBehind(text []byte, media dialect.Place) (kind mediaKind) {
	for at := range dialect.Strings(text[min(media.To+1, len(text)):min(media.To+behind, len(text))]) {
		kind = max(kind, kindOf(text[media.To+1+at.From:media.To+1+at.To]))
	}
	return kind
}

// tokens are those of media with so much base64.
func (k mediaKind) tokens(size int) int {
	if k == imageKind {
		return imageTokens
	}
	return pageTokens * (1 + size*3/4/bytesPerPage)
}

// encoded reports whether the value of that name is media, and how much of its end is
// base64: none of an address.
func encoded(name, s []byte) (size int, ok bool) {
	switch string(name) {
	case "bytes", "data":
		return len(s), looksEncoded(s)
	case "uri":
		return 0, true
	case "url", "file_data":
		if !bytes.HasPrefix(s, []byte("data:")) {
			return 0, true
		}
		comma := bytes.IndexByte(s, ',') + 1
		return len(s) - comma, looksEncoded(s[comma:])
	}
	return 0, false
}

// looksEncoded reports whether start, middle and end are base64.
func looksEncoded(s []byte) bool {
	const looked = 256
	if len(s) <= 3*looked {
		return dialect.IsBase64(string(s))
	}
	middle := len(s) / 8 * 4
	return len(s)%4 == 0 && isDigits(s[:looked]) && isDigits(s[middle:middle+looked]) && dialect.IsBase64(string(s[len(s)-looked:]))
}

// isDigits reports whether s is base64 without padding.
func isDigits(s []byte) bool { return s[len(s)-1] != '=' && dialect.IsBase64(string(s)) }
