package outputs

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/backend"
)

func decoded(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var value map[string]any
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatalf("decode %s: %v", data, err)
	}
	return value
}

// TestClientEqualsAmplify compares with what aws-amplify 6.22.1 itself made of such
// a file (testdata/client.json, the first note of its recorded calls), and the
// endpoints beside it.
func TestClientEqualsAmplify(t *testing.T) {
	raw, err := os.ReadFile("testdata/client.json")
	if err != nil {
		t.Fatal(err)
	}
	var vector struct{ Cognito, GraphQL map[string]any }
	if err := json.Unmarshal(raw, &vector); err != nil {
		t.Fatal(err)
	}
	server := local
	server.UserPool.ID, server.UserPool.ClientID = vector.Cognito["userPoolId"].(string), vector.Cognito["userPoolClientId"].(string)
	server.GraphQL.URL = vector.GraphQL["endpoint"].(string)
	vector.Cognito["userPoolEndpoint"], vector.Cognito["identityPoolEndpoint"] = server.Endpoint, server.Endpoint
	introspection := map[string]any{"version": 1.0}
	vector.GraphQL["modelIntrospection"] = introspection

	file, err := Amplify(seed(introspection), server)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Client(file, server)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"Auth": map[string]any{"Cognito": vector.Cognito}, "API": map[string]any{"GraphQL": vector.GraphQL}}
	if diff := cmp.Diff(want, decoded(t, got)); diff != "" {
		t.Errorf("Client(seed) (-want +got):\n%s", diff)
	}
	if bytes.Contains(got, []byte(server.User.Password)) && server.User.Password != "" {
		t.Error("Client(seed) holds a password")
	}
}

// TestClient has what the guide's file does not show.
func TestClient(t *testing.T) {
	b := &backend.Backend{
		Authorization: backend.Authorization{Default: backend.UserPool},
		Auth:          &backend.Auth{Phone: true, Username: true, MFA: "OPTIONAL", MFAMethods: []string{"TOTP"}, Groups: []string{"cooks"}},
		Outputs: map[string]any{
			"version": "1.4",
			"custom":  map[string]any{"team": "search", "events": map[string]any{"url": "https://events", "default_authorization_type": "AWS_IAM"}},
			"storage": map[string]any{"bucket_name": "b", "buckets": []any{map[string]any{"name": "main", "bucket_name": "b"}}},
			"geo":     map[string]any{"maps": 1},
		},
	}
	server := local
	server.UserPool.IdentityPoolID, server.GraphQL.APIKey = "", ""
	file, err := Amplify(b, server)
	if err != nil {
		t.Fatal(err)
	}
	client, err := Client(file, server)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
	"Auth": {"Cognito": {
		"userPoolId": "ap-southeast-1_Aaaaaaaaa", "userPoolClientId": "1h57kf5cpq17m0eml12EXAMPLE",
		"userPoolEndpoint": "http://127.0.0.1:20002", "groups": [{"cooks": {"precedence": 0}}],
		"passwordFormat": {"requireLowercase": true, "requireNumbers": true, "requireUppercase": true, "requireSpecialCharacters": true, "minLength": 8},
		"mfa": {"status": "optional", "smsEnabled": false, "totpEnabled": true},
		"loginWith": {"email": false, "phone": true, "username": true}, "userAttributes": {}}},
	"API": {
		"GraphQL": {"endpoint": "https://bbbbbbbbbbbbbbbbbbbbbbbbbb.appsync-api.ap-southeast-1.amazonaws.com/graphql", "defaultAuthMode": "userPool", "region": "ap-southeast-1"},
		"Events": {"endpoint": "https://events", "defaultAuthMode": "iam"}},
	"Storage": {"S3": {"bucket": "b", "buckets": {"main": {"bucketName": "b"}}}},
	"custom": {"team": "search", "events": {"url": "https://events", "default_authorization_type": "AWS_IAM"}},
	"geo": {"maps": 1}}`
	if diff := cmp.Diff(decoded(t, []byte(want)), decoded(t, client)); diff != "" {
		t.Errorf("Client (-want +got):\n%s", diff)
	}

	// A pool elsewhere, which the project names, is not called here.
	b.Outputs = map[string]any{"auth": map[string]any{"user_pool_id": "us-east-1_Elsewhere"}}
	if file, err = Amplify(b, server); err != nil {
		t.Fatal(err)
	}
	if client, err = Client(file, server); err != nil || bytes.Contains(client, []byte("Endpoint")) {
		t.Errorf("Client(pool elsewhere) = %s, %v, want no endpoints", client, err)
	}
}

func TestClientRefuses(t *testing.T) {
	for _, text := range []string{"", "[]", `{"auth": []}`, `{"auth": {`} {
		if got, err := Client([]byte(text), local); err == nil || got != nil {
			t.Errorf("Client(%q) = %s, %v, want an error", text, got, err)
		}
	}
}

// TestWriteLocal: a page that imports amplify_outputs.json needs no change.
func TestWriteLocal(t *testing.T) {
	dir := t.TempDir()
	file, err := Amplify(seed(nil), local)
	if err != nil {
		t.Fatal(err)
	}
	if err := (Folder{Dir: dir, Local: true}).Write(file, local); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if amplify, client := read(AmplifyFile), read(ClientFile); amplify != client {
		t.Errorf("%s = %s, want what %s is, %s", AmplifyFile, amplify, ClientFile, client)
	}
	if err := (Folder{Dir: dir}).Write(file, local); err != nil {
		t.Fatal(err)
	}
	if amplify := read(AmplifyFile); amplify != string(file) {
		t.Errorf("%s = %s, want the toolchain's form again", AmplifyFile, amplify)
	}
}

// FuzzClient: a file is refused, or gives JSON that aws-amplify takes for its own
// configuration, not for outputs.
func FuzzClient(f *testing.F) {
	raw, err := os.ReadFile("testdata/seed.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"version": "1", "custom": {"events": {}}, "storage": {"buckets": [{"name": "a"}]}, "a": 1, "a": 2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		client, err := Client(data, local)
		if err != nil {
			if client != nil {
				t.Fatalf("Client(%q) = %s, %v, want no file beside an error", data, client, err)
			}
			return
		}
		var got map[string]json.RawMessage
		if err := json.Unmarshal(client, &got); err != nil || got["version"] != nil {
			t.Fatalf("Client(%q) = %s: %v, want an object without a version", data, client, err)
		}
	})
}
