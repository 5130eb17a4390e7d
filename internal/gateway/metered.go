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
	// The caller may be gone; the record is written all the same.
	ctx := context.Background()
	if m.final {
		m.record.Outcome = inference.OK
		m.gateway.Meter.Settle(ctx, m.record, nil)
		return err
	}
	_ = m.gateway.fail(ctx, m.record, m.err)
	return err
}
