package graphql

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/backend"
	"fairway/internal/inference"
)

func TestAuthorization(t *testing.T) {
	schema := `
		type Plain { x: String }
		type Open @aws_api_key { x: String  y: String @aws_cognito_user_pools }
		type Query @aws_api_key {
			typeRule: Plain
			own: Open @aws_cognito_user_pools
			both: Open @aws_api_key @aws_cognito_user_pools(cognito_groups: ["Admin", "Ops"])
			old: String @aws_auth(cognito_groups: ["Admin"])
		}
		type Mutation { byDefault: String }`
	value := map[string]any{"x": "X", "y": "Y"}
	operations := []backend.Operation{
		operationOf("Query.typeRule", answers(value)), operationOf("Query.own", answers(value)), operationOf("Query.both", answers(value)),
		operationOf("Query.old", answers("old")), operationOf("Mutation.byDefault", answers("done")),
	}
	tests := []struct {
		name        string
		def         backend.Mode
		user, query string
		want        string // the answer's data
		denied      string // field and type that are refused, empty for none
	}{
		{"type's rule", backend.UserPool, "", `{typeRule{__typename}}`, `{"typeRule":{"__typename":"Plain"}}`, ""},
		{"type's rule refuses", backend.APIKey, "user", `{typeRule{x}}`, `{"typeRule":null}`, "typeRule on type Query"},
		{"default for a type without rules", backend.APIKey, "", `{typeRule{x}}`, `{"typeRule":{"x":"X"}}`, ""},
		{"default refuses a nested field", backend.UserPool, "", `{typeRule{x}}`, `{"typeRule":{"x":null}}`, "x on type Plain"},
		{"field's rule replaces the type's", backend.APIKey, "", `{own{x}}`, `{"own":null}`, "own on type Query"},
		{"nested type has its own rule", backend.APIKey, "user", `{own{x}}`, `{"own":{"x":null}}`, "x on type Open"},
		{"nested field has its own rule", backend.APIKey, "user", `{own{y}}`, `{"own":{"y":"Y"}}`, ""},
		{"one of two modes", backend.APIKey, "", `{both{x}}`, `{"both":{"x":"X"}}`, ""},
		{"group", backend.APIKey, "Cooks,Ops", `{both{y}}`, `{"both":{"y":"Y"}}`, ""},
		{"no group", backend.APIKey, "user", `{both{y}}`, `{"both":null}`, "both on type Query"},
		{"other group", backend.APIKey, "Cooks", `{both{y}}`, `{"both":null}`, "both on type Query"},
		{"aws_auth", backend.UserPool, "Admin", `{old}`, `{"old":"old"}`, ""},
		{"aws_auth refuses", backend.UserPool, "Cooks", `{old}`, `{"old":null}`, "old on type Query"},
		{"mutation by default", backend.APIKey, "", `mutation{byDefault}`, `{"byDefault":"done"}`, ""},
		{"mutation by default refuses", backend.UserPool, "", `mutation{byDefault}`, `{"byDefault":null}`, "byDefault on type Mutation"},
		{"introspection is open", backend.UserPool, "", `{__type(name: "Plain"){name}}`, `{"__type":{"name":"Plain"}}`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := harness{schema: schema, def: test.def, operations: operations}.front(t)
			headers := []string{"x-api-key", "k"}
			if test.user != "" {
				headers = []string{"authorization", test.user}
			}
			w, got := ask(t, f, test.query, nil, headers...)
			if w.Code != 200 || !strings.HasPrefix(got, `{"data":`+test.want) {
				t.Errorf("answer = %d %s, want data %s", w.Code, got, test.want)
			}
			want := `"errorType":"Unauthorized","errorInfo":null,`
			switch {
			case test.denied == "" && strings.Contains(got, `"errors"`):
				t.Errorf("answer = %s, want no errors", got)
			case test.denied != "" && (!strings.Contains(got, want) || !strings.Contains(got, `"message":"Not Authorized to access `+test.denied+`"`)):
				t.Errorf("answer = %s, want Unauthorized for %s", got, test.denied)
			}
		})
	}
}

// A refused field does not run.
func TestRefusedFieldDoesNotRun(t *testing.T) {
	ran := false
	f := harness{operations: []backend.Operation{operationOf("Query.members", resolves(func(*backend.Context) (any, error) {
		ran = true
		return "x", nil
	}))}}.front(t)
	ask(t, f, `{members}`, nil, "x-api-key", "k")
	if ran {
		t.Error("the resolver of a refused field ran")
	}
}

