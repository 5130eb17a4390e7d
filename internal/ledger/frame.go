package ledger

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"

	"fairway/internal/inference"
)

// A frame is four bytes length of the payload and four of its CRC-32C, both little
// endian, then the payload: an Entry as JSON.
const (
	frameHeader = 8
	mostPayload = 16 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendFrame adds the frame of an entry to b.
func appendFrame(b []byte, e *inference.Entry) ([]byte, error) {
	payload, err := json.Marshal(e)
	if err != nil {
		return b, fmt.Errorf("write a record to the journal: %w", err)
	}
	if len(payload) > mostPayload {
		return b, fmt.Errorf("write a record to the journal: it has %d bytes, more than %d", len(payload), mostPayload)
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(payload)))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(payload, castagnoli))
	return append(b, payload...), nil
}
