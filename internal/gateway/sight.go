package gateway

import (
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"log/slog"
	"time"

	"fairway/internal/inference"
)

// sight is what is compared of a call that has ended.
type sight struct {
	record *inference.Record // settled
	first  time.Duration     // to the first content
	text   string            // digest of all text, empty without any or where it was not read to its end
}

// watched is an answer of which a sight is kept.
type watched struct {
	inference.Stream
	sight sight
	text  func(inference.Event) string // nil where nobody can read it
	all   hash.Hash
	said  bool         // there was some
	shown chan<- sight // has room for one; nil once it was shown
}

// watch begins a sight of an answer whose first content has just come. It is shown when
// the answer is closed.
func (g *Gateway) watch(c *call, answer inference.Stream, shown chan<- sight) *watched {
	w := &watched{Stream: answer, all: sha256.New(), shown: shown}
	w.sight = sight{record: c.record, first: g.Clock().Sub(c.record.Time)}
	if g.Text != nil {
		w.text = g.Text(c.request.Operation, c.answer.Profile.Model)
	}
	return w
}

// Next reads along.
func (w *watched) Next(ctx context.Context) (inference.Event, error) {
	event, err := w.Stream.Next(ctx)
	if err == nil && w.text != nil {
		n, _ := io.WriteString(w.all, w.text(event)) // never fails
		w.said = w.said || n > 0
		if event.Final && w.said {
			w.sight.text = string(w.all.Sum(nil))
		}
	}
	return event, err
}

// Close shows the sight once.
func (w *watched) Close() error {
	err := w.Stream.Close()
	if w.shown != nil {
		w.shown <- w.sight
		w.shown = nil
	}
	return err
}

// contrast logs a call beside its shadow: counts, names and times, and whether both
// said the same, never what.
func (g *Gateway) contrast(ctx context.Context, call, shadow sight) {
	attributes := []slog.Attr{slog.String("request_id", call.record.ID)}
	attributes = append(attributes, call.attributes("")...)
	attributes = append(attributes, slog.String("shadow_request_id", shadow.record.ID))
	attributes = append(attributes, shadow.attributes("shadow_")...)
	if call.text != "" && shadow.text != "" {
		attributes = append(attributes, slog.Bool("same_text", call.text == shadow.text))
	}
	g.Log.LogAttrs(ctx, slog.LevelInfo, "shadow answered", attributes...)
}

// attributes are the log's, each key with a prefix.
func (s sight) attributes(prefix string) []slog.Attr {
	r, kind := s.record, ""
	if r.Error != nil {
		kind = string(r.Error.Type)
	}
	answering, _ := r.Answering()
	return []slog.Attr{
		slog.String(prefix+"region", string(answering.Region)),
		slog.String(prefix+"model", answering.Model),
		slog.String(prefix+"outcome", string(r.Outcome)),
		slog.String(prefix+"kind", kind),
		slog.Int64(prefix+"first_content_ms", s.first.Milliseconds()),
		slog.Int64(prefix+"latency_ms", r.LatencyMS),
		slog.Int(prefix+"input_tokens", r.Usage.InputTokens),
		slog.Int(prefix+"output_tokens", r.Usage.OutputTokens),
	}
}
