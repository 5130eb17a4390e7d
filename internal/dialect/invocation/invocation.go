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
	"slices"
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
// Validation: a model that writes no text has no form here, and a family whose
// InvokeModel bodies are not known is spoken with through Converse only.
func Of(op inference.Operation, model inference.ModelID) (Form, error) {
	if !Writes(model) {
		return Form{}, noText(op)
	}
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
	{"mistral.mistral-7b", prompt.Mistral{}},
	{"mistral.mixtral-8x7b", prompt.Mistral{}},
	{"mistral.mistral-large-2402", prompt.Mistral{}},
	{"mistral.mistral-small-2402", prompt.Mistral{}},
	{"mistral.", openai.Dialect{AnyTool: true}}, // from Mistral Large 2407 on
}

// Writes reports whether a model answers with text, by its id: those that make
// images, videos or embeddings, or put documents in order, do not. The ARN of a
// custom model tells nothing of it.
func Writes(model inference.ModelID) bool {
	return strings.HasPrefix(string(model), "arn:") || !slices.ContainsFunc(textless[:], func(part string) bool { return strings.Contains(string(model), part) })
}

// textless are parts of the ids of models that write no text.
var textless = [...]string{
	"embed", "rerank", "amazon.nova-canvas", "amazon.nova-reel", "amazon.titan-image", "stability.", "luma.",
}

// noText is the service's text for Converse; what it says to an InvokeModel body in
// another form than such a model's is no help.
func noText(op inference.Operation) error {
	message := "This action doesn't support the model that you provided. Try again with a supported text or chat model."
	if op == inference.InvokeModel || op == inference.InvokeModelWithResponseStream {
		message = string(op) + " of a model that writes no text cannot be answered here: call a text model"
	}
	return &inference.Error{Kind: inference.Validation, Op: "choose dialect", Message: message}
}

func unknownFamily(op inference.Operation, model inference.ModelID) error {
	return &inference.Error{
		Kind: inference.Validation, Op: "choose dialect",
		Message: string(op) + " bodies of " + string(model) + " cannot be translated: call it with Converse",
	}
}

// NameOf is a model as its answers name it: Claude's by Anthropic's own name, every
// other one's id.
func NameOf(model inference.ModelID) string {
	if model.IsAnthropic() {
		return anthropic.ModelName(string(model))
	}
	return string(model)
}

// Dialect is the dialect that the bodies are in.
func (f Form) Dialect() dialect.Server { return f.server }

// Decode reads a request body. The error is a Validation. The conversation may
// share memory with body.
func (f Form) Decode(body []byte) (*dialect.Conversation, error) { return f.server.DecodeRequest(body) }
