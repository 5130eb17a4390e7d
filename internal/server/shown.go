package server

import (
	"context"
	"errors"
	"io"
	"strings"

	"fairway/internal/dialect"
	"fairway/internal/dialect/invocation"
	"fairway/internal/front"
	"fairway/internal/inference"
)

// shown is a Gateway that shows the text of answers as it comes. A call that has
// one whole answer is made as a stream where its model can be read as one, and the
// answer is put together again.
type shown struct {
	front.Gateway
	model func(ctx context.Context, named string, source inference.Region) (inference.ModelID, error)
	show  func(text string)
}

// streaming is the streaming counterpart of an operation with a whole answer.
var streaming = map[inference.Operation]inference.Operation{
	inference.InvokeModel: inference.InvokeModelWithResponseStream,
	inference.Converse:    inference.ConverseStream,
}

// Invoke runs a call.
func (g shown) Invoke(ctx context.Context, r *inference.Request) (inference.Stream, *inference.Record, error) {
	model, err := g.model(ctx, r.Model, r.SourceRegion)
	if err != nil {
		return g.Gateway.Invoke(ctx, r)
	}
	asked := *r
	asked.Operation = streaming[r.Operation]
	reader, unreadable := invocation.Read(asked.Operation, model)
	form, unknown := invocation.Of(r.Operation, model)
	if errors.Join(unreadable, unknown) != nil {
		return g.Gateway.Invoke(ctx, r)
	}
	stream, record, err := g.Gateway.Invoke(ctx, &asked)
	if err != nil {
		return nil, record, err
	}
	head := dialect.Head{ID: strings.ReplaceAll(r.ID, "-", ""), Model: string(model), Created: record.Time.Unix()}
	return &showing{Stream: stream, reader: reader, answer: form.Begin(head), show: g.show}, record, nil
}

// showing is a streamed answer that is read as one event.
type showing struct {
	inference.Stream
	reader *invocation.Reader
	answer *invocation.Writer
	show   func(string)
	ended  bool
	block  dialect.BlockType // that is open
}

// Next reads the stream to its end and gives the whole answer.
func (s *showing) Next(ctx context.Context) (inference.Event, error) {
	if s.ended {
		return inference.Event{}, io.EOF
	}
	for {
		event, err := s.Stream.Next(ctx)
		if err != nil {
			return inference.Event{}, err
		}
		pieces, err := s.reader.Read(event)
		if err != nil {
			return inference.Event{}, err
		}
		for _, p := range pieces {
			if whole, err := s.take(p); err != nil || s.ended {
				return whole, err
			}
		}
	}
}

// take shows a piece, and gives the answer with the last one.
func (s *showing) take(p dialect.Piece) (inference.Event, error) {
	switch {
	case p.Kind == dialect.BlockBegan:
		s.block = p.Block.Type
	case p.Kind == dialect.Delta && s.block == dialect.Text:
		s.show(p.Text)
	}
	events, err := s.answer.Write(p)
	if err != nil || len(events) == 0 {
		return inference.Event{}, err
	}
	s.ended = true
	return events[0], nil
}
