package bedrock

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep objects and arrays may lie in one another in a body that
// is decoded here: far more than any message, and than most tool schemas.
const maxDepth = 128

// decodeObject reads the members of body that v has, and makes sure that all of it
// is one JSON object in UTF-8.
func decodeObject(o operation, body []byte, v any) error {
	switch {
	case len(body) == 0:
		return o.malformed("")
	case !utf8.Valid(body):
		return o.malformed("the body is not UTF-8")
	case depth(body) > maxDepth:
		return o.malformed("the body is nested more than " + strconv.Itoa(maxDepth) + " deep")
	}
	err := json.Unmarshal(body, v)
	wrong, isWrong := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case isWrong && wrong.Field != "":
		return o.malformed("#/" + strings.ReplaceAll(wrong.Field, ".", "/") + ": unexpected type: " + wrong.Value)
	case isWrong, err == nil && !isObject(body):
		return o.malformed("#: expected type: JSONObject")
	case err != nil:
		return o.malformed("the body is not JSON")
	}
	return nil
}

// depth is how deep the brackets of a JSON text lie in one another.
func depth(text []byte) int {
	deepest, now, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}', c == ']':
			now--
		}
	}
	return deepest
}

// isObject reports whether a valid JSON text is an object.
func isObject(text []byte) bool {
	text = bytes.TrimLeft(text, " \t\r\n")
	return len(text) > 0 && text[0] == '{'
}
