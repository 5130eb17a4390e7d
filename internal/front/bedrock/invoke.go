package bedrock

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"

	"fairway/internal/inference"
)

// invokeModel is POST /model/{modelId}/invoke (Smithy shape InvokeModelRequest):
// the model's own JSON in and out, byte for byte.
func (f *Front) invokeModel(ctx context.Context, c *call) (*inference.HTTPResponse, *inference.Record, error) {
	if err := f.checkInvoke(c); err != nil {
		return nil, nil, err
	}
	stream, record, err := f.Gateway.Invoke(ctx, &inference.Request{
		ID:           c.id,
		Operation:    inference.InvokeModel,
		Model:        c.model,
		SourceRegion: c.region,
		Principal:    c.principal,
		Caller:       c.caller,
		Header:       modelHeader(c.header),
		Body:         c.body,
	})
	if err != nil {
		return nil, record, err
	}
	answer, err := readOne(ctx, stream)
	if err != nil {
		return nil, record, err
	}
	header := http.Header{}
	header.Set("Content-Type", "application/json")
	echo(header, c.header)
	setInvocation(header, answer.Usage, record)
	return &inference.HTTPResponse{Status: http.StatusOK, Header: header, Body: answer.Raw}, record, nil
}

// checkInvoke refuses what no model would be asked.
func (f *Front) checkInvoke(c *call) error {
	refuse := func(message string) error {
		return &inference.Error{Kind: inference.Validation, Op: "decode InvokeModel", Message: message}
	}
	contentType := c.header.Get("Content-Type")
	guardrail, version := c.header.Get("X-Amzn-Bedrock-Guardrailidentifier"), c.header.Get("X-Amzn-Bedrock-Guardrailversion")
	switch {
	case len(c.model) > maxModelID:
		return refuse("The provided model identifier is invalid.")
	case len(c.body) == 0:
		return refuse("Malformed input request, please reformat your input and try again.")
	case !isJSON(contentType):
		return refuse("invoke model: content type " + strconv.Quote(contentType) + " is not accepted: send application/json")
	case (guardrail == "") != (version == ""):
		return refuse("invoke model: a guardrail needs both its identifier and its version: send both headers or neither")
	}
	if message := wrongChoice(c.header); message != "" {
		return refuse(message)
	}
	return nil
}

// maxModelID is the longest modelId, in bytes (Smithy shape InvokeModelIdentifier).
const maxModelID = 2048

// isJSON accepts application/json and what clients send that do not say: nothing,
// or the Go SDK's application/octet-stream.
func isJSON(contentType string) bool {
	if contentType == "" {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" || media == "application/octet-stream")
}

// readOne reads a unary answer, a stream of one event, and closes the stream,
// which completes the call's record.
func readOne(ctx context.Context, s inference.Stream) (inference.Event, error) {
	defer s.Close()
	event, err := s.Next(ctx)
	if errors.Is(err, io.EOF) {
		return inference.Event{}, inference.AsError(errors.New("read answer: the stream ended before its one event"))
	}
	return event, err
}
