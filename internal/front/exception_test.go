package front

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"fairway/internal/inference"
)

func TestReadShort(t *testing.T) {
	for name, c := range map[string]struct {
		body io.Reader
		want int    // bytes
		kind string // of a refusal
	}{
		"nothing":       {strings.NewReader(""), 0, ""},
		"the most":      {strings.NewReader(strings.Repeat("x", 64<<10)), 64 << 10, ""},
		"one too many":  {strings.NewReader(strings.Repeat("x", 64<<10+1)), 0, "TooLong"},
		"ends too soon": {io.MultiReader(strings.NewReader("x"), iotest.ErrReader(io.ErrUnexpectedEOF)), 0, "CutShort"},
	} {
		body, err := ReadShort(httptest.NewRecorder(), httptest.NewRequest("POST", "/", c.body), "TooLong", "CutShort")
		kind := ""
		if e, ok := errors.AsType[*Exception](err); ok {
			kind = e.Name
		}
		if len(body) != c.want || kind != c.kind || (err == nil) != (c.kind == "") {
			t.Errorf("%s: ReadShort = %d bytes, %v, want %d, %s", name, len(body), err, c.want, c.kind)
		}
	}
}

func TestClip(t *testing.T) {
	for from, want := range map[string]string{
		"":                               "",
		"a\xffb":                         "ab",
		strings.Repeat("é", 64):          strings.Repeat("é", 64),
		strings.Repeat("é", 65):          strings.Repeat("é", 64) + "...",
		strings.Repeat("x", 63) + "\xff": strings.Repeat("x", 63),
	} {
		if got := Clip(from); got != want {
			t.Errorf("Clip(%q) = %q, want %q", from, got, want)
		}
	}
}

// TestAsked: what is our fault is told to the operator with its cause, unless the client
// was gone already; what a client did is one line without it.
func TestAsked(t *testing.T) {
	gone, leave := context.WithCancel(t.Context())
	leave()
	failed := &inference.Error{Kind: inference.InternalServer, Message: "no disk"}
	for name, c := range map[string]struct {
		ctx          context.Context
		asked        Asked
		level, holds string
	}{
		"answered": {t.Context(), Asked{Status: 200}, "INFO", "operation=Op latency_ms=2000\n"},
		"refused":  {t.Context(), Asked{Err: Refuse("Bad", "it"), Kind: "Bad", Status: 400}, "INFO", "latency_ms=2000 kind=Bad\n"},
		"failed":   {t.Context(), Asked{Err: failed, Kind: "Internal", Status: 500}, "ERROR", "no disk"},
		"gone":     {gone, Asked{Err: failed, Kind: "Internal", Status: 500}, "INFO", "kind=Internal\n"},
	} {
		var log bytes.Buffer
		c.asked.ID, c.asked.Operation, c.asked.Began = "id", "Op", start
		c.asked.Log(c.ctx, slog.New(slog.NewTextHandler(&log, nil)), "asked for", start.Add(2*time.Second))
		if got := log.String(); !strings.Contains(got, "level="+c.level+` msg="asked for" request_id=id operation=Op`) || !strings.Contains(got, c.holds) {
			t.Errorf("%s: Log = %s, want %s and %s", name, got, c.level, c.holds)
		}
	}
}
