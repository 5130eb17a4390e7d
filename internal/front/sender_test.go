package front

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"fairway/internal/inference"
)

// slowWriter takes its time for each piece, and gives up at its deadline as a
// connection does.
type slowWriter struct {
	http.ResponseWriter
	takes    time.Duration
	deadline chan struct{}
}

func (w *slowWriter) Write(p []byte) (int, error) {
	select {
	case <-time.After(w.takes):
		return len(p), nil
	case <-w.deadline:
		return 0, errors.New("deadline exceeded")
	}
}

func (w *slowWriter) Flush() {}

func (w *slowWriter) SetWriteDeadline(t time.Time) error {
	if !t.IsZero() {
		close(w.deadline)
	}
	return nil
}

func TestSenderCutsSlowClients(t *testing.T) {
	for takes, want := range map[time.Duration]inference.Kind{9 * time.Second: "", 11 * time.Second: inference.Canceled} {
		synctest.Test(t, func(t *testing.T) {
			w := &slowWriter{httptest.NewRecorder(), takes, make(chan struct{})}
			c := Config{WriteTimeout: 10 * time.Second}
			s := c.NewSender(w)
			began := time.Now()
			for range 3 {
				_, err := s.Write([]byte("piece"))
				e, failed := errors.AsType[*inference.Error](err)
				if want == "" && err != nil || want != "" && (!failed || e.Kind != want) {
					t.Fatalf("Write to a client that takes %s = %v, want %q", takes, err, want)
				}
				time.Sleep(time.Minute) // no deadline runs between two pieces
				if failed {
					break
				}
			}
			if want != "" && time.Since(began) != 10*time.Second+time.Minute {
				t.Errorf("the client was cut after %s, want 10s", time.Since(began)-time.Minute)
			}
		})
	}
}

// TestSenderWithoutDeadlines: a writer that knows none is waited for, and its
// client taken for slow each time.
func TestSenderWithoutDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &slowWriter{httptest.NewRecorder(), time.Minute, nil}
		c := Config{}
		s := c.NewSender(struct {
			http.ResponseWriter
			http.Flusher
		}{w, w})
		for range 2 {
			if _, err := s.Write([]byte("piece")); !errors.Is(err, errSlow) {
				t.Errorf("Write = %v, want %v", err, errSlow)
			}
		}
	})
}

func TestSenderSendsAtOnce(t *testing.T) {
	w := httptest.NewRecorder()
	c := Config{}
	s := c.NewSender(w)
	if n, err := s.Write([]byte("piece")); n != 5 || err != nil || !w.Flushed || w.Body.String() != "piece" {
		t.Errorf("Write = %d, %v with %q sent, flushed %t, want it flushed", n, err, w.Body, w.Flushed)
	}
}

func BenchmarkSender(b *testing.B) {
	c := Config{}
	s := c.NewSender(discard{})
	piece := make([]byte, 150)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Write(piece); err != nil {
			b.Fatal(err)
		}
	}
}

// discard takes everything at once.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) WriteHeader(int)             {}
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) Flush()                      {}
