package graphql

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/backend"
	"fairway/internal/inference"
)

func TestContext(t *testing.T) {
	var got *backend.Context
	f := harness{operations: []backend.Operation{operationOf("Query.members", resolves(func(c *backend.Context) (any, error) {
		copied := *c
		got = &copied
		return "x", nil
	}))}}.front(t)
	ask(t, f, `query($unused: Int = 4){m: members @include(if: true) other: members @skip(if: $no)}`, nil, "authorization", "Cooks") // invalid: must not reach the resolver
	if got != nil {
		t.Fatal("an invalid query ran")
	}
	ask(t, f, `query Q {m: members}`, nil, "authorization", "Cooks,Ops", "X-Custom", "v")
	want := &backend.Context{
		Args: map[string]any{},
		Identity: map[string]any{
			"sub": "sub-1", "username": "ana", "issuer": "https://issuer", "groups": []any{"Cooks", "Ops"}, "sourceIp": []any{"192.0.2.1"},
			"claims": map[string]any{"sub": "sub-1", "cognito:groups": []any{"Cooks"}}, "defaultAuthStrategy": "ALLOW",
		},
		Stash: map[string]any{"awsAppsyncApiId": apiID, "amplifyApiEnvironmentName": "NONE"},
		Prev:  map[string]any{},
		Request: backend.RequestInfo{Headers: map[string]string{
			"content-type": "application/json; charset=UTF-8", "authorization": "Cooks,Ops", "x-custom": "v",
		}},
		Info:     backend.Info{FieldName: "members", ParentTypeName: "Query"},
		Env:      map[string]string{"STAGE": "test"},
		AuthType: "User Pool Authorization",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("context (-want +got):\n%s", diff)
	}
}

func TestInfo(t *testing.T) {
	var got backend.Info
	f := harness{operations: []backend.Operation{operationOf("Query.dish", resolves(func(c *backend.Context) (any, error) {
		got = c.Info
		return nil, nil
	}))}}.front(t)
	ask(t, f, `query($n: Int, $no: Boolean = false){dish(count: $n){id s: steps{text ...F} ... on Dish{name} day @include(if: $no)}} fragment F on Step {minutes}`, map[string]any{"n": 2})
	want := backend.Info{
		FieldName: "dish", ParentTypeName: "Query", Variables: map[string]any{"n": int64(2), "no": false},
		SelectionSetList:    []string{"id", "s", "s/text", "s/minutes", "name"},
		SelectionSetGraphQL: "{\n  id\n  s: steps {\n    text\n    ...F\n  }\n  ... on Dish {\n    name\n  }\n}",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ctx.info (-want +got):\n%s", diff)
	}
}

func TestPipeline(t *testing.T) {
	first := backend.Funcs{
		OnRequest: func(c *backend.Context) (any, error) { c.Stash["seen"] = "first"; return "one", nil },
		OnResponse: func(c *backend.Context) (any, error) {
			return fmt.Sprint(c.Result, "/", c.Prev), nil
		},
	}
	second := backend.Funcs{
		OnRequest: func(c *backend.Context) (any, error) { return fmt.Sprint(c.Prev, "+", c.Stash["seen"]), nil },
	}
	never := resolves(func(*backend.Context) (any, error) { return nil, errors.New("ran") })
	early := func(end bool) backend.Resolver {
		return resolves(func(*backend.Context) (any, error) { return &backend.EarlyReturn{Value: "early", End: end}, nil })
	}
	tests := []struct {
		name      string
		resolvers []backend.Resolver
		want      string
	}{
		{"stash and prev", []backend.Resolver{first, second}, "one/map[]+first"},
		{"early return goes on", []backend.Resolver{early(false), first}, "one/early"},
		{"early return ends", []backend.Resolver{first, early(true), never}, "early"},
	}
	for _, test := range tests {
		f := harness{operations: []backend.Operation{operationOf("Query.a", test.resolvers...)}}.front(t)
		_, got := ask(t, f, `{a}`, nil)
		wantBody(t, test.name, got, `{"data":{"a":"`+test.want+`"}}`)
	}
}

