package resolver

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"fairway/backend"

	"github.com/google/go-cmp/cmp"
)

// read is a file of testdata as text.
func read(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func compiled(t testing.TB, code string, opts Options) *Resolver {
	t.Helper()
	r, err := Compile("data/test.js", code, opts)
	if err != nil {
		t.Fatalf("Compile: %v", err)
	}
	return r
}

// value runs body as a request handler over c and gives what it returns.
func value(t testing.TB, body string, opts Options, c *backend.Context) (any, error) {
	t.Helper()
	r := compiled(t, "import { util, runtime, extensions } from '@aws-appsync/utils';\nexport function request(ctx) { "+body+" }\nexport function response(ctx) { return ctx.result; }", opts)
	return r.Request(t.Context(), c)
}

func TestSeedCases(t *testing.T) {
	type wanted struct {
		Args   map[string]any `json:"args"`
		Result any            `json:"ctx_result"`
		Error  *struct{ Message, Type string }
		Value  any    `json:"value"`
		Fault  string `json:"runtime_error"`
		Answer *struct{ ErrorType, Message string }
	}
	var cases struct{ Request, Response map[string]wanted }
	if err := json.Unmarshal([]byte(read(t, "resolver_cases.json")), &cases); err != nil {
		t.Fatal(err)
	}
	r := compiled(t, read(t, "bedrock.js"), Options{})
	check := func(t *testing.T, w wanted, got any, err error) {
		t.Helper()
		if w.Fault == "" {
			if diff := cmp.Diff(withoutUndefined(w.Value), got, cmp.Comparer(sameNumber)); err != nil || diff != "" {
				t.Errorf("= %v, %v (-want +got):\n%s", got, err, diff)
			}
			return
		}
		answer, _ := errors.AsType[*backend.Error](err)
		if answer == nil || answer.Type != "Code" || answer.Message != "Runtime Error" {
			t.Errorf("error = %v, want the answer Code: Runtime Error", err)
		}
		detail, _ := errors.AsType[*RuntimeError](err)
		if detail == nil || detail.Line == 0 || !strings.Contains(detail.Message, "TypeError") {
			t.Errorf("detail = %#v, want a TypeError with its line", detail)
		}
	}
	for name, w := range cases.Request {
		t.Run("request/"+name, func(t *testing.T) {
			got, err := r.Request(t.Context(), &backend.Context{Args: w.Args})
			check(t, w, got, err)
		})
	}
	for name, w := range cases.Response {
		t.Run("response/"+name, func(t *testing.T) {
			got, err := r.Response(t.Context(), &backend.Context{Result: w.Result})
			check(t, w, got, err)
		})
	}
	if len(cases.Request) != 6 || len(cases.Response) != 12 {
		t.Errorf("%d request and %d response cases, want 6 and 12", len(cases.Request), len(cases.Response))
	}
}

// withoutUndefined drops what the vectors mark as undefined.
func withoutUndefined(v any) any {
	fields, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := map[string]any{}
	for k, v := range fields {
		if v != "__undefined__" {
			out[k] = withoutUndefined(v)
		}
	}
	return out
}

func sameNumber(a, b float64) bool { return a == b }

func TestPipelineHandlers(t *testing.T) {
	r := compiled(t, read(t, "pipeline.js"), Options{})
	c := &backend.Context{Stash: map[string]any{"kept": "yes"}, Prev: map[string]any{"body": "Pho"}}
	stash := c.Stash
	if got, err := r.Request(t.Context(), c); err != nil || cmp.Diff(map[string]any{}, got) != "" {
		t.Errorf("Request = %v, %v, want {}", got, err)
	}
	want := map[string]any{"kept": "yes", "awsAppsyncApiId": "api-id", "amplifyApiEnvironmentName": "NONE"}
	if diff := cmp.Diff(want, stash); diff != "" {
		t.Errorf("stash (-want +got):\n%s", diff)
	}
	if got, err := r.Response(t.Context(), c); err != nil || cmp.Diff(c.Prev, got) != "" {
		t.Errorf("Response = %v, %v, want %v", got, err, c.Prev)
	}
}

func TestContext(t *testing.T) {
	c := &backend.Context{
		Args:     map[string]any{"n": int64(1), "list": []any{1.5, nil, true}},
		Identity: map[string]any{"sub": "u-1", "groups": []string{"Admin"}},
		Source:   map[string]any{"id": "s"},
		Error:    &backend.DataSourceError{Message: "refused", Type: "Http"},
		Request:  backend.RequestInfo{Headers: map[string]string{"x-a": "b"}},
		Info: backend.Info{FieldName: "f", ParentTypeName: "Query", SelectionSetList: []string{"a", "a/b"},
			SelectionSetGraphQL: "{ a { b } }"},
		Env:      map[string]string{"STAGE": "dev"},
		AuthType: "API Key Authorization",
	}
	got, err := value(t, `
		ctx.args.n += 1;
		ctx.stash.list = [1];
		ctx.stash.list.push(2);
		return { args: ctx.arguments, same: ctx.args === ctx.arguments, identity: ctx.identity, source: ctx.source, error: ctx.error,
			stash: ctx.stash, result: ctx.result, prev: ctx.prev, request: ctx.request, info: ctx.info, env: ctx.env,
			keys: Object.keys(ctx), auth: util.authType(), missing: undefined, holes: [undefined] };`, Options{}, c)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"args": map[string]any{"n": int64(2), "list": []any{1.5, nil, true}}, "same": true,
		"identity": map[string]any{"sub": "u-1", "groups": []any{"Admin"}}, "source": map[string]any{"id": "s"},
		"error": map[string]any{"message": "refused", "type": "Http"}, "stash": map[string]any{"list": []any{int64(1), int64(2)}},
		"result": nil, "prev": map[string]any{"result": nil},
		"request": map[string]any{"headers": map[string]any{"x-a": "b"}, "domainName": nil},
		"info": map[string]any{"fieldName": "f", "parentTypeName": "Query", "variables": map[string]any{},
			"selectionSetList": []any{"a", "a/b"}, "selectionSetGraphQL": "{ a { b } }"},
		"env":  map[string]any{"STAGE": "dev"},
		"keys": []any{"arguments", "args", "identity", "source", "error", "stash", "result", "prev", "request", "info", "env"},
		"auth": "API Key Authorization", "holes": []any{nil},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Request (-want +got):\n%s", diff)
	}
	if n := c.Args["n"]; n != int64(1) {
		t.Errorf("the caller's Args changed: n = %v, want 1", n)
	}
}

