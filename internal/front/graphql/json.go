package graphql

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// appendString writes s as a JSON string. Unlike encoding/json it leaves <, > and
// & alone, as AppSync does; bytes that are not UTF-8 become U+FFFD.
func appendString(out []byte, s string) []byte {
	out = append(out, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				out = append(append(out, s[start:i]...), "\uFFFD"...)
				start = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		out = append(append(out, s[start:i]...), '\\')
		switch c {
		case '"', '\\':
			out = append(out, c)
		case '\n':
			out = append(out, 'n')
		case '\r':
			out = append(out, 'r')
		case '\t':
			out = append(out, 't')
		default:
			const hex = "0123456789abcdef"
			out = append(out, 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		start = i
	}
	return append(append(out, s[start:]...), '"')
}

// appendJSON writes any value with a JSON form, null for one without.
func appendJSON(out []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(out, "null"...)
	case string:
		return appendString(out, v)
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return append(out, "null"...)
	}
	return append(out, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}

// plain is v in JSON's own terms: nil, bool, json.Number, string, []any or
// map[string]any. It serves Go resolvers that answer with types of their own.
func plain(v any) (any, bool) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, false
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var p any
	if dec.Decode(&p) != nil {
		return nil, false
	}
	return p, true
}
