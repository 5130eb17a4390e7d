package front

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// Exception is an error of a door itself, for doors that speak another service's
// protocol: its name there and what the caller reads.
type Exception struct{ Name, Message string }

// Error is the operator's line.
func (e *Exception) Error() string { return e.Name + ": " + e.Message }

// Refuse is the Exception of that name.
func Refuse(name, message string) error { return &Exception{name, message} }

// maxShort is the limit of a short body, in bytes.
const maxShort = 64 << 10

// ReadShort reads the whole body of r, of 64 KiB at most. Errors are Exceptions of the
// names: of a body that is longer, and of one that ended before it should.
func ReadShort(w http.ResponseWriter, r *http.Request, tooLong, cutShort string) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxShort))
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return nil, Refuse(tooLong, "the request is longer than 64 KiB")
	}
	if err != nil {
		return nil, Refuse(cutShort, "the request ended before its body did")
	}
	return body, nil
}

// Clip is a value as a message may quote it: 64 characters of it at most.
func Clip(s string) string {
	const most = 64
	s = strings.ToValidUTF8(s, "")
	n := 0
	for i := range s {
		if n == most {
			return s[:i] + "..."
		}
		n++
	}
	return s
}

// Asked is a request to a door that calls no model, as the log has it: nothing that a
// client sent.
type Asked struct {
	ID        string    // of the request
	Operation string    // empty where it is for none
	Began     time.Time // when it came

	Err    error  // nil where it was answered; what follows is of its answer
	Kind   string // name of the exception
	Status int
}

// Log writes the one line of a request that is over.
func (a Asked) Log(ctx context.Context, log *slog.Logger, message string, now time.Time) {
	level, attributes := slog.LevelInfo, []slog.Attr{
		slog.String("request_id", a.ID), slog.String("operation", a.Operation),
		slog.Int64("latency_ms", now.Sub(a.Began).Milliseconds()),
	}
	if a.Err != nil {
		attributes = append(attributes, slog.String("kind", a.Kind))
		if a.Status >= http.StatusInternalServerError && ctx.Err() == nil {
			level = slog.LevelError
			attributes = append(attributes, slog.Any("error", a.Err))
		}
	}
	log.LogAttrs(ctx, level, message, attributes...)
}
