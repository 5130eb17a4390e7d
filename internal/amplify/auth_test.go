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
		{"oidc alone", `{"oidc":true}`, false, backend.OIDC, modes{backend.IAM}, 0, ""},
		{"lambda alone", `{"lambda":true}`, false, backend.Lambda, modes{backend.IAM}, 0, ""},
		{"identity pool", `{"default":"identityPool"}`, true, backend.IAM, modes{backend.UserPool}, 0, ""},
		{"choice", `{"apiKey":{},"oidc":true}`, false,
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
		want := backend.Authorization{Default: test.want, Additional: test.additional, APIKeyExpiry: test.expiry}
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
