package ledger

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"fairway/internal/inference"
)

// journal holds entries in the order of their coming until the store has them. One
// goroutine may append while another replays. It has no bound of its own: see room.
type journal struct {
	dir   string // empty in memory
	share int64  // bytes of a segment
	log   *slog.Logger
	lost  func(entries int64) // is told of those that cannot be read

	bytes, records atomic.Int64
	came           chan struct{} // told after an append

	mu       sync.Mutex
	segments []*segment // the last one is written to, where it is not sealed
	number   int        // of the last file
	buffer   []byte     // of append
}

// shares is how many segments a full journal has about: what was replayed takes up room
// until its whole segment was.
const (
	shares     = 16
	leastShare = 64 << 10
)

var segmentFile = regexp.MustCompile(`^journal-([0-9]{8,})(\.corrupt)?$`)

// openJournal reads what is in dir.
func openJournal(dir string, size int64, log *slog.Logger, lost func(entries int64)) (*journal, error) {
	j := &journal{dir: dir, share: max(size/shares, leastShare), log: log, lost: lost, came: make(chan struct{}, 1)}
	if dir == "" {
		return j, nil
	}
	files, err := os.ReadDir(dir) // sorted
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	files = slices.DeleteFunc(files, func(f os.DirEntry) bool { return !segmentFile.MatchString(f.Name()) })
	for i, f := range files {
		name := segmentFile.FindStringSubmatch(f.Name())
		if j.number, err = strconv.Atoi(name[1]); err != nil {
			return nil, fmt.Errorf("open the journal: %w", err)
		}
		if name[2] != "" {
			continue // its number is not used again
		}
		if err := j.inherit(filepath.Join(dir, f.Name()), i == len(files)-1); err != nil {
			return nil, fmt.Errorf("open the journal: %w", err)
		}
	}
	return j, nil
}

// inherit takes in a segment of an earlier process, the last one that it made or another.
func (j *journal) inherit(path string, last bool) error {
	s, torn, damaged, err := openSegment(path, last)
	if err != nil {
		return err
	}
	if torn > 0 {
		j.log.Warn("journal ended in the middle of a record: that was cut off", "file", path, "bytes", torn, "records", s.count)
	}
	if damaged > 0 {
		j.lose(s, damaged)
	}
	j.segments = append(j.segments, s)
	j.count(s.size, s.count)
	return nil
}

// lose counts entries of a segment that cannot be read. Its file will be kept.
func (j *journal) lose(s *segment, entries int64) {
	s.broken = true
	j.log.Error("journal is corrupt: the records that cannot be read are lost, the file is kept aside",
		"file", s.path+".corrupt", "lost", entries)
	j.lost(entries)
}

func (j *journal) count(bytes, records int64) {
	j.bytes.Add(bytes)
	j.records.Add(records)
}

// append holds entries. After an error they are held in memory alone, where the process
// takes them with it.
func (j *journal) append(entries []inference.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	defer notify(j.came)
	if j.dir == "" {
		j.remember(entries)
		return nil
	}
	err := j.write(entries)
	if err != nil {
		j.remember(entries)
		return fmt.Errorf("write the journal: %w", err)
	}
	return nil
}

// write appends to the last file.
func (j *journal) write(entries []inference.Entry) (err error) {
	j.buffer = j.buffer[:0]
	for i := range entries {
		if j.buffer, err = appendFrame(j.buffer, &entries[i]); err != nil {
			return err
		}
	}
	s, err := j.last()
	if err != nil {
		return err
	}
	if err := s.append(j.buffer, len(entries)); err != nil {
		return err
	}
	j.count(int64(len(j.buffer)), int64(len(entries)))
	return nil
}

// last is the file that is written to, a new one where the last one has its share.
func (j *journal) last() (*segment, error) {
	if n := len(j.segments); n > 0 && j.segments[n-1].file != nil {
		if s := j.segments[n-1]; s.size < j.share {
			return s, nil
		}
		if err := j.segments[n-1].seal(); err != nil {
			return nil, err
		}
	}
	j.number++
	s, err := createSegment(j.dir, j.number)
	if err != nil {
		return nil, err
	}
	j.segments = append(j.segments, s)
	return s, nil
}

// remember holds entries in memory.
func (j *journal) remember(entries []inference.Entry) {
	s := &segment{entries: entries, count: int64(len(entries))}
	for i := range entries {
		s.size += weight(&entries[i].Record)
	}
	j.segments = append(j.segments, s)
	j.count(s.size, s.count)
}

// portion is entries on their way out of the journal.
type portion struct {
	of      *segment
	entries []inference.Entry
	upTo    int64 // bytes of the segment
}

// inherits reports whether entries of an earlier process are left.
func (j *journal) inherits() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.segments) > 0 && j.segments[0].old
}

// next reads the oldest entries, at most so many, of one segment. It is for one
// goroutine, and says the same again until done. The entries are none when the journal
// is empty.
func (j *journal) next(most int) (portion, error) {
	for {
		s, size := j.first()
		if s == nil {
			return portion{}, nil
		}
		entries, upTo, err := s.rest(most, size)
		if err != nil {
			return portion{}, fmt.Errorf("read the journal: %w", err)
		}
		p := portion{of: s, entries: entries, upTo: upTo}
		if len(entries) > 0 {
			return p, nil
		}
		if err := j.done(p); err != nil {
			return portion{}, err
		}
	}
}

func (j *journal) first() (*segment, int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.segments) == 0 {
		return nil, 0
	}
	return j.segments[0], j.segments[0].size
}

// done takes a portion out. Entries of a segment that did not come out of it when all
// its bytes have been read are lost.
func (j *journal) done(p portion) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	s, n := p.of, int64(len(p.entries))
	s.replayed += n
	s.read = p.upTo
	j.records.Add(-n)
	if s.read < s.size {
		return nil
	}
	if missing := s.count - s.replayed; missing > 0 {
		j.records.Add(-missing)
		j.lose(s, missing)
	}
	j.segments[0], j.segments = nil, j.segments[1:]
	j.bytes.Add(-s.size)
	if err := s.remove(); err != nil {
		return fmt.Errorf("remove what was replayed from the journal: %w", err)
	}
	return nil
}

// close ends the writing. What is held in memory is gone.
func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	var errs []error
	for _, s := range j.segments {
		errs = append(errs, s.seal())
	}
	return errors.Join(errs...)
}

// inMemory is how many entries only this process holds.
func (j *journal) inMemory() (n int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.segments {
		if s.path == "" {
			n += s.count - s.replayed
		}
	}
	return n
}
