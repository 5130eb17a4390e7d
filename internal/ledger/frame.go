package ledger

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"fairway/internal/inference"
)

// A frame is four bytes length of the payload and four of its CRC-32C, both little
// endian, then the payload: an Entry as JSON.
const (
	frameHeader = 8
	mostPayload = 16 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Errors of frames. A torn one ends where a killed process stopped writing; everything
// else that is no frame is corrupt.
var (
	errTorn    = errors.New("cut short")
	errCorrupt = errors.New("corrupt")
)

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

// frames reads frames one after the other.
type frames struct {
	from *bufio.Reader
	left int64 // bytes
	read int64 // bytes of whole frames
}

func newFrames(r io.Reader, size int64) *frames {
	return &frames{from: bufio.NewReaderSize(r, 64<<10), left: size}
}

// next reads an entry. The error is io.EOF after the last frame, errTorn, errCorrupt, or
// that of the reader.
func (f *frames) next() (inference.Entry, error) {
	payload, err := f.payload()
	if err != nil {
		return inference.Entry{}, err
	}
	var e inference.Entry
	if err := json.Unmarshal(payload, &e); err != nil {
		return inference.Entry{}, errCorrupt
	}
	e.Record.Charges = e.Charges
	f.read += frameHeader + int64(len(payload))
	return e, nil
}

func (f *frames) payload() ([]byte, error) {
	if f.left == 0 {
		return nil, io.EOF
	}
	var header [frameHeader]byte
	if err := f.fill(header[:]); err != nil {
		return nil, err
	}
	size, sum := binary.LittleEndian.Uint32(header[:]), binary.LittleEndian.Uint32(header[4:])
	switch {
	case size == 0:
		return nil, f.blank(header)
	case size > mostPayload:
		return nil, errCorrupt
	}
	if f.left < int64(size) {
		return nil, errTorn // before memory is asked for
	}
	payload := make([]byte, size)
	if err := f.fill(payload); err != nil {
		return nil, err
	}
	if crc32.Checksum(payload, castagnoli) != sum {
		return nil, errCorrupt
	}
	return payload, nil
}

// fill reads b whole.
func (f *frames) fill(b []byte) error {
	if f.left < int64(len(b)) {
		return errTorn
	}
	n, err := io.ReadFull(f.from, b)
	f.left -= int64(n)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errTorn
	}
	return err
}

// blank tells a rest of zeros, which file systems leave where a length reached the disk
// and its bytes did not, from other bytes.
func (f *frames) blank(header [frameHeader]byte) error {
	if header != [frameHeader]byte{} {
		return errCorrupt
	}
	for ; f.left > 0; f.left-- {
		switch b, err := f.from.ReadByte(); {
		case err != nil:
			return errTorn
		case b != 0:
			return errCorrupt
		}
	}
	return errTorn
}