func TestResolverErrors(t *testing.T) {
	fail := func(err error) backend.Resolver {
		return resolves(func(*backend.Context) (any, error) { return nil, err })
	}
	entry := func(data, typ, info, message string) string {
		return `{"data":{"dish":null},"errors":[{"path":["dish"],"data":` + data + `,"errorType":` + typ + `,"errorInfo":` + info +
			`,"locations":[{"line":1,"column":2,"sourceName":null}],"message":"` + message + `"}]}`
	}
	tests := []struct {
		name     string
		resolver backend.Resolver
		want     string
		logged   string
	}{
		{"util.error", fail(&backend.Error{Message: "no rice", Type: "Kitchen", Data: map[string]any{"id": 1.0, "name": "x"}, Info: map[string]any{"left": 0.0}}),
			entry(`{"id":1}`, `"Kitchen"`, `{"left":0}`, "no rice"), ""},
		{"util.error without a type", fail(&backend.Error{Message: "no rice"}), entry("null", "null", "null", "no rice"), ""},
		{"runtime error", fail(fmt.Errorf("bedrock.js:4: null.join: %w", &backend.Error{Message: "Runtime Error", Type: "Code"})),
			entry("null", `"Code"`, "null", "Runtime Error"), "bedrock.js:4: null.join"},
		{"any other error", fail(errors.New("disk on fire")), entry("null", `"Code"`, "null", "Runtime Error"), "disk on fire"},
		{"panic", resolves(func(*backend.Context) (any, error) { panic("boom") }), entry("null", `"Code"`, "null", "Runtime Error"), "panic=boom"},
		{"appendError keeps the value", resolves(func(c *backend.Context) (any, error) {
			c.AppendError(&backend.Error{Message: "half done", Type: "Partial"})
			return map[string]any{"id": "1"}, nil
		}), strings.Replace(entry("null", `"Partial"`, "null", "half done"), `{"dish":null}`, `{"dish":{"id":"1"}}`, 1), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			f := harness{operations: []backend.Operation{operationOf("Query.dish", test.resolver)}, config: Config{Log: logTo(&log)}}.front(t)
			w, got := ask(t, f, `{dish{id}}`, nil)
			wantBody(t, test.name, got, test.want)
			if !strings.Contains(log.String(), test.logged) || test.logged == "" && log.Len() > 0 {
				t.Errorf("log = %q, want %q in it", log.String(), test.logged)
			}
			if test.logged != "" && !strings.Contains(log.String(), "request_id="+w.Header().Get("x-amzn-RequestId")) {
				t.Errorf("log = %q, want the request id %s", log.String(), w.Header().Get("x-amzn-RequestId"))
			}
		})
	}
}

func TestDataSourceErrors(t *testing.T) {
	shows := backend.Funcs{
		OnRequest:  func(*backend.Context) (any, error) { return nil, nil },
		OnResponse: func(c *backend.Context) (any, error) { return fmt.Sprintf("%v %v", c.Result, c.Error), nil },
	}
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"no answer is the resolver's", &backend.DataSourceError{Message: "down", Type: "Net"}, `{"data":{"a":"\u003cnil> Net: down"}}`},
		{"malformed request", &backend.Error{Message: "Value for field '$[method]' not found.", Type: "MappingTemplate"},
			`{"data":{"a":null},"errors":[{"path":["a"],"data":null,"errorType":"MappingTemplate","errorInfo":null,"locations":[{"line":1,"column":2,"sourceName":null}],"message":"Value for field '$[method]' not found."}]}`},
		{"anything else stays inside", errors.New("secret cause"),
			`{"data":{"a":null},"errors":[{"path":["a"],"data":null,"errorType":"InternalFailure","errorInfo":null,"locations":[{"line":1,"column":2,"sourceName":null}],"message":"An internal error occurred."}]}`},
	}
	for _, test := range tests {
		f := harness{operations: []backend.Operation{operationOf("Query.a", shows)}, sources: map[string]DataSource{
			backend.NoneDataSource: sourceFunc(func(context.Context, any) (any, *inference.Record, error) { return "ignored", nil, test.err }),
		}}.front(t)
		_, got := ask(t, f, `{a}`, nil)
		wantBody(t, test.name, got, strings.ReplaceAll(test.want, `\u003c`, "<"))
	}
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := harness{operations: []backend.Operation{operationOf("Query.a", answers(nil)), operationOf("Query.dish", answers(nil))}, sources: map[string]DataSource{
			backend.NoneDataSource: sourceFunc(func(ctx context.Context, _ any) (any, *inference.Record, error) {
				<-ctx.Done()
				return nil, nil, &backend.DataSourceError{Message: "gave up"}
			}),
		}}.front(t)
		_, got := ask(t, f, `{a}`, nil)
		wantBody(t, "a", got, `{"data":{"a":null},"errors":[{"path":["a"],"data":null,"errorType":"ExecutionTimeout","errorInfo":null,`+
			`"locations":[{"line":1,"column":2,"sourceName":null}],"message":"Execution timed out."}]}`)
	})
}

