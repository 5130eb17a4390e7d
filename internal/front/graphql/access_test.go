package graphql

import (
	"strings"
	"testing"

	"fairway/backend"
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
