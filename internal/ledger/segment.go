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
	broken   bool              // what follows size cannot be read
	size     int64             // bytes that are safe
	read     int64             // of them, replayed
	count    int64             // entries
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

// openSegment reads through a file of an earlier process. A last frame that was cut
// short is cut off, and cut says how many bytes that were; from a corrupt one on the
// segment is broken.
func openSegment(path string) (s *segment, cut int64, err error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return nil, 0, err
	}
	s = &segment{path: path, old: true}
	in := newFrames(file, info.Size())
	for {
		switch _, err := in.next(); {
		case err == nil:
			s.size, s.count = in.read, s.count+1
			continue
		case errors.Is(err, io.EOF):
			return s, 0, nil
		case errors.Is(err, errTorn):
			return s, info.Size() - s.size, file.Truncate(s.size)
		case errors.Is(err, errCorrupt):
			s.broken = true
			return s, 0, nil
		default:
			return nil, 0, err
		}
	}
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
// size, and says up to where. Errors are as those of frames.next.
func (s *segment) rest(most int, size int64) (entries []inference.Entry, upTo int64, err error) {
	if s.path == "" {
		rest := s.entries[s.replayed:]
		return rest[:min(most, len(rest))], s.size, nil
	}
	file, err := os.Open(s.path)
	if err != nil {
		return nil, s.read, err
	}
	defer file.Close() // was only read
	in := newFrames(io.NewSectionReader(file, s.read, size-s.read), size-s.read)
	for len(entries) < most {
		e, err := in.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return entries, s.read + in.read, err
		}
		entries = append(entries, e)
	}
	return entries, s.read + in.read, nil
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
