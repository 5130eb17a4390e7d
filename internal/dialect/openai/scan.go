package openai

import (
	"bytes"
	"encoding/json"
	"iter"
	"slices"
)

// member is one member of a JSON object and where it stands in the object's text:
// from the quote of its name up to the end of its value.
type member struct {
	name     string
	value    json.RawMessage
	from, to int
}

// members are the members of an object, in order and without copying values. The
// text must be valid JSON; of anything but an object there are none.
func members(text []byte) iter.Seq[member] {
	return func(yield func(member) bool) {
		i := next(text, 0)
		if i == len(text) || text[i] != '{' {
			return
		}
		for i = next(text, i+1); text[i] != '}'; i = next(text, i) {
			m := member{from: i}
			i = after(text, i)
			m.name = unquote(text[m.from:i])
			i = next(text, i) + 1 // the colon
			from := next(text, i)
			m.to = after(text, from)
			m.value = text[from:m.to:m.to]
			if !yield(m) {
				return
			}
			if i = next(text, m.to); text[i] == ',' {
				i++
			}
		}
	}
}

// elements are the elements of an array, in order and without copying. The text
// must be valid JSON; of anything but an array there are none.
func elements(text []byte) iter.Seq2[int, json.RawMessage] {
	return func(yield func(int, json.RawMessage) bool) {
		i := next(text, 0)
		if i == len(text) || text[i] != '[' {
			return
		}
		i = next(text, i+1)
		for n := 0; text[i] != ']'; n++ {
			end := after(text, i)
			if !yield(n, text[i:end:end]) {
				return
			}
			if i = next(text, end); text[i] == ',' {
				i = next(text, i+1)
			}
		}
	}
}

// next skips white space.
func next(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r') {
		i++
	}
	return i
}

// after is where the value that begins at i ends.
func after(text []byte, i int) int {
	switch text[i] {
	case '"':
		return afterString(text, i)
	case '{', '[':
		return afterNested(text, i)
	}
	if n := bytes.IndexAny(text[i:], ",]} \t\r\n"); n >= 0 {
		return i + n
	}
	return len(text)
}

func afterString(text []byte, i int) int {
	for i++; text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i + 1
}

func afterNested(text []byte, i int) int {
	for depth := 0; ; i++ {
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
}

// unquote is a JSON string's text.
func unquote(quoted []byte) string {
	if inner := quoted[1 : len(quoted)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	var text string
	_ = json.Unmarshal(quoted, &text) // a valid string always decodes
	return text
}

// without is an object's text without the named members, the others byte for byte.
func without(text []byte, names ...string) []byte {
	kept := make([]byte, 0, len(text))
	end, comma := 0, false
	for m := range members(text) {
		cut := slices.Contains(names, m.name)
		if end == 0 || comma && !cut { // the brace, or the comma between two that stay
			kept = append(kept, text[end:m.from]...)
		}
		if !cut {
			kept = append(kept, text[m.from:m.to]...)
			comma = true
		}
		end = m.to
	}
	return append(kept, text[end:]...)
}
