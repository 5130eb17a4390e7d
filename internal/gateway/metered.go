package gateway

import (
	"context"
	"errors"
	"io"

	"fairway/internal/inference"
)

// metered reads a stream on behalf of a front and settles the call's record when
// the front closes it, whatever happened in between.
type metered struct {
	inference.Stream
	ctx     context.Context // of the call, for what is written at its end
	gateway *Gateway
	record  *inference.Record
	final   bool
	err     error // what ended the stream before its terminal event
	closed  bool
}

// Next passes the events through and keeps the last usage they carry.
func (m *metered) Next(ctx context.Context) (inference.Event, error) {
	event, err := m.Stream.Next(ctx)
	if err != nil {
		if !errors.Is(err, io.EOF) {
			m.err = err
		}
		return event, err
	}
	if event.Usage != nil {
		m.record.Usage = *event.Usage
	}
	m.final = m.final || event.Final
	return event, nil
}

// Close settles the record once: a stream that was not read to its end counts as
// canceled by the caller, with what it used until then.
func (m *metered) Close() error {
	err := m.Stream.Close()
	if m.closed {
		return err
	}
	m.closed = true
	if !m.final && m.err == nil {
		m.err = &inference.Error{Kind: inference.Canceled, Op: "read answer", Message: "the caller went away before the answer ended"}
	}
	if m.err != nil {
		_ = m.gateway.fail(m.ctx, m.record, m.err)
	} else {
		m.gateway.settle(m.ctx, m.record)
	}
	return err
}
