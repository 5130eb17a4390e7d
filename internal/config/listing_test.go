package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func loadFile(t *testing.T, file string) (*Config, Origins) {
	t.Helper()
	c, o, err := Load(Source{File: file})
	if err != nil {
		t.Fatalf("Load(%s) error = %v", file, err)
	}
	return c, o
}

func loadText(t *testing.T, text string) (*Config, Origins, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), FileName)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(Source{File: file})
}

// Statements keep the lines that they have where they are written.
func TestDocuments(t *testing.T) {
	c, _ := loadFile(t, "testdata/good-serve.yaml")
	checkout := c.Principals[0]
	for _, test := range []struct {
		name string
		doc  Document
		at   []string
	}{
		{"in place", checkout.Policies[0], []string{"good-serve.yaml:41", "good-serve.yaml:48"}},
		{"in a file", checkout.Policies[1], []string{"policies/models.json:4", "policies/models.json:6"}},
		{"one statement in a file", checkout.Boundary, []string{"policies/one.json:4"}},
		{"one statement in place", c.ServiceControlPolicies[0], []string{"good-serve.yaml:54"}},
	} {
		if diff := cmp.Diff(test.at, test.doc.At); diff != "" {
			t.Errorf("%s: positions (-want +got):\n%s", test.name, diff)
		}
		var document struct{ Statement json.RawMessage }
		if err := json.Unmarshal(test.doc.Text, &document); err != nil || document.Statement == nil {
			t.Errorf("%s: text %s: %v, want a document", test.name, test.doc.Text, err)
		}
	}
	if diff := cmp.Diff([]string{"/run/secrets/reports", "testdata/policies/models.json", "testdata/policies/one.json", "testdata/server.crt", "testdata/server.key"}, c.Files()); diff != "" {
		t.Errorf("Files() (-want +got):\n%s", diff)
	}
	if reports := c.Principals[1]; !reports.Boundary.IsZero() || len(reports.Policies) != 0 {
		t.Errorf("principal without policies = %+v, want none", reports)
	}
}

func TestStatementLinesRefuse(t *testing.T) {
	for _, text := range []string{"", "[]", `"text"`, `{"Statement": [}`, "{} {}"} {
		if got, err := statementLines([]byte(text)); err == nil {
			t.Errorf("statementLines(%q) = %v, want an error", text, got)
		}
	}
	got, err := statementLines([]byte("{\"Id\": [{\"Statement\": 1}], \"Statement\": []}"))
	if err != nil || len(got) != 0 {
		t.Errorf("statementLines(no statements) = %v, %v, want none", got, err)
	}
}

// Every statement of a JSON document has a line, and each line is one of the text.
func FuzzStatementLines(f *testing.F) {
	for _, name := range []string{"models.json", "one.json", "broken.json"} {
		text, err := os.ReadFile(filepath.Join("testdata/policies", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		lines, err := statementLines(text)
		if err != nil {
			if lines != nil || json.Unmarshal(text, new(map[string]any)) == nil {
				t.Fatalf("statementLines(%q) = %v, %v, want an error for what is no object, and nothing with it", text, lines, err)
			}
			return
		}
		before := 1
		for _, line := range lines {
			if line < before || line > 1+strings.Count(string(text), "\n") {
				t.Fatalf("statementLines(%q) = %v, want lines of the text in their order", text, lines)
			}
			before = line
		}
	})
}

func TestKeys(t *testing.T) {
	digest := sha256.Sum256([]byte("quiet"))
	env := environment(map[string]string{"KEY": "quiet"})
	for _, text := range []string{"env:KEY", "sha256:" + hex.EncodeToString(digest[:])} {
		var k BearerKey
		if err := k.UnmarshalText([]byte(text)); err != nil {
			t.Fatalf("UnmarshalText(%q) error = %v", text, err)
		}
		if got, err := k.Hash(env); got != digest || err != nil {
			t.Errorf("BearerKey(%s).Hash() = %x, %v, want %x", text, got, err, digest)
		}
	}
	if got, err := BearerKey("env:NONE").Hash(env); err == nil || got != [sha256.Size]byte{} {
		t.Errorf("Hash() of a key that is not there = %x, %v, want an error", got, err)
	}
	for text, sealed := range map[string]bool{"sealed:c2VhbGVk": true, "env:KEY": false, "file:/key": false} {
		var s KeySecret
		if err := s.UnmarshalText([]byte(text)); err != nil || s.Sealed() != sealed {
			t.Errorf("KeySecret %s: %v, sealed %t, want %t", text, err, s.Sealed(), sealed)
		}
	}
	for _, text := range []string{"hunter2", "sealed:", "sealed:hunter2", "sha256:", "sha256:hunter2", "sha256:00"} {
		for _, err := range []error{new(KeySecret).UnmarshalText([]byte(text)), new(BearerKey).UnmarshalText([]byte(text))} {
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("UnmarshalText(%q) error = %v, want one without the text", text, err)
			}
		}
	}
}

