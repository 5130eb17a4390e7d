package check

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/backend"
)

// bedrockBackend is a backend in Go with one field that runs the functions, and a
// role that may call everything.
func bedrockBackend(pipeline ...backend.Function) *backend.Backend {
	return &backend.Backend{
		Schema: `type Query { ask(text: String!, count: Int, at: Where, tags: [String]): String }
input Where { place: Place, here: Boolean, again: Where }
enum Place { NORTH SOUTH }`,
		Operations: []backend.Operation{{Type: "Query", Field: "ask", At: "main.go:7", Pipeline: pipeline}},
		DataSources: []backend.DataSource{{
			Name: "bedrockDS", Kind: backend.HTTP, Endpoint: "https://bedrock-runtime.us-east-1.amazonaws.com",
			SigningService: "bedrock", SigningRegion: "us-east-1", Principal: "bedrockRole", At: "main.go:3",
		}},
		Principals: []backend.Principal{{Name: "bedrockRole", Statements: []backend.Statement{
			{Effect: "Allow", Actions: []string{"bedrock:*"}, Resources: []string{"*"}, At: "main.go:5"},
		}}},
	}
}

func invokes(model string) func(*backend.Context) (any, error) {
	return func(*backend.Context) (any, error) {
		return &backend.HTTPRequest{Method: "POST", ResourcePath: "/model/" + model + "/invoke"}, nil
	}
}

// tells passes Bedrock's error on, as one in Go does: by type assertions on what
// the HTTP data source gives.
func tells(c *backend.Context) (any, error) {
	result := c.Result.(map[string]any)
	if result["statusCode"].(int) == 200 {
		return "answer", nil
	}
	var body struct{ Message string }
	if err := json.Unmarshal([]byte(result["body"].(string)), &body); err != nil {
		return nil, err
	}
	return nil, &backend.Error{Message: body.Message, Type: result["headers"].(map[string]any)["x-amzn-ErrorType"].(string)}
}

func gives(value any) func(*backend.Context) (any, error) {
	return func(*backend.Context) (any, error) { return value, nil }
}

func panics(*backend.Context) (any, error) { panic("boom") }

// TestFuncs checks backends in Go: resolvers are run, and found by their field.
func TestFuncs(t *testing.T) {
	for _, c := range []struct {
		name     string
		resolver backend.Funcs
		want     string
	}{
		{"nothing", backend.Funcs{OnRequest: invokes("amazon.nova-micro-v1:0"), OnResponse: tells}, ""},
		{"unusable model", backend.Funcs{OnRequest: invokes("amazon.nova-mega-v1:0"), OnResponse: tells}, "error unusable-model main.go:7\n"},
		{"escaped model", backend.Funcs{OnRequest: invokes("amazon.nova-micro-v1%3A0"), OnResponse: tells}, ""},
		{"retired model", backend.Funcs{OnRequest: invokes("us.anthropic.claude-sonnet-4-20250514-v1:0"), OnResponse: tells}, "warning retired-model main.go:7\n"},
		{"swallowed errors", backend.Funcs{OnRequest: invokes("amazon.nova-micro-v1:0"), OnResponse: gives(map[string]any{"body": nil})}, "warning swallowed-errors main.go:7\n"},
		{"swallowed errors in a list", backend.Funcs{OnRequest: invokes("amazon.nova-micro-v1:0"), OnResponse: gives([]any{"", nil})}, "warning swallowed-errors main.go:7\n"},
		{"a word of the error in a list", backend.Funcs{OnRequest: invokes("amazon.nova-micro-v1:0"), OnResponse: gives([]any{nil, "busy"})}, ""},
		{"no response function passes the result on", backend.Funcs{OnRequest: invokes("amazon.nova-micro-v1:0")}, ""},
		{"panics", backend.Funcs{OnRequest: panics, OnResponse: panics}, ""},
		{"no request function", backend.Funcs{OnResponse: tells}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Run(t.Context(), bedrockBackend(backend.Function{DataSource: "bedrockDS", Resolver: c.resolver}), Options{Now: today})
			wellFormed(t, got)
			if diff := cmp.Diff(c.want, lines(got)); diff != "" {
				t.Errorf("Run differs (-want +got):\n%s", diff)
			}
		})
	}
}

