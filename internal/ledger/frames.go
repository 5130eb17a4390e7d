package ledger

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"

	"fairway/internal/inference"
)

// What stands in the place of a frame that is not whole.
var (
	errTorn    = errors.New("cut short")
	errBlank   = errors.New("zeros")
	errCorrupt = errors.New("corrupt")
)

// frames reads the whole frames of a file, one after the other, whatever stands between
// them.
type frames struct {
	file    io.ReaderAt
	from    *bufio.Reader // at
	at, end int64         // bytes of the file
	damaged int64         // frames that were passed over
	torn    int64         // bytes at the end that a killed process may have left
}

// newFrames reads from one byte of a file to another.
func newFrames(file io.ReaderAt, at, end int64) *frames {
	f := &frames{file: file, from: bufio.NewReaderSize(nil, 64<<10), end: end}
	f.moveTo(at)
	return f
}

func (f *frames) moveTo(at int64) {
	f.at = at
	f.from.Reset(io.NewSectionReader(f.file, at, f.end-at))
}

// next reads an entry. The error is io.EOF after the last one, or that of the file.
func (f *frames) next() (inference.Entry, error) {
	for f.at < f.end {
		e, size, err := readFrame(f.from, f.end-f.at)
		if err == nil {
			f.at += size
			return e, nil
		}
		if !isDamage(err) {
			return inference.Entry{}, err
		}
		if err := f.passOver(err); err != nil {
			return inference.Entry{}, err
		}
	}
	return inference.Entry{}, io.EOF
}

// passOver goes on to the next whole frame, or to the end. Nothing that the damaged one
// says of its length is believed. A rest without a frame is torn where it is what a
// killed process leaves: the beginning of a frame, or the zeros of a file system that
// wrote down the length and not the bytes.
func (f *frames) passOver(damage error) error {
	began, passed, blank := f.at, int64(0), damage == errBlank
	f.moveTo(began + 1)
	for ; f.at < f.end; f.at++ {
		head, err := f.from.Peek(int(min(frameHeader+1, f.end-f.at)))
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if len(head) == 0 { // the file was cut short since
			break
		}
		blank = blank && head[0] == 0
		if mayBegin(head) {
			_, _, err := readFrame(io.NewSectionReader(f.file, f.at, f.end-f.at), f.end-f.at)
			if err == nil {
				f.damaged += 1 + passed
				f.moveTo(f.at)
				return nil
			}
			if !isDamage(err) {
				return err
			}
			passed++
		}
		if _, err := f.from.Discard(1); err != nil {
			return err
		}
	}
	f.at = f.end
	if passed == 0 && (blank || damage == errTorn) {
		f.torn = f.end - began
	} else {
		f.damaged += 1 + passed
	}
	return nil
}

// mayBegin reports whether a frame may begin so: with a length that frames have, and an
// object behind its header. Within JSON nothing looks so, which has no byte below a space.
func mayBegin(head []byte) bool {
	if len(head) <= frameHeader || head[frameHeader] != '{' {
		return false
	}
	size := binary.LittleEndian.Uint32(head)
	return size > 0 && size <= mostPayload
}

// readFrame reads a frame that has so many bytes at most, and says how many it has. The
// error is one of damage, or that of the reader.
func readFrame(in io.Reader, most int64) (e inference.Entry, size int64, err error) {
	payload, err := readPayload(in, most)
	if err != nil {
		return e, 0, err
	}
	if err := json.Unmarshal(payload, &e); err != nil {
		return e, 0, errCorrupt
	}
	e.Record.Charges = e.Charges
	return e, frameHeader + int64(len(payload)), nil
}

func readPayload(in io.Reader, most int64) ([]byte, error) {
	var header [frameHeader]byte
	if most < frameHeader {
		return nil, errTorn
	}
	if err := fill(in, header[:]); err != nil {
		return nil, err
	}
	size, sum := binary.LittleEndian.Uint32(header[:]), binary.LittleEndian.Uint32(header[4:])
	switch {
	case header == [frameHeader]byte{}:
		return nil, errBlank
	case size == 0 || size > mostPayload:
		return nil, errCorrupt
	case int64(size) > most-frameHeader:
		return nil, errTorn // before memory is asked for
	}
	payload := make([]byte, size)
	if err := fill(in, payload); err != nil {
		return nil, err
	}
	if crc32.Checksum(payload, castagnoli) != sum {
		return nil, errCorrupt
	}
	return payload, nil
}

// fill reads b whole.
func fill(in io.Reader, b []byte) error {
	_, err := io.ReadFull(in, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errTorn
	}
	return err
}

func isDamage(err error) bool { return err == errTorn || err == errBlank || err == errCorrupt }
