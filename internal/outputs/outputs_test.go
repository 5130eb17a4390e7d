package outputs

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/backend"
)

// seed is the guide's backend as far as outputs show it.
func seed(introspection map[string]any) *backend.Backend {
	return &backend.Backend{
		Authorization: backend.Authorization{Default: backend.APIKey, Additional: []backend.Mode{backend.UserPool, backend.IAM}},
		Auth: &backend.Auth{
			Email: true, RequiredAttributes: []string{"email"}, VerificationTypes: []string{"email"}, MFA: "NONE", AllowGuests: true,
		},
		Introspection: introspection,
	}
}

var local = Fairway{
	Endpoint: "http://127.0.0.1:20002",
	GraphQL:  GraphQL{URL: "https://bbbbbbbbbbbbbbbbbbbbbbbbbb.appsync-api.ap-southeast-1.amazonaws.com/graphql", APIKey: "da2-cccccccccccccccccccccccccc"},
	Region:   "ap-southeast-1",
	UserPool: UserPool{
		Endpoint: "http://127.0.0.1:20002",
		ID:       "ap-southeast-1_Aaaaaaaaa", ClientID: "1h57kf5cpq17m0eml12EXAMPLE",
		IdentityPoolID: "ap-southeast-1:00000000-0000-0000-0000-000000000000",
	},
}

// TestAmplifyEqualsToolchain compares with what the real client-config package
// made for the guide: the same members in the same order.
func TestAmplifyEqualsToolchain(t *testing.T) {
	raw, err := os.ReadFile("testdata/seed.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Data struct {
			Introspection map[string]json.RawMessage `json:"model_introspection"`
		}
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	sections := map[string]any{}
	for name, section := range want.Data.Introspection {
		sections[name] = section
	}
	got, err := Amplify(seed(sections), local)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(raw)), strings.TrimSpace(string(got))); diff != "" {
		t.Errorf("Amplify(seed) (-want +got):\n%s", diff)
	}
}

// TestAmplifyAuth has the settings that the guide leaves as they are.
func TestAmplifyAuth(t *testing.T) {
	b := seed(nil)
	b.Auth.MFA, b.Auth.MFAMethods = "ON", []string{"TOTP"}
	b.Auth.Groups = []string{"admins", "cooks"}
	b.Auth.AllowGuests = false
	b.Auth.Password = backend.PasswordPolicy{MinLength: 12, Lower: true}
	server := local
	server.UserPool.IdentityPoolID = ""
	file, err := Amplify(b, server)
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Auth authSection }
	if err := json.Unmarshal(file, &got); err != nil {
		t.Fatal(err)
	}
	want := authSection{
		UserPoolID: "ap-southeast-1_Aaaaaaaaa", Region: "ap-southeast-1", ClientID: "1h57kf5cpq17m0eml12EXAMPLE",
		MFAMethods: []string{"TOTP"}, RequiredAttributes: []string{"email"}, UsernameAttributes: []string{"email"},
		VerificationTypes: []string{"email"}, Groups: []groupSettings{{"admins": {0}}, {"cooks": {1}}},
		MFA: "REQUIRED", PasswordPolicy: passwordPolicy{MinLength: 12, RequireLowercase: true},
	}
	if diff := cmp.Diff(want, got.Auth); diff != "" {
		t.Errorf("auth (-want +got):\n%s", diff)
	}
	if strings.Contains(string(file), "identity_pool_id") {
		t.Errorf("Amplify without an identity pool = %s, want no identity_pool_id", file)
	}
}

// TestAmplifyMergesAddedOutputs is backend.addOutput.
func TestAmplifyMergesAddedOutputs(t *testing.T) {
	b := seed(nil)
	b.Outputs = map[string]any{"custom": map[string]any{"api": "x"}, "data": map[string]any{"extra": true}}
	file, err := Amplify(b, local)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Custom map[string]string
		Data   struct {
			Extra bool
			URL   string
		}
	}
	if err := json.Unmarshal(file, &got); err != nil {
		t.Fatal(err)
	}
	if text := string(file); strings.Index(text, `"auth"`) > strings.Index(text, `"data"`) {
		t.Errorf("Amplify = %s, want auth before data still", file)
	}
	if got.Custom["api"] != "x" || !got.Data.Extra || got.Data.URL != local.GraphQL.URL {
		t.Errorf("Amplify = %s, want the added keys merged", file)
	}
}

// TestWriteKeepsForeignFiles covers the promise that nothing of the user's is lost.
func TestWriteKeepsForeignFiles(t *testing.T) {
	dir := t.TempDir()
	f := Folder{Dir: dir}

	if err := f.Write([]byte("{}\n"), local); err != nil {
		t.Fatalf("first Write = %v, want nil", err)
	}
	if err := f.Write([]byte("{\"a\":1}\n"), local); err != nil {
		t.Fatalf("Write over our own = %v, want nil", err)
	}
	for _, name := range []string{AmplifyFile, ClientFile, FairwayFile} {
		path := filepath.Join(dir, name)
		ours, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("theirs"), 0o600); err != nil {
			t.Fatal(err)
		}
		err = f.Write([]byte("{}\n"), local)
		if foreign, ok := errors.AsType[*Foreign](err); !ok || foreign.Path != path {
			t.Fatalf("Write over a changed %s = %v, want *Foreign for it", name, err)
		}
		if have, _ := os.ReadFile(path); string(have) != "theirs" {
			t.Errorf("%s holds %q, want it untouched", name, have)
		}
		if name == FairwayFile {
			continue
		}
		if err := os.WriteFile(path, ours, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f.Force = true
	if err := f.Write([]byte("{}\n"), local); err != nil {
		t.Fatalf("Write with Force = %v, want nil", err)
	}
	if read, err := Read(dir); err != nil || read != local {
		t.Errorf("Read = %+v, %v, want what was written", read, err)
	}
}

// TestWriteIsPrivate: the files hold keys and a password.
func TestWriteIsPrivate(t *testing.T) {
	dir := t.TempDir()
	if err := (Folder{Dir: dir}).Write([]byte("{}\n"), local); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{FairwayFile, ClientFile, AmplifyFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v, want it readable by its owner only", name, info.Mode().Perm())
		}
	}
	if ignore, err := os.ReadFile(filepath.Join(dir, StateDir, ".gitignore")); err != nil || string(ignore) != "*\n" {
		t.Errorf(".gitignore of the state folder = %q, %v, want *", ignore, err)
	}
}

func TestReadMissing(t *testing.T) {
	if _, err := Read(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Read of an empty folder = %v, want ErrNotExist", err)
	}
}
