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
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fairway/internal/dialect"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
)

// Config is what an Upstream needs. URL is required.
type Config struct {
	URL    string                         // of the server, with or without the final /v1
	Key    func() string                  // sent as a bearer key; nil or an empty key sends none
	Model  func(inference.ModelID) string // the server's name of a foundation model; nil is its id
	Client *http.Client                   // nil is one of the Upstream's own; redirects are never followed

	// Tokens counts a conversation as the model would: for CountTokens, and for
	// answers whose usage the server does not tell. Without it the former is
	// refused and the latter have none.
	Tokens func(inference.ModelID, *dialect.Conversation) int
}

// Upstream calls one server. It is safe for concurrent use.
type Upstream struct {
	config Config
	client http.Client
	target string // URL of chat completions
}

// New makes an Upstream. The error is a URL that is none of a server.
func New(c Config) (*Upstream, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("openai upstream: the URL must be that of a server, such as http://127.0.0.1:11434/v1")
	}
	if c.Model == nil {
		c.Model = func(m inference.ModelID) string { return string(m) }
	}
	base := strings.TrimSuffix(strings.TrimRight(c.URL, "/"), "/v1")
	up := &Upstream{config: c, target: base + "/v1/chat/completions"}
	if c.Client != nil {
		up.client = *c.Client
	}
	up.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return up, nil
}

// Invoke calls the server for a target whose Model is a foundation model's id.
// Exactly one of the Stream and the error is non-nil; errors are *inference.Error
// with the region set.
func (u *Upstream) Invoke(ctx context.Context, t inference.Target, r *inference.Request) (inference.Stream, error) {
	attempt, cancel := context.WithCancel(ctx)
	invoke := u.invoke
	if r.Operation == inference.CountTokens {
		invoke = u.count
	}
	s, err := invoke(attempt, inference.ModelID(t.Model), r)
	if err == nil {
		err = attempt.Err() // a count does not look at it
	}
	if err != nil {
		cancel()
		return nil, failure(err, t.Region, ctx)
	}
	s.region, s.call, s.attempt, s.cancel = t.Region, ctx, attempt, cancel
	return s, nil
}

// invoke posts a call; the conversation is kept where its tokens may have to be
// counted.
func (u *Upstream) invoke(ctx context.Context, model inference.ModelID, r *inference.Request) (*stream, error) {
	form, err := invocation.Of(r.Operation, model)
	if err != nil {
		return nil, err
	}
	body, conversation, err := translate(form, model, r)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	answer, err := u.post(ctx, model, body)
	if err != nil {
		return nil, err
	}
	head := dialect.Head{ID: strings.ReplaceAll(r.ID, "-", ""), Model: string(model), Created: began.Unix()}
	return &stream{answer: answer, writer: form.Begin(head), began: began, tally: u.tally(model, conversation)}, nil
}

// count answers CountTokens itself: chat completions have nothing like it.
func (u *Upstream) count(_ context.Context, model inference.ModelID, r *inference.Request) (*stream, error) {
	if u.config.Tokens == nil {
		return nil, refused(inference.Validation, "The provided model doesn't support counting tokens.")
	}
	conversation, err := invocation.Counted(r.Body, model)
	if err != nil {
		return nil, err
	}
	body, err := dialect.WriteBody(map[string]int{"inputTokens": u.config.Tokens(model, conversation)})
	s := &stream{queue: []inference.Event{{Raw: body, Content: true, Final: true}}}
	s.done.Store(true)
	return s, err
}

// Reply is the model's whole answer to a conversation, without a head. Errors are
// *inference.Error of no region.
func (u *Upstream) Reply(ctx context.Context, model inference.ModelID, c *dialect.Conversation) (*dialect.Answer, error) {
	whole, err := u.reply(ctx, model, c)
	if err != nil {
		return nil, failure(err, "", ctx)
	}
	return whole, nil
}

func (u *Upstream) reply(ctx context.Context, model inference.ModelID, c *dialect.Conversation) (*dialect.Answer, error) {
	body, err := encode(c)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answer, err := u.post(ctx, model, body)
	if err != nil {
		return nil, err
	}
	defer answer.close()
	collector, tally := dialect.NewCollector(dialect.Head{}), u.tally(model, c)
	for ended := false; !ended; {
		pieces, err := answer.next()
		if err != nil {
			return nil, err
		}
		for _, p := range pieces {
			tally.add(&p)
			if err := collector.Add(p); err != nil {
				return nil, broken(err)
			}
			ended = ended || p.Kind == dialect.Ended
		}
	}
	answer.drain(cancel)
	whole, err := collector.Answer()
	if err != nil {
		return nil, broken(err)
	}
	return whole, nil
}
