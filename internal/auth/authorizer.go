package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"fairway/backend"
	"fairway/internal/inference"
	"fairway/internal/wire/uuid"
)

const (
	authorizerTimeout = 10 * time.Second // AppSync's own for the function
	maxDecision       = 64 << 10         // bytes of an authorizer's answer
	maxKeptDecision   = 8 << 10          // of one that is remembered
	maxDecisions      = 4096             // remembered ones
	maxTTL            = time.Hour        // AppSync's own
	maxDeniedFields   = 1000
)

// AuthorizerOptions are what an Authorizer is made of. URL, Log and Now are required.
type AuthorizerOptions struct {
	URL     string // https, or on this machine: [CheckURL]
	Account string
	TTL     time.Duration // of answers that do not say; 0 asks each time
	Client  *http.Client  // nil is one of our own
	Log     *slog.Logger
	Now     func() time.Time
}

// Authorizer decides about tokens by asking an HTTP service what AppSync asks the
// Lambda function of the mode AWS_LAMBDA. Its methods may be called concurrently.
type Authorizer struct {
	options   AuthorizerOptions
	client    http.Client
	decisions *lru.Cache[digest, kept]
}

// kept is a decision and how long it holds.
type kept struct {
	decision decision
	until    time.Time
}

// question is the event of a Lambda authorizer (AppSync Developer Guide, "AWS_LAMBDA
// authorization").
type question struct {
	Token   string            `json:"authorizationToken"`
	Context questionContext   `json:"requestContext"`
	Headers map[string]string `json:"requestHeaders"`
}

type questionContext struct {
	API       string          `json:"apiId"`
	Account   string          `json:"accountId"`
	Request   string          `json:"requestId"`
	Query     string          `json:"queryString"`
	Operation string          `json:"operationName"`
	Variables json.RawMessage `json:"variables"`
}

// decision is what it answers, on the same page. The context is flat.
type decision struct {
	IsAuthorized bool           `json:"isAuthorized"`
	Context      map[string]any `json:"resolverContext"`
	DeniedFields []string       `json:"deniedFields"` // "Type.field", or a field's ARN
	TTL          *float64       `json:"ttlOverride"`  // seconds
}

// NewAuthorizer asks the service of the options, whose answers it remembers by token.
func NewAuthorizer(o AuthorizerOptions) *Authorizer {
	cache, err := lru.New[digest, kept](maxDecisions)
	if err != nil {
		panic(err) // the size is a positive constant
	}
	a := &Authorizer{options: o, decisions: cache}
	if o.Client != nil {
		a.client = *o.Client
	}
	a.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return a
}

// identify gives whom the service lets in. Every other end, also that there is no
// answer, is UnrecognizedClient: the log has the cause.
func (a *Authorizer) identify(r *http.Request, token string, body []byte) (inference.Identity, error) {
	key := digestOf(token)
	known, ok := a.decisions.Get(key)
	if !ok || !a.options.Now().Before(known.until) {
		answer, size, err := a.ask(r, token, body)
		if err != nil {
			a.options.Log.LogAttrs(r.Context(), slog.LevelWarn, "authorizer failed", slog.Any("error", err))
			return inference.Identity{}, refuse(inference.UnrecognizedClient, msgNotAuthorized)
		}
		known = kept{answer, a.options.Now().Add(a.ttl(answer))}
		if a.decisions.Remove(key); a.options.Now().Before(known.until) && size <= maxKeptDecision {
			a.decisions.Add(key, known)
		}
	}
	if !known.decision.IsAuthorized {
		return inference.Identity{}, refuse(inference.UnrecognizedClient, msgNotAuthorized)
	}
	return inference.Identity{
		Mode: string(backend.Lambda), Claims: known.decision.Context, DeniedFields: known.decision.DeniedFields,
	}, nil
}

func (a *Authorizer) ttl(d decision) time.Duration {
	if d.TTL == nil {
		return a.options.TTL
	}
	return time.Duration(min(max(*d.TTL, 0), maxTTL.Seconds()) * float64(time.Second))
}

// ask is the service's answer, and its size in bytes.
func (a *Authorizer) ask(r *http.Request, token string, body []byte) (decision, int, error) {
	if err := CheckURL(a.options.URL); err != nil {
		return decision{}, 0, fmt.Errorf("ask authorizer: its URL: %w", err)
	}
	event, err := json.Marshal(a.question(r, token, body))
	if err != nil {
		return decision{}, 0, fmt.Errorf("ask authorizer: %w", err)
	}
	ctx, cancel := context.WithTimeout(r.Context(), authorizerTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.options.URL, bytes.NewReader(event))
	if err != nil {
		return decision{}, 0, fmt.Errorf("ask authorizer: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := a.client.Do(request)
	if err != nil {
		return decision{}, 0, fmt.Errorf("ask authorizer: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return decision{}, 0, fmt.Errorf("ask authorizer: status %d", response.StatusCode)
	}
	answer, err := readAtMost(response.Body, maxDecision)
	if err != nil {
		return decision{}, 0, fmt.Errorf("ask authorizer: %w", err)
	}
	d, err := parseDecision(answer)
	return d, len(answer), err
}

// question is the event for r. What is not a GraphQL request yet has no query.
func (a *Authorizer) question(r *http.Request, token string, body []byte) question {
	var asked struct {
		Query         string          `json:"query"`
		OperationName string          `json:"operationName"`
		Variables     json.RawMessage `json:"variables"`
	}
	if err := json.Unmarshal(body, &asked); err != nil || asked.Variables == nil {
		asked.Variables = json.RawMessage("{}")
	}
	headers := make(map[string]string, len(r.Header))
	for name, values := range r.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	return question{
		Token: token, Headers: headers,
		Context: questionContext{
			API: backend.APIID, Account: a.options.Account, Request: uuid.New(),
			Query: asked.Query, Operation: asked.OperationName, Variables: asked.Variables,
		},
	}
}

// parseDecision reads an authorizer's answer. One that does not say that the caller is
// let in does not.
func parseDecision(text []byte) (decision, error) {
	var d decision
	if err := json.Unmarshal(text, &d); err != nil {
		return decision{}, errors.New("read authorizer's answer: it is not {isAuthorized, resolverContext, deniedFields, ttlOverride}")
	}
	if len(d.DeniedFields) > maxDeniedFields {
		return decision{}, fmt.Errorf("read authorizer's answer: it denies more than %d fields", maxDeniedFields)
	}
	for name, value := range d.Context {
		switch value.(type) {
		case map[string]any, []any:
			return decision{}, fmt.Errorf("read authorizer's answer: resolverContext holds more than a text, a number or a truth value in %.64q", name)
		}
	}
	return d, nil
}
