package bedrock

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

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
	case int64(len(c.body)) > f.MaxBody:
		return refuse("1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have length less than or equal to " + strconv.FormatInt(f.MaxBody, 10))
	case len(c.body) == 0:
		return refuse("Malformed input request, please reformat your input and try again.")
	case !isJSON(contentType):
		return refuse("invoke model: content type " + strconv.Quote(contentType) + " is not accepted: send application/json")
	case (guardrail == "") != (version == ""):
		return refuse("invoke model: a guardrail needs both its identifier and its version: send both headers or neither")
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

// modelHeader is the part of a request's header that belongs to the model call.
func modelHeader(h http.Header) http.Header {
	own := http.Header{}
	for name, values := range h {
		if name == "Accept" || strings.HasPrefix(name, "X-Amzn-Bedrock-") {
			own[name] = values
		}
	}
	return own
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

// setInvocation sets what the service tells about an invocation: the time the
// region took in milliseconds, and token counts where the model reports them.
func setInvocation(h http.Header, u *inference.Usage, record *inference.Record) {
	set := func(name string, n int64) { h.Set("X-Amzn-Bedrock-"+name, strconv.FormatInt(n, 10)) }
	if n := len(record.Attempts); n > 0 {
		set("Invocation-Latency", record.Attempts[n-1].MS)
	}
	if u == nil {
		return
	}
	set("Input-Token-Count", int64(u.InputTokens))
	set("Output-Token-Count", int64(u.OutputTokens))
	if u.CacheReadTokens+u.CacheWriteTokens > 0 {
		set("Cache-Read-Input-Token-Count", int64(u.CacheReadTokens))
		set("Cache-Write-Input-Token-Count", int64(u.CacheWriteTokens))
	}
}

// describe adds what only Fairway tells: where the call entered, after how many
// attempts, where the model ran if that is known, and that no model ran at all.
func describe(h http.Header, record *inference.Record) {
	if record == nil {
		return
	}
	h.Set("X-Fairway-Attempts", strconv.Itoa(len(record.Attempts)))
	if n := len(record.Attempts); n > 0 {
		h.Set("X-Fairway-Entry-Region", string(record.Attempts[n-1].Region))
	}
	if record.DestinationRegion != "" {
		h.Set("X-Fairway-Destination-Region", string(record.DestinationRegion))
	}
	if record.Simulated {
		h.Set("X-Fairway-Simulated", "true")
	}
}
