package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"fairway/backend"
	"fairway/internal/outputs"
	"fairway/internal/wire/sigv4"
)

// remote is a running server as its fairway_outputs.json describes it.
type remote struct {
	outputs.Fairway
	token string // of the user, once it has signed in
}

// openRemote is the server at url, asked as the outputs here say, which may be those
// of the same server under another address.
func openRemote(url string) (*remote, error) {
	url, err := serverURL(url)
	if err != nil {
		return nil, err
	}
	out, err := outputs.Read(".")
	if err != nil {
		return nil, fmt.Errorf("ask: %w: --url needs the %s of that server in this folder, for who asks", err, outputs.FairwayFile)
	}
	r := &remote{Fairway: out}
	r.Endpoint, r.UserPool.Endpoint, r.GraphQL.URL = url, url, url+"/graphql"
	return r, nil
}

// ask asks the field called name, in the first mode that may call it.
func (r *remote) ask(ctx context.Context, name string, words []string, args string) (*answer, error) {
	schema, err := r.schema(ctx)
	if err != nil {
		return nil, failed(err)
	}
	q, err := compose(schema, name, words, args)
	if err != nil {
		return nil, err
	}
	var a *answer
	for _, mode := range r.modes() {
		if a, err = r.send(ctx, mode, q); err != nil {
			return nil, failed(err)
		}
		if !a.unauthorized() {
			break
		}
	}
	return a, nil
}

// modes are those that there is a credential for.
func (r *remote) modes() []backend.Mode {
	has := map[backend.Mode]bool{backend.UserPool: r.User.Username != "", backend.APIKey: r.GraphQL.APIKey != "", backend.IAM: r.AWS.AccessKeyID != ""}
	return slices.DeleteFunc([]backend.Mode{backend.UserPool, backend.APIKey, backend.IAM}, func(m backend.Mode) bool { return !has[m] })
}

// post sends a GraphQL request as a mode has it.
func (r *remote) post(ctx context.Context, mode backend.Mode, request any) ([]byte, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	answer, err := roundTrip(ctx, http.MethodPost, r.GraphQL.URL, body, func(req *http.Request) error {
		req.Header.Set("X-Fairway-Trace", "1")
		return r.authorize(ctx, mode, req, body)
	})
	if err != nil {
		return nil, err
	}
	return answer.body, nil
}

// authorize gives a request the credential of a mode.
func (r *remote) authorize(ctx context.Context, mode backend.Mode, req *http.Request, body []byte) error {
	switch mode {
	case backend.UserPool:
		if r.token == "" {
			token, err := signIn(ctx, r.UserPool, r.User)
			if err != nil {
				return err
			}
			r.token = token
		}
		req.Header.Set("Authorization", r.token)
	case backend.APIKey:
		req.Header.Set("X-Api-Key", r.GraphQL.APIKey)
	default:
		sigv4.Sign(req, body, sigv4.Credentials{AccessKeyID: r.AWS.AccessKeyID, SecretAccessKey: r.AWS.SecretAccessKey}, r.Region, "appsync", time.Now())
	}
	return nil
}

func (r *remote) send(ctx context.Context, mode backend.Mode, q *question) (*answer, error) {
	raw, err := r.post(ctx, mode, q)
	if err != nil {
		return nil, err
	}
	return newAnswer(raw)
}

// unauthorized reports whether the mode that was asked in may not call the field.
func (a *answer) unauthorized() bool {
	var list []struct {
		Type string `json:"errorType"`
	}
	_ = json.Unmarshal(a.Errors, &list)
	return len(list) > 0 && strings.HasPrefix(list[0].Type, "Unauthorized")
}

// schema is the server's, by introspection.
func (r *remote) schema(ctx context.Context) (*ast.Schema, error) {
	modes := r.modes()
	if len(modes) == 0 {
		return nil, errors.New("ask: " + outputs.FairwayFile + " has neither a user nor a key: write it anew with fairway dev")
	}
	slices.Reverse(modes) // what asks the least of the server first; introspection is open to all
	var raw []byte
	var err error
	for _, mode := range modes {
		if raw, err = r.post(ctx, mode, map[string]string{"query": introspectionQuery}); err != nil {
			return nil, err
		}
		var answer struct {
			Data struct {
				Schema introspected `json:"__schema"`
			}
			Errors json.RawMessage
		}
		if err = json.Unmarshal(raw, &answer); err == nil && len(answer.Data.Schema.Types) > 0 {
			return gqlparser.LoadSchema(&ast.Source{Name: r.GraphQL.URL, Input: answer.Data.Schema.sdl()})
		}
		err = fmt.Errorf("ask: the server does not tell its schema: %s", cmp.Or(graphQLMessages(answer.Errors), "no GraphQL API answers at "+r.GraphQL.URL))
	}
	return nil, err
}
