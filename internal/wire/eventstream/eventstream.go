// Package eventstream is the framing application/vnd.amazon.eventstream: frames
// with a checksummed prelude, typed headers and a payload.
//
//	total length u32 | headers length u32 | CRC of these 8 bytes | headers | payload | CRC of all before it
//
// Integers are big-endian, checksums are CRC-32 (IEEE), and the total length
// counts every byte of the frame. Source: facts bedrock.md 1.9, held against the
// encoder and decoder of the AWS SDK for Go.
package eventstream

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// The limits of the AWS SDKs, in bytes.
const (
	MaxPayload = 16 << 20
	MaxHeaders = 128 << 10
)

// What can be wrong with a frame.
var (
	ErrPreludeChecksum = errors.New("event stream: prelude checksum mismatch")
	ErrMessageChecksum = errors.New("event stream: message checksum mismatch")
	ErrTruncated       = errors.New("event stream: the frame is cut short")
	ErrTooLarge        = errors.New("event stream: the frame is too large")
	ErrLength          = errors.New("event stream: the lengths of the frame contradict each other")
	ErrHeaders         = errors.New("event stream: malformed headers")
)

const (
	preludeLength = 12                // with its checksum
	overhead      = preludeLength + 4 // of a frame without headers and payload
)

// Message is a frame taken apart. Both parts share memory with the frame.
type Message struct {
	Headers Headers
	Payload []byte
}

// Append appends one whole frame to dst. Readers refuse headers above MaxHeaders
// and payloads above MaxPayload.
func Append(dst []byte, headers Headers, payload []byte) []byte {
	start := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, uint32(overhead+len(headers)+len(payload)))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(headers)))
	dst = binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[start:]))
	dst = append(dst, headers...)
	dst = append(dst, payload...)
	return binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[start:]))
}

// Size is how long the frame of Append is.
func Size(headers Headers, payload []byte) int { return overhead + len(headers) + len(payload) }

// Parse takes one whole frame apart. Checksums, lengths and headers are checked;
// the errors are those of this package.
func Parse(frame []byte) (Message, error) {
	if len(frame) < preludeLength {
		return Message{}, ErrTruncated
	}
	total, _, err := prelude(frame, MaxPayload)
	switch {
	case err != nil:
		return Message{}, err
	case total > len(frame):
		return Message{}, ErrTruncated
	case total < len(frame):
		return Message{}, ErrLength
	case crc32.ChecksumIEEE(frame[:total-4]) != binary.BigEndian.Uint32(frame[total-4:]):
		return Message{}, ErrMessageChecksum
	}
	return Split(frame)
}

// Split is Parse for the frame of a [Reader], which has checked it but for its
// headers. The error for anything else is ErrLength or ErrHeaders.
func Split(frame []byte) (Message, error) {
	end := len(frame) - 4
	if end < preludeLength {
		return Message{}, ErrLength
	}
	payload := preludeLength + int64(binary.BigEndian.Uint32(frame[4:]))
	if payload > int64(end) {
		return Message{}, ErrLength
	}
	m := Message{Headers: Headers(frame[preludeLength:payload:payload]), Payload: frame[payload:end:end]}
	if !m.Headers.valid() {
		return Message{}, ErrHeaders
	}
	return m, nil
}

// prelude is the length of the frame that b begins with and that of its headers.
func prelude(b []byte, maxPayload int) (total, headers int, err error) {
	if crc32.ChecksumIEEE(b[:8]) != binary.BigEndian.Uint32(b[8:]) {
		return 0, 0, ErrPreludeChecksum
	}
	t, h := int64(binary.BigEndian.Uint32(b)), int64(binary.BigEndian.Uint32(b[4:]))
	switch {
	case h > MaxHeaders, t-h-overhead > int64(maxPayload):
		return 0, 0, ErrTooLarge
	case t < overhead+h:
		return 0, 0, ErrLength
	}
	return int(t), int(h), nil
}
