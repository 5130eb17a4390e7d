package anthropic

import (
	"context"
	"errors"
	"io"
	"net/http"

	"fairway/internal/front"
	"fairway/internal/inference"
)

// passage is the way of a call to its model and back.
type passage interface {
	// request is the operation and its body.
	request() (inference.Operation, []byte, error)

	// whole is the Messages response of a unary answer, events the server-sent
	// events of one event of a stream, appended to dst.
	whole(inference.Event) ([]byte, error)
	events(dst []byte, e inference.Event) ([]byte, error)
}

// messages is POST /v1/messages.
func (f *Front) messages(ctx context.Context, c *call) error {
	p := passageOf(c)
	op, body, err := p.request()
	if err != nil {
		return err
	}
	stream, err := f.invoke(ctx, c, op, body)
	if err != nil {
		return err
	}
	defer stream.Close()
	first, err := next(ctx, stream)
	switch {
	case err != nil:
		return err
	case c.body.Stream:
		return f.stream(ctx, c, p, stream, first)
	}
	answer, err := p.whole(first)
	if err != nil {
		return err
	}
	stream.Close() // completes the record
	return f.respond(c, answer)
}

func passageOf(c *call) passage {
	if c.model.IsAnthropic() {
		return &relay{call: c}
	}
	return &translation{call: c}
}

// respond sends a whole answer.
func (f *Front) respond(c *call, body []byte) error {
	header := http.Header{"Content-Type": {"application/json"}}
	c.describe(header)
	front.Respond(c.writer, &inference.HTTPResponse{Status: http.StatusOK, Header: header, Body: body})
	return nil
}

// stream sends an answer as its events come. Nothing leaves before the first is
// there, with which route gives the content that it waited for.
func (f *Front) stream(ctx context.Context, c *call, p passage, stream inference.Stream, event inference.Event) error {
	text, err := p.events(nil, event)
	if err != nil {
		return err
	}
	header := c.writer.Header()
	c.describe(header)
	header.Set("Content-Type", "text/event-stream; charset=utf-8")
	header.Set("Cache-Control", "no-cache")
	c.visit.Announce(header)
	c.writer.WriteHeader(http.StatusOK)
	c.sender = f.NewSender(c.writer)
	for {
		if len(text) > 0 {
			if _, err := c.sender.Write(text); err != nil {
				return err
			}
		}
		if event.Final {
			break
		}
		if event, err = next(ctx, stream); err != nil {
			return err
		}
		if text, err = p.events(text[:0], event); err != nil {
			return err
		}
	}
	stream.Close() // completes the record
	c.visit.Conclude(header, c.record)
	return nil
}

// next is the next event of a stream that is not over: one that ends here was cut.
func next(ctx context.Context, stream inference.Stream) (inference.Event, error) {
	event, err := stream.Next(ctx)
	if errors.Is(err, io.EOF) {
		return inference.Event{}, inference.AsError(errors.New("read answer: the stream ended before its terminal event"))
	}
	return event, err
}