func TestTrace(t *testing.T) {
	record := &inference.Record{
		ID: "r1", Model: "anthropic.x", Outcome: inference.Failed, Attempts: []inference.Attempt{{Region: "ap-southeast-1", Outcome: inference.Failed, Kind: inference.Throttling, Status: 429}},
		Error:  &inference.Failure{Status: 429, Type: inference.Throttling, Message: "Too many requests"},
		Policy: inference.Adaptive, Residency: []string{"apac"}, Fallback: "anthropic.y", Continued: 1, Wasted: inference.Usage{InputTokens: 5},
		Plan: []inference.Ranked{{Region: "ap-southeast-1", Model: "anthropic.x", Because: "named first"}},
	}
	f := harness{operations: []backend.Operation{operationOf("Query.a", answers(nil))}, sources: map[string]DataSource{
		backend.NoneDataSource: sourceFunc(func(context.Context, any) (any, *inference.Record, error) { return nil, record, nil }),
	}}.front(t)
	_, got := ask(t, f, `{x: a}`, nil)
	wantBody(t, "without the header", got, `{"data":{"x":null}}`)

	_, got = ask(t, f, `{x: a}`, nil, "x-api-key", "k", "x-fairway-trace", "1")
	var answer struct {
		Extensions struct {
			Fairway struct {
				Calls []struct {
					inference.Record
					Path []string `json:"path"`
				} `json:"calls"`
			} `json:"fairway"`
		} `json:"extensions"`
	}
	if err := json.Unmarshal([]byte(got), &answer); err != nil {
		t.Fatal(err)
	}
	calls := answer.Extensions.Fairway.Calls
	if len(calls) != 1 {
		t.Fatalf("calls = %v in %s, want one", calls, got)
	}
	if diff := cmp.Diff(*record, calls[0].Record); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"x"}, calls[0].Path); diff != "" {
		t.Errorf("path (-want +got):\n%s", diff)
	}
}

// TestRetryAfter: a response says how long to wait until all calls of it that were
// refused can be made, in whole seconds.
func TestRetryAfter(t *testing.T) {
	waits := map[string]time.Duration{"a": 90 * time.Second, "b": 2500 * time.Millisecond, "c": 0}
	var operations []backend.Operation
	for name := range waits {
		operations = append(operations, operationOf("Query."+name, backend.Funcs{
			OnRequest:  func(*backend.Context) (any, error) { return name, nil },
			OnResponse: func(*backend.Context) (any, error) { return nil, nil },
		}))
	}
	f := harness{operations: operations, sources: map[string]DataSource{
		backend.NoneDataSource: sourceFunc(func(_ context.Context, name any) (any, *inference.Record, error) {
			refused := &inference.Error{Kind: inference.Throttling, Message: "Too many requests", RetryAfter: waits[name.(string)]}
			return nil, &inference.Record{Error: &inference.Failure{Status: 429, Type: refused.Kind, RetryAfter: refused.RetryAfter}}, refused
		}),
	}}.front(t)
	for query, want := range map[string]string{`{a b c}`: "90", `{b c}`: "3", `{c}`: "", `{__typename}`: ""} {
		w, _ := ask(t, f, query, nil)
		if got := w.Header().Get("Retry-After"); w.Code != http.StatusOK || got != want {
			t.Errorf("%s: status %d, Retry-After = %q, want 200 and %q", query, w.Code, got, want)
		}
	}
}