func TestIdentityIsNullForAPIKeys(t *testing.T) {
	if got, err := value(t, `return ctx.identity === null;`, Options{}, &backend.Context{}); got != true {
		t.Errorf("ctx.identity === null is %v, %v, want true", got, err)
	}
}

func TestBodyKeepsItsOrder(t *testing.T) {
	got, err := value(t, `return { method: "POST", params: { body: { z: 1, a: [{ y: "\n\u0001\u2028", b: null, f: () => 1 }], n: -0, big: 1e21, no: undefined } } };`,
		Options{}, &backend.Context{})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"z":1,"a":[{"y":"\n\u0001` + "\u2028" + `","b":null}],"n":0,"big":1e+21}`
	if body := got.(map[string]any)["params"].(map[string]any)["body"]; body != want {
		t.Errorf("body = %v, want %s", body, want)
	}
}

// A module is an object too, with the runtime's functions in it.
func TestModulesAsValues(t *testing.T) {
	r := compiled(t, `import * as utils from "@aws-appsync/utils";
		import * as dynamodb from "@aws-appsync/utils/dynamodb";
		var __defProp = Object.defineProperty;
		export function request(ctx) {
			const { util } = utils;
			return {
				names: Object.keys(dynamodb), id: util.urlEncode("a b"), same: dynamodb[ctx.args.name] === dynamodb.get,
				own: typeof __defProp, found: typeof Object[ctx.args.define],
			};
		}
		export function response(ctx) { return dynamodb[ctx.args.name]({}); }`, Options{})
	c := &backend.Context{Args: map[string]any{"name": "get", "define": "defineProperty"}}
	got, err := r.Request(t.Context(), c)
	names := []any{"batchDelete", "batchGet", "batchPut", "get", "operations", "put", "query", "remove", "scan", "sync",
		"transactGet", "transactWrite", "update"}
	want := map[string]any{"names": names, "id": "a+b", "same": true, "own": "undefined", "found": "undefined"}
	if diff := cmp.Diff(any(want), got); err != nil || diff != "" {
		t.Errorf("Request = %v, %v (-want +got):\n%s", got, err, diff)
	}
	_, err = r.Response(t.Context(), c)
	if want := "@aws-appsync/utils/dynamodb.get is not available yet"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Response = %v, want %s", err, want)
	}
}

func TestErrors(t *testing.T) {
	info := backend.Info{FieldName: "askBedrock", ParentTypeName: "Query"}
	tests := []struct {
		body string
		want *backend.Error
	}{
		{`util.error("m");`, &backend.Error{Message: "m"}},
		{`util.error("m", "T", { a: 1 }, [2]);`, &backend.Error{Message: "m", Type: "T", Data: map[string]any{"a": int64(1)}, Info: []any{int64(2)}}},
		{`[1].map((x) => util.error("inside " + x)); `, &backend.Error{Message: "inside 1"}},
		{`util.unauthorized();`, &backend.Error{Type: "Unauthorized", Message: "Not Authorized to access askBedrock on type Query"}},
		{`util.dynamodb.toDynamoDB(1);`, &backend.Error{Type: "Code", Message: "util.dynamodb.toDynamoDB is not available yet"}},
		{`extensions.setSubscriptionFilter({});`, &backend.Error{Type: "Code", Message: "extensions.setSubscriptionFilter is not available yet"}},
		{`util.nothing();`, &backend.Error{Type: "Code", Message: "Runtime Error"}},
	}
	for _, tt := range tests {
		_, err := value(t, tt.body, Options{}, &backend.Context{Info: info})
		got, _ := errors.AsType[*backend.Error](err)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s error (-want +got):\n%s", tt.body, diff)
		}
	}
}

func TestErrorsThatAreIgnored(t *testing.T) {
	c := &backend.Context{}
	got, err := value(t, `util.error(25); util.error("m", 3); util.appendError({}); util.appendError("kept", "T"); return 1;`, Options{}, c)
	if got != int64(1) || err != nil {
		t.Errorf("Request = %v, %v, want 1", got, err)
	}
	if diff := cmp.Diff([]*backend.Error{{Message: "kept", Type: "T"}}, c.Appended); diff != "" {
		t.Errorf("Appended (-want +got):\n%s", diff)
	}
}

func TestEarlyReturn(t *testing.T) {
	for options, end := range map[string]bool{``: false, `, { skipTo: "NEXT" }`: false, `, { skipTo: "END" }`: true} {
		got, err := value(t, `if (true) runtime.earlyReturn({ a: 1 }`+options+`); return 2;`, Options{}, &backend.Context{})
		want := &backend.EarlyReturn{Value: map[string]any{"a": int64(1)}, End: end}
		if diff := cmp.Diff(any(want), got); err != nil || diff != "" {
			t.Errorf("earlyReturn(%s) = %v, %v (-want +got):\n%s", options, got, err, diff)
		}
	}
	r := compiled(t, `export const request = () => ({}); export const response = () => runtime.earlyReturn(1);`, Options{})
	if _, err := r.Response(t.Context(), &backend.Context{}); !strings.Contains(detail(err), "request only") {
		t.Errorf("earlyReturn in response: %v", err)
	}
}

// detail is the operator's message of a runtime error.
func detail(err error) string {
	if e, ok := errors.AsType[*RuntimeError](err); ok {
		return e.Message
	}
	return ""
}

func TestRuntimeErrorLine(t *testing.T) {
	code := "import { util } from '@aws-appsync/utils';\n\ntype T = { a: string };\nexport function request(ctx: any) {\n  const t: T | null = null;\n  for (const x of [1]) {\n    util.time.nowISO8601();\n    t.a.b = x;\n  }\n}\nexport function response() {}\n"
	r, err := Compile("data/test.ts", code, Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Request(context.Background(), &backend.Context{})
	e, ok := errors.AsType[*RuntimeError](err)
	if !ok || e.Line != 8 || e.Entry != "data/test.ts" {
		t.Errorf("error = %#v, want line 8 of data/test.ts", err)
	}
}
