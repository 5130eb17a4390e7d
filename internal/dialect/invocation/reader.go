package invocation

import (
	"errors"

	"fairway/internal/dialect"
	"fairway/internal/dialect/converse"
	"fairway/internal/inference"
	"fairway/internal/wire/eventstream"
)

// Reader turns the events of one answer into pieces, for those who speak another
// dialect. It must not be used concurrently.
type Reader struct {
	operation inference.Operation
	client    dialect.Client  // of a unary answer
	decoder   dialect.Decoder // of a streamed one
	spoken    dialect.Server
	ended     bool

	opening []byte // of the text deltas of the block that is open, nil where none is
	scratch []byte
}

// Read begins to read the answer to a call that is not CountTokens. The error is a
// Validation: of the models that Fairway speaks to as a server alone, some answers
// cannot be read.
func Read(op inference.Operation, model inference.ModelID) (*Reader, error) {
	var spoken dialect.Server = converse.Dialect{}
	if op != inference.Converse && op != inference.ConverseStream {
		spoken = native(model)
	}
	if op.Streams() {
		if s, ok := spoken.(streamed); ok {
			return &Reader{operation: op, spoken: spoken, decoder: s.NewDecoder()}, nil
		}
		return nil, unknownFamily(op, model)
	}
	if client, ok := spoken.(dialect.Client); ok {
		return &Reader{operation: op, spoken: spoken, client: client}, nil
	}
	return nil, unknownFamily(op, model)
}

// streamed is a dialect whose streams can be read; some have no more of a client.
type streamed interface{ NewDecoder() dialect.Decoder }

// Read is the pieces of the next event; those of the last end with Ended. Errors
// are *inference.Error: one that the stream carries, or a Transport error for an
// answer that is not of its operation's form.
func (r *Reader) Read(e inference.Event) ([]dialect.Piece, error) {
	if e.IsLifeSign() {
		return nil, nil
	}
	pieces, err := r.read(e)
	if err != nil {
		if known, ok := errors.AsType[*inference.Error](err); ok {
			return nil, known
		}
		return nil, unreadable(r.operation, err)
	}
	for i := range pieces {
		r.follow(&pieces[i])
		r.ended = r.ended || pieces[i].Kind == dialect.Ended
	}
	if e.Final && !r.ended {
		return nil, unreadable(r.operation, errNotEnded)
	}
	return pieces, nil
}

var errNotEnded = errors.New("the last event does not end the answer")

func (r *Reader) read(e inference.Event) ([]dialect.Piece, error) {
	if r.decoder == nil {
		answer, err := r.client.DecodeAnswer(e.Raw)
		if err != nil {
			return nil, err
		}
		return answer.Pieces(), nil
	}
	m, err := eventstream.Parse(e.Raw)
	if err != nil {
		return nil, err
	}
	if err := failure(r.operation, m); err != nil {
		return nil, err
	}
	event := string(m.Headers.Text(eventstream.EventType))
	switch {
	case r.operation == inference.ConverseStream:
		return r.decoder.Decode(dialect.Payload{Type: event, JSON: m.Payload})
	case event == "chunk":
		return r.chunk(m.Payload)
	}
	return nil, nil
}

// chunk reads the model's own event. The metrics in the last one are what Bedrock
// bills: they stand in for the model's own counts.
func (r *Reader) chunk(payload []byte) ([]dialect.Piece, error) {
	event, err := appendChunk(nil, payload)
	if err != nil {
		return nil, err
	}
	p := dialect.Payload{JSON: event}
	if key, value := opening(event); string(key) == "type" {
		p.Type = string(value)
	}
	pieces, err := r.decoder.Decode(p)
	if err != nil {
		return nil, err
	}
	m := readMetrics(event)
	if m == nil || r.ended {
		return pieces, nil
	}
	if n := len(pieces); n == 0 || pieces[n-1].Kind != dialect.Ended {
		pieces = append(pieces, dialect.Piece{Kind: dialect.Ended})
	}
	last := &pieces[len(pieces)-1]
	last.Usage, last.LatencyMS = m.usage(), m.InvocationLatency
	return pieces, nil
}
