package amplify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dop251/goja"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"fairway/backend"
	"fairway/internal/sample"
	"fairway/internal/seed"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata")

// archive is a txtar file with a project folder and, in the file want, what is
// expected of it.
type archive struct {
	path    string
	parsed  *txtar.Archive
	project fstest.MapFS
}

const wantFile = "want"

func archives(t *testing.T, pattern string) []archive {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("glob %s = %v, %v", pattern, paths, err)
	}
	var all []archive
	for _, path := range paths {
		parsed, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		a := archive{path: path, parsed: parsed, project: fstest.MapFS{}}
		for _, f := range parsed.Files {
			if f.Name != wantFile {
				a.project[f.Name] = &fstest.MapFile{Data: f.Data}
			}
		}
		all = append(all, a)
	}
	return all
}

// expect compares got with the archive's expectation, or writes it there.
func (a archive) expect(t *testing.T, got string) {
	t.Helper()
	for i, f := range a.parsed.Files {
		if f.Name != wantFile {
			continue
		}
		if *update {
			a.parsed.Files = append(a.parsed.Files[:i], a.parsed.Files[i+1:]...)
			break
		}
		if diff := cmp.Diff(string(f.Data), got); diff != "" {
			t.Errorf("Load(%s) (-want +got):\n%s", a.path, diff)
		}
		return
	}
	if !*update {
		t.Fatalf("%s has no file %s", a.path, wantFile)
	}
	a.parsed.Files = append(a.parsed.Files, txtar.File{Name: wantFile, Data: []byte(got)})
	if err := os.WriteFile(a.path, txtar.Format(a.parsed), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestFindings loads folders that have something wrong with them.
func TestFindings(t *testing.T) {
	for _, a := range archives(t, "testdata/findings/*.txtar") {
		t.Run(filepath.Base(a.path), func(t *testing.T) {
			b, err := Load(t.Context(), a.project)
			if b == nil {
				t.Fatalf("Load = nil, %v", err)
			}
			var got strings.Builder
			failed := false
			for _, f := range b.Findings {
				failed = failed || f.Severity == backend.SeverityError
				fmt.Fprintf(&got, "%s %s:%d %s\n\t%s\n\t%s\n", f.Severity, f.File, f.Line, f.Code, f.Message, f.Fix)
			}
			if failure, ok := errors.AsType[*LoadError](err); ok != failed {
				t.Errorf("Load's error = %v, with findings %v", err, b.Findings)
			} else if ok && len(failure.Findings) != len(b.Findings) {
				t.Errorf("len(LoadError.Findings) = %d, want %d", len(failure.Findings), len(b.Findings))
			}
			a.expect(t, got.String())
		})
	}
}

// TestBackend loads folders with nothing wrong and compares all but what
// package schema makes and the resolvers' text.
func TestBackend(t *testing.T) {
	for _, a := range archives(t, "testdata/backend/*.txtar") {
		t.Run(filepath.Base(a.path), func(t *testing.T) {
			b, err := Load(t.Context(), a.project)
			if err != nil {
				t.Fatalf("Load: %v", err)
			}
			for _, op := range b.Operations {
				for i, f := range op.Pipeline {
					if want := string(a.project[f.Entry].Data); f.Code != want {
						t.Errorf("code of %s = %q, want the file's bytes", f.Entry, f.Code)
					}
					op.Pipeline[i].Code = ""
				}
			}
			b.Schema, b.Deployed, b.Introspection = "", "", nil
			var got bytes.Buffer
			encoder := json.NewEncoder(&got)
			encoder.SetEscapeHTML(false)
			encoder.SetIndent("", "  ")
			if err := encoder.Encode(b); err != nil {
				t.Fatal(err)
			}
			a.expect(t, got.String())
		})
	}
}

func TestSeed(t *testing.T) {
	files := seed.Files(t)
	b, err := Load(t.Context(), files)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	checkRecipeApp(t, b, "<UserID>", 29)
	code, err := fs.ReadFile(files, "amplify/data/bedrock.js")
	if err != nil {
		t.Fatal(err)
	}
	if got := b.Operations[0].Pipeline[0].Code; got != string(code) {
		t.Errorf("code of bedrock.js is not the file's bytes: %q", got)
	}
	if len(b.Findings) != 0 {
		t.Errorf("findings = %v, want none", b.Findings)
	}
}

// TestSeedVectors compares the schema with the vectors of the real toolchain.
func TestSeedVectors(t *testing.T) {
	b, err := Load(t.Context(), seed.Files(t))
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	for name, got := range map[string]string{
		"testdata/seed/model-schema.graphql":    b.Schema,
		"schema/testdata/deployed/seed.graphql": b.Deployed,
	} {
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.TrimSpace(string(want)), strings.TrimSpace(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestSample(t *testing.T) {
	b, err := Load(t.Context(), sample.Files())
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	checkRecipeApp(t, b, "123456789012", 21)
	if len(b.Findings) != 0 {
		t.Errorf("findings = %v, want none", b.Findings)
	}
}

// checkRecipeApp compares b with the recipe app that the seed and the sample
// both declare. The first statement's resources start on line.
func checkRecipeApp(t *testing.T, b *backend.Backend, account string, line int) {
	t.Helper()
	const model = "anthropic.claude-sonnet-4-20250514-v1:0"
	resources := []string{"arn:aws:bedrock:ap-southeast-1:" + account + ":inference-profile/apac." + model}
	for _, region := range []string{"ap-southeast-1", "ap-northeast-1", "ap-southeast-2", "ap-northeast-2", "ap-northeast-3", "*"} {
		resources = append(resources, "arn:aws:bedrock:"+region+"::foundation-model/"+model)
	}
	want := &backend.Backend{
		Files: []string{"amplify/auth/resource.ts", "amplify/backend.ts", "amplify/data/bedrock.js", "amplify/data/resource.ts"},
		Operations: []backend.Operation{{
			Type: "Query", Field: "askBedrock",
			Pipeline: []backend.Function{{DataSource: "bedrockDS", Entry: "amplify/data/bedrock.js"}},
			At:       b.Operations[0].At,
		}},
		DataSources: []backend.DataSource{{
			Name: "bedrockDS", Kind: backend.HTTP,
			Endpoint:       "https://bedrock-runtime.ap-southeast-1.amazonaws.com",
			SigningService: "bedrock", SigningRegion: "ap-southeast-1",
			Principal: "bedrockDS", At: b.DataSources[0].At,
		}},
		Principals: []backend.Principal{{Name: "bedrockDS", Statements: []backend.Statement{{
			Effect:     "Allow",
			Actions:    []string{"bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"},
			Resources:  resources,
			At:         fmt.Sprintf("amplify/backend.ts:%d", line),
			ResourceAt: b.Principals[0].Statements[0].ResourceAt,
		}}}},
		Authorization: backend.Authorization{
			Default:      backend.APIKey,
			Additional:   []backend.Mode{backend.UserPool, backend.IAM},
			APIKeyExpiry: 30 * 24 * time.Hour,
		},
		Auth: &backend.Auth{
			Email: true, RequiredAttributes: []string{"email"}, VerificationTypes: []string{"email"},
			MFA: "NONE", AllowGuests: true, At: "amplify/auth/resource.ts:3",
		},
	}
	got := *b
	got.Schema, got.Deployed, got.Introspection, got.Findings = "", "", nil, nil
	got.Operations = []backend.Operation{b.Operations[0]}
	step := b.Operations[0].Pipeline[0]
	step.Code = ""
	got.Operations[0].Pipeline = []backend.Function{step}
	if diff := cmp.Diff(want, &got); diff != "" {
		t.Errorf("Load (-want +got):\n%s", diff)
	}
}

// TestResourceLines finds each of the sample's resources where it is written.
func TestResourceLines(t *testing.T) {
	b, err := Load(t.Context(), sample.Files())
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	text, err := fs.ReadFile(sample.Files(), entryPoint)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	s := b.Principals[0].Statements[0]
	for i, resource := range s.Resources {
		at := parsePosition(s.ResourceAt[i])
		prefix, _, _ := strings.Cut(resource, "123456789012")
		prefix, _, _ = strings.Cut(prefix, "anthropic")
		if !strings.Contains(lines[at.Line-1], prefix) {
			t.Errorf("ResourceAt[%d] = %s, which reads %q, want the line of %s", i, s.ResourceAt[i], lines[at.Line-1], resource)
		}
	}
}

func TestLoadErrorText(t *testing.T) {
	project := fstest.MapFS{entryPoint: {Data: []byte("\nimport _ from 'lodash'; _()")}}
	_, err := Load(t.Context(), project)
	const want = "amplify/backend.ts:2: import lodash: the package is not available to an amplify folder here; " +
		"remove the import, or move what needs it out of the code that declares the backend"
	if err == nil || err.Error() != want {
		t.Errorf("Load = %v, want %s", err, want)
	}
}

func TestTimeout(t *testing.T) {
	project := fstest.MapFS{entryPoint: {Data: []byte("let n = 0;\nwhile (true) {\n  n++;\n}\n")}}
	b, err := Load(t.Context(), project, WithTimeout(20*time.Millisecond))
	failure, ok := errors.AsType[*LoadError](err)
	if !ok {
		t.Fatalf("Load = %v, %v, want a *LoadError", b, err)
	}
	f := failure.Findings[0]
	if f.Code != "evaluation-timeout" || f.File != entryPoint || f.Line != 0 {
		t.Errorf("finding = %+v, want evaluation-timeout in the file", f)
	}
}

// TestHostile evaluates code that misbehaves where it is asked what it threw.
func TestHostile(t *testing.T) {
	for _, code := range []string{
		`throw { toString() { throw 1 } }`,
		`throw { get stack() { throw 1 } }`,
		`throw { toString() { for (;;); } }`,
		`throw Object.create(null)`,
		`throw Symbol("x")`,
		`Promise.reject({ toString() { throw 1 } })`,
		`globalThis.__recording = { toJSON() { for (;;); } }`,
		`globalThis.__recording = { roles: [{ name: "r", statements: [{ effect: "Allow", resources: ["*"] }] }] }`,
		`(async () => { await 1; for (;;); })()`,
		`import { defineAuth } from "@aws-amplify/backend"; defineAuth({ loginWith: { email: { verificationEmailBody() { throw 1 } } } })`,
		`import { defineAuth } from "@aws-amplify/backend"; defineAuth({ loginWith: { phone: { verificationMessage() { for (;;); } } } })`,
		`import { defineAuth, defineBackend } from "@aws-amplify/backend"; const b = defineBackend({ a: defineAuth() });
		 b.a.resources.cfnResources.cfnUserPool.policies = { passwordPolicy: { minimumLength: {} } }`,
		`import { defineAuth, defineBackend } from "@aws-amplify/backend"; const b = defineBackend({ a: defineAuth() });
		 b.a.resources.cfnResources.cfnUserPoolClient.addPropertyOverride("ExplicitAuthFlows.0.x", 1)`,
		`__require("nothing")`,
		`globalThis.__require = null; require`,
		`String.prototype.toString = Object.getPrototypeOf = JSON.stringify = null; throw new Error("x")`,
	} {
		project := fstest.MapFS{entryPoint: {Data: []byte(code)}}
		_, err := Load(t.Context(), project, WithTimeout(50*time.Millisecond))
		if _, ok := errors.AsType[*LoadError](err); !ok {
			t.Errorf("Load(%s) = %v, want a *LoadError", code, err)
		}
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Load(ctx, sample.Files()); !errors.Is(err, context.Canceled) {
		t.Errorf("Load = %v, want %v", err, context.Canceled)
	}
}

// TestTokens reads region and account from the options.
func TestTokens(t *testing.T) {
	project := fstest.MapFS{entryPoint: {Data: []byte(`
import { defineBackend } from "@aws-amplify/backend";
import { Aws, Fn, Duration } from "aws-cdk-lib";
const backend = defineBackend({});
backend.addOutput({
  arn: ` + "`${backend.stack.region}:${Aws.ACCOUNT_ID}`" + `,
  url: Fn.join("/", ["https:/", Fn.sub("${AWS::Region}.${host}", { host: "example.com" })]),
  seconds: Duration.minutes(2).toSeconds(),
});
`)}}
	b, _ := Load(t.Context(), project, WithRegion("eu-west-1"), WithAccount("210987654321"))
	want := map[string]any{
		"arn":     "eu-west-1:210987654321",
		"url":     "https://eu-west-1.example.com",
		"seconds": 120.0,
	}
	if diff := cmp.Diff(want, b.Outputs); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
}

// TestConsole sends console.log to the log that was handed in.
func TestConsole(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	project := fstest.MapFS{entryPoint: {Data: []byte(`console.log("hello", 1 + 1)`)}}
	Load(t.Context(), project, WithLog(log))
	if want := `text="hello 2"`; !strings.Contains(out.String(), want) {
		t.Errorf("log = %q, want %s in it", out.String(), want)
	}
}

// TestIsolated finds nothing of the host in the interpreter.
func TestIsolated(t *testing.T) {
	for _, name := range []string{"globalThis.require", "fetch", "setTimeout", "Deno", "process.exit", "process.env.PATH"} {
		project := fstest.MapFS{entryPoint: {Data: []byte(`if (typeof ` + name + ` !== "undefined") throw new Error("found")`)}}
		_, err := Load(t.Context(), project)
		if err == nil || strings.Contains(err.Error(), "found") {
			t.Errorf("Load with %s = %v, want it undefined", name, err)
		}
	}
}

// TestExported compares the names that imports are checked against with what the
// modules export.
func TestExported(t *testing.T) {
	vm := goja.New()
	provide(t.Context(), vm, settings{})
	for name, want := range exported {
		exports, err := library(vm)(name)
		if err != nil {
			t.Fatal(err)
		}
		got := exports.ToObject(vm).Keys()
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s exports %q, want %q", name, got, want)
		}
	}
}

// TestConcurrentLoads shares the compiled modules between interpreters.
func TestConcurrentLoads(t *testing.T) {
	for range 4 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			if b, err := Load(t.Context(), sample.Files()); err != nil || len(b.Operations) != 1 {
				t.Errorf("Load(sample) = %v, %v, want the sample", b, err)
			}
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	for _, project := range []struct {
		name  string
		files func() fs.FS
	}{
		{"sample", sample.Files},
		{"seed", func() fs.FS { return seed.Files(b) }},
	} {
		b.Run(project.name, func(b *testing.B) {
			files := project.files()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Load(b.Context(), files); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestLoadReadsNoDisk loads from inside a folder that has files of the same names
// on the disk: what is loaded is the file system it was given, and nothing else.
func TestLoadReadsNoDisk(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"amplify/backend.ts", "amplify/data/resource.ts", "tsconfig.json", "package.json"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("not what was asked for {"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	if b, err := Load(t.Context(), sample.Files()); err != nil || len(b.Operations) != 1 {
		t.Errorf("Load(sample) in a folder with other files = %v, %v, want the sample", b, err)
	}
}
