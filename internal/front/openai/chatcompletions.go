package openai

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"fairway/internal/dialect"
	"fairway/internal/dialect/openai"
	"fairway/internal/inference"
	"fairway/internal/wire/sse"
)

// passage is the way of a call to its model and back.
type passage interface {
	// request is the operation and its body.
	request() (inference.Operation, []byte, error)

	// whole is the chat completion of a unary answer, chunks the server-sent events
	// of one event of a stream, appended to dst.
	whole(inference.Event) ([]byte, error)
	chunks(dst []byte, e inference.Event) ([]byte, error)
}

// chatCompletions is POST /v1/chat/completions.
func (f *Front) chatCompletions(ctx context.Context, c *call) error {
	if err := checkContentType(c.header.Get("Content-Type")); err != nil {
		return err
	}
	var err error
	if c.body, err = openai.ReadCall(c.visit.Body); err != nil {
		return err
	}
	if c.model, err = f.Model(ctx, c.body.Model, c.visit.Region); err != nil {
		return unknownModel(c.body.Model, inference.AsError(err))
	}
	p := passageOf(c)
	stream, err := f.invoke(ctx, c, p)
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

// checkContentType accepts JSON, and what clients send that do not say.
func checkContentType(contentType string) error {
	media, _, err := mime.ParseMediaType(contentType)
	if contentType == "" || err == nil && media == "application/json" {
		return nil
	}
	return &inference.Error{
		Kind: inference.Validation, Op: "read chat completion",
		Message: "Unsupported content type: '" + clip(contentType) + "'. This API method only accepts 'application/json' requests.",
		Err:     &openai.ParameterError{Code: "unsupported_content_type"},
	}
}

// passageOf: openai.* models speak the dialect themselves.
func passageOf(c *call) passage {
	if strings.HasPrefix(string(c.model), "openai.") {
		return &relay{c}
	}
	return &translation{call: c}
}

// head names an answer by the request id, and the model as the caller does.
func (c *call) head() dialect.Head {
	return dialect.Head{ID: strings.ReplaceAll(c.visit.ID, "-", ""), Model: c.body.Model, Created: c.came.Unix()}
}

// invoke runs a call. The stream is the caller's to close.
func (f *Front) invoke(ctx context.Context, c *call, p passage) (stream inference.Stream, err error) {
	op, body, err := p.request()
	if err != nil {
		return nil, err
	}
	stream, c.record, err = f.Gateway.Invoke(ctx, &inference.Request{
		ID:            c.visit.ID,
		Door:          c.visit.Door,
		Operation:     op,
		Model:         c.body.Model,
		SourceRegion:  c.visit.Region,
		Principal:     c.visit.Principal,
		Caller:        c.visit.Caller,
		Circumstances: c.visit.Circumstances,
		Header:        modelHeader(c.header),
		Body:          body,
		Steering:      c.visit.Steering,
		Deadline:      c.visit.Deadline,
	})
	return stream, err
}

// stream sends an answer as its events come. Nothing leaves before the first is
// there, with which route gives the content that it waited for.
func (f *Front) stream(ctx context.Context, c *call, p passage, stream inference.Stream, event inference.Event) error {
	text, err := p.chunks(nil, event)
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
	for !event.Final {
		if err := c.send(text); err != nil {
			return err
		}
		if event, err = next(ctx, stream); err != nil {
			return err
		}
		if text, err = p.chunks(text[:0], event); err != nil {
			return err
		}
	}
	if err := c.send(sse.Append(text, sse.Event{Data: []byte(openai.Done)})); err != nil {
		return err
	}
	stream.Close() // completes the record
	c.visit.Conclude(header, c.record)
	return nil
}

// send sends server-sent events; not every event of a stream has some.
func (c *call) send(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	_, err := c.sender.Write(text)
	return err
}

// next is the next event of a stream that is not over: one that ends here was cut.
func next(ctx context.Context, stream inference.Stream) (inference.Event, error) {
	event, err := stream.Next(ctx)
	if errors.Is(err, io.EOF) {
		return inference.Event{}, inference.AsError(errors.New("read answer: the stream ended before its terminal event"))
	}
	return event, err
}
