package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// bind serves h on loopback over both protocols, each piece of an answer within
// timeout.
func bind(t testing.TB, timeout time.Duration, h http.HandlerFunc) *httptest.Server {
	s := httptest.NewUnstartedServer(bounded(h, func() time.Duration { return timeout }))
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// TestWholeAnswersAreCut: a client that does not read a whole answer does not hold
// its handler.
func TestWholeAnswersAreCut(t *testing.T) {
	for name, two := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan error, 1)
			s := bind(t, 50*time.Millisecond, func(w http.ResponseWriter, r *http.Request) {
				_, err := w.Write(make([]byte, 64<<20)) // more than sockets and windows hold
				ended <- err
			})
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := transport(t, two).RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if err := <-ended; err == nil {
				t.Error("Write of an answer that nobody reads = nil, want an error")
			}
		})
	}
}

// TestDeadlinesArePerPiece: a reader who keeps on reading is not cut, though all of
// the answer takes longer than the timeout.
func TestDeadlinesArePerPiece(t *testing.T) {
	var deadlines []time.Time
	w := &boundedWriter{ResponseWriter: noting{httptest.NewRecorder(), &deadlines}, timeout: time.Hour}
	if n, err := w.Write(make([]byte, 2*piece+1)); n != 2*piece+1 || err != nil || len(deadlines) != 3 {
		t.Errorf("Write = %d, %v with %d deadlines, want all in three pieces", n, err, len(deadlines))
	}
	if err := http.NewResponseController(w).SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	w.WriteHeader(http.StatusOK)
	if _, err := w.Write(nil); err != nil || len(deadlines) != 4 || !deadlines[3].IsZero() {
		t.Errorf("deadlines = %v, %v, want the handler's own at last", deadlines, err)
	}
}

// noting notes the deadlines it gets.
type noting struct {
	http.ResponseWriter
	deadlines *[]time.Time
}

func (n noting) SetWriteDeadline(t time.Time) error {
	*n.deadlines = append(*n.deadlines, t)
	return nil
}

// TestKeptConnections: the deadline of an answer is not that of the next one on its
// connection, not even of the word that a body may come.
func TestKeptConnections(t *testing.T) {
	const timeout = 50 * time.Millisecond
	passed := make(chan time.Time, 1)
	s := bind(t, timeout, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read body: %v", err)
		}
		_, _ = fmt.Fprintf(w, "%d", len(body))
		time.AfterFunc(2*timeout, func() { passed <- time.Now() })
	})
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	defer context.AfterFunc(t.Context(), func() { conn.Close() })()
	answers := bufio.NewReader(conn)
	for i, head := range []string{"", "", "Expect: 100-continue\r\n", ""} {
		if _, err := fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n%s\r\n", head); err != nil {
			t.Fatal(err)
		}
		if head != "" {
			if line, err := answers.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") {
				t.Fatalf("request %d: %q, %v, want to go on", i, line, err)
			}
			if _, err := answers.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := io.WriteString(conn, "hello"); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if string(text) != "5" || err != nil {
			t.Fatalf("request %d = %q, %v, want 5", i, text, err)
		}
		<-passed
	}
}
