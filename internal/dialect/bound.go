package dialect

import "strconv"

// Bounds on a body that is translated. Its text is held once anyway; what it is
// taken apart into is many times its size where it is many small values. Within them
// that is some 250 MB at most; what the largest context windows hold is below them.
const (
	MaxDepth  = 200     // how deep objects and arrays may nest
	MaxNested = 50_000  // objects and arrays: each may become a block
	MaxValues = 200_000 // values of any kind
)

// Excess says what of a JSON text is more than is translated, for a Validation;
// empty where nothing is. It may be asked before the text is known to be valid.
func Excess(text []byte) string {
	switch depth, nested, values := extent(text); {
	case depth > MaxDepth:
		return "the body nests objects and arrays deeper than " + strconv.Itoa(MaxDepth) + " levels: send a flatter one"
	case nested > MaxNested:
		return "the body has more than " + strconv.Itoa(MaxNested) + " objects and arrays: send fewer messages or blocks"
	case values > MaxValues:
		return "the body has more than " + strconv.Itoa(MaxValues) + " values: send fewer"
	}
	return ""
}

// extent is how deep the objects and arrays of a JSON text nest, how many they are,
// and at most how many values it has: one begins behind each bracket and comma.
func extent(text []byte) (depth, nested, values int) {
	open := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			open++
			nested++
			values++
			depth = max(depth, open)
		case '}', ']':
			open--
		case ',':
			values++
		}
	}
	return depth, nested, values
}

// IsBase64 reports whether text is some bytes in base64 as services take it: of the
// standard alphabet, padded and without line breaks. It decodes nothing.
func IsBase64(text string) bool {
	n := len(text)
	if n == 0 || n%4 != 0 {
		return false
	}
	for range 2 {
		if text[n-1] == '=' {
			n--
		}
	}
	for i := range n {
		if !base64Digits[text[i]] {
			return false
		}
	}
	return true
}

// base64Digits are the bytes of the standard alphabet.
var base64Digits = func() (is [256]bool) {
	for _, b := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		is[b] = true
	}
	return is
}()
