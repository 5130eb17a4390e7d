package server

import (
	"cmp"
	"net/http"
	"time"

	"fairway/internal/front"
)

// bounded gives the clients of next so much time for each piece of an answer.
// What would wait longer for them is cut.
func bounded(next http.Handler, timeout func() time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := &boundedWriter{ResponseWriter: w, timeout: cmp.Or(timeout(), front.WriteTimeout)}
		if r.ProtoMajor == 1 { // the last answer's deadline is still the connection's
			b.extend()
		}
		next.ServeHTTP(b, r)
	})
}

// boundedWriter sets a deadline before each piece that is written, until the
// handler sets one of its own.
type boundedWriter struct {
	http.ResponseWriter
	timeout time.Duration
	own     bool // the handler set a deadline
}

// piece is what a client has the write timeout for, in bytes.
const piece = 256 << 10

func (w *boundedWriter) extend() {
	if !w.own { // in-process writers have no deadline to set
		_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(w.timeout))
	}
}

// WriteHeader sends the header.
func (w *boundedWriter) WriteHeader(status int) {
	w.extend()
	w.ResponseWriter.WriteHeader(status)
}

// Write sends p piece by piece.
func (w *boundedWriter) Write(p []byte) (written int, err error) {
	for {
		w.extend()
		n, err := w.ResponseWriter.Write(p[:min(len(p), piece)])
		written, p = written+n, p[n:]
		if err != nil || len(p) == 0 {
			return written, err
		}
	}
}

// SetWriteDeadline is the handler's own. Called again, it may be concurrent with
// writes.
func (w *boundedWriter) SetWriteDeadline(t time.Time) error {
	if !w.own {
		w.own = true
	}
	return http.NewResponseController(w.ResponseWriter).SetWriteDeadline(t)
}

// Unwrap is for http.ResponseController.
func (w *boundedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
