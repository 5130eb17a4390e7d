package usage

import (
	"bufio"
	"io"
)

// Format is how records are exported.
type Format string

// The formats: columns as in RFC 4180, records as they are, and Bedrock's model
// invocation log without bodies.
const (
	CSV           Format = "csv"
	JSONLines     Format = "jsonl"
	InvocationLog Format = "invocation-log"
)

// Formats are all of them.
func Formats() []Format { return []Format{CSV, JSONLines, InvocationLog} }

// Export writes records in a format. Put takes a record and its line of JSON; Close
// writes what is held back, and leaves the file open. It is for one goroutine.
type Export interface {
	Put(line []byte, r *Record) error
	Close() error
}

// NewExport writes to w. Errors are Validation, of a format that is none.
func NewExport(f Format, w io.Writer) (Export, error) {
	switch f {
	case CSV:
		return newColumns(w), nil
	case JSONLines:
		return lines{bufio.NewWriter(w)}, nil
	case InvocationLog:
		return newInvocations(w), nil
	}
	return nil, refuse("format %q: want one of %v", clip(string(f)), Formats())
}

// lines are the records as they came.
type lines struct{ w *bufio.Writer }

func (l lines) Put(line []byte, _ *Record) error {
	if _, err := l.w.Write(line); err != nil {
		return err
	}
	return l.w.WriteByte('\n')
}

func (l lines) Close() error { return l.w.Flush() }
