// Package invocation joins the dialects for a Bedrock Runtime call: which one its
// bodies are in, by operation and model family, and how an answer's events are
// framed.
//
//	body --Form.Decode--> Conversation ... Pieces --Form.Begin, Writer--> Events
//	Events --Reader--> Pieces          Events of a relayed stream --Inspector--> what route asks of them
//
// Shapes: facts bedrock.md 1.9 to 1.12.
package invocation

import (
	"strings"

	"fairway/internal/dialect"
	"fairway/internal/dialect/anthropic"
	"fairway/internal/dialect/converse"
	"fairway/internal/dialect/nova"
	"fairway/internal/dialect/openai"
	"fairway/internal/dialect/prompt"
	"fairway/internal/inference"
)

// Form is the form of a call's bodies. It is safe for concurrent use.
type Form struct {
	operation inference.Operation
	server    dialect.Server
}

// Of is the form of the bodies of a call that is not CountTokens. The error is a
// Validation: a family whose InvokeModel bodies are not known here is spoken with
// through Converse only.
func Of(op inference.Operation, model inference.ModelID) (Form, error) {
	switch op {
	case inference.Converse, inference.ConverseStream:
		return Form{op, converse.Dialect{}}, nil
	}
	if server := native(model); server != nil {
		return Form{op, server}, nil
	}
	return Form{}, unknownFamily(op, model)
}

// native is the dialect of a model's InvokeModel bodies, nil where it is not known.
func native(model inference.ModelID) dialect.Server {
	for _, f := range families {
		if strings.HasPrefix(string(model), f.prefix) {
			return f.server
		}
	}
	return nil
}

var families = [...]struct {
	prefix string
	server dialect.Server
}{
	{"anthropic.", anthropic.Dialect{}},
	{"openai.", openai.Dialect{}},
	{"amazon.nova", nova.Dialect{}},
	{"amazon.titan-text", prompt.Titan{}},
	{"meta.llama", prompt.Llama{}},
	{"mistral.", prompt.Mistral{}},
}

func unknownFamily(op inference.Operation, model inference.ModelID) error {
	return &inference.Error{
		Kind: inference.Validation, Op: "choose dialect",
		Message: string(op) + " bodies of " + string(model) + " cannot be translated: call it with Converse",
	}
}

// Decode reads a request body. The error is a Validation. The conversation may
// share memory with body.
func (f Form) Decode(body []byte) (*dialect.Conversation, error) { return f.server.DecodeRequest(body) }
