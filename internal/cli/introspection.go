package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"fairway/backend"
	"fairway/internal/config"
	"fairway/internal/server"
)

// introspectionQuery asks for all that GraphQL clients read of a schema.
const introspectionQuery = `query IntrospectionQuery {
  __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    types { ...FullType }
    directives { name description locations args { ...InputValue } }
  }
}
fragment FullType on __Type {
  kind name description
  fields(includeDeprecated: true) { name description args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
  inputFields { ...InputValue }
  interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
fragment TypeRef on __Type {
  kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }
}`

// introspect asks the API that would be served for b about its schema.
func introspect(ctx context.Context, b *backend.Backend) (json.RawMessage, error) {
	srv, err := server.New(ctx, server.Options{Config: config.Default(), Backend: b})
	if err != nil {
		return nil, err
	}
	defer srv.Close()
	body, err := json.Marshal(map[string]string{"query": introspectionQuery})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.DefaultBaseURL+"/graphql", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if err := srv.SignIn(ctx, req, b.Authorization.Default); err != nil {
		return nil, err
	}
	answer := httptest.NewRecorder()
	srv.ServeHTTP(answer, req)
	var g graphQLAnswer
	if err := json.Unmarshal(answer.Body.Bytes(), &g); err != nil {
		return nil, err
	}
	if len(g.Errors) > 0 {
		return nil, fmt.Errorf("introspect: %s", graphQLMessages(g.Errors))
	}
	return g.Data, nil
}
