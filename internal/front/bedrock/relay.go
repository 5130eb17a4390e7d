package bedrock

import (
	"context"
	"errors"
	"io"
	"net/http"

	"fairway/internal/inference"
)

var errCut = errors.New("relay answer: the stream ended without its terminal event")

// relay sends the frames of a streaming operation as they come, one write and one
// flush each, unchanged. The header goes with the first: route holds back all
// before the first content, so that until then a failure still has its own status.
// Each frame is asked for when the one before it has been taken. The stream is
// closed when relay returns, at once when ctx ends.
func (f *Front) relay(ctx context.Context, w http.ResponseWriter, c *call, stream inference.Stream) error {
	defer stream.Close()
	for final := false; ; {
		event, err := stream.Next(ctx)
		switch {
		case err != nil && final:
			return nil // the answer is whole
		case errors.Is(err, io.EOF):
			return inference.AsError(errCut)
		case err != nil:
			return err
		case len(event.Raw) == 0:
			continue
		}
		if c.sender == nil {
			f.begin(w, c, event)
		}
		if _, err := c.sender.Write(event.Raw); err != nil {
			return err
		}
		final = final || event.Final
	}
}

// begin sends the header of a stream.
func (f *Front) begin(w http.ResponseWriter, c *call, first inference.Event) {
	header := w.Header()
	header.Set("Content-Type", "application/vnd.amazon.eventstream")
	c.operation.tell(header, c, first)
	describe(header, c)
	c.visit.Announce(header)
	c.sender = f.NewSender(w)
	w.WriteHeader(http.StatusOK)
}
