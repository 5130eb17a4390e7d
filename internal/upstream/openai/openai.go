// Package openai is the upstream for any server that speaks OpenAI's chat
// completions, such as Ollama, vLLM or llama.cpp: Bedrock Runtime calls in, one
// chat completion out, its answer framed as Bedrock's. The server is always asked
// for a stream, since that shows that it is at work long before a whole answer
// could.
//
//	body of an openai.* model -----------------> as it is, the transport's members put in
//	any other body --Form--> Conversation --> chat completions body
//	server-sent events --Decoder--> Pieces --Writer--> Events
package openai

import (
	"context"
	"net/http"
	"time"

	"fairway/internal/dialect"
	"fairway/internal/dialect/invocation"
	"fairway/internal/dialect/openai"
	"fairway/internal/inference"
	"fairway/internal/upstream/modelserver"
)

// Config is what an Upstream needs. URL is required.
type Config struct {
	URL    string                         // of the server, with or without the final /v1
	Key    func() string                  // sent as a bearer key; nil or an empty key sends none
	Model  func(inference.ModelID) string // the server's name of a foundation model; nil is its id
	Client *http.Client                   // nil is one of the Upstream's own; redirects are never followed

	AnswerTimeout time.Duration // of an answer that is no stream; 0 is five minutes

	// Tokens counts a conversation as the model would: for CountTokens, and for
	// answers whose usage the server does not tell. Without it the former is
	// refused and the latter have none.
	Tokens func(inference.ModelID, *dialect.Conversation) int
}

// Upstream calls one server. It is safe for concurrent use.
type Upstream struct {
	config Config
	server *modelserver.Server
}

// New makes an Upstream. The error is a URL that is none of a server, or http with a
// key.
func New(c Config) (*Upstream, error) {
	server, err := modelserver.Open(modelserver.Config{
		URL: c.URL, Keyed: c.Key != nil, Client: c.Client, AnswerTimeout: c.AnswerTimeout, Op: op, Refusal: refusal,
	})
	if err != nil {
		return nil, err
	}
	if c.Model == nil {
		c.Model = func(m inference.ModelID) string { return string(m) }
	}
	return &Upstream{config: c, server: server}, nil
}

const op = "invoke chat completions"

// refusal leaves the kind to the status: the types of errors differ between
// servers.
func refusal(body []byte) (inference.Kind, string) { return "", openai.ErrorMessage(body) }

// Close gives up the connections that no call is using.
func (u *Upstream) Close() error { return u.server.Close() }

// Invoke calls the server for a target whose Model is a foundation model's id.
// Exactly one of the Stream and the error is non-nil; errors are *inference.Error
// with the region set.
func (u *Upstream) Invoke(ctx context.Context, t inference.Target, r *inference.Request) (inference.Stream, error) {
	invoke := u.invoke
	if r.Operation == inference.CountTokens {
		invoke = u.count
	}
	return u.server.Invoke(ctx, t.Region, r, func(ctx context.Context) (*modelserver.Stream, error) {
		return invoke(ctx, inference.ModelID(t.Model), r)
	})
}

// invoke keeps the conversation where its tokens may have to be counted.
func (u *Upstream) invoke(ctx context.Context, model inference.ModelID, r *inference.Request) (*modelserver.Stream, error) {
	form, err := invocation.Of(r.Operation, model)
	if err != nil {
		return nil, err
	}
	body, conversation, err := translate(form, model, r)
	if err != nil {
		return nil, err
	}
	call, err := u.call(model, body, conversation)
	if err != nil {
		return nil, err
	}
	return u.server.Stream(ctx, call, form.Begin(modelserver.Head(r, model, conversation)))
}

// count answers CountTokens itself: chat completions have nothing like it.
func (u *Upstream) count(_ context.Context, model inference.ModelID, r *inference.Request) (*modelserver.Stream, error) {
	if u.config.Tokens == nil {
		return nil, &inference.Error{Kind: inference.Validation, Op: op, Message: "The provided model doesn't support counting tokens."}
	}
	conversation, err := invocation.Counted(r.Body, model)
	if err != nil {
		return nil, err
	}
	body, err := dialect.WriteBody(map[string]int{"inputTokens": u.config.Tokens(model, conversation)})
	return modelserver.Complete(body), err
}

// Reply is the model's whole answer to a conversation, without a head. Errors are
// *inference.Error of no region.
func (u *Upstream) Reply(ctx context.Context, model inference.ModelID, c *dialect.Conversation) (*dialect.Answer, error) {
	body, err := encode(c)
	if err != nil {
		return nil, inference.AsError(err)
	}
	call, err := u.call(model, body, c)
	if err != nil {
		return nil, inference.AsError(err)
	}
	return u.server.Collect(ctx, call)
}
