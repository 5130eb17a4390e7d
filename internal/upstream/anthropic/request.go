package anthropic

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/propagation"

	"fairway/internal/dialect"
	"fairway/internal/dialect/anthropic"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
)

// call is one request to the server.
type call struct {
	body  []byte
	betas []string // flags, which the server takes in a header
}

// translate makes a Messages call of r. A body that is one already keeps all its
// bytes but for what the server has elsewhere.
func (u *Upstream) translate(form invocation.Form, model inference.ModelID, r *inference.Request) (call, error) {
	native := r.Operation == inference.InvokeModel || r.Operation == inference.InvokeModelWithResponseStream
	body := r.Body
	if !native || !model.IsAnthropic() {
		conversation, err := form.Decode(r.Body)
		if err != nil {
			return call{}, err
		}
		if body, err = (anthropic.Dialect{}).EncodeRequest(conversation); err != nil {
			return call{}, err
		}
	}
	return u.address(body, model, `"stream":true`)
}

// address puts the model, and more members, into a Messages body, and takes out
// what only Bedrock has there.
func (u *Upstream) address(body []byte, model inference.ModelID, more string, drop ...string) (call, error) {
	opened, err := anthropic.Open(body)
	if err != nil {
		return call{}, anthropic.Refusal(err)
	}
	name, err := json.Marshal(u.Models(model))
	if err != nil {
		return call{}, err
	}
	add := []string{`"model":` + string(name)}
	if more != "" {
		add = append(add, more)
	}
	drop = append(drop, "anthropic_version", "anthropic_beta", "model", "stream")
	return call{body: opened.With(drop, strings.Join(add, ",")), betas: opened.Betas}, nil
}

// count asks the server how many tokens the conversation of r has.
func (u *Upstream) count(ctx context.Context, model inference.ModelID, r *inference.Request) (*stream, error) {
	c, err := invocation.Counted(r.Body, model)
	if err != nil {
		return nil, err
	}
	body, err := anthropic.Dialect{}.EncodeRequest(&dialect.Conversation{
		System: c.System, Messages: c.Messages, Tools: c.Tools, ToolChoice: c.ToolChoice, Thinking: c.Thinking,
	})
	if err != nil {
		return nil, err
	}
	call, err := u.address(body, model, "", "max_tokens")
	if err != nil {
		return nil, err
	}
	response, err := u.post(ctx, "/messages/count_tokens", call)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var counted struct {
		InputTokens *int `json:"input_tokens"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxError)).Decode(&counted); err != nil {
		return nil, broken(err)
	}
	if counted.InputTokens == nil {
		return nil, broken(errNoCount)
	}
	answer, err := dialect.WriteBody(map[string]int{"inputTokens": *counted.InputTokens})
	s := &stream{queue: []inference.Event{{Raw: answer, Content: true, Final: true}}}
	s.done.Store(true)
	return s, err
}

// post makes one request. The response has status 200 and a body to close.
func (u *Upstream) post(ctx context.Context, path string, c call) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.base+path, bytes.NewReader(c.body))
	if err != nil {
		return nil, err
	}
	h := request.Header
	h.Set("Content-Type", "application/json")
	h.Set("Anthropic-Version", u.Version)
	if len(c.betas) > 0 {
		h.Set("Anthropic-Beta", strings.Join(c.betas, ","))
	}
	if u.Key != nil {
		if key := u.Key(); key != "" {
			h.Set("X-Api-Key", key)
		}
	}
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(h))
	response, err := u.client.Do(request)
	switch {
	case err != nil:
		return nil, broken(err)
	case response.StatusCode != http.StatusOK:
		defer response.Body.Close()
		return nil, refusal(response)
	}
	return response, nil
}
