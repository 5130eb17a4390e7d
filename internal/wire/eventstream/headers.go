package eventstream

import (
	"encoding/binary"
	"fmt"
	"iter"
	"time"
)

// Headers is a block of headers as it stands in a frame, so that one that is sent
// often is written once: name length u8, name, type u8, value.
type Headers []byte

// UUID is the value of a header of that type.
type UUID [16]byte

// The types of header values, by their number on the wire.
const (
	typeTrue = iota
	typeFalse
	typeInt8
	typeInt16
	typeInt32
	typeInt64
	typeBytes // u16 length before the value
	typeString
	typeTimestamp // milliseconds since 1970
	typeUUID
)

// With is h and one header more, in memory of h where there is room. The value is
// a bool, int8, int16, int32, int64, []byte, string, time.Time or UUID. A name of
// more than 255 bytes or none, a value of more than 32,767 bytes or another type
// is a broken program: it panics.
func (h Headers) With(name string, value any) Headers {
	if len(name) == 0 || len(name) > 255 {
		panic(fmt.Sprintf("event stream: a header name of %d bytes", len(name)))
	}
	h = append(append(h, byte(len(name))), name...)
	switch v := value.(type) {
	case bool:
		if v {
			return append(h, typeTrue)
		}
		return append(h, typeFalse)
	case int8:
		return append(h, typeInt8, byte(v))
	case int16:
		return binary.BigEndian.AppendUint16(append(h, typeInt16), uint16(v))
	case int32:
		return binary.BigEndian.AppendUint32(append(h, typeInt32), uint32(v))
	case int64:
		return binary.BigEndian.AppendUint64(append(h, typeInt64), uint64(v))
	case []byte:
		return append(length(append(h, typeBytes), len(v)), v...)
	case string:
		return append(length(append(h, typeString), len(v)), v...)
	case time.Time:
		return binary.BigEndian.AppendUint64(append(h, typeTimestamp), uint64(v.UnixMilli()))
	case UUID:
		return append(append(h, typeUUID), v[:]...)
	}
	panic(fmt.Sprintf("event stream: a header value of type %T", value))
}

func length(h Headers, n int) Headers {
	if n > 1<<15-1 {
		panic(fmt.Sprintf("event stream: a header value of %d bytes", n))
	}
	return binary.BigEndian.AppendUint16(h, uint16(n))
}

// Text is the value of the string header of that name, nil without one. It shares
// memory with h.
func (h Headers) Text(name string) []byte {
	for len(h) > 0 {
		n, kind, value, rest := h.cut()
		if kind == typeString && string(n) == name {
			return value
		}
		h = rest
	}
	return nil
}

// All are the headers in order, with values of the types that With takes.
func (h Headers) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for rest := h; len(rest) > 0; {
			var name, value []byte
			var kind byte
			name, kind, value, rest = rest.cut()
			if name == nil || !yield(string(name), decode(kind, value)) {
				return
			}
		}
	}
}

func decode(kind byte, value []byte) any {
	switch kind {
	case typeTrue, typeFalse:
		return kind == typeTrue
	case typeInt8:
		return int8(value[0])
	case typeInt16:
		return int16(binary.BigEndian.Uint16(value))
	case typeInt32:
		return int32(binary.BigEndian.Uint32(value))
	case typeInt64:
		return int64(binary.BigEndian.Uint64(value))
	case typeString:
		return string(value)
	case typeTimestamp:
		return time.UnixMilli(int64(binary.BigEndian.Uint64(value))).UTC()
	case typeUUID:
		return UUID(value)
	}
	return value
}

// widths are the lengths of the values of each type; -1 says so itself.
var widths = [...]int{0, 0, 1, 2, 4, 8, -1, -1, 8, 16}

// cut takes the first header off. The name is nil, and nothing rests, where h is
// malformed.
func (h Headers) cut() (name []byte, kind byte, value []byte, rest Headers) {
	at := 1 + int(h[0]) // of the type
	if at == 1 || at >= len(h) || int(h[at]) >= len(widths) {
		return nil, 0, nil, nil
	}
	name, kind, rest = h[1:at], h[at], h[at+1:]
	width := widths[kind]
	if width < 0 {
		if len(rest) < 2 {
			return nil, 0, nil, nil
		}
		width, rest = int(binary.BigEndian.Uint16(rest)), rest[2:]
	}
	if width > len(rest) {
		return nil, 0, nil, nil
	}
	return name, kind, rest[:width:width], rest[width:]
}

func (h Headers) valid() bool {
	for len(h) > 0 {
		name, _, _, rest := h.cut()
		if name == nil {
			return false
		}
		h = rest
	}
	return true
}
