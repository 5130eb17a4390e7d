package amplify

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/backend"
)

// TestAuthorization follows computeDefaultAuthorizationMode and the API key's
// rule (facts of the real toolchain, "API").
func TestAuthorization(t *testing.T) {
	const day = 24 * time.Hour
	type modes []backend.Mode
	for _, test := range []struct {
		name       string
		declared   string // the record of authorizationModes
		auth       bool
		want       backend.Mode
		additional modes
		expiry     time.Duration
		code       string // of the finding
	}{
		{"sandbox", `{}`, false, backend.APIKey, modes{backend.IAM}, 7 * day, ""},
		{"auth alone", `{}`, true, backend.UserPool, modes{backend.IAM}, 0, ""},
		{"seed", `{"default":"apiKey","apiKey":{"expiresInDays":30}}`, true,
			backend.APIKey, modes{backend.UserPool, backend.IAM}, 30 * day, ""},
		{"key by default", `{"default":"apiKey"}`, false, backend.APIKey, modes{backend.IAM}, 7 * day, ""},
		{"key without days", `{"apiKey":{}}`, false, backend.APIKey, modes{backend.IAM}, 7 * day, ""},
		{"additional key", `{"default":"userPool","apiKey":{"expiresInDays":1}}`, true,
			backend.UserPool, modes{backend.APIKey, backend.IAM}, day, ""},
		{"oidc alone", `{"oidc":{"issuer":"https://login.example.com","fromAuthInSeconds":60}}`, false, backend.OIDC, modes{backend.IAM}, 0, ""},
		{"lambda alone", `{"lambda":{}}`, false, backend.Lambda, modes{backend.IAM}, 0, ""},
		{"identity pool", `{"default":"identityPool"}`, true, backend.IAM, modes{backend.UserPool}, 0, ""},
		{"choice", `{"apiKey":{},"oidc":{}}`, false,
			backend.APIKey, modes{backend.OIDC, backend.IAM}, 7 * day, "missing-default-authorization-mode"},
		{"user pool without auth", `{"default":"userPool"}`, false,
			backend.UserPool, modes{backend.IAM}, 0, "missing-auth"},
		{"unknown", `{"default":"cognito"}`, false, backend.APIKey, modes{backend.IAM}, 7 * day, "unknown-authorization-mode"},
	} {
		var d dataRecord
		if err := json.Unmarshal([]byte(test.declared), &d.Authorization); err != nil {
			t.Fatal(err)
		}
		var found findings
		got := authorization(d, test.auth, &found)
		want := backend.Authorization{
			Default: test.want, Additional: test.additional, APIKeyExpiry: test.expiry,
			OIDC: got.OIDC, AuthorizerTTL: got.AuthorizerTTL, // of TestProviders
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: authorization (-want +got):\n%s", test.name, diff)
		}
		code := ""
		if len(found) > 0 {
			code = found[0].Code
		}
		if code != test.code {
			t.Errorf("%s: finding = %q, want %q", test.name, code, test.code)
		}
	}
}

// TestProviders is whose tokens the modes OIDC and Lambda take. An answer of
// Lambda's function holds for a minute where nothing is said.
func TestProviders(t *testing.T) {
	provider := &backend.OIDCProvider{Name: "example", Issuer: "https://login.example.com", ClientID: "a|b", AuthTTL: time.Hour, IatTTL: time.Minute}
	for _, test := range []struct {
		declared string
		oidc     *backend.OIDCProvider
		ttl      time.Duration
	}{
		{`{}`, nil, 0},
		{`{"lambda":{}}`, nil, time.Minute},
		{`{"lambda":{"timeToLiveInSeconds":0}}`, nil, 0},
		{`{"lambda":{"timeToLiveInSeconds":300}}`, nil, 5 * time.Minute},
		{`{"lambda":{"timeToLiveInSeconds":-1}}`, nil, 0},
		{`{"oidc":{}}`, &backend.OIDCProvider{}, 0},
		{`{"oidc":{"name":"example","issuer":"https://login.example.com","clientId":"a|b","fromAuthInSeconds":3600,"fromIssueInSeconds":60}}`, provider, 0},
		{`{"oidc":{"fromAuthInSeconds":1e300}}`, &backend.OIDCProvider{AuthTTL: maxLife}, 0},
	} {
		var d dataRecord
		if err := json.Unmarshal([]byte(test.declared), &d.Authorization); err != nil {
			t.Fatal(err)
		}
		var found findings
		got := authorization(d, false, &found)
		if diff := cmp.Diff(test.oidc, got.OIDC); diff != "" || got.AuthorizerTTL != test.ttl {
			t.Errorf("authorization(%s): TTL %v, want %v; provider (-want +got):\n%s", test.declared, got.AuthorizerTTL, test.ttl, diff)
		}
	}
}
