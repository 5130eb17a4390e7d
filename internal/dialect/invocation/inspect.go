package invocation

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"

	"fairway/internal/inference"
	"fairway/internal/wire/eventstream"
)

// Inspector tells what the frames of one relayed answer are, without taking apart
// more than it must. It must not be used concurrently.
type Inspector struct {
	operation inference.Operation
	content   bool            // some has come: what is not known is more of it
	usage     inference.Usage // told so far
	counted   bool            // some was
	event     []byte          // of the chunk at hand
}

// Inspect begins an answer.
func Inspect(op inference.Operation) *Inspector { return &Inspector{operation: op} }

// Frame is one whole frame, as an eventstream.Reader gives it, as an Event, which
// shares its memory. The error is an *inference.Error: what an exception or error
// frame carries, or a Transport error for a frame that is not of the operation's
// form. Whether a frame is content is
// exact up to the first that is; event types that are not known are none.
func (i *Inspector) Frame(raw []byte) (inference.Event, error) {
	m, err := eventstream.Split(raw)
	if err != nil {
		return inference.Event{}, unreadable(i.operation, err)
	}
	if err := failure(i.operation, m); err != nil {
		return inference.Event{}, err
	}
	e := inference.Event{Raw: raw}
	kind := m.Headers.Text(eventstream.EventType)
	switch {
	case i.operation == inference.ConverseStream:
		err = i.converse(&e, kind, m.Payload)
	case string(kind) == "chunk":
		if i.event, err = appendChunk(i.event[:0], m.Payload); err == nil {
			err = i.chunk(&e)
		}
	}
	if err != nil {
		return inference.Event{}, unreadable(i.operation, err)
	}
	i.content = i.content || e.Content
	return e, nil
}

// converse looks at an event of ConverseStream, or one of Nova's, which are the
// same under a key of that name.
func (i *Inspector) converse(e *inference.Event, kind, payload []byte) error {
	switch string(kind) {
	case "contentBlockStart", "contentBlockDelta":
		e.Content = true
	case "metadata":
		var last struct {
			Usage tokenUsage `json:"usage"`
		}
		if err := json.Unmarshal(payload, &last); err != nil {
			return err
		}
		e.Final, e.Usage = true, last.Usage.usage()
	}
	return nil
}

// Body is a unary body as an Event, its usage by the headers of the answer or else
// by the body's own usage member; nil where neither tells. How long the cache keeps
// what it wrote is in the body alone.
func (i *Inspector) Body(header http.Header, raw []byte) inference.Event {
	e := inference.Event{Raw: raw, Content: true, Final: true, Usage: headerUsage(header), Served: Served(header)}
	if i.operation == inference.CountTokens || e.Usage != nil && e.Usage.CacheWriteTokens == 0 {
		return e
	}
	var body struct {
		Usage tokenUsage `json:"usage"`
	}
	switch {
	case json.Unmarshal(raw, &body) != nil:
	case e.Usage == nil:
		e.Usage = body.Usage.usage()
	default:
		e.Usage.CacheWrite1h = min(body.Usage.hour(), e.Usage.CacheWriteTokens)
	}
	return e
}

// Served is what the header of an answer to InvokeModel, streamed or not, tells of the
// call; nil where it tells nothing (facts bedrock.md 1.4).
func Served(header http.Header) *inference.Served {
	told := inference.Served{Service: inference.Service{
		Latency: header.Get("X-Amzn-Bedrock-Performanceconfig-Latency"),
		Tier:    header.Get("X-Amzn-Bedrock-Service-Tier"),
	}, Simulated: header.Get("X-Fairway-Simulated") == "true"}
	told.MS, _ = strconv.ParseInt(header.Get("X-Amzn-Bedrock-Invocation-Latency"), 10, 64) // 0 without it
	if told == (inference.Served{}) {
		return nil
	}
	return &told
}

// Asked is how the header of a call by InvokeModel asks to be served.
func Asked(header http.Header) inference.Service {
	if told := Served(header); told != nil {
		return told.Service
	}
	return inference.Service{}
}

// headerUsage is what the headers of InvokeModel count (facts bedrock.md 1.4).
func headerUsage(header http.Header) *inference.Usage {
	count := func(name string) *int {
		n, err := strconv.Atoi(header.Get("X-Amzn-Bedrock-" + name + "-Token-Count"))
		if err != nil {
			return nil
		}
		return &n
	}
	none := 0
	input, output := count("Input"), count("Output")
	if input == nil && output == nil {
		return nil
	}
	return usageOf(*cmp.Or(input, &none), *cmp.Or(output, &none), count("Cache-Read-Input"), count("Cache-Write-Input"))
}
