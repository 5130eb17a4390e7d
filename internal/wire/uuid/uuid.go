// Package uuid makes random UUIDs, version 4 of RFC 9562: request ids, token ids
// and users' subjects.
package uuid

import (
	"crypto/rand"
	"encoding/hex"
)

// New is a random UUID, "7b1c0a52-9d35-4b6e-8a7e-0f4c9be1d2a3".
func New() string {
	var b [16]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	return Of(b)
}

// Of is the UUID that 16 random bytes make.
func Of(b [16]byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	var s [36]byte
	hex.Encode(s[:8], b[:4])
	hex.Encode(s[9:13], b[4:6])
	hex.Encode(s[14:18], b[6:8])
	hex.Encode(s[19:23], b[8:10])
	hex.Encode(s[24:], b[10:])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return string(s[:])
}
