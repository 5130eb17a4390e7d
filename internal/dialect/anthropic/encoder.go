package anthropic

import (
	"errors"
	"strconv"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// NewEncoder begins a stream of Messages events.
func (Dialect) NewEncoder(h dialect.Head) dialect.Encoder { return &encoder{head: h, open: -1} }

type encoder struct {
	head     dialect.Head
	state    state
	open     int           // index of the block that is open, -1 without one
	block    dialect.Block // that one
	withheld bool          // its start is: a redacted block begins with all of its data
	next     int           // index of the next block
	stop     dialect.Stop  // held back until the usage is known
}

var errOrder = errors.New("encode Messages stream: a piece out of order")

// Encode gives the events of p. Anthropic tells the stop reason and the usage in
// one event, so that Stopped makes none and Ended two. An answer that broke off is
// an error of kind ModelError, since Anthropic has no stop reason for that.
func (e *encoder) Encode(p dialect.Piece) ([]dialect.Payload, error) {
	if !e.expects(p) {
		return nil, errOrder
	}
	switch p.Kind {
	case dialect.Began:
		return e.begin(p)
	case dialect.BlockBegan:
		e.open, e.block, e.next = p.Index, p.Block, p.Index+1
		if e.withheld = p.Block.Type == dialect.Redacted; e.withheld {
			return nil, nil
		}
		return e.start()
	case dialect.Delta:
		if e.withheld {
			e.block.Text, e.withheld = p.Text, false
			return e.start()
		}
		return e.delta(deltas[e.block.Type], p.Text), nil
	case dialect.Signature:
		return e.delta(signatureDelta, p.Text), nil
	case dialect.BlockEnded:
		return e.end()
	case dialect.Stopped:
		e.state, e.stop = stopped, p.Stop
		return nil, p.Stop.Failure()
	}
	return e.finish(p)
}

// expects reports whether p may come next.
func (e *encoder) expects(p dialect.Piece) bool {
	switch p.Kind {
	case dialect.Began:
		return e.state == idle
	case dialect.BlockBegan:
		return e.state == begun && e.open < 0 && p.Index == e.next
	case dialect.Delta:
		return e.open >= 0 && p.Index == e.open && (e.withheld || e.block.Type != dialect.Redacted)
	case dialect.BlockEnded:
		return e.open >= 0 && p.Index == e.open
	case dialect.Signature:
		return e.open >= 0 && p.Index == e.open && e.block.Type == dialect.Reasoning
	case dialect.Stopped:
		return e.state == begun && e.open < 0
	case dialect.Ended:
		return e.state == stopped
	}
	return false
}

func (e *encoder) begin(p dialect.Piece) ([]dialect.Payload, error) {
	e.state = begun
	var usage inference.Usage
	if p.Usage != nil {
		usage = *p.Usage
	}
	usage.OutputTokens = max(1, usage.OutputTokens) // the one that is on its way
	return event(streamed{Type: "message_start", Message: newResponse(e.head, usage)})
}

// start is the start of the open block: empty, but for a redacted one.
func (e *encoder) start() ([]dialect.Payload, error) {
	b := e.block
	b.Input = []byte("{}")
	part, err := partOf(&b)
	if err != nil {
		return nil, err
	}
	return event(streamed{Type: "content_block_start", Index: &e.open, Block: &part})
}

func (e *encoder) end() (payloads []dialect.Payload, err error) {
	if e.withheld {
		if payloads, err = e.start(); err != nil {
			return nil, err
		}
	}
	json := strconv.AppendInt([]byte(`{"type":"content_block_stop","index":`), int64(e.open), 10)
	e.open, e.withheld = -1, false
	return append(payloads, dialect.Payload{Type: "content_block_stop", JSON: append(json, '}')}), nil
}

func (e *encoder) finish(p dialect.Piece) ([]dialect.Payload, error) {
	var usage inference.Usage
	if p.Usage != nil {
		usage = *p.Usage
	}
	total := usageOf(usage)
	stop := &streamedStop{}
	stop.Reason, stop.Sequence = encodeStop(e.stop)
	e.state = ended
	payloads, err := event(streamed{Type: "message_delta", Delta: stop, Usage: &total})
	return append(payloads, dialect.Payload{Type: "message_stop", JSON: []byte(`{"type":"message_stop"}`)}), err
}

// streamed is an event, with its keys in the order in which Anthropic sends them.
type streamed struct {
	Type    string        `json:"type"`
	Message *response     `json:"message,omitempty"`
	Index   *int          `json:"index,omitempty"`
	Block   *Part         `json:"content_block,omitempty"`
	Delta   *streamedStop `json:"delta,omitempty"`
	Usage   *Usage        `json:"usage,omitempty"`
}

type streamedStop struct {
	Reason   StopReason `json:"stop_reason"`
	Sequence *string    `json:"stop_sequence"`
}

func event(e streamed) ([]dialect.Payload, error) {
	json, err := dialect.WriteBody(e)
	return []dialect.Payload{{Type: e.Type, JSON: json}}, err
}

// deltaForm is the text of a delta's JSON before the value.
type deltaForm string

const signatureDelta deltaForm = `,"delta":{"type":"signature_delta","signature":`

var deltas = map[dialect.BlockType]deltaForm{
	dialect.Text:      `,"delta":{"type":"text_delta","text":`,
	dialect.Reasoning: `,"delta":{"type":"thinking_delta","thinking":`,
	dialect.ToolUse:   `,"delta":{"type":"input_json_delta","partial_json":`,
}

// delta is written by hand: it is nearly every event of a stream.
func (e *encoder) delta(form deltaForm, text string) []dialect.Payload {
	json := make([]byte, 0, len(`{"type":"content_block_delta","index":`)+len(form)+len(text)+16)
	json = append(json, `{"type":"content_block_delta","index":`...)
	json = strconv.AppendInt(json, int64(e.open), 10)
	json = append(json, form...)
	json = dialect.AppendString(json, text)
	return []dialect.Payload{{Type: "content_block_delta", JSON: append(json, "}}"...)}}
}
