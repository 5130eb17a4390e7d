package usage

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"fairway/internal/inference"
)

// maxLine bounds a line of records, in bytes.
const maxLine = 16 << 20

// Record is a call as records are handed out: its record, and its principal's ARN as
// long as the configuration knows the principal.
type Record struct {
	inference.Record
	PrincipalARN inference.ARN `json:"principal_arn,omitempty"`
}

// End is the line after the last record. Without it, or without Complete, records are
// missing.
type End struct {
	Complete bool   `json:"complete"`
	Records  int    `json:"records"`
	Message  string `json:"message,omitempty"` // why it is not complete
}

// RecordWriter writes records as JSON, one a line. It is for one goroutine.
type RecordWriter struct {
	w       io.Writer
	enc     *json.Encoder
	records int
}

// NewRecordWriter writes to w, a line at a time.
func NewRecordWriter(w io.Writer) *RecordWriter {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return &RecordWriter{w: w, enc: enc}
}

// Put writes a record.
func (w *RecordWriter) Put(r Record) error {
	w.records++
	return w.enc.Encode(r)
}

// Close writes the end: that of a whole transfer when why is nil.
func (w *RecordWriter) Close(why error) error {
	end := End{Complete: why == nil, Records: w.records}
	if why != nil {
		end.Message = why.Error()
	}
	return w.enc.Encode(end)
}

// ReadRecords gives each the records that r holds, and their lines as they are. The
// error is of a transfer that is not complete, or each's own; so many records came
// before it.
func ReadRecords(r io.Reader, each func(line []byte, r *Record) error) (records int, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var line struct {
			Record
			*End // nil but for the last one
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return records, fmt.Errorf("read records: line %d is cut, or no record: %w", records+1, cmp.Or(lines.Err(), err))
		}
		if line.End != nil {
			return records, line.End.check(records, lines)
		}
		if err := each(lines.Bytes(), &line.Record); err != nil {
			return records, err
		}
		records++
	}
	if err := lines.Err(); err != nil {
		return records, fmt.Errorf("read records: %w", err)
	}
	return records, errors.New("read records: the transfer broke off")
}

// check holds the end against what came before it and what comes after.
func (e *End) check(records int, lines *bufio.Scanner) error {
	switch {
	case !e.Complete:
		return fmt.Errorf("read records: the server broke off: %s", e.Message)
	case e.Records != records:
		return fmt.Errorf("read records: %d came of %d", records, e.Records)
	case lines.Scan():
		return errors.New("read records: the end is not the last line")
	}
	return lines.Err()
}
