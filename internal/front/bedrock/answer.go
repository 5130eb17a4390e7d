package bedrock

import (
	"context"
	"errors"
	"io"
	"net/http"

	"fairway/internal/front"
	"fairway/internal/inference"
)

// answer sends the one event of a unary operation.
func (f *Front) answer(ctx context.Context, w http.ResponseWriter, c *call, stream inference.Stream) error {
	event, err := readOne(ctx, stream)
	if err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	c.operation.tell(header, c, event)
	describe(header, c)
	front.Send(w, http.StatusOK, event.Raw)
	return nil
}

// readOne reads a stream of one event and closes it, which completes the call's
// record before the answer is sent.
func readOne(ctx context.Context, s inference.Stream) (inference.Event, error) {
	defer s.Close()
	event, err := s.Next(ctx)
	if errors.Is(err, io.EOF) {
		return inference.Event{}, inference.AsError(errors.New("read answer: the stream ended before its one event"))
	}
	return event, err
}

// describe sets what each response tells: the request's id and the call's route.
func describe(h http.Header, c *call) {
	h.Set("X-Amzn-Requestid", c.visit.ID)
	c.visit.Describe(h, c.record)
}
