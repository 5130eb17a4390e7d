package cognito

import (
	"context"
	"encoding/json"
	"mime"
	"unicode/utf8"

	"fairway/internal/front"
)

// maxDepth is how deep objects and lists may be in one another: the deepest are lists
// of attributes.
const maxDepth = 8

// operation is one that the door has.
type operation struct {
	run     func(ctx context.Context, body []byte) (any, error)
	guesses bool // whoever may ask often could guess a password or a code
}

// decoding is an operation of a pool's method: the body becomes its input, members
// that it does not know are passed over.
func decoding[In, Out any](method func(context.Context, In) (Out, error)) operation {
	return operation{run: func(ctx context.Context, body []byte) (any, error) {
		in, err := decode[In](body)
		if err != nil {
			return nil, err
		}
		return method(ctx, in)
	}}
}

// guessing is decoding, of an operation that a secret could be guessed with.
func guessing[In, Out any](method func(context.Context, In) (Out, error)) operation {
	op := decoding(method)
	op.guesses = true
	return op
}

// isJSON reports whether a content type is one that clients of the service send.
func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/x-amz-json-1.1" || media == "application/x-amz-json-1.0")
}

// decode reads one JSON object. Errors are serialization.
func decode[In any](body []byte) (In, error) {
	var in, none In
	if !utf8.Valid(body) || tooDeep(body) || first(body) != '{' {
		return none, front.Refuse(serialization, "the body has to be one JSON object")
	}
	if err := json.Unmarshal(body, &in); err != nil {
		// What json says of a body may quote it.
		return none, front.Refuse(serialization, "the body is not the JSON object that the operation takes")
	}
	return in, nil
}

// first is the first byte of a JSON text that is not space, 0 without one.
func first(text []byte) byte {
	for _, c := range text {
		switch c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// tooDeep reports whether a JSON text nests deeper than maxDepth, also where it is no
// JSON at all.
func tooDeep(text []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
