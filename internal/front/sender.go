package front

import (
	"cmp"
	"errors"
	"net/http"
	"time"

	"fairway/internal/inference"
)

// WriteTimeout is how long a client may take for one frame where nothing is
// configured.
const WriteTimeout = 30 * time.Second

// Sender writes an answer that comes in pieces. Each is on its way when Write
// returns, and nothing is queued: a client that reads slowly slows its region
// down, and one that takes a piece for longer than the timeout is cut. A Sender
// must not be used concurrently.
type Sender struct {
	w       http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
	timer   *time.Timer   // runs while a piece is being written
	cut     chan struct{} // gets one value each time it ran out
}

// NewSender begins to send on w: from here on each piece has its own deadline, in
// place of the server's for the whole answer.
func (c *Config) NewSender(w http.ResponseWriter) *Sender {
	s := &Sender{
		w:       w,
		control: http.NewResponseController(w),
		timeout: cmp.Or(c.WriteTimeout, WriteTimeout),
		cut:     make(chan struct{}, 1),
	}
	_ = s.control.SetWriteDeadline(time.Time{}) // writers inside the process have none
	return s
}

// Write sends p. The error, an *inference.Error of kind Canceled, is a client that
// went away or was cut; what was sent cannot be mended then.
//
// The deadline is set when it has passed: setting it for each piece costs a timer
// in the poller on HTTP/1.1, and on HTTP/2 a message to the connection, where it
// would also strike between two pieces.
func (s *Sender) Write(p []byte) (int, error) {
	if s.timer == nil {
		s.timer = time.AfterFunc(s.timeout, s.abort)
	} else {
		s.timer.Reset(s.timeout)
	}
	n, err := s.w.Write(p)
	if err == nil {
		err = s.control.Flush()
	}
	if !s.timer.Stop() {
		<-s.cut // w must not be touched after the handler's end
		err = cmp.Or(err, errSlow)
	}
	if err != nil {
		return n, &inference.Error{Kind: inference.Canceled, Op: "send answer", Message: "the client went away, or read too slowly", Err: err}
	}
	return n, nil
}

var errSlow = errors.New("a write took longer than the timeout")

// abort makes the write that is under way fail.
func (s *Sender) abort() {
	_ = s.control.SetWriteDeadline(time.Unix(1, 0))
	s.cut <- struct{}{}
}
