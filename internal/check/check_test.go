package check

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"fairway/backend"
	"fairway/internal/amplify"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata")

// today is the day of every run here.
var today = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const wantFile = "want"

// lines is findings as the corpus has them: "severity code file:line".
func lines(findings []backend.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%s %s %s:%d\n", f.Severity, f.Code, f.File, f.Line)
	}
	return b.String()
}

// folder is a project of testdata, and what check is to find in it.
type folder struct {
	archive *txtar.Archive
	files   fstest.MapFS
	want    string
}

func openFolder(t *testing.T, name string) folder {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	f := folder{archive: archive, files: fstest.MapFS{}}
	for _, file := range archive.Files {
		if file.Name == wantFile {
			f.want = string(file.Data)
		} else {
			f.files[file.Name] = &fstest.MapFile{Data: file.Data}
		}
	}
	return f
}

// load is the backend of a project folder, also where it has errors.
func load(t *testing.T, files fs.FS) *backend.Backend {
	t.Helper()
	b, err := amplify.Load(t.Context(), files)
	if _, ok := errors.AsType[*amplify.LoadError](err); err != nil && !ok {
		t.Fatal(err)
	}
	return b
}

// TestFolders runs check on project folders of our own writing, one a code.
func TestFolders(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("Glob(testdata/*.txtar) = %v, %v", paths, err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		t.Run(name, func(t *testing.T) {
			f := openFolder(t, name)
			findings := Run(t.Context(), load(t, f.files), Options{Now: today})
			wellFormed(t, findings)
			got := lines(findings)
			if *update {
				f.archive.Files[len(f.archive.Files)-1] = txtar.File{Name: wantFile, Data: []byte(got)}
				if err := os.WriteFile(path, txtar.Format(f.archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(f.want, got); diff != "" {
				t.Errorf("Run(%s) differs (-want +got):\n%s", name, diff)
			}
		})
	}
}

// wellFormed checks what holds of every list of findings: each is there once and
// speaks in our voice.
func wellFormed(t *testing.T, findings []backend.Finding) {
	t.Helper()
	seen := map[backend.Finding]bool{}
	for _, f := range findings {
		if seen[f] {
			t.Errorf("Run gives %v twice", f)
		}
		seen[f] = true
		if f.Message == "" || strings.HasSuffix(f.Message, ".") || strings.Contains(f.Message, "\n") {
			t.Errorf("message %q of %s is not one line without a full stop", f.Message, f.Code)
		}
		first, _, _ := strings.Cut(f.Fix, " ")
		if first != "" && unicode.IsUpper(rune(first[0])) {
			t.Errorf("fix %q of %s does not begin in lower case", f.Fix, f.Code)
		}
	}
}

// found is the one finding of that code.
func found(t *testing.T, findings []backend.Finding, code string) backend.Finding {
	t.Helper()
	var all []backend.Finding
	for _, f := range findings {
		if f.Code == code {
			all = append(all, f)
		}
	}
	if len(all) != 1 {
		t.Fatalf("Run finds %d %s, want 1:\n%s", len(all), code, lines(findings))
	}
	return all[0]
}

// TestWords compares what people and scripts read of a finding, where more than
// its place matters.
func TestWords(t *testing.T) {
	const micro = "amazon.nova-micro-v1:0"
	for _, c := range []struct{ folder, code, message, fix string }{
		{
			"missing-destination-permission", "missing-destination-permission",
			"AWS refuses us." + micro + " from us-east-1, because bedrockDS is not allowed arn:aws:bedrock:us-east-2::foundation-model/" + micro +
				", arn:aws:bedrock:us-west-2::foundation-model/" + micro + "; fairway skips those destinations",
			`add to the policy of bedrockDS:
{
  "Effect": "Allow",
  "Action": [
    "bedrock:InvokeModel"
  ],
  "Resource": [
    "arn:aws:bedrock:us-east-2::foundation-model/amazon.nova-micro-v1:0"
  ]
}
or in backend.ts:
new PolicyStatement({
  actions: ["bedrock:InvokeModel"],
  resources: [
    "arn:aws:bedrock:us-east-2::foundation-model/amazon.nova-micro-v1:0",
  ],
})
remove or narrow the Deny at amplify/backend.ts:20`,
		},
		{
			"no-permitted-destination-deny", "no-permitted-destination",
			"bedrockDS may not call " + micro + " from us-east-1: arn:aws:bedrock:us-east-1::foundation-model/" + micro +
				" is refused, an explicit deny in an identity-based policy",
			"remove or narrow the Deny at amplify/backend.ts:16",
		},
		{
			"unusable-model-needs-profile", "unusable-model",
			`"anthropic.claude-sonnet-4-20250514-v1:0" cannot be called in ap-southeast-1: Bedrock answers "Invocation of model ID anthropic.claude-sonnet-4-20250514-v1:0 with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model."`,
			"call apac.anthropic.claude-sonnet-4-20250514-v1:0",
		},
		{
			"unusable-model-elsewhere", "unusable-model",
			`"us.anthropic.claude-sonnet-4-20250514-v1:0" cannot be called in ap-southeast-1: Bedrock answers "The provided model identifier is invalid."`,
			"call apac.anthropic.claude-sonnet-4-20250514-v1:0",
		},
		{
			"retired-model-soon", "retired-model",
			"Claude Opus 4.1 reaches its published end of life on Bedrock on 2027-01-08",
			"call us.anthropic.claude-opus-4-8, its inferred successor, which is reachable from us-east-1",
		},
		{
			"swallowed-errors", "swallowed-errors",
			"amplify/data/ask.js swallows Bedrock's errors: an answer with HTTP 429 becomes an empty value without a GraphQL error; parsed.error is read, Bedrock sends message",
			"in response(ctx), before the body is read:\nif (ctx.result.statusCode >= 400) {\n  util.error(JSON.parse(ctx.result.body).message, ctx.result.headers[\"x-amzn-ErrorType\"]);\n}",
		},
	} {
		t.Run(c.folder, func(t *testing.T) {
			f := found(t, Run(t.Context(), load(t, openFolder(t, c.folder).files), Options{Now: today}), c.code)
			if f.Message != c.message {
				t.Errorf("message = %s\nwant      %s", f.Message, c.message)
			}
			if f.Fix != c.fix {
				t.Errorf("fix = %s\nwant %s", f.Fix, c.fix)
			}
		})
	}
}

// TestStrict checks that the same permission is missing, and says what follows.
func TestStrict(t *testing.T) {
	b := load(t, openFolder(t, "missing-destination-permission").files)
	f := found(t, Run(t.Context(), b, Options{Now: today, Strict: true}), "missing-destination-permission")
	if want := "; fairway, being strict, refuses it too"; !strings.HasSuffix(f.Message, want) {
		t.Errorf("message = %s, want it to end in %s", f.Message, want)
	}
}

// TestEndOfLifeDay holds the day of the run against the published one.
func TestEndOfLifeDay(t *testing.T) {
	b := load(t, openFolder(t, "retired-model-no-successor").files)
	for day, want := range map[string]string{
		"2026-11-25": "Jamba 1.5 Mini reaches its published end of life on Bedrock on 2026-11-26",
		"2026-11-26": "Jamba 1.5 Mini reached its published end of life on Bedrock on 2026-11-26 (not confirmed by a call): simulated regions still run it, AWS answers 404",
	} {
		now, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		if f := found(t, Run(t.Context(), b, Options{Now: now}), "retired-model"); f.Message != want || f.Fix != "" {
			t.Errorf("on %s: %s, fix %q, want %s without a fix", day, f.Message, f.Fix, want)
		}
	}
}

// TestAccount checks that an ARN is held against the account that the server has.
func TestAccount(t *testing.T) {
	b := load(t, openFolder(t, "missing-destination-permission").files)
	f := found(t, Run(t.Context(), b, Options{Now: today, Account: "210987654321"}), "no-permitted-destination")
	if want := "arn:aws:bedrock:us-east-1:210987654321:inference-profile/us.amazon.nova-micro-v1:0 is refused"; !strings.Contains(f.Message, want) {
		t.Errorf("message = %s, want %s in it", f.Message, want)
	}
}

// TestNothing runs check on backends with little in them.
func TestNothing(t *testing.T) {
	for name, b := range map[string]*backend.Backend{
		"nil":   nil,
		"empty": {},
		"holes": {
			Schema:     "type Query {",
			Operations: []backend.Operation{{}, {Type: "Query", Field: "ask", Pipeline: []backend.Function{{}, {DataSource: "nowhere", Resolver: backend.Funcs{}}}}},
			Principals: []backend.Principal{{}},
		},
	} {
		if got := Run(t.Context(), b, Options{}); len(got) != 0 {
			t.Errorf("Run(%s) = %v, want nothing", name, got)
		}
	}
}

// TestCanceled gives up with its caller, without blaming the resolvers.
func TestCanceled(t *testing.T) {
	b := load(t, openFolder(t, "swallowed-errors").files)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := Run(ctx, b, Options{Now: today}); len(got) != 0 {
		t.Errorf("Run(canceled) = %v, want nothing", got)
	}
}

// TestEndlessResolver bounds the whole run, however many resolvers hang.
func TestEndlessResolver(t *testing.T) {
	endless := "const list = [" + strings.Repeat("0,", 900) + `];
export function request(ctx) { for (const a of list) { for (const b of list) { for (const c of list) { ctx.stash.n = a; } } } return {}; }
export function response(ctx) { return request(ctx); }`
	var pipeline []backend.Function
	for i := range 50 {
		pipeline = append(pipeline, backend.Function{DataSource: "bedrockDS", Entry: fmt.Sprintf("amplify/data/%d.js", i), Code: endless})
	}
	b := bedrockBackend(pipeline...)
	began := time.Now()
	got := Run(t.Context(), b, Options{Now: today, Timeout: 300 * time.Millisecond})
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("Run took %s, want about 300ms", d)
	}
	found(t, got, "unfinished")
}
