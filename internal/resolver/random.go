package resolver

import (
	"encoding/binary"
	"io"
	"math/big"
	"strings"
	"time"
)

// random is n random bytes.
func (m *machine) random(n int) []byte {
	b := make([]byte, n)
	_, err := io.ReadFull(m.resolver.opts.Rand, b)
	m.check(err)
	return b
}

// randomFloat is at least 0 and below 1, with 53 bits.
func (m *machine) randomFloat() float64 {
	return float64(binary.BigEndian.Uint64(m.random(8))>>11) / (1 << 53)
}

func (m *machine) now() time.Time { return m.resolver.opts.Now() }

// ulid is 48 bits of milliseconds and 80 random bits as 26 characters of
// Crockford's base 32.
func ulid(now time.Time, random []byte) string {
	id := make([]byte, 8, 18)
	binary.BigEndian.PutUint64(id, uint64(now.UnixMilli()))
	return digits(append(id[2:], random...), "0123456789ABCDEFGHJKMNPQRSTVWXYZ", 26)
}

// ksuidEpoch is where KSUIDs count seconds from, in Unix seconds.
const ksuidEpoch = 1_400_000_000

// ksuid is 32 bits of seconds and 128 random bits as 27 characters of base 62.
func ksuid(now time.Time, random []byte) string {
	id := binary.BigEndian.AppendUint32(nil, uint32(now.Unix()-ksuidEpoch))
	return digits(append(id, random...), "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 27)
}

// digits is a big-endian number in the base of an alphabet, padded to width.
func digits(number []byte, alphabet string, width int) string {
	n, base, digit := new(big.Int).SetBytes(number), big.NewInt(int64(len(alphabet))), new(big.Int)
	out := []byte(strings.Repeat(alphabet[:1], width))
	for i := width - 1; i >= 0; i-- {
		n.DivMod(n, base, digit)
		out[i] = alphabet[digit.Int64()]
	}
	return string(out)
}
