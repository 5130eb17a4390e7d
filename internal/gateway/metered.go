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
	call    *call
	content int    // events of it that were given
	said    spoken // what they say
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
		m.call.record.Usage = event.Usage.Bounded()
	}
	if event.Served != nil && event.Served.Simulated {
		m.call.simulated, m.call.record.Simulated = true, true
	}
	if event.Content {
		m.content++
	}
	if m.said.text != nil && !event.Final {
		m.said.add(event)
	}
	m.final = m.final || event.Final
	return event, nil
}

// Close settles the record once: a stream that was not read to its end counts as
// canceled by the caller, with what it used until then, and is no cheaper for that.
func (m *metered) Close() error {
	err := m.Stream.Close()
	if m.closed {
		return err
	}
	m.closed = true
	m.call.tell()
	if !m.final {
		m.estimate()
	}
	if !m.final && m.err == nil {
		m.err = &inference.Error{Kind: inference.Canceled, Op: "read answer", Message: "the caller went away before the answer ended"}
	}
	if m.err != nil {
		_ = m.gateway.fail(m.ctx, m.call.record, m.err)
	} else {
		m.gateway.settle(m.ctx, m.call.record)
		m.gateway.learn(m.call)
	}
	return err
}

// estimate makes up for usage that comes with the end of an answer, and did not come:
// the legs that broke off used theirs, the whole prompt was read, and the events of
// content have the tokens of their text, or one each where that is more.
func (m *metered) estimate() {
	told, used := m.call.record.Usage, m.call.answer.Used().Bounded()
	if used.InputTokens+used.CacheReadTokens+used.CacheWriteTokens == 0 && m.gateway.Estimate != nil {
		used.InputTokens = m.gateway.Estimate(m.call.request, m.call.answer.Profile.Model)
	}
	used.OutputTokens = max(used.OutputTokens, m.content, m.said.tokens())
	m.call.record.Usage = used
	m.call.record.Estimated = m.call.record.Estimated || used != told
}

// learn passes on what a whole answer told of the prompt. Simulated regions count as we
// do: from them nothing is to be learned.
func (g *Gateway) learn(c *call) {
	r := c.record
	if g.Learn == nil || r.Simulated || r.Continued > 0 {
		return
	}
	if u := r.Usage; u.InputTokens > 0 {
		g.Learn(c.request, c.answer.Profile.Model, u.InputTokens+u.CacheReadTokens+u.CacheWriteTokens)
	}
}
