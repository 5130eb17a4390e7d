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
			Email: true, RequiredAttributes: []string{"email"}, VerificationTypes: []string{"email"}, MFA: "NONE", PasswordMinLength: 8,
		},
		Introspection: introspection,
	}
}

var local = Fairway{
	Endpoint: "http://127.0.0.1:20002",
	GraphQL:  GraphQL{URL: "https://bbbbbbbbbbbbbbbbbbbbbbbbbb.appsync-api.ap-southeast-1.amazonaws.com/graphql", APIKey: "da2-cccccccccccccccccccccccccc"},
	Region:   "ap-southeast-1",
	UserPool: UserPool{ID: "ap-southeast-1_Aaaaaaaaa", ClientID: "1h57kf5cpq17m0eml12EXAMPLE"},
}

// TestAmplifyEqualsToolchain compares with what the real client-config package
// made for the guide, less the identity pool that does not answer yet.
func TestAmplifyEqualsToolchain(t *testing.T) {
	raw, err := os.ReadFile("testdata/seed.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	delete(want["auth"].(map[string]any), "identity_pool_id")
	introspection := want["data"].(map[string]any)["model_introspection"].(map[string]any)

	file, err := Amplify(seed(introspection), local)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(file, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Amplify(seed) differs (-want +got):\n%s", diff)
	}
	if text := string(file); strings.Index(text, `"auth"`) > strings.Index(text, `"data"`) {
		t.Errorf("Amplify(seed) has data before auth, want the toolchain's order")
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
	if got.Custom["api"] != "x" || !got.Data.Extra || got.Data.URL != local.GraphQL.URL {
		t.Errorf("Amplify = %s, want the added keys merged", file)
	}
}

// TestWriteKeepsForeignFiles covers the promise that nothing of the user's is lost.
func TestWriteKeepsForeignFiles(t *testing.T) {
	dir := t.TempDir()
	f := Folder{Dir: dir}
	amplify := filepath.Join(dir, AmplifyFile)

	if err := f.Write([]byte("{}\n"), local); err != nil {
		t.Fatalf("first Write = %v, want nil", err)
	}
	if err := f.Write([]byte("{\"a\":1}\n"), local); err != nil {
		t.Fatalf("Write over our own = %v, want nil", err)
	}
	if err := os.WriteFile(amplify, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := f.Write([]byte("{}\n"), local)
	if foreign, ok := errors.AsType[*Foreign](err); !ok || foreign.Path != amplify {
		t.Fatalf("Write over a changed file = %v, want *Foreign for it", err)
	}
	if have, _ := os.ReadFile(amplify); string(have) != "theirs" {
		t.Errorf("the file holds %q, want it untouched", have)
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
	for _, name := range []string{FairwayFile, AmplifyFile} {
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
