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
	block      []byte // what was read; frames are given out of it
	given      int    // how much of the block was
	err        error  // what Next gives from here on
}

// The size of a block: that of several frames, as long as none asks for more, and
// what is kept at most behind one that did.
const (
	blockSize = 1 << 10
	maxKept   = 64 << 10
)

// NewReader reads frames from r whose payload has at most maxPayload bytes; 0 is
// MaxPayload.
func NewReader(r io.Reader, maxPayload int) *Reader {
	if maxPayload <= 0 || maxPayload > MaxPayload {
		maxPayload = MaxPayload
	}
	return &Reader{from: r, maxPayload: maxPayload}
}

// Next is the next whole frame, its lengths and checksums checked, for [Split] to
// take apart. It is good until Next is called again. The error is io.EOF where the
// stream ends between two frames, ErrTruncated where it ends inside one, another
// error of this package for a bad frame, or the error of reading; it ends the
// stream.
func (r *Reader) Next() ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}
	frame, err := r.next()
	r.err = err
	return frame, err
}

func (r *Reader) next() ([]byte, error) {
	if r.given == len(r.block) {
		r.restart()
	}
	if err := r.fill(preludeLength); err != nil {
		return nil, err
	}
	total, _, err := prelude(r.block[r.given:], r.maxPayload)
	if err != nil {
		return nil, err
	}
	if err := r.fill(total); err != nil {
		return nil, err
	}
	frame := r.block[r.given:][:total:total]
	r.given += total
	if crc32.ChecksumIEEE(frame[:total-4]) != binary.BigEndian.Uint32(frame[total-4:]) {
		return nil, ErrMessageChecksum
	}
	return frame, nil
}

// restart begins at the front of the block again, of which nothing is left.
func (r *Reader) restart() {
	r.block, r.given = r.block[:0], 0
	if cap(r.block) > maxKept {
		r.block = nil
	}
}

// fill reads until n bytes are there to give.
func (r *Reader) fill(n int) error {
	for empty := 0; len(r.block)-r.given < n; {
		if r.given+n > cap(r.block) && (r.given > 0 || len(r.block) == cap(r.block)) {
			r.makeRoom(n)
		}
		got, err := r.from.Read(r.block[len(r.block):cap(r.block)])
		r.block = r.block[:len(r.block)+got]
		switch left := len(r.block) - r.given; {
		case left >= n:
		case errors.Is(err, io.EOF) && left > 0:
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

// makeRoom moves what is left to the front, of a larger block where a frame of n
// bytes needs it. One that says it is large gets room as its bytes come, not before.
func (r *Reader) makeRoom(n int) {
	left := r.block[r.given:]
	if size := max(blockSize, min(n, 4*len(left))); size > cap(r.block) {
		r.block = make([]byte, 0, size)
	}
	r.block, r.given = append(r.block[:0], left...), 0
}
