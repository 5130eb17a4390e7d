package datasource

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/backend"
	"fairway/internal/inference"
)

// fake is a Sender that keeps the request and gives a set answer.
type fake struct {
	cred     inference.Credential
	caller   inference.Caller
	steering inference.Steering
	req      *inference.HTTPRequest

	res    *inference.HTTPResponse
	record *inference.Record
	err    error
}

func (f *fake) Send(_ context.Context, cred inference.Credential, caller inference.Caller, steering inference.Steering, req *inference.HTTPRequest) (*inference.HTTPResponse, *inference.Record, error) {
	f.cred, f.caller, f.steering, f.req = cred, caller, steering, req
	return f.res, f.record, f.err
}

var bedrock = backend.DataSource{
	Name: "bedrockDS", Kind: backend.HTTP, Endpoint: "https://bedrock-runtime.ap-southeast-1.amazonaws.com",
	SigningService: "bedrock", SigningRegion: "ap-southeast-1",
}

func TestInvoke(t *testing.T) {
	record := &inference.Record{ID: "r"}
	send := &fake{record: record, res: &inference.HTTPResponse{
		Status: 429,
		Header: http.Header{"x-amzn-ErrorType": {"ThrottlingException"}, "Via": {"a", "b"}},
		Body:   []byte(`{"message":"Too many requests"}`),
	}}
	principal := inference.Principal{Name: "bedrockDS", ARN: "arn:aws:iam::1:role/x"}
	caller := inference.Caller{ID: "sub", Name: "ana"}
	steering := inference.Steering{Policy: inference.Latency, Session: "kitchen"}
	result, gotRecord, err := NewHTTP(bedrock, principal, send).Invoke(t.Context(), caller, steering, map[string]any{
		"resourcePath": "/model/apac.anthropic.claude-sonnet-4-20250514-v1:0/invoke",
		"method":       "POST",
		"params":       map[string]any{"headers": map[string]any{"Content-Type": "application/json"}, "body": `{"max_tokens":1000}`},
	})
	if err != nil || gotRecord != record {
		t.Fatalf("Invoke = %v, %v, want the record and no error", gotRecord, err)
	}
	want := map[string]any{
		"statusCode": 429, "headers": map[string]any{"x-amzn-ErrorType": "ThrottlingException", "Via": "a, b"}, "body": `{"message":"Too many requests"}`,
	}
	if diff := cmp.Diff(want, result); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
	wantReq := &inference.HTTPRequest{
		Method: "POST", URL: "https://bedrock-runtime.ap-southeast-1.amazonaws.com/model/apac.anthropic.claude-sonnet-4-20250514-v1:0/invoke",
		Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"max_tokens":1000}`),
	}
	if diff := cmp.Diff(wantReq, send.req); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	if want := (inference.Credential{Principal: principal, Service: "bedrock", Region: "ap-southeast-1"}); send.cred != want || send.caller != caller || send.steering != steering {
		t.Errorf("credential, caller, steering = %v, %v, %v, want %v, %v, %v", send.cred, send.caller, send.steering, want, caller, steering)
	}
}

func TestNoAnswer(t *testing.T) {
	tests := []struct {
		name string
		send *fake
		want backend.DataSourceError
	}{
		{"in the service's words", &fake{err: &inference.Error{Kind: inference.ModelTimeout, Message: "timed out", Err: errors.New("10.0.0.1 secret")}},
			backend.DataSourceError{Type: "ModelTimeoutException", Message: "timed out"}},
		{"any other error keeps its text", &fake{err: errors.New("dial 10.0.0.1: refused")},
			backend.DataSourceError{Type: "ServiceUnavailableException", Message: "http request to bedrock-runtime.ap-southeast-1.amazonaws.com got no answer"}},
		{"too large", &fake{res: &inference.HTTPResponse{Status: 200, Body: make([]byte, MaxBody+1)}},
			backend.DataSourceError{Type: "InternalServerException", Message: "http response of bedrock-runtime.ap-southeast-1.amazonaws.com is larger than 5 MB"}},
	}
	for _, test := range tests {
		result, _, err := NewHTTP(bedrock, inference.Principal{}, test.send).Invoke(t.Context(), inference.Caller{}, inference.Steering{}, &backend.HTTPRequest{Method: "GET", ResourcePath: "/"})
		got, ok := errors.AsType[*backend.DataSourceError](err)
		if !ok || *got != test.want || result != nil {
			t.Errorf("%s: Invoke = %v, %v, want nil, %v", test.name, result, err, test.want)
		}
	}
}

func TestRequest(t *testing.T) {
	get := func(path string, params map[string]any) map[string]any {
		return map[string]any{"method": "GET", "resourcePath": path, "params": params}
	}
	tests := []struct {
		name  string
		value any
		want  inference.HTTPRequest
	}{
		{"Go form", &backend.HTTPRequest{Method: "PUT", ResourcePath: "/x", Query: map[string]string{"a": "1"}, Headers: map[string]string{"x-a": "b"}, Body: "text"},
			inference.HTTPRequest{Method: "PUT", URL: "https://h/x?a=1", Header: http.Header{"X-A": {"b"}}, Body: []byte("text")}},
		{"no params", map[string]any{"method": "DELETE", "resourcePath": "/x"}, inference.HTTPRequest{Method: "DELETE", URL: "https://h/x", Header: http.Header{}}},
		{"query", get("/x", map[string]any{"query": map[string]any{"b": "ü &=", "a": int64(1), "c": true, "d": 1.5, "e": nil}}),
			inference.HTTPRequest{Method: "GET", URL: "https://h/x?a=1&b=%C3%BC%20%26%3D&c=true&d=1.5", Header: http.Header{}}},
		{"query in the path too", get("/x?z=1", map[string]any{"query": map[string]any{"a": "1"}}), inference.HTTPRequest{Method: "GET", URL: "https://h/x?z=1&a=1", Header: http.Header{}}},
		{"path characters", get("/a:b/%3A/ü x#f\\%zz\n", nil), inference.HTTPRequest{Method: "GET", URL: "https://h/a:b/%3A/%C3%BC%20x%23f%5C%25zz%0A", Header: http.Header{}}},
		{"host stays", get("//evil.example/@evil.example", nil), inference.HTTPRequest{Method: "GET", URL: "https://h//evil.example/@evil.example", Header: http.Header{}}},
		{"object body", get("/x", map[string]any{"body": map[string]any{"b": "<", "a": []any{int64(1), nil}}}),
			inference.HTTPRequest{Method: "GET", URL: "https://h/x", Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"a":[1,null],"b":"<"}`)}},
		{"object body of a type", get("/x", map[string]any{"body": map[string]any{}, "headers": map[string]any{"content-type": "application/x-amz-json-1.1"}}),
			inference.HTTPRequest{Method: "GET", URL: "https://h/x", Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, Body: []byte(`{}`)}},
		{"text with a charset", get("/x", map[string]any{"headers": map[string]any{"Content-Type": "text/plain; charset=utf-8"}, "body": "x"}),
			inference.HTTPRequest{Method: "GET", URL: "https://h/x", Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, Body: []byte("x")}},
	}
	for _, test := range tests {
		got, err := request("https://h", test.value)
		if err != nil {
			t.Errorf("%s: request = %v", test.name, err)
			continue
		}
		if diff := cmp.Diff(&test.want, got); diff != "" {
			t.Errorf("%s: request (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestMalformedRequest(t *testing.T) {
	with := func(params map[string]any) map[string]any {
		return map[string]any{"method": "POST", "resourcePath": "/x", "params": params}
	}
	header := func(name string, value any) map[string]any {
		return with(map[string]any{"headers": map[string]any{name: value}})
	}
	tests := []struct {
		name  string
		value any
		want  string
	}{
		{"nothing", nil, "Value for field '$[resourcePath]' not found."},
		{"nil Go form", (*backend.HTTPRequest)(nil), "Value for field '$[resourcePath]' not found."},
		{"empty", map[string]any{}, "Value for field '$[resourcePath]' not found."},
		{"no method", map[string]any{"resourcePath": "/x"}, "Value for field '$[method]' not found."},
		{"text", "GET /", "The request is not an object."},
		{"unknown method", map[string]any{"resourcePath": "/x", "method": "HEAD"}, "Value for field '$[method]' is not valid: it must be one of GET, POST, PUT, PATCH, DELETE."},
		{"method in lower case", map[string]any{"resourcePath": "/x", "method": "post"}, "Value for field '$[method]' is not valid: it must be one of GET, POST, PUT, PATCH, DELETE."},
		{"method not a string", map[string]any{"resourcePath": "/x", "method": 1.0}, "Value for field '$[method]' is not valid: it must be a string."},
		{"relative path", map[string]any{"resourcePath": ".evil.example/x", "method": "GET"}, "Value for field '$[resourcePath]' is not valid: it must begin with a slash."},
		{"user in path", map[string]any{"resourcePath": "@evil.example", "method": "GET"}, "Value for field '$[resourcePath]' is not valid: it must begin with a slash."},
		{"params not an object", map[string]any{"resourcePath": "/x", "method": "GET", "params": "x"}, "Value for field '$[params]' is not valid: it must be an object."},
		{"query value", with(map[string]any{"query": map[string]any{"a": []any{}}}), "Value for field '$[params.query.a]' is not valid: it must be a string."},
		{"header value", header("x-a", 1.0), "Value for field '$[params.headers.x-a]' is not valid: it must be a string."},
		{"header name", header("x a", "1"), "Value for field '$[params.headers]' is not valid: a header name has characters that HTTP does not allow."},
		{"header with a line feed", header("x-a", "1\r\nHost: evil"), "Value for field '$[params.headers.x-a]' is not valid: it has control characters."},
		{"Host", header("HOST", "evil"), "Value for field '$[params.headers.HOST]' is not valid: this header cannot be set."},
		{"Content-Length", header("content-length", "1"), "Value for field '$[params.headers.content-length]' is not valid: this header cannot be set."},
		{"TRANSFER_ENCODING", header("TRANSFER_ENCODING", "chunked"), "Value for field '$[params.headers.TRANSFER_ENCODING]' is not valid: this header cannot be set."},
		{"User-Agent", header("User-Agent", "x"), "Value for field '$[params.headers.User-Agent]' is not valid: this header cannot be set."},
		{"content type", header("Content-Type", "image/png"), "Value for field '$[params.headers.Content-Type]' is not valid: it must be text/* or one of " + strings.Join(contentTypes, ", ") + "."},
		{"body without JSON", with(map[string]any{"body": map[string]any{"a": math.NaN()}}), "Value for field '$[params.body]' is not valid: it has no JSON form."},
		{"large body", with(map[string]any{"body": strings.Repeat("x", MaxBody+1)}), "Value for field '$[params.body]' is not valid: it is larger than 5 MB."},
	}
	send := &fake{}
	for _, test := range tests {
		result, record, err := NewHTTP(bedrock, inference.Principal{}, send).Invoke(t.Context(), inference.Caller{}, inference.Steering{}, test.value)
		got, ok := errors.AsType[*backend.Error](err)
		if !ok || got.Type != "MappingTemplate" || got.Message != test.want || result != nil || record != nil {
			t.Errorf("%s: Invoke = %v, %v, %v, want MappingTemplate: %s", test.name, result, record, err, test.want)
		}
	}
	if send.req != nil {
		t.Errorf("a malformed request was sent: %v", send.req)
	}
}

func TestNoneAndUnsupported(t *testing.T) {
	for _, test := range []struct{ value, want any }{
		{map[string]any{"payload": "p", "version": "1"}, "p"},
		{map[string]any{"payload": nil}, nil},
		{map[string]any{"a": 1.0}, map[string]any{"a": 1.0}},
		{nil, nil},
	} {
		got, _, err := None{}.Invoke(t.Context(), inference.Caller{}, inference.Steering{}, test.value)
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("None of %v = %v, %v, want %v", test.value, got, err, test.want)
		}
	}
	_, _, err := Unsupported{Name: "todos", Kind: "AMAZON_DYNAMODB"}.Invoke(t.Context(), inference.Caller{}, inference.Steering{}, nil)
	if want := "NotImplemented: data source todos is of kind AMAZON_DYNAMODB, which has no engine here yet"; err == nil || err.Error() != want {
		t.Errorf("Unsupported = %v, want %s", err, want)
	}
}