// steeredSource is a data source that keeps how its calls are steered.
type steeredSource []inference.Steering

func (s *steeredSource) Invoke(_ context.Context, _ inference.Caller, steering inference.Steering, _ any) (any, *inference.Record, error) {
	*s = append(*s, steering)
	return nil, nil, nil
}

// TestSteering: the model calls of a request's fields go as the request says.
func TestSteering(t *testing.T) {
	source := new(steeredSource)
	f := harness{
		operations: []backend.Operation{operationOf("Query.a", answers(nil))},
		sources:    map[string]DataSource{backend.NoneDataSource: source},
	}.front(t)
	ask(t, f, `{a}`, nil)
	ask(t, f, `{a}`, nil, "x-api-key", "k", "x-fairway-policy", "cost", "x-fairway-session", "kitchen", "x-fairway-on-cut", "continue", "x-fairway-trace", "1")
	want := steeredSource{{}, {Policy: inference.Cost, Session: "kitchen", OnCut: inference.ContinueOnCut, Trace: true}}
	if diff := cmp.Diff(want, *source); diff != "" {
		t.Errorf("steering (-want +got):\n%s", diff)
	}
	w, got := ask(t, f, `{a}`, nil, "x-api-key", "k", "x-fairway-on-cut", "retry")
	wantBody(t, "with a value that is not taken", got,
		`{"errors":[{"errorType":"MalformedHttpRequestException","message":"steer call: x-fairway-on-cut does not take \"retry\": send fail or continue"}]}`)
	if w.Code != http.StatusBadRequest || len(*source) != 2 {
		t.Errorf("status %d after %d calls, want 400 and no third", w.Code, len(*source))
	}
}

func TestResponseHeaders(t *testing.T) {
	f := harness{operations: []backend.Operation{operationOf("Query.a", resolves(func(c *backend.Context) (any, error) {
		c.Header = http.Header{"X-Mine": {"1"}, "x-amzn-requestid": {"forged"}, "Content-Length": {"9999"}}
		return "A", nil
	}))}}.front(t)
	w, _ := ask(t, f, `{a}`, nil)
	if got := w.Header().Get("X-Mine"); got != "1" {
		t.Errorf("X-Mine = %q, want 1", got)
	}
	if got := w.Header().Values("X-Amzn-Requestid"); len(got) != 1 || got[0] == "forged" {
		t.Errorf("X-Amzn-Requestid = %v, want the service's own", got)
	}
	if got := w.Header().Get("Content-Length"); got != "" {
		t.Errorf("Content-Length = %q, want none of the resolver's", got)
	}
}

// A resolver may write into all it is given without another field noticing.
func TestContextsAreSeparate(t *testing.T) {
	scribble := resolves(func(c *backend.Context) (any, error) {
		c.Args["filter"].(map[string]any)["tags"].([]any)[0] = "scribbled"
		c.Identity["claims"].(map[string]any)["sub"] = "scribbled"
		c.Info.Variables["f"] = "scribbled"
		c.Request.Headers["authorization"] = "scribbled"
		c.Env["STAGE"] = "scribbled"
		return map[string]any{"id": "1"}, nil
	})
	schema := "input Filter { tags: [String] } type Dish { id: ID } type Query { dish(filter: Filter): Dish }"
	f := harness{schema: schema, def: backend.UserPool, operations: []backend.Operation{operationOf("Query.dish", scribble)}}.front(t)
	variables := map[string]any{"f": map[string]any{"tags": []any{"t"}}}
	for range 2 {
		_, got := ask(t, f, `query($f: Filter){x: dish(filter: $f){id} y: dish(filter: $f){id}}`, variables, "authorization", "user")
		wantBody(t, "scribbling", got, `{"data":{"x":{"id":"1"},"y":{"id":"1"}}}`)
	}
	if got := f.env["STAGE"]; got != "test" {
		t.Errorf("env STAGE = %q, want test", got)
	}
}
