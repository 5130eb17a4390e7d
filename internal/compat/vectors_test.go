package compat

import (
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the module's folder.
const root = "../.."

// area is a body of vectors that one test runs. Patterns are path.Match patterns
// of paths below the module's folder.
type area struct {
	name    string
	origin  string // the real thing and its version; a vector file's own _about.source comes first
	files   []string
	inputs  []string  // files beside the vectors that their test reads
	member  string    // where a JSON file holds its vectors, "vectors"; empty counts files
	failing string    // the file of expected failures, empty without one
	pkg     string    // package of the test
	test    string    // name of the test
	cites   string    // in the comment of a txtar file that is a vector; the folder's others are our own
	except  []failure // what the test itself leaves out, beside the failing file
}

const (
	builder = "internal/amplify/schema"
	byNode  = "the guide's `bedrock.js` run by Node with AppSync's `JSON.parse`"
)

var areas = []area{
	{name: "schema builder: SDL, handlers, errors", member: "cases", pkg: builder, test: "TestBuildEqualsTheRealBuilder",
		files: []string{builder + "/testdata/builder_cases.json"}},
	{name: "schema builder: random operations", member: "cases", pkg: builder, test: "TestBuildEqualsTheRealBuilder",
		files: []string{builder + "/testdata/builder_random.json"}},
	{name: "model names of `a.ai.model`", origin: "`@aws-amplify/data-schema` 1.26.2", member: ".", pkg: builder, test: "TestModelTable",
		files: []string{builder + "/testdata/ai_models.json"}},
	{name: "deployed schema", origin: "`@aws-amplify/graphql-api-construct` 1.22.2", pkg: builder, test: "TestDeployEqualsTheObserved",
		files: []string{builder + "/testdata/deployed/*.graphql"}, inputs: []string{builder + "/testdata/source/*.js"}},
	{name: "model introspection", origin: "`@aws-amplify/client-config` 1.11.1", pkg: builder, test: "TestIntrospectionEqualsTheObserved",
		files: []string{builder + "/testdata/deployed/*.json"}},
	{name: "the guide's schema, builder and deployed form", origin: "`@aws-amplify/backend` 1.25.1", pkg: "internal/amplify", test: "TestSeedVectors",
		files: []string{"internal/amplify/testdata/seed/model-schema.graphql", builder + "/testdata/deployed/seed.graphql"}},
	{name: "`amplify_outputs.json`", origin: "`@aws-amplify/client-config` 1.11.1", pkg: "internal/outputs", test: "TestAmplifyEqualsToolchain",
		files: []string{"internal/outputs/testdata/seed.json"}},
	{name: "what aws-amplify makes of `amplify_outputs.json`", origin: "`aws-amplify` 6.22.1, the client", pkg: "internal/outputs", test: "TestClientEqualsAmplify",
		files: []string{"internal/outputs/testdata/client.json"}},
	{name: "resolver requests", origin: byNode, member: "request", pkg: "internal/resolver", test: "TestSeedCases",
		files: []string{"internal/resolver/testdata/resolver_cases.json"}, inputs: []string{"internal/resolver/testdata/*.js"}},
	{name: "resolver responses", origin: byNode, member: "response", pkg: "internal/resolver", test: "TestSeedCases",
		files: []string{"internal/resolver/testdata/resolver_cases.json"}},
	{name: "syntax that APPSYNC_JS refuses, by rule", origin: "`@aws-appsync/eslint-plugin` 2.0.2", member: "eslint_base_rules", pkg: "internal/resolver",
		test: "TestEveryBaseRuleRefuses", files: []string{"internal/resolver/testdata/appsync_js.json"}},
	{name: "methods that APPSYNC_JS refuses", origin: "`@aws-appsync/eslint-plugin` 2.0.2", member: "denied_methods", pkg: "internal/resolver",
		test: "TestDeniedMethods", files: []string{"internal/resolver/testdata/appsync_js.json"},
		except: []failure{{"String.raw", "the developer guide lists it as supported, and the guide is followed"}}},
	{name: "what APPSYNC_JS supports of JavaScript", origin: "AppSync developer guide, supported runtime features", member: "documented_supported",
		pkg: "internal/resolver", test: "TestDocumentedFunctions", files: []string{"internal/resolver/testdata/appsync_js.json"}},
	{name: "IAM decisions", member: "vectors", failing: "internal/policy/testdata/deviations", pkg: "internal/policy", test: "TestVectors",
		files: []string{"internal/policy/testdata/vectors.json"}},
	{name: "SigV4, header form", member: "cases", pkg: "internal/wire/sigv4", test: "TestSuite",
		files: []string{"internal/wire/sigv4/testdata/v4.json"}},
	{name: "Bedrock Runtime operations, in process and over a socket", origin: "Bedrock Runtime API model and documentation (`facts/bedrock.md`, which marks what is from memory)", cites: "facts/bedrock.md", pkg: "internal/front/bedrock", test: "TestVectors",
		files: []string{"internal/front/bedrock/testdata/*/*.txtar"}},
	{name: "SRP exchanges", origin: "`aws-amplify` 6.22.1, the client", member: ".", pkg: "internal/srp", test: "TestTranscripts",
		files: []string{"internal/srp/testdata/transcripts.json"}},
	{name: "Cognito's protocol: user pool and identity pool", origin: "`aws-amplify` 6.22.1, the client", member: ".", pkg: "internal/front/cognito", test: "TestReplay",
		files: []string{"internal/front/cognito/testdata/client_wire.json"}},
	{name: "a signature of the GraphQL API's IAM mode", origin: "`aws-amplify` 6.22.1, the client", pkg: "internal/auth", test: "TestClientsSignature",
		files: []string{"internal/auth/testdata/appsync_iam.json"}},
	{name: "short-term Bedrock API keys", origin: "`@aws/bedrock-token-generator` 1.1.0", pkg: "internal/auth", test: "TestShortTermKeys",
		files: []string{"internal/auth/testdata/short_term_keys.json"}},
}

// own are files of testdata that come from no real thing: what Fairway itself
// answers, and inputs.
var own = []string{
	"internal/amplify/testdata/backend/*", "internal/amplify/testdata/findings/*", "internal/check/testdata/*",
	"testdata/amplify/...",
	"internal/config/testdata/...", "internal/front/anthropic/testdata/...", "internal/front/openai/testdata/...",
	"internal/dialect/openai/testdata/...", "internal/front/graphql/testdata/*.graphql", "internal/dialect/anthropic/testdata/seed.json",
	"internal/capacity/testdata/*", "internal/tokens/testdata/...", "internal/usage/testdata/*",
	"examples/recipe/testdata/*", "testdata/script/...", "testdata/api.txt",
}

// source is the real thing behind the vectors: what their file says of itself,
// else what the table says.
func (a area) source(t *testing.T) string {
	t.Helper()
	for _, file := range glob(t, a.files...) {
		var head struct {
			About struct{ Source string } `json:"_about"`
		}
		if json.Unmarshal([]byte(read(t, file)), &head) == nil && head.About.Source != "" {
			return markdownCode.ReplaceAllString(head.About.Source, "`$0`")
		}
	}
	return a.origin
}

// markdownCode is an npm package's name or a call in prose.
var markdownCode = regexp.MustCompile(`@[\w-]+/[\w-]+|a\.schema\(\S*\)\.transform\(\)`)

// count is how many vectors the area has.
func (a area) count(t *testing.T) int {
	t.Helper()
	files := glob(t, a.files...)
	if len(files) == 0 {
		t.Errorf("%s: no file is called %v", a.name, a.files)
	}
	if a.member == "" {
		return len(slices.DeleteFunc(files, func(file string) bool {
			comment, _, _ := strings.Cut(read(t, file), "\n-- ")
			return !strings.Contains(comment, a.cites)
		}))
	}
	total := 0
	for _, file := range files {
		var value any
		if err := json.Unmarshal([]byte(read(t, file)), &value); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if members, ok := value.(map[string]any); ok && a.member != "." {
			value = members[a.member]
		}
		total += entries(value)
	}
	if total == 0 {
		t.Errorf("%s: %v hold no vectors", a.name, files)
	}
	return total
}

// entries counts a list's elements or an object's members, where a member that
// is a list counts for each of its elements.
func entries(value any) int {
	switch value := value.(type) {
	case []any:
		return len(value)
	case map[string]any:
		n := 0
		for _, member := range value {
			if list, ok := member.([]any); ok {
				n += len(list)
			} else {
				n++
			}
		}
		return n
	}
	return 0
}

// failure is a vector that is expected to fail.
type failure struct{ vector, reason string }

// failures reads the area's expected failures: lines "vector, reason"; # begins
// a comment.
func (a area) failures(t *testing.T) []failure {
	t.Helper()
	list := slices.Clone(a.except)
	if a.failing == "" {
		return list
	}
	for line := range strings.Lines(read(t, a.failing)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		vector, reason, ok := strings.Cut(line, ", ")
		if !ok {
			t.Fatalf("%s: %q has no reason", a.failing, line)
		}
		list = append(list, failure{vector, reason})
	}
	return list
}

// TestAreasAreRun wants each area's test to exist and its package's tests to
// read the area's files.
func TestAreasAreRun(t *testing.T) {
	for _, a := range areas {
		var tests strings.Builder
		for _, file := range glob(t, a.pkg+"/*_test.go") {
			tests.WriteString(read(t, file))
		}
		if !strings.Contains(tests.String(), "func "+a.test+"(") {
			t.Errorf("%s: package %s has no %s", a.name, a.pkg, a.test)
		}
		for _, pattern := range a.files {
			if !mentions(tests.String(), pattern) {
				t.Errorf("%s: no test of package %s reads %s", a.name, a.pkg, pattern)
			}
		}
	}
}

// mentions reports whether tests read the files of a pattern: they name the
// file, or the folder, or take every folder of testdata.
func mentions(tests, pattern string) bool {
	if base := path.Base(pattern); !strings.Contains(base, "*") {
		return strings.Contains(tests, base)
	}
	return strings.Contains(tests, path.Base(path.Dir(pattern))) || strings.Contains(tests, `"testdata/*/*.txtar"`)
}

// TestEveryVectorFileIsReported wants each file of a testdata folder to belong to
// an area, or to be listed as our own.
func TestEveryVectorFileIsReported(t *testing.T) {
	claims := slices.Clone(own)
	for _, a := range areas {
		claims = append(claims, a.files...)
		claims = append(claims, a.inputs...)
		claims = append(claims, a.failing)
	}
	files := testdataFiles(t)
	for _, file := range files {
		if !slices.ContainsFunc(claims, func(pattern string) bool { return claimed(pattern, file) }) {
			t.Errorf("%s is in no area of the report: give it one, or list it as our own", file)
		}
	}
	if len(files) < 100 {
		t.Fatalf("found %d files in testdata folders, want those of the whole module", len(files))
	}
}

func claimed(pattern, file string) bool {
	if dir, ok := strings.CutSuffix(pattern, "/..."); ok {
		return strings.HasPrefix(file, dir+"/")
	}
	ok, err := path.Match(pattern, file)
	return err == nil && ok
}

// testdataFiles lists the files of the module's testdata folders, less what a
// fuzzer left there.
func testdataFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := relative(p)
		if d.IsDir() {
			if n := d.Name(); p != root && (n == "node_modules" || strings.HasPrefix(n, ".") || strings.HasSuffix(name, "testdata/fuzz")) {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.Contains("/"+name, "/testdata/") {
			files = append(files, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// glob lists the files that match patterns below the module's folder.
func glob(t *testing.T, patterns ...string) []string {
	t.Helper()
	var files []string
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range found {
			files = append(files, relative(file))
		}
	}
	return files
}

func relative(p string) string {
	return strings.TrimPrefix(filepath.ToSlash(p), root+"/")
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
