package dialect

import (
	"bytes"
	"encoding/json"
	"iter"
)

// Place is where a value stands in a JSON text: text[From:To].
type Place struct{ From, To int }

// Members are the members of the object at in, in order: each name and the place of
// its value. Nothing is copied. Of anything but an object there are none, and a text
// that is not JSON has no more than what is before its fault.
func Members(text []byte, in Place) iter.Seq2[string, Place] {
	return func(yield func(string, Place) bool) {
		text, i := text[:in.To], in.From
		if i = blank(text, i); !stands(text, i, '{') {
			return
		}
		for i = blank(text, i+1); stands(text, i, '"'); i = blank(text, i+1) {
			name := text[i:after(text, i)]
			colon := blank(text, i+len(name))
			if !stands(text, colon, ':') {
				return
			}
			value := Value(text, colon+1)
			if value.From == value.To || !yield(unquoted(name), value) {
				return
			}
			if i = blank(text, value.To); !stands(text, i, ',') {
				return
			}
		}
	}
}

// Elements are the places of the elements of the array at in, as Members are.
func Elements(text []byte, in Place) iter.Seq[Place] {
	return func(yield func(Place) bool) {
		text, i := text[:in.To], in.From
		if i = blank(text, i); !stands(text, i, '[') {
			return
		}
		for more := true; more; more = stands(text, i, ',') {
			value := Value(text, i+1)
			if value.From == value.To || !yield(value) {
				return
			}
			i = blank(text, value.To)
		}
	}
}

// Strings are the places of all strings of a text, names of members among them,
// without their quotes.
func Strings(text []byte) iter.Seq[Place] {
	return func(yield func(Place) bool) {
		for i := 0; ; {
			n := bytes.IndexByte(text[i:], '"')
			if n < 0 {
				return
			}
			from := i + n + 1
			i = afterString(text, from-1)
			if !yield(Place{from, max(from, i-1)}) {
				return
			}
		}
	}
}

// Value is the place of the value that begins at i or behind the blanks there; empty where
// there is none.
func Value(text []byte, i int) Place {
	i = blank(text, i)
	return Place{i, after(text, i)}
}

func stands(text []byte, i int, b byte) bool { return i < len(text) && text[i] == b }

func blank(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r') {
		i++
	}
	return i
}

// after is where the value that begins at i ends.
func after(text []byte, i int) int {
	switch {
	case i >= len(text):
		return len(text)
	case text[i] == '"':
		return afterString(text, i)
	case text[i] == '{' || text[i] == '[':
		return afterNested(text, i)
	}
	if n := bytes.IndexAny(text[i:], ",]} \t\r\n"); n >= 0 {
		return i + n
	}
	return len(text)
}

// afterString passes over media at the speed of IndexByte.
func afterString(text []byte, i int) int {
	for i++; i < len(text); {
		n := bytes.IndexByte(text[i:], '"')
		if n < 0 {
			break
		}
		slashes := 0
		for slashes < n && text[i+n-1-slashes] == '\\' {
			slashes++
		}
		if i += n + 1; slashes%2 == 0 {
			return i
		}
	}
	return len(text)
}

func afterNested(text []byte, i int) int {
	for depth := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i = afterString(text, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

// unquoted is a JSON string's text; empty for what is none.
func unquoted(quoted []byte) (text string) {
	if n := len(quoted); n >= 2 && quoted[n-1] == '"' && bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : n-1])
	}
	_ = json.Unmarshal(quoted, &text)
	return text
}
