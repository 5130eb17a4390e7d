package anthropic

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"fairway/internal/dialect"
	"fairway/internal/dialect/anthropic"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
	"fairway/internal/upstream/modelserver"
)

// translate makes a Messages body of r. One that is a Messages body already keeps its
// bytes: then there is no conversation.
func translate(form invocation.Form, model inference.ModelID, r *inference.Request) ([]byte, *dialect.Conversation, error) {
	native := r.Operation == inference.InvokeModel || r.Operation == inference.InvokeModelWithResponseStream
	if native && model.IsAnthropic() {
		return r.Body, nil, nil
	}
	conversation, err := form.Decode(r.Body)
	if err != nil {
		return nil, nil, err
	}
	body, err := anthropic.Dialect{}.EncodeRequest(conversation)
	return body, conversation, err
}

// address puts the model, and more members, into a Messages body, and takes out
// what the server has in headers or, as drop says, not at all.
func (u *Upstream) address(body []byte, model inference.ModelID, more string, drop ...string) (modelserver.Call, error) {
	opened, err := anthropic.Open(body)
	if err != nil {
		return modelserver.Call{}, anthropic.Refusal(err)
	}
	name, err := json.Marshal(u.config.Models(model))
	if err != nil {
		return modelserver.Call{}, err
	}
	add := []string{`"model":` + string(name)}
	if more != "" {
		add = append(add, more)
	}
	drop = append(drop, "anthropic_version", "anthropic_beta", "model", "stream")
	return modelserver.Call{Header: u.header(opened.Betas), Body: opened.With(drop, strings.Join(add, ","))}, nil
}

// header is what the server has in headers; betas are flags.
func (u *Upstream) header(betas []string) http.Header {
	h := http.Header{}
	h.Set("Anthropic-Version", u.config.Version)
	if len(betas) > 0 {
		h.Set("Anthropic-Beta", strings.Join(betas, ","))
	}
	if u.config.Key != nil {
		if key := u.config.Key(); key != "" {
			h.Set("X-Api-Key", key)
		}
	}
	return h
}

var errNoCount = errors.New("the answer has no count of tokens")

// count asks the server how many tokens the conversation of r has.
func (u *Upstream) count(ctx context.Context, model inference.ModelID, r *inference.Request) (*modelserver.Stream, error) {
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
	call.Path = "/messages/count_tokens"
	answer, err := u.server.Post(ctx, call)
	if err != nil {
		return nil, err
	}
	var counted struct {
		InputTokens *int `json:"input_tokens"`
	}
	if err := json.Unmarshal(answer, &counted); err != nil {
		return nil, u.server.Broken(err)
	}
	if counted.InputTokens == nil {
		return nil, u.server.Broken(errNoCount)
	}
	told, err := dialect.WriteBody(map[string]int{"inputTokens": *counted.InputTokens})
	return modelserver.Complete(told), err
}
