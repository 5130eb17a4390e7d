package graphql

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"fairway/backend"
	"fairway/internal/inference"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a data source that answers with what it was asked.
type echo struct{}

func (echo) Invoke(_ context.Context, _ inference.Caller, _ inference.Steering, value any) (any, *inference.Record, error) {
	return value, nil, nil
}

// sourceFunc is a data source of one function.
type sourceFunc func(ctx context.Context, value any) (any, *inference.Record, error)

func (f sourceFunc) Invoke(ctx context.Context, _ inference.Caller, _ inference.Steering, value any) (any, *inference.Record, error) {
	return f(ctx, value)
}

// answers is a resolver whose field is always v.
func answers(v any) backend.Resolver {
	return backend.Funcs{OnRequest: func(*backend.Context) (any, error) { return v, nil }}
}

// resolves is a resolver that computes the field from its context.
func resolves(f func(c *backend.Context) (any, error)) backend.Resolver {
	return backend.Funcs{OnRequest: f}
}

func testdata(t testing.TB, name string) string { return readFile(t, "testdata/"+name) }

// deployed is a schema as the real toolchain deploys it: seed, wide1 to wide3.
func deployed(t testing.TB, name string) string {
	return readFile(t, "../../amplify/schema/testdata/deployed/"+name+".graphql")
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// operation is Type.field with one function per resolver.
func operationOf(name string, resolvers ...backend.Resolver) backend.Operation {
	typ, field, _ := strings.Cut(name, ".")
	op := backend.Operation{Type: typ, Field: field}
	for _, r := range resolvers {
		op.Pipeline = append(op.Pipeline, backend.Function{DataSource: backend.NoneDataSource, Resolver: r})
	}
	return op
}

// harness makes fronts over the wide schema; callers pick modes by header.
type harness struct {
	schema     string
	def        backend.Mode
	operations []backend.Operation
	sources    map[string]DataSource
	config     Config
}

func authenticateByHeader(r *http.Request, _ []byte) (inference.Identity, error) {
	switch {
	case r.Header.Get("x-api-key") != "":
		return inference.Identity{Mode: string(backend.APIKey), SourceIP: "192.0.2.1"}, nil
	case r.Header.Get("authorization") != "":
		id := inference.Identity{
			Mode: string(backend.UserPool), Caller: inference.Caller{ID: "sub-1", Name: "ana"}, Issuer: "https://issuer",
			Claims: map[string]any{"sub": "sub-1", "cognito:groups": []any{"Cooks"}}, SourceIP: "192.0.2.1",
		}
		if groups := r.Header.Get("authorization"); groups != "user" {
			id.Groups = strings.Split(groups, ",")
		}
		return id, nil
	default:
		return inference.Identity{}, &inference.Error{Kind: inference.MissingAuth}
	}
}

func (h harness) front(t testing.TB) *Front {
	t.Helper()
	c := h.config
	c.Backend = &backend.Backend{
		Deployed:      h.schema,
		Operations:    h.operations,
		Authorization: backend.Authorization{Default: h.def, Additional: []backend.Mode{backend.UserPool, backend.IAM}},
		Env:           map[string]string{"STAGE": "test"},
	}
	if h.schema == "" {
		c.Backend.Deployed = testdata(t, "wide.graphql")
	}
	if h.def == "" {
		c.Backend.Authorization.Default = backend.APIKey
	}
	c.Prelude = testdata(t, "prelude.graphql")
	if c.Authenticate == nil {
		c.Authenticate = authenticateByHeader
	}
	c.DataSource = func(name string) DataSource {
		if ds := h.sources[name]; ds != nil {
			return ds
		}
		if name == backend.NoneDataSource {
			return echo{}
		}
		return nil
	}
	f, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// ask posts a query and gives status and body. Headers come in pairs.
func ask(t testing.TB, f http.Handler, query string, variables any, headers ...string) (*httptest.ResponseRecorder, string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json; charset=UTF-8")
	if len(headers) == 0 {
		headers = []string{"x-api-key", "da2-key"}
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	data, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(data) {
		t.Fatalf("answer to %q is not JSON: %s", query, data)
	}
	return w, string(data)
}

func wantBody(t *testing.T, query, got, want string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer to %s (-want +got):\n%s", query, diff)
	}
}

func seedOperation(r backend.Resolver) backend.Operation {
	op := operationOf("Query.askBedrock", r)
	op.Pipeline[0].DataSource = "bedrockDS"
	return op
}

const seedQuery = "query ($ingredients: [String]) {\n  askBedrock(ingredients: $ingredients) {\n    body\n    error\n  }\n}\n"

// seedResolver does what the seed's bedrock.js does.
var seedResolver = backend.Funcs{
	OnRequest: func(c *backend.Context) (any, error) {
		list, _ := c.Args["ingredients"].([]any)
		words := make([]string, len(list))
		for i, v := range list {
			words[i], _ = v.(string)
		}
		body, err := json.Marshal(map[string]any{"anthropic_version": "bedrock-2023-05-31", "max_tokens": 1000, "prompt": strings.Join(words, ", ")})
		return &backend.HTTPRequest{Method: "POST", ResourcePath: "/model/apac.x/invoke", Body: string(body)}, err
	},
	OnResponse: func(c *backend.Context) (any, error) {
		result, _ := c.Result.(map[string]any)
		body, _ := result["body"].(string)
		return map[string]any{"body": body}, nil
	},
}

func TestSeed(t *testing.T) {
	var sent string
	f := harness{
		schema:     deployed(t, "seed"),
		operations: []backend.Operation{seedOperation(seedResolver)},
		sources: map[string]DataSource{"bedrockDS": sourceFunc(func(_ context.Context, value any) (any, *inference.Record, error) {
			sent = value.(*backend.HTTPRequest).Body
			return map[string]any{"statusCode": 200, "headers": map[string]any{}, "body": "Fried <rice> & \"eggs\"\n"}, nil, nil
		})},
	}.front(t)
	variables := map[string]any{"ingredients": []any{"chicken", "rice"}}

	w, body := ask(t, f, seedQuery, variables, "authorization", "user")
	wantBody(t, "askBedrock", body, `{"data":{"askBedrock":{"body":"Fried <rice> & \"eggs\"\n","error":null}}}`)
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/json;charset=UTF-8" || len(w.Header().Get("x-amzn-RequestId")) != 36 {
		t.Errorf("status, headers = %d, %v", w.Code, w.Header())
	}
	if !strings.Contains(sent, `"prompt":"chicken, rice"`) {
		t.Errorf("request body = %s, want the ingredients joined", sent)
	}

	_, body = ask(t, f, seedQuery, variables, "x-api-key", "da2-key")
	wantBody(t, "askBedrock with an API key", body, `{"data":{"askBedrock":null},"errors":[{"path":["askBedrock"],"data":null,"errorType":"Unauthorized","errorInfo":null,`+
		`"locations":[{"line":2,"column":3,"sourceName":null}],"message":"Not Authorized to access askBedrock on type Query"}]}`)
}

func TestNewRefuses(t *testing.T) {
	resolver := answers("x")
	tests := []struct{ name, schema, want string }{
		{"bad schema", "type Query { a: Missing }", "Undefined type Missing"},
		{"no field", "type Query { b: String }", "operation Query.a: the schema has no such field: declare it or remove the operation"},
	}
	for _, test := range tests {
		_, err := New(Config{
			Backend:    &backend.Backend{Schema: test.schema, Operations: []backend.Operation{operationOf("Query.a", resolver)}},
			Prelude:    testdata(t, "prelude.graphql"),
			DataSource: func(string) DataSource { return echo{} },
		})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: New = %v, want %q", test.name, err, test.want)
		}
	}
	_, err := New(Config{
		Backend:    &backend.Backend{Schema: "type Query { a: String }", Operations: []backend.Operation{operationOf("Query.a", resolver)}},
		DataSource: func(string) DataSource { return nil },
	})
	if want := "data source NONE_DS is not known"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("New = %v, want %q", err, want)
	}
}

// logTo is a logger into buf, for tests of what the log says.
func logTo(buf *bytes.Buffer) *slog.Logger { return slog.New(slog.NewTextHandler(buf, nil)) }