// as makes every caller who.
func as(who inference.Identity) func(*http.Request, []byte) (inference.Identity, error) {
	return func(*http.Request, []byte) (inference.Identity, error) { return who, nil }
}

const openSchema = `
	type Plain @aws_iam @aws_lambda @aws_oidc { x: String  y: String }
	type Query @aws_iam @aws_lambda @aws_oidc { a: Plain  b: String  users: String @aws_cognito_user_pools(cognito_groups: ["Admin"]) }
	type Mutation @aws_iam { a: String }`

func openOperations() []backend.Operation {
	return []backend.Operation{
		operationOf("Query.a", answers(map[string]any{"x": "X", "y": "Y"})), operationOf("Query.b", answers("B")),
		operationOf("Query.users", answers("U")), operationOf("Mutation.a", answers("M")),
	}
}

// TestPermit: a signed caller is asked about for each field of the operation, and for
// no other; nobody else is.
func TestPermit(t *testing.T) {
	iam := inference.Identity{Mode: string(backend.IAM), Principal: "cook"}
	denied := &inference.Error{Kind: inference.AccessDenied, Message: "User: x is not authorized to perform: appsync:GraphQL"}
	const unauthorizedB = `{"data":{"a":{"x":"X"},"b":null},"errors":[{"path":["b"],"data":null,"errorType":"Unauthorized","errorInfo":null,"locations":[{"line":1,"column":7,"sourceName":null}],"message":"Not Authorized to access b on type Query"}]}`
	tests := []struct {
		name, query string
		who         inference.Identity
		refusal     error // of Query.b
		asked       []string
		want        string
	}{
		{"allowed", `{a{x} b}`, iam, nil, []string{"Query.a", "Query.b"}, `{"data":{"a":{"x":"X"},"b":"B"}}`},
		{"denied", `{a{x} b}`, iam, denied, []string{"Query.a", "Query.b"}, unauthorizedB},
		{"mutation", `mutation{a}`, iam, denied, []string{"Mutation.a"}, `{"data":{"a":"M"}}`},
		{"policy fails", `{b}`, iam, errors.New("secret cause"), []string{"Query.b"},
			`{"data":{"b":null},"errors":[{"path":["b"],"data":null,"errorType":"InternalFailure","errorInfo":null,"locations":[{"line":1,"column":2,"sourceName":null}],"message":"An internal error occurred."}]}`},
		{"of another mode", `{users}`, iam, nil, nil,
			`{"data":{"users":null},"errors":[{"path":["users"],"data":null,"errorType":"Unauthorized","errorInfo":null,"locations":[{"line":1,"column":2,"sourceName":null}],"message":"Not Authorized to access users on type Query"}]}`},
		{"Lambda is not asked about", `{b}`, inference.Identity{Mode: string(backend.Lambda)}, denied, nil, `{"data":{"b":"B"}}`},
		{"OIDC is not asked about", `{b}`, inference.Identity{Mode: string(backend.OIDC)}, denied, nil, `{"data":{"b":"B"}}`},
	}
	for _, test := range tests {
		var mu sync.Mutex
		var asked []string
		permit := func(who *inference.Identity, typ, field string) error {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, typ+"."+field)
			if who.Principal != "cook" {
				t.Errorf("%s: Permit was asked for %+v, want cook", test.name, who)
			}
			if field == "b" {
				return test.refusal
			}
			return nil
		}
		f := harness{schema: openSchema, operations: openOperations(), config: Config{Authenticate: as(test.who), Permit: permit}}.front(t)
		_, got := ask(t, f, test.query, nil)
		wantBody(t, test.name, got, test.want)
		if slices.Sort(asked); !slices.Equal(asked, test.asked) {
			t.Errorf("%s: asked about %q, want %q", test.name, asked, test.asked)
		}
	}
	f := harness{schema: openSchema, operations: openOperations(), config: Config{Authenticate: as(iam)}}.front(t)
	if _, got := ask(t, f, `{b}`, nil); !strings.Contains(got, "Not Authorized to access b on type Query") {
		t.Errorf("without Permit: answer = %s, want b refused", got)
	}
}

