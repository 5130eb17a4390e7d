package eventstream

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// Reader cuts a stream into frames. It must not be used concurrently.
type Reader struct {
	from       io.Reader
	maxPayload int
	block      []byte // what was read and is not yet given away: block[:len]
	err        error  // what Next gives from here on
}

// blockSize is how much is read at once. Frames share the memory of their block,
// so that small ones cost no allocation each.
const blockSize = 4 << 10

// minRead is the room in a block below which a frame begins the next one.
const minRead = 512

// NewReader reads frames from r whose payload has at most maxPayload bytes; 0 is
// MaxPayload.
func NewReader(r io.Reader, maxPayload int) *Reader {
	if maxPayload <= 0 || maxPayload > MaxPayload {
		maxPayload = MaxPayload
	}
	return &Reader{from: r, maxPayload: maxPayload}
}

// Next is the next whole frame, its lengths and checksums checked. It is the
// caller's: no later call changes it. The error is io.EOF where the stream ends
// between two frames, ErrTruncated where it ends inside one, another error of this
// package for a bad frame, or the error of reading; it ends the stream.
func (r *Reader) Next() ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}
	frame, err := r.next()
	r.err = err
	return frame, err
}

func (r *Reader) next() ([]byte, error) {
	if cap(r.block) < minRead {
		r.grow(0)
	}
	if err := r.fill(preludeLength); err != nil {
		return nil, err
	}
	total, _, err := prelude(r.block, r.maxPayload)
	if err != nil {
		return nil, err
	}
	if err := r.fill(total); err != nil {
		return nil, err
	}
	frame := r.block[:total:total]
	r.block = r.block[total:]
	if crc32.ChecksumIEEE(frame[:total-4]) != binary.BigEndian.Uint32(frame[total-4:]) {
		return nil, ErrMessageChecksum
	}
	return frame, nil
}

// fill reads until the block holds n bytes.
func (r *Reader) fill(n int) error {
	for empty := 0; len(r.block) < n; {
		if len(r.block) == cap(r.block) {
			r.grow(n)
		}
		got, err := r.from.Read(r.block[len(r.block):cap(r.block)])
		r.block = r.block[:len(r.block)+got]
		switch {
		case len(r.block) >= n:
		case errors.Is(err, io.EOF) && len(r.block) > 0:
			return ErrTruncated
		case err != nil:
			return err
		case got > 0:
			empty = 0
		default:
			if empty++; empty == maxEmptyReads {
				return io.ErrNoProgress
			}
		}
	}
	return nil
}

// maxEmptyReads is how often in a row a reader may give neither bytes nor error.
const maxEmptyReads = 100

// grow moves what is left to a new block. A frame that says it is large gets room
// as its bytes come, not before.
func (r *Reader) grow(n int) {
	size := max(blockSize, min(n, 4*len(r.block)))
	r.block = append(make([]byte, 0, size), r.block...)
}
