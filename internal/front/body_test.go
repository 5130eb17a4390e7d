package front

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairway/internal/inference"
)

// TestBodies: what is read is what was sent, and what is held is what it takes.
func TestBodies(t *testing.T) {
	const limit = 5 << 20
	long := strings.Repeat("abcdefg", limit/7+1)[:limit]
	for name, tt := range map[string]struct {
		body string
		told int64
		held int64
		kind inference.Kind
	}{
		"none":              {"", 0, 0, ""},
		"short":             {"hello", 5, 5, ""},
		"a portion":         {long[:portion], portion, portion, ""},
		"more":              {long[:portion+1], portion + 1, portion + 1, ""},
		"long":              {long, limit, limit, ""},
		"none, not told":    {"", -1, portion, ""},
		"short, not told":   {"hello", -1, portion, ""},
		"portion, not told": {long[:portion], -1, 2 * portion, ""},
		"long, not told":    {long, -1, limit + 1, ""},
		"too long":          {long + "x", limit + 1, 0, inference.Validation},
		"and not told":      {long + "xy", -1, limit + 1, inference.Validation},
		"cut":               {"hell", 5, 5, inference.Canceled},
	} {
		room := &ledger{}
		c := Config{Authenticator: knows{}, Room: room, DefaultRegion: "us-east-1", MaxBody: limit}
		r := httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader(tt.body)))
		r.ContentLength = tt.told
		v, err := c.Admit(httptest.NewRecorder(), r, "")
		e, _ := errors.AsType[*inference.Error](err)
		switch {
		case tt.kind == "" && (err != nil || string(v.Body) != tt.body):
			t.Errorf("%s: Admit = %d bytes, %v, want the %d that were sent", name, len(v.Body), err, len(tt.body))
		case tt.kind != "" && (e == nil || e.Kind != tt.kind):
			t.Errorf("%s: Admit = %v, want %s", name, err, tt.kind)
		}
		if room.bytes != tt.held {
			t.Errorf("%s: %d bytes are held, want %d", name, room.bytes, tt.held)
		}
		if v.Leave(); room.bytes != 0 {
			t.Errorf("%s: %d bytes are held after the visit, want none", name, room.bytes)
		}
	}
}

// trickle is a connection over which a client sends a part of its body every so
// often, for as long as the server waits.
type trickle struct {
	http.ResponseWriter
	part  int // bytes
	every time.Duration
	due   time.Time // the server's
}

func (c *trickle) SetReadDeadline(at time.Time) error { c.due = at; return nil }

func (c *trickle) Read(p []byte) (int, error) {
	<-time.After(c.every)
	if !c.due.IsZero() && time.Now().After(c.due) {
		return 0, errors.New("deadline exceeded")
	}
	return copy(p, bytes.Repeat([]byte("x"), c.part)), nil
}

// TestSlowBodies: who sends steadily may take its time, who does not is cut off and
// has held only what came.
func TestSlowBodies(t *testing.T) {
	const told = 20 << 20
	for name, tt := range map[string]struct {
		part  int
		every time.Duration
		ok    bool
		most  int64 // held
	}{
		"steady":            {portion, 9 * time.Second, true, told},
		"slow":              {portion / 8, 9 * time.Second, false, 2 * portion},
		"stops after a bit": {portion / 2, time.Hour, false, 2 * portion},
	} {
		synctest.Test(t, func(t *testing.T) {
			room := &ledger{}
			c := Config{Authenticator: knows{}, Room: room, DefaultRegion: "us-east-1"}
			conn := &trickle{ResponseWriter: httptest.NewRecorder(), part: tt.part, every: tt.every}
			r := httptest.NewRequest("POST", "/", conn)
			r.ContentLength = told
			v, err := c.Admit(conn, r, "")
			if e := inference.AsError(err); tt.ok != (err == nil) || err != nil && e.Kind != inference.Canceled || room.bytes > tt.most {
				t.Errorf("%s: Admit = %v with %d bytes held, want it let in: %t, with at most %d", name, err, room.bytes, tt.ok, tt.most)
			}
			v.Leave()
		})
	}
}

// TestRoomRunsOut: a body for which there is no more room is refused when it has
// come so far.
func TestRoomRunsOut(t *testing.T) {
	room := &narrow{left: 3 * portion}
	c := Config{Authenticator: knows{}, Room: room, DefaultRegion: "us-east-1"}
	r := httptest.NewRequest("POST", "/", bytes.NewReader(make([]byte, 10*portion)))
	v, err := c.Admit(httptest.NewRecorder(), r, "")
	if e, _ := errors.AsType[*inference.Error](err); e == nil || e.Kind != inference.Throttling || room.left != portion {
		t.Errorf("Admit = %v with %d bytes left, want it throttled after two portions", err, room.left)
	}
	if v.Leave(); room.left != 3*portion {
		t.Errorf("%d bytes are left after the visit, want all", room.left)
	}
}

// narrow is a Room of so many bytes.
type narrow struct{ left int64 }

func (*narrow) Enter() (func(), error) { return func() {}, nil }

func (n *narrow) Hold(bytes int64) (func(), error) {
	if bytes > n.left {
		return nil, &inference.Error{Kind: inference.Throttling, Message: "full"}
	}
	n.left -= bytes
	return func() { n.left += bytes }, nil
}

// BenchmarkBodies is the reading of a body that is there.
func BenchmarkBodies(b *testing.B) {
	for name, size := range map[string]int{"2kB": 2_000, "25MB": MaxBody} {
		b.Run(name, func(b *testing.B) {
			c, body, w := Config{}, make([]byte, size), httptest.NewRecorder()
			r := httptest.NewRequest("POST", "/", nil)
			r.ContentLength = int64(size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				r.Body = io.NopCloser(bytes.NewReader(body))
				if _, err := c.read(&Visit{}, w, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
