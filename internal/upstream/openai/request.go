package openai

import (
	"net/http"
	"strings"

	"fairway/internal/dialect"
	"fairway/internal/dialect/invocation"
	"fairway/internal/dialect/openai"
	"fairway/internal/inference"
	"fairway/internal/upstream/modelserver"
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

// call asks model for a stream. What was asked is nil where it is not known.
func (u *Upstream) call(model inference.ModelID, body []byte, asked *dialect.Conversation) (modelserver.Call, error) {
	body, err := openai.StreamBody(body, u.config.Model(model))
	c := modelserver.Call{Path: "/chat/completions", Header: http.Header{}, Body: body, Decoder: u.decoder(model, asked)}
	if u.config.Key != nil {
		if key := u.config.Key(); key != "" {
			c.Header.Set("Authorization", "Bearer "+key)
		}
	}
	return c, err
}
