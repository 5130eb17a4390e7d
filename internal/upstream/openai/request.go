package openai

import (
	"bytes"
	"context"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/propagation"

	"fairway/internal/dialect"
	"fairway/internal/dialect/invocation"
	"fairway/internal/dialect/openai"
	"fairway/internal/inference"
)

// translate makes a chat completions body of r. A body that is one already keeps
// its bytes, and what in it only the server understands: then there may be no
// conversation.
func translate(form invocation.Form, model inference.ModelID, r *inference.Request) ([]byte, *dialect.Conversation, error) {
	native := r.Operation == inference.InvokeModel || r.Operation == inference.InvokeModelWithResponseStream
	if native && strings.HasPrefix(string(model), "openai.") {
		known, _ := form.Decode(r.Body)
		return r.Body, known, nil
	}
	conversation, err := form.Decode(r.Body)
	if err != nil {
		return nil, nil, err
	}
	body, err := encode(conversation)
	return body, conversation, err
}

func encode(c *dialect.Conversation) ([]byte, error) { return openai.Dialect{}.EncodeRequest(c) }

// post makes one request. The answer is the caller's to close.
func (u *Upstream) post(ctx context.Context, model inference.ModelID, body []byte) (*answer, error) {
	body, err := openai.StreamBody(body, u.config.Model(model))
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	h := request.Header
	h.Set("Content-Type", "application/json")
	h.Set("Accept", "text/event-stream")
	if u.config.Key != nil {
		if key := u.config.Key(); key != "" {
			h.Set("Authorization", "Bearer "+key)
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
	return newAnswer(response.Body), nil
}
