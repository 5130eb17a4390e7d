// Package sse is the text format of server-sent events: fields in lines, an empty
// line after each event. Source: HTML Living Standard, "Server-sent events".
package sse

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

// MaxEvent is the limit of a Reader that is given none, in bytes.
const MaxEvent = 16 << 20

// ErrTooLarge means that an event, or a line of one, is longer than the limit.
var ErrTooLarge = errors.New("server-sent events: the event is too large")

// Event is one event.
type Event struct {
	Type string // the event field, empty without one
	ID   string // the last id field of the stream so far
	Data []byte // the data fields, joined by line feeds
}

// Reader reads events. It must not be used concurrently.
type Reader struct {
	from  *bufio.Reader
	limit int
	line  []byte // without its end
	data  []byte
	id    string
	begun bool // the byte order mark was looked for
	feed  bool // a line feed that comes next belongs to the carriage return before it
	err   error
}

// NewReader reads events from r whose lines together have at most maxEvent bytes;
// 0 is MaxEvent.
func NewReader(r io.Reader, maxEvent int) *Reader {
	if maxEvent <= 0 {
		maxEvent = MaxEvent
	}
	return &Reader{from: bufio.NewReader(r), limit: maxEvent}
}

// Next is the next event that has data; its Data is valid until the next call. The
// error is io.EOF where the stream ends between two events, io.ErrUnexpectedEOF
// where it ends inside one, ErrTooLarge, or the error of reading; it ends the
// stream.
func (r *Reader) Next() (Event, error) {
	if r.err != nil {
		return Event{}, r.err
	}
	e, err := r.next()
	r.err = err
	return e, err
}

func (r *Reader) next() (Event, error) {
	e, size := Event{}, 0
	r.data = r.data[:0]
	for has := false; ; {
		err := r.readLine(r.limit - size)
		switch {
		case err == io.EOF && (has || e.Type != "" || len(r.line) > 0):
			return Event{}, io.ErrUnexpectedEOF
		case err != nil:
			return Event{}, err
		case len(r.line) > 0:
			size += len(r.line)
			has = r.field(&e) || has
		case has:
			e.ID, e.Data = r.id, bytes.TrimSuffix(r.data, []byte("\n"))
			return e, nil
		default: // an event without data is none
			e, size = Event{}, 0
		}
	}
}

// field takes the line in and reports whether it was data. Comments and fields that
// are not known are passed over.
func (r *Reader) field(e *Event) bool {
	name, value, _ := bytes.Cut(r.line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "data":
		r.data = append(append(r.data, value...), '\n')
		return true
	case "event":
		e.Type = string(value)
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			r.id = string(value)
		}
	}
	return false
}

// readLine reads a line of at most limit bytes, which CR, LF or both end. A carriage
// return ends it at once: what follows may be long in coming.
func (r *Reader) readLine(limit int) error {
	r.line = r.line[:0]
	for {
		if r.from.Buffered() == 0 {
			if _, err := r.from.Peek(1); err != nil {
				return err
			}
		}
		buffered, _ := r.from.Peek(r.from.Buffered()) // what is buffered is always there
		if r.feed && buffered[0] == '\n' {
			r.feed = false
			r.from.Discard(1)
			continue
		}
		r.feed = false
		end := bytes.IndexAny(buffered, "\r\n")
		if end < 0 {
			end = len(buffered)
		}
		r.line = append(r.line, buffered[:end]...)
		if len(r.line) > limit {
			return ErrTooLarge
		}
		if end == len(buffered) {
			r.from.Discard(end)
			continue
		}
		r.feed = buffered[end] == '\r'
		r.from.Discard(end + 1)
		if !r.begun {
			r.begun = true
			r.line = bytes.TrimPrefix(r.line, []byte("\uFEFF"))
		}
		return nil
	}
}

// lineEnds are the ends of lines that a value cannot hold.
var lineEnds = strings.NewReplacer("\r\n", "", "\r", "", "\n", "")

// Append appends one event to dst, each line of its data in a field of its own.
// Ends of lines in data become line feeds to the reader; in type and id there are
// none.
func Append(dst []byte, e Event) []byte {
	if e.Type != "" {
		dst = append(append(append(dst, "event: "...), lineEnds.Replace(e.Type)...), '\n')
	}
	if e.ID != "" {
		dst = append(append(append(dst, "id: "...), lineEnds.Replace(e.ID)...), '\n')
	}
	for rest := e.Data; ; {
		end := bytes.IndexAny(rest, "\r\n")
		if end < 0 {
			return append(append(append(dst, "data: "...), rest...), "\n\n"...)
		}
		dst = append(append(append(dst, "data: "...), rest[:end]...), '\n')
		if bytes.HasPrefix(rest[end:], []byte("\r\n")) {
			end++
		}
		rest = rest[end+1:]
	}
}
