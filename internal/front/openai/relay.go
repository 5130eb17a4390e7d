package openai

import (
	"encoding/json"
	"fmt"
	"net/http"

	"fairway/internal/dialect/openai"
	"fairway/internal/inference"
	"fairway/internal/wire/eventstream"
	"fairway/internal/wire/sse"
)

// relay is the passage to a model that speaks chat completions itself.
type relay struct{ call *call }

// request leaves out what is the transport's: the model is the path's, streaming
// the operation's, and the usage is Bedrock's to tell.
func (r *relay) request() (inference.Operation, []byte, error) {
	if err := checkGuardrail(r.call.header); err != nil {
		return "", nil, err
	}
	if r.call.body.Stream {
		return inference.InvokeModelWithResponseStream, r.call.body.Body, nil
	}
	return inference.InvokeModel, r.call.body.Body, nil
}

func (r *relay) whole(e inference.Event) ([]byte, error) { return e.Raw, nil }

// chunks takes a chunk out of its frame. Bedrock tells the usage in the last one,
// from which comes the chunk that the caller asked for.
func (r *relay) chunks(dst []byte, e inference.Event) ([]byte, error) {
	text, err := unwrap(e.Raw)
	if err != nil {
		return nil, fmt.Errorf("read chunk: %w", err)
	}
	if !e.Final {
		return sse.Append(dst, sse.Event{Data: text}), nil
	}
	dst = sse.Append(dst, sse.Event{Data: openai.WithoutMetrics(text)})
	if !r.call.body.IncludeUsage || e.Usage == nil {
		return dst, nil
	}
	usage, err := openai.EncodeUsage(r.call.head(), *e.Usage)
	return sse.Append(dst, sse.Event{Data: usage}), err
}

// unwrap is the model's own event in a frame of InvokeModelWithResponseStream.
func unwrap(frame []byte) ([]byte, error) {
	m, err := eventstream.Parse(frame)
	if err != nil {
		return nil, err
	}
	var chunk struct{ Bytes []byte }
	if err := json.Unmarshal(m.Payload, &chunk); err != nil {
		return nil, err
	}
	if !json.Valid(chunk.Bytes) {
		return nil, fmt.Errorf("%d bytes that are no JSON", len(chunk.Bytes))
	}
	return chunk.Bytes, nil
}

// The headers that name a guardrail, here as for InvokeModel (facts bedrock.md 1.3).
const (
	guardrailID      = "X-Amzn-Bedrock-Guardrailidentifier"
	guardrailVersion = "X-Amzn-Bedrock-Guardrailversion"
	guardrailTrace   = "X-Amzn-Bedrock-Trace"
)

// modelHeader is what of a request's header belongs to the model call.
func modelHeader(h http.Header) http.Header {
	own := http.Header{}
	for _, name := range []string{guardrailID, guardrailVersion, guardrailTrace} {
		if values, ok := h[name]; ok {
			own[name] = values
		}
	}
	return own
}

func checkGuardrail(h http.Header) error {
	if (h.Get(guardrailID) == "") == (h.Get(guardrailVersion) == "") {
		return nil
	}
	return &inference.Error{
		Kind: inference.Validation, Op: "read chat completion",
		Message: "chat completion: a guardrail needs both its identifier and its version: send both headers or neither",
	}
}
