package usage

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"fairway/internal/inference"
)

// columns are comma-separated values, after a line of their names.
type columns struct {
	w   *csv.Writer
	err error // of the first line
}

func newColumns(w io.Writer) *columns {
	c := &columns{w: csv.NewWriter(w)}
	c.w.UseCRLF = true
	head := make([]string, len(fields))
	for i, f := range fields {
		head[i] = f.name
	}
	c.err = c.w.Write(head)
	return c
}

func (c *columns) Put(_ []byte, r *Record) error {
	if c.err != nil {
		return c.err
	}
	row := make([]string, len(fields))
	for i, f := range fields {
		row[i] = f.value(r)
	}
	return c.w.Write(row)
}

func (c *columns) Close() error {
	c.w.Flush()
	return c.w.Error()
}

// quoted keeps a spreadsheet from reading a text that somebody chose as a formula: an
// apostrophe goes before it. One goes before an apostrophe too, so that taking one
// away gives every text again.
func quoted(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n'", rune(text[0])) {
		return "'" + text
	}
	return text
}

// field is a column of the CSV.
type field struct {
	name  string
	value func(*Record) string
}

// fields are the columns: the members of a record's JSON, those of its usage and of what
// is wasted too, that are one value, and what is told of its error and its attempts.
var fields = []field{
	{"request_id", func(r *Record) string { return quoted(r.ID) }},
	{"time", func(r *Record) string { return r.Time.UTC().Format(time.RFC3339Nano) }},
	{"operation", func(r *Record) string { return quoted(string(r.Operation)) }},
	{"door", func(r *Record) string { return quoted(r.Door) }},
	{"principal", func(r *Record) string { return quoted(r.Principal) }},
	{"caller", func(r *Record) string { return quoted(r.Caller) }},
	{"user_id", func(r *Record) string { return quoted(r.UserID) }},
	{"key", func(r *Record) string { return quoted(r.Key) }},
	{"team", func(r *Record) string { return quoted(r.Team) }},
	{"profile", func(r *Record) string { return quoted(r.Called()) }},
	{"copied_from", func(r *Record) string { return quoted(r.CopiedFrom) }},
	{"model", func(r *Record) string { return quoted(string(r.Model)) }},
	{"fallback", func(r *Record) string { return quoted(r.Fallback) }},
	{"fallback_model", func(r *Record) string { return quoted(string(r.FallbackModel)) }},
	{"source_region", func(r *Record) string { return quoted(string(r.SourceRegion)) }},
	{"destination_region", func(r *Record) string { return quoted(string(r.DestinationRegion)) }},
	{"destination", func(r *Record) string { return quoted(r.Destination) }},
	{"policy", func(r *Record) string { return quoted(string(r.Policy)) }},
	{"outcome", func(r *Record) string { return quoted(string(r.Outcome)) }},
	{"error_type", func(r *Record) string { return quoted(string(errorType(r))) }},
	{"attempts", func(r *Record) string { return strconv.Itoa(len(r.Attempts)) }},
	{"failed_over", func(r *Record) string { return strconv.FormatBool(r.FailedOver()) }},
	{"hedged", func(r *Record) string { return strconv.FormatBool(r.Hedged()) }},
	{"continued", func(r *Record) string { return strconv.Itoa(r.Continued) }},
	{"shadow_of", func(r *Record) string { return quoted(r.ShadowOf) }},
	{"input_tokens", func(r *Record) string { return strconv.Itoa(r.Usage.InputTokens) }},
	{"output_tokens", func(r *Record) string { return strconv.Itoa(r.Usage.OutputTokens) }},
	{"cache_read_tokens", func(r *Record) string { return strconv.Itoa(r.Usage.CacheReadTokens) }},
	{"cache_write_tokens", func(r *Record) string { return strconv.Itoa(r.Usage.CacheWriteTokens) }},
	{"cache_write_1h_tokens", func(r *Record) string { return strconv.Itoa(r.Usage.CacheWrite1h) }},
	{"wasted_input_tokens", func(r *Record) string { return strconv.Itoa(r.Wasted.InputTokens) }},
	{"wasted_output_tokens", func(r *Record) string { return strconv.Itoa(r.Wasted.OutputTokens) }},
	{"estimated", func(r *Record) string { return strconv.FormatBool(r.Estimated) }},
	{"reserved_usd", func(r *Record) string { return r.Reserved.String() }},
	{"cost_usd", func(r *Record) string { return r.Cost.String() }},
	{"wasted_cost_usd", func(r *Record) string { return r.WastedCost.String() }},
	{"saved_usd", func(r *Record) string { return r.Saved.String() }},
	{"latency_ms", func(r *Record) string { return strconv.FormatInt(r.LatencyMS, 10) }},
	{"simulated", func(r *Record) string { return strconv.FormatBool(r.Simulated) }},
}

func errorType(r *Record) inference.Kind {
	if r.Error == nil {
		return ""
	}
	return r.Error.Type
}
