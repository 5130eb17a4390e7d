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
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fairway/internal/dialect"
	"fairway/internal/dialect/anthropic"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
	"fairway/internal/wire/sse"
)

// Config is what an Upstream needs. URL is required.
type Config struct {
	URL     string        // of the server, with or without the final /v1
	Key     func() string // sent as x-api-key; nil or an empty key sends none
	Version string        // anthropic-version; empty is 2023-06-01
	Client  *http.Client  // nil is one of the Upstream's own; redirects are never followed

	// Models is the server's name of a foundation model; nil is Anthropic's name.
	Models func(inference.ModelID) string
}

// Upstream calls one server. It is safe for concurrent use.
type Upstream struct {
	Config
	client http.Client
	base   string // up to /v1
}

// defaultVersion is the version that takes what Bedrock takes: the one after it,
// 2026-10-21, refuses temperature, top_p and top_k.
const defaultVersion = "2023-06-01"

// New makes an Upstream. The error is a URL that is none of a server.
func New(c Config) (*Upstream, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("anthropic upstream: the URL must be that of a server, such as https://api.anthropic.com")
	}
	if c.Version == "" {
		c.Version = defaultVersion
	}
	if c.Models == nil {
		c.Models = func(m inference.ModelID) string { return anthropic.ModelName(string(m)) }
	}
	up := &Upstream{Config: c, base: strings.TrimSuffix(strings.TrimSuffix(c.URL, "/"), "/v1") + "/v1"}
	if c.Client != nil {
		up.client = *c.Client
	}
	up.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return up, nil
}

// maxEvent is how many bytes one event of the server may have.
const maxEvent = 16 << 20

// Invoke calls the server for a target whose Model is a foundation model's id.
// Exactly one of the Stream and the error is non-nil; errors are *inference.Error
// with the region set.
func (u *Upstream) Invoke(ctx context.Context, t inference.Target, r *inference.Request) (inference.Stream, error) {
	invoke := u.invoke
	if r.Operation == inference.CountTokens {
		invoke = u.count
	}
	attempt, cancel := context.WithCancel(ctx)
	s, err := invoke(attempt, inference.ModelID(t.Model), r)
	if err != nil {
		cancel()
		return nil, failure(err, t.Region, ctx)
	}
	s.region, s.call, s.attempt, s.cancel = t.Region, ctx, attempt, cancel
	return s, nil
}

func (u *Upstream) invoke(ctx context.Context, model inference.ModelID, r *inference.Request) (*stream, error) {
	form, err := invocation.Of(r.Operation, model)
	if err != nil {
		return nil, err
	}
	call, err := u.translate(form, model, r)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	response, err := u.post(ctx, "/messages", call)
	if err != nil {
		return nil, err
	}
	return &stream{
		body:    response.Body,
		events:  sse.NewReader(response.Body, maxEvent),
		decoder: anthropic.Dialect{}.NewDecoder(),
		writer:  form.Begin(head(model, r, began)),
		began:   began,
	}, nil
}

// head is what the answer is named by.
func head(model inference.ModelID, r *inference.Request, at time.Time) dialect.Head {
	return dialect.Head{ID: strings.ReplaceAll(r.ID, "-", ""), Model: anthropic.ModelName(string(model)), Created: at.Unix()}
}
