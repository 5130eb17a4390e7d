package modelserver

import (
	"net/http"
	"strings"
	"time"

	"fairway/internal/dialect"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
)

// What only Bedrock does is refused, in our words: a guardrail is never dropped.
const (
	msgNoGuardrail = "the call names a guardrail and the model's server has none: leave it out, or use a model on Amazon Bedrock"
	msgNoService   = "the call asks for a latency or service tier and the model's server has none to choose: leave it out, or use a model on Amazon Bedrock"
)

// refuse is the Validation of a call whose header asks for what only Bedrock does.
// What is in a body is for the dialect to refuse.
func (s *Server) refuse(h http.Header) error {
	message := ""
	switch {
	case h.Get("X-Amzn-Bedrock-Guardrailidentifier") != "":
		message = msgNoGuardrail
	case !invocation.Asked(h).IsUsual():
		message = msgNoService
	default:
		return nil
	}
	return &inference.Error{Kind: inference.Validation, Op: s.op, Message: message}
}

// Head begins the answer to r, in which model is asked c, nil where that is not known.
func Head(r *inference.Request, model inference.ModelID, c *dialect.Conversation) dialect.Head {
	h := dialect.Head{
		ID: strings.ReplaceAll(r.ID, "-", ""), Model: invocation.NameOf(model), Created: time.Now().Unix(),
		Service: invocation.Asked(r.Header),
	}
	if c != nil {
		h.Fields = c.Fields
		if h.Service == (inference.Service{}) {
			h.Service = c.Service
		}
	}
	return h
}
