package compat

import (
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"fairway/internal/config"
	"fairway/internal/server"
)

// door is a request line of the service's HTTP surface. POOL is the user pool's id.
type door struct {
	name, method, path string
	target             string // X-Amz-Target
}

// runtimeDoors are the HTTP bindings of the Bedrock Runtime API (Smithy model),
// by operation.
var runtimeDoors = map[string]door{
	"ApplyGuardrail":                     {method: "POST", path: "/guardrail/g/version/1/apply"},
	"Converse":                           {method: "POST", path: "/model/m/converse"},
	"ConverseStream":                     {method: "POST", path: "/model/m/converse-stream"},
	"CountTokens":                        {method: "POST", path: "/model/m/count-tokens"},
	"GetAsyncInvoke":                     {method: "GET", path: "/async-invoke/i"},
	"InvokeGuardrailChecks":              {method: "POST", path: "/guardrail-checks/invoke"},
	"InvokeModel":                        {method: "POST", path: "/model/m/invoke"},
	"InvokeModelWithBidirectionalStream": {method: "POST", path: "/model/m/invoke-with-bidirectional-stream"},
	"InvokeModelWithResponseStream":      {method: "POST", path: "/model/m/invoke-with-response-stream"},
	"ListAsyncInvokes":                   {method: "GET", path: "/async-invoke"},
	"StartAsyncInvoke":                   {method: "POST", path: "/async-invoke"},
}

// otherDoors are the rest of the HTTP surface that the design names, by group.
var otherDoors = []struct {
	group string
	doors []door
}{
	{"Bedrock control plane", []door{
		{name: "ListInferenceProfiles", method: "GET", path: "/inference-profiles"},
		{name: "CreateInferenceProfile", method: "POST", path: "/inference-profiles"},
		{name: "GetInferenceProfile", method: "GET", path: "/inference-profiles/p"},
		{name: "DeleteInferenceProfile", method: "DELETE", path: "/inference-profiles/p"},
		{name: "ListFoundationModels", method: "GET", path: "/foundation-models"},
		{name: "GetFoundationModel", method: "GET", path: "/foundation-models/m"},
		{name: "TagResource", method: "POST", path: "/tagResource"},
		{name: "UntagResource", method: "POST", path: "/untagResource"},
		{name: "ListTagsForResource", method: "POST", path: "/listTagsForResource"},
	}},
	{"OpenAI dialect", []door{
		{name: "POST /v1/chat/completions", method: "POST", path: "/v1/chat/completions"},
		{name: "GET /v1/models", method: "GET", path: "/v1/models"},
	}},
	{"Anthropic dialect", []door{
		{name: "POST /v1/messages", method: "POST", path: "/v1/messages"},
		{name: "POST /v1/messages/count_tokens", method: "POST", path: "/v1/messages/count_tokens"},
	}},
	{"Cognito", []door{
		{name: "jwks.json", method: "GET", path: "/POOL/.well-known/jwks.json"},
		{name: "AWSCognitoIdentityProviderService", method: "POST", path: "/", target: "AWSCognitoIdentityProviderService.InitiateAuth"},
		{name: "AWSCognitoIdentityService", method: "POST", path: "/", target: "AWSCognitoIdentityService.GetId"},
	}},
	{"operating a server", []door{
		{name: "/api/regions", method: "GET", path: "/api/regions"},
		{name: "/healthz", method: "GET", path: "/healthz"},
		{name: "/readyz", method: "GET", path: "/readyz"},
		{name: "/metrics", method: "GET", path: "/metrics"},
		{name: "/console/", method: "GET", path: "/console/"},
	}},
}

// doorFeatures knocks at every door of a server.
func doorFeatures(t *testing.T) []feature {
	t.Helper()
	s := newServer(t)
	var features []feature
	client := reflect.TypeFor[*bedrockruntime.Client]()
	for method := range client.Methods() {
		if method.Name == "Options" {
			continue
		}
		d, ok := runtimeDoors[method.Name]
		if !ok {
			t.Errorf("no door for the operation %s of the AWS SDK: add its HTTP binding", method.Name)
			continue
		}
		features = append(features, feature{"Bedrock Runtime", method.Name, d.knock(s)})
	}
	if len(features) != len(runtimeDoors) {
		t.Errorf("the AWS SDK has %d of the %d operations in the table", len(features), len(runtimeDoors))
	}
	for _, group := range otherDoors {
		for _, d := range group.doors {
			features = append(features, feature{group.group, d.name, d.knock(s)})
		}
	}
	return features
}

// graphqlFeatures are the transports of the GraphQL API.
func graphqlFeatures(t *testing.T) []feature {
	t.Helper()
	s := newServer(t)
	return []feature{
		{"GraphQL transport", "POST /graphql", door{method: "POST", path: "/graphql"}.knock(s)},
		{"GraphQL transport", "GET /graphql/realtime", door{method: "GET", path: "/graphql/realtime"}.knock(s)},
	}
}

func newServer(t *testing.T) *server.Server {
	t.Helper()
	b, err := folder{}.load(t)
	if err != nil {
		t.Fatal(err)
	}
	settings := config.Default()
	settings.Simulate.Speed = config.Instant
	s, err := server.New(t.Context(), server.Options{Config: settings, Backend: b, Development: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// knock tells whether anybody answers: what nobody serves is an unknown operation.
func (d door) knock(s *server.Server) state {
	path := strings.Replace(d.path, "POOL", s.Outputs().UserPool.ID, 1)
	r := httptest.NewRequest(d.method, "http://127.0.0.1:20002"+path, strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	if d.target != "" {
		r.Header.Set("X-Amz-Target", d.target)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	for name, values := range w.Header() { // spelled as the service does, not as Go
		if strings.EqualFold(name, "X-Amzn-ErrorType") && strings.HasPrefix(values[0], "UnknownOperationException:") {
			return absent
		}
	}
	return works
}
