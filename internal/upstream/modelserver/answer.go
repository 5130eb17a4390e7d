package modelserver

import (
	"context"
	"errors"
	"io"
	"time"

	"fairway/internal/dialect"
	"fairway/internal/wire/sse"
)

// The limits of an answer, in bytes: of one event, and of the data of all.
const (
	maxEvent  = 16 << 20
	maxAnswer = 128 << 20
)

// answer is an answer being read.
type answer struct {
	server  *Server
	body    io.ReadCloser
	events  *sse.Reader
	decoder dialect.Decoder
	left    int // bytes that further events may have
}

func (s *Server) newAnswer(body io.ReadCloser, d dialect.Decoder) *answer {
	return &answer{server: s, body: body, events: sse.NewReader(body, maxEvent), decoder: d, left: maxAnswer}
}

var (
	errCut  = errors.New("the stream ended before its terminal event")
	errLong = errors.New("the answer is too long")
)

// next is the pieces of the server's next event, which may be none. Errors are
// *inference.Error: what the server says of itself, or that it cannot be read.
func (a *answer) next() ([]dialect.Piece, error) {
	event, err := a.events.Next()
	if a.left -= len(event.Data); a.left < 0 {
		err = errLong
	}
	switch {
	case err == io.EOF:
		return nil, a.server.Broken(errCut)
	case err != nil:
		return nil, a.server.Broken(err)
	}
	pieces, err := a.decoder.Decode(dialect.Payload{Type: event.Type, JSON: event.Data})
	if err != nil {
		return nil, a.server.told(err)
	}
	return pieces, nil
}

// maxDrain is how long a server may take to end a response that is complete.
const maxDrain = 100 * time.Millisecond

// drain waits a moment for the end of a response whose last event was read, so that
// the connection can be used again. Cancel ends the response.
func (a *answer) drain(cancel context.CancelFunc) {
	defer time.AfterFunc(maxDrain, cancel).Stop()
	_, _ = io.CopyN(io.Discard, a.body, maxText)
}

func (a *answer) close() { _ = a.body.Close() }