func TestSecretFileLimits(t *testing.T) {
	large := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(large, make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{large, filepath.Dir(large), large + "s"} {
		if got, err := readFile(name); err == nil || got != nil {
			t.Errorf("readFile(%s) = %d bytes, %v, want an error", name, len(got), err)
		}
	}
}

func TestAddresses(t *testing.T) {
	c, _ := loadFile(t, "testdata/good-serve.yaml")
	if got, err := c.Store.Read(environment(map[string]string{"FAIRWAY_DATABASE": "postgres://u:p@h/d"})); got != "postgres://u:p@h/d" || err != nil {
		t.Errorf("Store.Read() = %q, %v, want what the variable has", got, err)
	}
	c, _, err := loadText(t, "store: sqlite:fairway.db\nmodel: openai=http://127.0.0.1:11434/v1\n")
	if err != nil {
		t.Fatal(err)
	}
	store, err := c.Store.Read(nil)
	if path, ok := strings.CutPrefix(store, "sqlite:"); !ok || !filepath.IsAbs(path) || filepath.Base(path) != "fairway.db" || err != nil {
		t.Errorf("Store.Read() = %q, %v, want the file beside the configuration", store, err)
	}
	if server, ok := c.Model.OpenAI(); server != "http://127.0.0.1:11434/v1" || !ok {
		t.Errorf("Model.OpenAI() = %q, %t, want the URL", server, ok)
	}
	if server, ok := BedrockModel.OpenAI(); ok {
		t.Errorf("Model(bedrock).OpenAI() = %q, want none", server)
	}
}

// Only a file can say who may call.
func TestListingsOnlyInFiles(t *testing.T) {
	c, o, err := Load(Source{Env: environment(map[string]string{"FAIRWAY_PRINCIPALS": "name=x"})})
	if err != nil || c.Principals != nil || o["principals"] != "default" {
		t.Errorf("Load(principals in the environment) = %+v, %s, %v, want none", c.Principals, o["principals"], err)
	}
	_, _, err = Load(Source{Flags: map[string]string{"principals": "name=x"}})
	if err == nil || err.Error() != `flag: unknown setting "principals"` {
		t.Errorf("Load(principals as a flag) error = %v, want it unknown", err)
	}
}

func TestServeProblems(t *testing.T) {
	const key = "principals: [{name: a, bearer_keys: [\"env:KEY\"]}]\n"
	const issuer = "issuers:\n  - url: https://login.example.com\n    audiences: [fairway]\n"
	for _, test := range []struct{ text, want string }{
		{key, ""},
		{"backend: app\n", ""},
		{"store: sqlite:fairway.db\n", ""},
		{"admin: {listen: \"\"}\n", "default: principals: nobody could call: want a principal with a key, an issuer, or a backend or store that has callers"},
		{"principals: [{name: a}]\n", "fairway.yaml:1: principals: nobody could call: want a principal with a key, an issuer, or a backend or store that has callers"},
		{"listen: 0.0.0.0:80\n" + key, ""},
		{"listen: localhost:80\nbackend: app\n", ""},
		{"listen: \"[::1]:80\"\nbackend: app\n", ""},
		{"backend: app\nlisten: :80\n", "fairway.yaml:2: listen: want a principal with a key before others than this machine are let in at :80"},
		{key + "admin: {listen: 0.0.0.0:9000, token: env:TOKEN}\n", ""},
		{key + "admin:\n  listen: 0.0.0.0:9000\n", "fairway.yaml:3: admin.listen: want an admin.token before others than this machine are let in at 0.0.0.0:9000"},
		{key + "routes:\n  - {principals: [a]}\n", ""},
		{key + "routes:\n  - policy: cost\n    principals: [a, b]\n", `fairway.yaml:4: routes[0].principals: want the name of one of the principals, got "b"`},
		{"backend: app\nroutes: [{principals: [ChatDataSource]}]\n", ""},
		{"admin: {listen: \"\"}\n" + issuer, ""},
		{"listen: :80\n" + issuer, ""},
		{issuer + "    principal: users\n", `fairway.yaml:4: issuers[0].principal: want the name of one of the principals, got "users"`},
		{issuer + "    by_group: {a: users}\n    groups_claim: groups\nprincipals: [{name: users}]\n", ""},
		{"identity_pool: {guest: visitor}\n" + key, `fairway.yaml:1: identity_pool.guest: want the name of one of the principals, got "visitor"`},
		{"backend: app\nidentity_pool: {guest: unauthenticatedUserIamRole}\n", ""},
		{"principals: [{name: a, bearer_keys: [\"env:KEY\"], arn: \"arn:aws:iam::123456789012:role/a\", assumed_by: [b]}]\n", `fairway.yaml:1: principals[0].assumed_by: want the name of one of the principals, got "b"`},
		{"user_pool: {enabled: true, log_codes: true}\n", "fairway.yaml:1: master_key: want a master_key, which seals the keys that the user pool signs with"},
		{"listen: :80\nmaster_key: env:KEY\nuser_pool: {enabled: true, log_codes: true}\n", ""},
		{"master_key: env:KEY\nuser_pool: {enabled: true, sign_up: false}\n", ""},
		{"master_key: env:KEY\nuser_pool: {enabled: true}\nsmtp: {server: \"localhost:25\", from: a@example.com}\n", ""},
		{"master_key: env:KEY\nuser_pool: {enabled: true}\n", "fairway.yaml:2: smtp.server: nobody who signs up would get a code: want an smtp.server, user_pool.log_codes, or user_pool.sign_up: false"},
	} {
		c, o, err := loadText(t, test.text)
		if err != nil {
			t.Fatalf("Load(%q) error = %v", test.text, err)
		}
		got := ""
		if err := ServeProblems(c, o); err != nil {
			got = err.Error()
			if p, ok := errors.AsType[problem](err); ok {
				got = filepath.Base(p.origin) + ": " + p.cause.Error()
			}
		}
		if got != test.want {
			t.Errorf("ServeProblems(%q) = %q, want %q", test.text, got, test.want)
		}
	}
}

// The names of a backend's roles are known when that is.
func TestUnknownPrincipals(t *testing.T) {
	c, o, err := loadText(t, "backend: app\nidentity_pool:\n  guest: visitor\n  by_group: {a: editor}\nprincipals: [{name: editor}]\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := UnknownPrincipals(c, o, "visitor"); err != nil {
		t.Errorf("UnknownPrincipals(with visitor) = %v, want none", err)
	}
	const want = `fairway.yaml:3: identity_pool.guest: want the name of one of the principals, got "visitor"`
	if err := UnknownPrincipals(c, o); err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("UnknownPrincipals() = %v, want %s", err, want)
	}
}
