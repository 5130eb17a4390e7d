package ledger

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"fairway/internal/inference"
)

// segment is a stretch of the journal: a file, or entries in memory.
type segment struct {
	path     string            // empty in memory
	entries  []inference.Entry // in memory
	file     *os.File          // that is written to, nil once the segment is sealed
	old      bool              // an earlier process wrote it
	broken   bool              // not all of it can be read
	size     int64             // bytes that are safe
	read     int64             // of them, replayed
	count    int64             // entries, of an old one those that can be read
	replayed int64
}

const segmentName = "journal-%08d"

// createSegment makes the file of a segment, and makes sure that its folder knows it.
func createSegment(dir string, number int) (*segment, error) {
	path := filepath.Join(dir, fmt.Sprintf(segmentName, number))
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syncFolder(dir); err != nil {
		return nil, errors.Join(err, file.Close(), os.Remove(path))
	}
	return &segment{path: path, file: file}, nil
}

// openSegment reads through a file of an earlier process. What a killed process left at
// the end of its last file is cut off, and torn says how many bytes that were; damaged is
// how many frames cannot be read beside, for which the file is to be kept.
func openSegment(path string, last bool) (s *segment, torn, damaged int64, err error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, 0, 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return nil, 0, 0, err
	}
	s = &segment{path: path, old: true, size: info.Size()}
	in := newFrames(file, 0, s.size)
	for _, err = in.next(); err == nil; _, err = in.next() {
		s.count++
	}
	if !errors.Is(err, io.EOF) {
		return nil, 0, 0, err
	}
	switch {
	case in.torn > 0 && !last:
		in.damaged++ // nobody was writing there any more
	case in.torn > 0 && in.damaged == 0:
		s.size -= in.torn
		return s, in.torn, 0, errors.Join(file.Truncate(s.size), file.Sync())
	}
	s.broken = in.damaged > 0
	return s, 0, in.damaged, nil
}

// append writes frames, and returns once they are on the disk. After an error none of
// them is part of the segment, which is sealed.
func (s *segment) append(frames []byte, entries int) error {
	_, err := s.file.Write(frames)
	if err == nil {
		err = s.file.Sync()
	}
	if err != nil {
		return errors.Join(err, s.file.Truncate(s.size), s.seal())
	}
	s.size += int64(len(frames))
	s.count += int64(entries)
	return nil
}

// seal ends the writing.
func (s *segment) seal() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	return err
}

// rest reads at most so many entries that were not replayed yet, of the bytes up to
// size, and says up to where. It passes over what is no whole frame.
func (s *segment) rest(most int, size int64) (entries []inference.Entry, upTo int64, err error) {
	if s.path == "" {
		rest := s.entries[s.replayed:]
		if len(rest) > most {
			return rest[:most], s.read, nil
		}
		return rest, s.size, nil
	}
	file, err := os.Open(s.path)
	if err != nil {
		return nil, s.read, err
	}
	defer file.Close() // was only read
	in := newFrames(file, s.read, size)
	for len(entries) < most {
		e, err := in.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return entries, s.read, err
		}
		entries = append(entries, e)
	}
	return entries, in.at, nil
}

// remove takes the file away; that of a broken segment is kept aside.
func (s *segment) remove() error {
	err := s.seal()
	switch {
	case s.path == "":
	case s.broken:
		err = errors.Join(err, os.Rename(s.path, s.path+".corrupt"))
	default:
		err = errors.Join(err, os.Remove(s.path))
	}
	return err
}
