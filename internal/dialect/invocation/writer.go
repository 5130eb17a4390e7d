package invocation

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"

	"fairway/internal/dialect"
	"fairway/internal/inference"
	"fairway/internal/wire/eventstream"
)

// Writer frames one answer. It must not be used concurrently.
type Writer struct {
	form      Form
	head      dialect.Head
	filler    *dialect.Filler
	told      bool               // what served is
	collector *dialect.Collector // of a unary answer
	encoder   dialect.Encoder    // of a streamed one
	stopped   []dialect.Payload  // of the piece Stopped, until it is known which is the last
	first     int64              // milliseconds to the first byte, 0 when not told
	scratch   []byte
}

// Begin begins an answer.
func (f Form) Begin(h dialect.Head) *Writer {
	if f.operation.Streams() {
		return &Writer{form: f, head: h, filler: dialect.NewFiller(h), encoder: f.server.NewEncoder(h)}
	}
	return &Writer{form: f, head: h, collector: dialect.NewCollector(h)}
}

// Write is the events that the next piece makes: for a stream one a frame, for a
// unary answer the one event when it has ended. What a stream says on Stopped goes
// out with Ended. The Events are the caller's.
func (w *Writer) Write(p dialect.Piece) ([]inference.Event, error) {
	if w.collector != nil {
		return w.collect(p)
	}
	payloads, err := w.encoder.Encode(p)
	if err != nil {
		return nil, err
	}
	switch p.Kind {
	case dialect.Began:
		w.first = p.LatencyMS
	case dialect.Stopped:
		w.stopped = append(w.stopped, payloads...)
		return nil, nil
	case dialect.Ended:
		return w.end(p, append(w.stopped, payloads...))
	}
	events := make([]inference.Event, len(payloads))
	for i, payload := range payloads {
		events[i] = inference.Event{Raw: w.frame(payload), Content: p.IsContent()}
	}
	if len(events) > 0 {
		w.tell(&events[0])
		if p.Usage != nil {
			events[len(events)-1].Usage = p.Usage
		}
	}
	return events, nil
}

// tell puts on a stream's first event how the call is served.
func (w *Writer) tell(first *inference.Event) {
	if !w.told && w.head.Service != (inference.Service{}) {
		first.Served = &inference.Served{Service: w.head.Service}
	}
	w.told = true
}

func (w *Writer) collect(p dialect.Piece) ([]inference.Event, error) {
	if err := w.collector.Add(p); err != nil || p.Kind != dialect.Ended {
		return nil, err
	}
	answer, err := w.collector.Answer()
	if err != nil {
		return nil, err
	}
	body, err := w.form.server.EncodeAnswer(answer)
	if err != nil {
		return nil, err
	}
	usage := answer.Usage
	served := &inference.Served{Service: answer.Service, MS: answer.LatencyMS}
	return []inference.Event{{Raw: body, Content: true, Final: true, Usage: &usage, Served: served}}, nil
}

var errNoLast = errors.New("write answer: the dialect has no terminal event")

func (w *Writer) end(p dialect.Piece, payloads []dialect.Payload) ([]inference.Event, error) {
	if len(payloads) == 0 {
		return nil, errNoLast
	}
	last := &payloads[len(payloads)-1]
	if w.form.operation == inference.InvokeModelWithResponseStream {
		last.JSON = withMetrics(last.JSON, p, w.first)
	}
	events := make([]inference.Event, len(payloads))
	for i, payload := range payloads {
		events[i].Raw = w.frame(payload)
	}
	w.tell(&events[0])
	final := &events[len(events)-1]
	final.Final, final.Usage = true, p.Usage
	return events, nil
}

// frame is one payload as the operation sends it: an event of its type, or a chunk
// {"bytes":"<base64>","p":"<filler>"}.
func (w *Writer) frame(p dialect.Payload) []byte {
	headers, payload := chunkHeaders, p.JSON
	if w.form.operation == inference.ConverseStream {
		headers = converseHeaders(p.Type)
	} else {
		w.scratch = append(w.scratch[:0], chunkOpening...)
		w.scratch = base64.StdEncoding.AppendEncode(w.scratch, p.JSON)
		w.scratch = append(w.scratch, `","p":"`...)
		w.scratch = append(w.scratch, w.filler.Next()...)
		w.scratch = append(w.scratch, `"}`...)
		payload = w.scratch
	}
	return eventstream.Append(make([]byte, 0, eventstream.Size(headers, payload)), headers, payload)
}

// chunkOpening is how the payload of a chunk begins.
const chunkOpening = `{"bytes":"`

var (
	chunkHeaders = eventstream.EventHeaders("chunk", "application/json")
	deltaHeaders = eventstream.EventHeaders("contentBlockDelta", "application/json")
)

func converseHeaders(event string) eventstream.Headers {
	if event == "contentBlockDelta" {
		return deltaHeaders
	}
	return eventstream.EventHeaders(event, "application/json")
}

// withMetrics puts the invocation metrics at the end of a JSON object.
func withMetrics(object []byte, p dialect.Piece, first int64) []byte {
	m := metrics{InvocationLatency: p.LatencyMS, FirstByteLatency: min(first, p.LatencyMS)}
	if first == 0 {
		m.FirstByteLatency = p.LatencyMS
	}
	if u := p.Usage; u != nil {
		m.InputTokenCount, m.OutputTokenCount = u.InputTokens, u.OutputTokens
		if u.Caching {
			m.CacheReadInputTokenCount, m.CacheWriteInputTokenCount = &u.CacheReadTokens, &u.CacheWriteTokens
		}
	}
	text, _ := json.Marshal(m) // numbers always encode
	open := bytes.TrimSuffix(bytes.TrimRight(object, " \t\r\n"), []byte("}"))
	comma := ","
	if bytes.HasSuffix(bytes.TrimRight(open, " \t\r\n"), []byte("{")) {
		comma = ""
	}
	return append(bytes.Join([][]byte{open, []byte(comma + metricsKey + ":"), text}, nil), '}')
}
