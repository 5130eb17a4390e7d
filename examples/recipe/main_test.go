package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fairway/backend"
	"fairway/internal/amplify"
	"fairway/internal/resolver"
	"fairway/internal/sample"
)

func loaded(t *testing.T) *backend.Backend {
	t.Helper()
	b, err := amplify.Load(context.Background(), sample.Files())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestEqualsFolder compares the Go backend with what the loader makes of the
// sample. Apart are what only a folder has: places in files, and what is derived
// from its schema for clients and for AppSync.
func TestEqualsFolder(t *testing.T) {
	ignored := cmp.Options{
		cmpopts.IgnoreFields(backend.Backend{}, "Deployed", "Introspection", "Findings", "Files"),
		cmpopts.IgnoreFields(backend.Operation{}, "At"),
		cmpopts.IgnoreFields(backend.Function{}, "Entry", "Code", "Resolver"),
		cmpopts.IgnoreFields(backend.DataSource{}, "At"),
		cmpopts.IgnoreFields(backend.Statement{}, "At", "ResourceAt"),
		cmpopts.IgnoreFields(backend.Auth{}, "At"),
		cmpopts.EquateEmpty(),
	}
	if diff := cmp.Diff(loaded(t), recipes, ignored); diff != "" {
		t.Errorf("the Go backend differs from the folder (-folder +Go):\n%s", diff)
	}
}

// TestSameResolver runs the JavaScript and the Go resolver over the same cases
// and wants the same requests, values and errors of both.
func TestSameResolver(t *testing.T) {
	js := compiled(t)
	golang := recipes.Operations[0].Pipeline[0].Resolver
	cases := resolverCases(t)
	ctx := context.Background()

	for name, c := range cases.Request {
		want, wantErr := js.Request(ctx, &backend.Context{Args: c.Args, Stash: map[string]any{}})
		got, err := golang.Request(ctx, &backend.Context{Args: c.Args, Stash: map[string]any{}})
		if (err != nil) != (wantErr != nil) {
			t.Errorf("request %s: error %v, want %v", name, err, wantErr)
			continue
		}
		if diff := cmp.Diff(plain(t, want), plain(t, asObject(got))); diff != "" {
			t.Errorf("request %s differs (-JavaScript +Go):\n%s", name, diff)
		}
	}
	for name, c := range cases.Response {
		answer := func() *backend.Context {
			b := &backend.Context{Args: map[string]any{}, Stash: map[string]any{}}
			if c.Result == nil {
				b.Error = &backend.DataSourceError{Message: c.Error.Message, Type: c.Error.Type}
				return b
			}
			b.Result = map[string]any{"statusCode": c.Result.Status, "headers": c.Result.Headers, "body": c.Result.Body}
			return b
		}
		want, wantErr := js.Response(ctx, answer())
		got, err := golang.Response(ctx, answer())
		if (err != nil) != (wantErr != nil) {
			t.Errorf("response %s: error %v, want %v", name, err, wantErr)
			continue
		}
		// undefined in the one language is null in the other; GraphQL answers null to both.
		if diff := cmp.Diff(plain(t, want), plain(t, got), cmpopts.IgnoreMapEntries(func(_ string, v any) bool { return v == nil })); diff != "" {
			t.Errorf("response %s differs (-JavaScript +Go):\n%s", name, diff)
		}
	}
	if len(cases.Request) < 6 || len(cases.Response) < 12 {
		t.Errorf("ran %d request and %d response cases, want 6 and 12", len(cases.Request), len(cases.Response))
	}
}

// TestErrorOfTheService: a resolver that reads statusCode returns Bedrock's error.
func TestErrorOfTheService(t *testing.T) {
	throttled := func() *backend.Context {
		return &backend.Context{Stash: map[string]any{}, Result: map[string]any{
			"statusCode": 429, "body": `{"message":"Too many requests"}`,
			"headers": map[string]any{"x-amzn-ErrorType": "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/"},
		}}
	}
	for name, r := range map[string]backend.Resolver{"JavaScript": compiled(t), "Go": recipes.Operations[0].Pipeline[0].Resolver} {
		_, err := r.Response(context.Background(), throttled())
		e, ok := errors.AsType[*backend.Error](err)
		if !ok || e.Type != "ThrottlingException" || e.Message != "Too many requests" {
			t.Errorf("%s response(429) = %v, want ThrottlingException: Too many requests", name, err)
		}
	}
}

func compiled(t *testing.T) *resolver.Resolver {
	t.Helper()
	f := loaded(t).Operations[0].Pipeline[0]
	r, err := resolver.Compile(f.Entry, f.Code, resolver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

type caseFile struct {
	Request map[string]struct {
		Args map[string]any `json:"args"`
	} `json:"request"`
	Response map[string]struct {
		Result *struct {
			Status  int            `json:"statusCode"`
			Headers map[string]any `json:"headers"`
			Body    string         `json:"body"`
		} `json:"ctx_result"`
		Error backend.DataSourceError `json:"ctx_error"`
	} `json:"response"`
}

func resolverCases(t *testing.T) caseFile {
	t.Helper()
	raw, err := os.ReadFile("testdata/resolver_cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases caseFile
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// asObject is a Go resolver's request in the shape that JavaScript returns.
func asObject(request any) any {
	r, ok := request.(*backend.HTTPRequest)
	if !ok {
		return request
	}
	return map[string]any{
		"method": r.Method, "resourcePath": r.ResourcePath,
		"params": map[string]any{"headers": r.Headers, "body": r.Body},
	}
}

// plain is v as JSON reads it, with the JSON text in a request's body read too:
// the two languages write its keys in another order.
func plain(t *testing.T, v any) any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	if request, ok := out.(map[string]any); ok {
		if params, ok := request["params"].(map[string]any); ok {
			if body, ok := params["body"].(string); ok {
				var parsed any
				if json.Unmarshal([]byte(body), &parsed) == nil {
					params["body"] = parsed
				}
			}
		}
	}
	return out
}
