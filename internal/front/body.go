package front

import (
	"io"
	"net/http"
	"time"

	"fairway/internal/inference"
)

// A body takes room as it arrives, so that who tells of a long one and does not
// send it holds little. The buffer begins with one portion and doubles; when
// enough has come to believe a told length, it becomes as long as that at once.
const (
	portion  = 64 << 10 // bytes
	believed = 1 << 20  // bytes
)

// portionTimeout is how long a client may take to send a portion after the first.
// That one has the server's own time for a request.
const portionTimeout = 10 * time.Second

// upload is a request body on its way in.
type upload struct {
	config  *Config
	visit   *Visit
	request *http.Request
	writer  http.ResponseWriter
	told    int64 // length in bytes, negative where it is not told
	body    []byte
	due     int // length from which the next portion has its own time
}

// read reads the body, unless it says of itself that it is too long or there is
// no room for it.
func (c *Config) read(v *Visit, w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if err := CheckLength(r.ContentLength, c.maxBody()); err != nil {
		return nil, err
	}
	u := upload{config: c, visit: v, request: r, writer: w, told: r.ContentLength, due: portion}
	for ended := false; !ended; {
		err := u.grow()
		if err == nil {
			ended, err = u.fill()
		}
		if err != nil {
			return nil, err
		}
	}
	return u.body, CheckLength(int64(len(u.body)), c.maxBody())
}

// grow makes room for what comes next, once it is held.
func (u *upload) grow() error {
	size := u.size(int64(cap(u.body)))
	if err := u.config.hold(u.visit, size-int64(cap(u.body))); err != nil {
		return err
	}
	body := make([]byte, len(u.body), size)
	copy(body, u.body)
	u.body = body
	return nil
}

// size is that of the buffer after one of now bytes.
func (u *upload) size(now int64) int64 {
	if u.told >= 0 && now >= believed {
		return u.told
	}
	return min(max(2*now, portion), u.most())
}

// fill reads until the buffer is full. It reports whether that is all of the body,
// or more than is read of any.
func (u *upload) fill() (ended bool, err error) {
	for len(u.body) < cap(u.body) {
		u.hurry()
		n, err := u.request.Body.Read(u.body[len(u.body):cap(u.body)])
		u.body = u.body[:len(u.body)+n]
		switch {
		case err == io.EOF && (u.told < 0 || int64(len(u.body)) == u.told):
			return true, nil
		case err != nil:
			return false, &inference.Error{Kind: inference.Canceled, Op: "read request", Message: "the client went away while it sent, or sent too slowly", Err: err}
		}
	}
	return int64(len(u.body)) == u.most(), nil
}

// hurry gives the client its time for the next portion, once that is due.
func (u *upload) hurry() {
	if len(u.body) < u.due {
		return
	}
	u.due = len(u.body) + portion
	_ = http.NewResponseController(u.writer).SetReadDeadline(time.Now().Add(portionTimeout)) // requests inside the process have none
}

// most is how much is read. Where the length is not told that is one byte above the
// limit, which tells a body that is too long.
func (u *upload) most() int64 {
	if u.told >= 0 {
		return u.told
	}
	return u.config.maxBody() + 1
}
