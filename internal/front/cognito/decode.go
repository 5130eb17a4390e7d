package cognito

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"unicode/utf8"
)

// Limits of a request: the longest members are tokens of some kilobytes, the deepest a
// list of attributes.
const (
	maxBody  = 64 << 10 // bytes
	maxDepth = 8        // of objects and lists in one another
)

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

// read reads the body of r.
func read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return nil, refuse(tooLarge, "the request is longer than 64 KiB")
	}
	if err != nil {
		return nil, refuse(serialization, "the request ended before its body did")
	}
	return body, nil
}

// decode reads one JSON object. Errors are serialization.
func decode[In any](body []byte) (In, error) {
	var in, none In
	if !utf8.Valid(body) || tooDeep(body) || first(body) != '{' {
		return none, refuse(serialization, "the body has to be one JSON object")
	}
	if err := json.Unmarshal(body, &in); err != nil {
		// What json says of a body may quote it.
		return none, refuse(serialization, "the body is not the JSON object that the operation takes")
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