// TestThrottledReaches checks that the made-up answer has the types that the HTTP
// data source gives: a resolver that asserts them passes the error on.
func TestThrottledReaches(t *testing.T) {
	f := backend.Function{DataSource: "bedrockDS", Resolver: backend.Funcs{OnResponse: tells}}
	c := newChecker(t.Context(), bedrockBackend(f), Options{Now: today})
	_, _, err := c.response(f, c.backend.Operations[0], throttled())
	want := &backend.Error{Message: "fairway check asks whether this message reaches the caller", Type: "ThrottlingException"}
	if got, ok := errors.AsType[*backend.Error](err); !ok || *got != *want {
		t.Errorf("response = %v, want %v", err, want)
	}
}

// TestArguments makes up a value for each argument, and an end to inputs that
// hold themselves.
func TestArguments(t *testing.T) {
	var got map[string]any
	record := backend.Funcs{OnRequest: func(c *backend.Context) (any, error) { got = c.Args; return nil, nil }}
	Run(t.Context(), bedrockBackend(backend.Function{DataSource: "bedrockDS", Resolver: record}), Options{Now: today})
	where := func(again any) map[string]any {
		return map[string]any{"place": "NORTH", "here": true, "again": again}
	}
	want := map[string]any{"text": "check", "count": int64(1), "at": where(where(where(nil))), "tags": []any{"check"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("arguments differ (-want +got):\n%s", diff)
	}
}

// TestByHand checks what only a backend in Go can have.
func TestByHand(t *testing.T) {
	works := backend.Function{DataSource: "bedrockDS", Resolver: backend.Funcs{OnRequest: invokes("amazon.nova-micro-v1:0"), OnResponse: tells}}
	for _, c := range []struct {
		name   string
		change func(*backend.Backend)
		want   string
	}{
		{"each invalid statement", func(b *backend.Backend) {
			b.Principals[0].Statements = []backend.Statement{
				{Effect: "Maybe", Actions: []string{"*"}, Resources: []string{"*"}, At: "main.go:1"},
				{Effect: "Allow", Resources: []string{"*"}, At: "main.go:2"},
				{Effect: "Allow", Actions: []string{"*"}},
			}
		}, "error invalid-statement :0\nerror invalid-statement main.go:1\nerror invalid-statement main.go:2\n"},
		{"two principals of one name", func(b *backend.Backend) {
			b.Principals = append(b.Principals, backend.Principal{Name: "bedrockRole"})
		}, "error invalid-statement :0\n"},
		{"a role that does not exist", func(b *backend.Backend) { b.DataSources[0].Principal = "nobody" },
			"error no-permitted-destination main.go:3\n"},
		{"a condition on the role's ARN", func(b *backend.Backend) {
			b.Principals[0].Statements[0].Conditions = map[string]map[string][]string{
				"ArnLike": {"aws:PrincipalArn": {"arn:aws:iam::123456789012:role/bedrockRole*"}},
			}
		}, ""},
		{"what has no engine", func(b *backend.Backend) {
			b.Operations = append(b.Operations, backend.Operation{Type: "Query", Field: "write", Unsupported: "a.generation", At: "main.go:9"})
		}, "warning no-engine main.go:9\n"},
		{"two data sources of one role", func(b *backend.Backend) {
			other := b.DataSources[0]
			other.Name = "other"
			b.DataSources = append(b.DataSources, other)
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bedrockBackend(works)
			c.change(b)
			got := Run(t.Context(), b, Options{Now: today})
			wellFormed(t, got)
			if diff := cmp.Diff(c.want, lines(got)); diff != "" {
				t.Errorf("Run differs (-want +got):\n%s", diff)
			}
		})
	}
}
