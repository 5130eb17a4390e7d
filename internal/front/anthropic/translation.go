package anthropic

import (
	"net/http"
	"strings"

	"fairway/internal/dialect"
	"fairway/internal/dialect/anthropic"
	"fairway/internal/dialect/converse"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
	"fairway/internal/wire/sse"
)

// translation is the passage to every other model, through Converse. Beta flags switch
// on what only Claude has: they are refused, in the header as in the body.
type translation struct {
	call    *call
	reader  *invocation.Reader
	encoder dialect.Encoder
}

// request makes a Converse body of the Messages body.
func (t *translation) request() (inference.Operation, []byte, error) {
	c := t.call
	if err := c.checkBetas(); err != nil {
		return "", nil, err
	}
	conversation, err := anthropic.Dialect{}.DecodeRequest(c.visit.Body)
	if err != nil {
		return "", nil, err
	}
	if conversation.Guardrail, err = guardrail(c.header); err != nil {
		return "", nil, err
	}
	if len(conversation.StopSequences) > 0 {
		conversation.Fields = []string{dialect.StopSequenceField}
	}
	op := inference.Converse
	if c.body.Stream {
		op = inference.ConverseStream
	}
	if t.reader, err = invocation.Read(op, c.model); err != nil {
		return "", nil, err
	}
	t.encoder = anthropic.Dialect{}.NewEncoder(c.head())
	body, err := converse.Dialect{}.EncodeRequest(conversation)
	return op, body, err
}

// checkBetas refuses the flags that the header has; those of the body are refused with
// it.
func (c *call) checkBetas() error {
	if len(c.betas()) > len(c.body.Betas) {
		return refuse("anthropic-beta: the called model has no features in trial: leave the header out")
	}
	return nil
}

// head names the answer by the request id and the model as the caller does.
func (c *call) head() dialect.Head {
	return dialect.Head{ID: strings.ReplaceAll(c.visit.ID, "-", ""), Model: c.body.Model}
}

func (t *translation) whole(e inference.Event) ([]byte, error) {
	pieces, err := t.reader.Read(e)
	if err != nil {
		return nil, err
	}
	collector := dialect.NewCollector(t.call.head())
	for _, p := range pieces {
		if err := collector.Add(p); err != nil {
			return nil, err
		}
	}
	answer, err := collector.Answer()
	if err != nil {
		return nil, err
	}
	return anthropic.Dialect{}.EncodeAnswer(answer)
}

func (t *translation) events(dst []byte, e inference.Event) ([]byte, error) {
	pieces, err := t.reader.Read(e)
	if err != nil {
		return nil, err
	}
	for _, p := range pieces {
		payloads, err := t.encoder.Encode(p)
		if err != nil {
			return nil, err
		}
		for _, payload := range payloads {
			dst = sse.Append(dst, sse.Event{Type: payload.Type, Data: payload.JSON})
		}
	}
	return dst, nil
}

// The headers that name a guardrail, here as for InvokeModel (facts bedrock.md 1.3).
const (
	guardrailID      = "X-Amzn-Bedrock-Guardrailidentifier"
	guardrailVersion = "X-Amzn-Bedrock-Guardrailversion"
	guardrailTrace   = "X-Amzn-Bedrock-Trace"
)

// guardrailHeader is what of a request's header belongs to the model call.
func guardrailHeader(h http.Header) http.Header {
	own := http.Header{}
	for _, name := range []string{guardrailID, guardrailVersion, guardrailTrace} {
		if values, ok := h[name]; ok {
			own[name] = values
		}
	}
	return own
}

// guardrail is the guardrail that the header names, nil without one.
func guardrail(h http.Header) (*dialect.Guardrail, error) {
	id, version := h.Get(guardrailID), h.Get(guardrailVersion)
	switch {
	case (id == "") != (version == ""):
		return nil, refuse("messages: a guardrail needs both its identifier and its version: send both headers or neither")
	case id == "":
		return nil, nil
	}
	return &dialect.Guardrail{Identifier: id, Version: version, Trace: strings.ToLower(h.Get(guardrailTrace))}, nil
}
