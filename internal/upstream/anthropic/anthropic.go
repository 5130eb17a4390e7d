// Package anthropic is the upstream for Anthropic's own API, or for any server
// that speaks Messages: Bedrock Runtime calls in, one Messages call out, its
// answer framed as Bedrock's. The server is always asked for a stream, since that
// shows that it is at work long before a whole answer could.
//
//	body of Messages --------------------------> as it is, model and stream put in
//	any other body --Form--> Conversation --> Messages body
//	server-sent events --Decoder--> Pieces --Writer--> Events
package anthropic

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"fairway/internal/dialect/anthropic"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
	"fairway/internal/upstream/modelserver"
)

// Config is what an Upstream needs. URL is required.
type Config struct {
	URL     string        // of the server, with or without the final /v1
	Key     func() string // sent as x-api-key; nil or an empty key sends none
	Version string        // anthropic-version; empty is 2023-06-01
	Client  *http.Client  // nil is one of the Upstream's own; redirects are never followed

	AnswerTimeout time.Duration // of an answer that is no stream; 0 is five minutes

	// Models is the server's name of a foundation model; nil is Anthropic's name.
	Models func(inference.ModelID) string
}

// Upstream calls one server. It is safe for concurrent use.
type Upstream struct {
	config Config
	server *modelserver.Server
}

// defaultVersion is the version that takes what Bedrock takes: the one after it,
// 2026-10-21, refuses temperature, top_p and top_k.
const defaultVersion = "2023-06-01"

// New makes an Upstream. The error is a URL that is none of a server, or http with a
// key.
func New(c Config) (*Upstream, error) {
	server, err := modelserver.Open(modelserver.Config{
		URL: c.URL, Keyed: c.Key != nil, Client: c.Client, AnswerTimeout: c.AnswerTimeout, Op: "invoke Messages", Refusal: refusal,
	})
	if err != nil {
		return nil, err
	}
	if c.Version == "" {
		c.Version = defaultVersion
	}
	if c.Models == nil {
		c.Models = func(m inference.ModelID) string { return anthropic.ModelName(string(m)) }
	}
	return &Upstream{config: c, server: server}, nil
}

// refusal is of the kind that the error's type says, where it is one of Anthropic's.
func refusal(body []byte) (inference.Kind, string) {
	var answer struct{ Error *anthropic.Failure }
	if err := json.Unmarshal(body, &answer); err != nil || answer.Error == nil {
		return "", ""
	}
	if !answer.Error.Known() {
		return "", answer.Error.Message
	}
	return answer.Error.Err().Kind, answer.Error.Message
}

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

func (u *Upstream) invoke(ctx context.Context, model inference.ModelID, r *inference.Request) (*modelserver.Stream, error) {
	form, err := invocation.Of(r.Operation, model)
	if err != nil {
		return nil, err
	}
	body, conversation, err := translate(form, model, r)
	if err != nil {
		return nil, err
	}
	call, err := u.address(body, model, `"stream":true`)
	if err != nil {
		return nil, err
	}
	call.Path, call.Decoder = "/messages", anthropic.Dialect{}.NewDecoder()
	return u.server.Stream(ctx, call, form.Begin(modelserver.Head(r, model, conversation)))
}