// TestDeniedFields: what a Lambda authorizer denies is null, at any depth.
func TestDeniedFields(t *testing.T) {
	for name, test := range map[string]struct {
		denied []string
		want   string
	}{
		"nothing":           {nil, `{"data":{"a":{"x":"X","y":"Y"},"b":"B"}}`},
		"root":              {[]string{"Query.b"}, `{"data":{"a":{"x":"X","y":"Y"},"b":null}`},
		"nested":            {[]string{"Plain.y"}, `{"data":{"a":{"x":"X","y":null},"b":"B"}`},
		"by ARN":            {[]string{"arn:aws:appsync:us-east-1:123456789012:apis/" + backend.APIID + "/types/Plain/fields/x"}, `{"data":{"a":{"x":null,"y":"Y"},"b":"B"}`},
		"of another API":    {[]string{"arn:aws:appsync:us-east-1:123456789012:apis/other/types/Plain/fields/x"}, `{"data":{"a":{"x":"X","y":"Y"},"b":"B"}}`},
		"unknown":           {[]string{"Query", "", "Query.c", "b", "arn:aws:x"}, `{"data":{"a":{"x":"X","y":"Y"},"b":"B"}}`},
		"of the other type": {[]string{"Plain.b", "Query.x"}, `{"data":{"a":{"x":"X","y":"Y"},"b":"B"}}`},
	} {
		who := inference.Identity{Mode: string(backend.Lambda), DeniedFields: test.denied}
		f := harness{schema: openSchema, operations: openOperations(), config: Config{Authenticate: as(who)}}.front(t)
		_, got := ask(t, f, `{a{x y} b}`, nil)
		if !strings.HasPrefix(got, test.want) || strings.Contains(test.want, "null") != strings.Contains(got, `"errorType":"Unauthorized"`) {
			t.Errorf("%s: answer = %s, want %s", name, got, test.want)
		}
	}
}

// TestIdentityOfModes is ctx.identity and util.authType() by mode, and whom a data
// source is told of.
func TestIdentityOfModes(t *testing.T) {
	iam := map[string]any{"accountId": "123456789012", "userArn": "arn", "username": "role:session"}
	for _, test := range []struct {
		who      inference.Identity
		identity map[string]any
		authType string
	}{
		{
			inference.Identity{Mode: string(backend.IAM), Caller: inference.Caller{ID: "sub-1", Name: "ann"}, Claims: iam, SourceIP: "192.0.2.1"},
			map[string]any{
				"accountId": "123456789012", "userArn": "arn", "username": "role:session", "sourceIp": []any{"192.0.2.1"}, "cognitoIdentityPoolId": nil,
				"cognitoIdentityId": nil, "cognitoIdentityAuthType": nil, "cognitoIdentityAuthProvider": nil,
			}, "IAM Authorization",
		},
		{
			inference.Identity{Mode: string(backend.OIDC), Caller: inference.Caller{ID: "sub-1"}, Issuer: "https://issuer", Claims: map[string]any{"a": "b"}},
			map[string]any{"sub": "sub-1", "issuer": "https://issuer", "claims": map[string]any{"a": "b"}}, "Open ID Connect Authorization",
		},
		{
			inference.Identity{Mode: string(backend.Lambda), Claims: map[string]any{"tenant": "a"}},
			map[string]any{"resolverContext": map[string]any{"tenant": "a"}}, "Lambda Authorization",
		},
		{inference.Identity{Mode: string(backend.APIKey), Caller: inference.Caller{Key: "kiosk"}}, nil, "API Key Authorization"},
	} {
		var seen *backend.Context
		source := &callerSource{}
		op := operationOf("Query.b", resolves(func(c *backend.Context) (any, error) { seen = c; return "B", nil }))
		op.Pipeline[0].DataSource = "source"
		f := harness{
			schema: `type Query @aws_iam @aws_lambda @aws_oidc @aws_api_key { b: String }`, operations: []backend.Operation{op},
			sources: map[string]DataSource{"source": source},
			config:  Config{Authenticate: as(test.who), Permit: func(*inference.Identity, string, string) error { return nil }},
		}.front(t)
		if _, got := ask(t, f, `{b}`, nil); got != `{"data":{"b":"B"}}` {
			t.Errorf("%s: answer = %s", test.who.Mode, got)
			continue
		}
		if diff := cmp.Diff(test.identity, seen.Identity); diff != "" || seen.AuthType != test.authType {
			t.Errorf("%s: authType %q, want %q, ctx.identity (-want +got):\n%s", test.who.Mode, seen.AuthType, test.authType, diff)
		}
		if source.caller != test.who.Caller {
			t.Errorf("%s: the data source was called for %+v, want %+v", test.who.Mode, source.caller, test.who.Caller)
		}
	}
}

// callerSource notes for whom it is called.
type callerSource struct{ caller inference.Caller }

func (s *callerSource) Invoke(_ context.Context, caller inference.Caller, _ inference.Steering, value any) (any, *inference.Record, error) {
	s.caller = caller
	return value, nil, nil
}
