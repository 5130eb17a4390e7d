package archtest

import (
	"go/ast"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A rule says what the packages that match may import of this module. Patterns
// are path.Match patterns relative to the module, "" the root; the first rule
// that matches a package decides. A trailing "/..." matches the package and all
// below it.
type rule struct {
	packages string
	may      []string
	sentence string
}

var vocabulary = []string{"internal/inference", "backend", "internal/wire/..."}

func and(more ...string) []string { return append(slices.Clone(vocabulary), more...) }

var stages = []string{
	"internal/auth", "internal/catalog", "internal/policy", "internal/route", "internal/tokens", "internal/meter", "internal/budget", "internal/ledger",
	"internal/upstream/...", "internal/resolver", "internal/datasource", "internal/userpool", "internal/store", "internal/telemetry",
}

var rules = []rule{
	{"internal/inference", nil, "the vocabulary imports only the standard library"},
	{"backend", nil, "a backend is plain data: it imports only the standard library"},
	{"internal/wire/*", nil, "codecs have no opinions: wire imports only the standard library"},
	{"internal/dialect", vocabulary, "the conversation is vocabulary: no dialect is known to it"},
	{"internal/dialect/invocation", and("internal/dialect/..."), "an invocation picks the dialect of a call"},
	{"internal/dialect/*", and("internal/dialect"), "a dialect meets the others in the conversation, never one another"},
	{"internal/upstream/upstreamtest", and("internal/dialect/..."), "the conformance kit knows the vocabulary, not the upstreams"},
	{"internal/upstream/modelserver", and("internal/dialect", "internal/dialect/invocation"), "what the upstreams of model servers share knows none of them, nor their dialects"},
	{"internal/upstream/openai", and("internal/dialect/...", "internal/upstream/modelserver"), ofServer},
	{"internal/upstream/anthropic", and("internal/dialect/...", "internal/upstream/modelserver"), ofServer},
	{"internal/upstream/*", and("internal/atlas", "internal/tokens", "internal/dialect/..."), "an upstream is one stage: of the others it may only count tokens"},
	{"internal/front/cognito", and("internal/front", "internal/userpool", "internal/identitypool"), "the pools' own door: it decodes their shapes and encodes them"},
	{"internal/front/admin", and("internal/explain", "internal/keyring", "internal/usage", "internal/userpool"), "the operator's door decodes and encodes, beside the straight line"},
	{"internal/front", vocabulary, "what the doors share knows none of them"},
	{"internal/front/...", and("internal/front", "internal/dialect/..."), "fronts turn bytes into vocabulary and import no stage"},
	{"internal/continuation", and("internal/dialect/...", "internal/tokens"), "going on with an answer is reading and writing dialects: it knows no route"},
	{"internal/atlas", vocabulary, "the atlas knows regions"},
	{"internal/simulate", and("internal/atlas", "internal/budget", "internal/route", "internal/catalog"), "the simulation runs the stages' own code in virtual time"},
	{"internal/gateway", and(stages...), "the gateway calls the stages in order and knows nothing above them"},
	{"internal/amplify/schema", vocabulary, "the schema builder knows the vocabulary only"},
	{"internal/amplify", and("internal/amplify/schema"), "the loader makes a backend and serves nothing"},
	{"internal/explain", and("internal/policy"), "an explanation asks the policies and nothing else"},
	{"internal/check", and("internal/catalog", "internal/explain", "internal/policy", "internal/resolver"), "check asks the stages that decide before a call and serves nothing"},
	{"internal/outputs", vocabulary, "outputs are written from plain data"},
	{"internal/sample", nil, "the sample is files"},
	{"internal/seed", nil, "the seed is files"},
	{"internal/config", vocabulary, "configuration is read before anything is built"},
	{"internal/server", and(append(stages, "internal/continuation", "internal/explain", "internal/identitypool", "internal/keyring", "internal/mail", "internal/usage", "internal/front/...", "internal/dialect/...", "internal/gateway", "internal/amplify/...", "internal/config", "internal/outputs")...), "only server joins the stages"},
	{"internal/cli", and("", "internal/server", "internal/store", "internal/amplify/...", "internal/check", "internal/config", "internal/explain", "internal/inference", "internal/keyring", "internal/outputs", "internal/srp", "internal/userpool", "internal/sample", "internal/capacity", "internal/catalog", "internal/simulate", "internal/tokens", "internal/usage"), "the command line stands on server, and shares the words of keyring and userpool"},
	{"", and("internal/server", "internal/config", "internal/amplify"), "the public package is server with a name"},
	{"fairwaytest", and("", "internal/server", "internal/config"), "the test server is the public package"},
	{"cmd/fairway", []string{"internal/cli"}, "main hands over to cli"},
	{"examples/...", []string{"", "backend"}, "an example uses what is public"},
	{"test/chaos", vocabulary, "chaos drives a server from outside: it knows codecs and nothing else"},
	{"internal/archtest", nil, "the test of the rules follows them"},
	{"internal/compat", and("..."), "the compatibility report runs everything"},
	{"internal/auth", vocabulary, alone},
	{"internal/catalog", vocabulary, alone},
	{"internal/policy", vocabulary, alone},
	{"internal/route", vocabulary, alone},
	{"internal/tokens", and("internal/dialect"), alone},
	{"internal/store", vocabulary, "the store keeps plain data"},
	{"internal/telemetry", vocabulary, "telemetry shows what the vocabulary tells"},
	{"internal/meter", vocabulary, alone},
	{"internal/budget", vocabulary, alone},
	{"internal/ledger", vocabulary, "the ledger keeps plain data, and knows no database"},
	{"internal/usage", vocabulary, "a report is made of plain data"},
	{"internal/capacity", and("internal/catalog", "internal/dialect/...", "internal/simulate", "internal/tokens"), "a plan counts, prices and simulates, and serves nothing"},
	{"internal/resolver", vocabulary, alone},
	{"internal/datasource", vocabulary, alone},
	{"internal/userpool", and("internal/mail", "internal/srp", "internal/store"), "the user pool is rows of the store, and mail"},
	{"internal/identitypool", vocabulary, alone},
	{"internal/keyring", and("internal/auth", "internal/store"), "a key is a row of the store that authentication reads"},
	{"internal/mail", vocabulary, "mail is sent, and knows nobody"},
	{"internal/srp", nil, "a protocol of numbers imports only the standard library"},
}

const (
	alone    = "stages import no other stage"
	ofServer = "the upstream of a model server adds its dialect to it, and imports no other stage"
)

// TestImports checks the non-test files of every package against the table, and
// that each rule still has a package.
func TestImports(t *testing.T) {
	used := map[*rule]bool{}
	own, foreign := moduleImports(t)
	for dir, imports := range own {
		r := ruleFor(dir)
		if r == nil {
			t.Errorf("package %q has no rule: add it to the table, and to the design", dir)
			continue
		}
		used[r] = true
		for _, imported := range foreign[dir] {
			if r.may == nil {
				t.Errorf("%s imports %s: %s", name(dir), imported, r.sentence)
			}
		}
		for _, imported := range imports {
			if !slices.ContainsFunc(r.may, func(p string) bool { return matches(p, imported) }) {
				t.Errorf("%s imports %s: %s", name(dir), name(imported), r.sentence)
			}
		}
	}
	for i := range rules {
		if !used[&rules[i]] {
			t.Errorf("the rule for %q decides for no package: take it out of the table", rules[i].packages)
		}
	}
}

// TestRulesBite makes sure the table refuses what it is there to refuse.
func TestRulesBite(t *testing.T) {
	for _, c := range []struct{ from, to string }{
		{"internal/policy", "internal/catalog"},
		{"internal/front/bedrock", "internal/auth"},
		{"internal/front/graphql", "internal/datasource"},
		{"internal/route", "internal/upstream/sim"},
		{"internal/amplify", "internal/resolver"},
		{"internal/gateway", "internal/server"},
		{"internal/upstream/modelserver", "internal/dialect/openai"},
		{"internal/upstream/openai", "internal/upstream/anthropic"},
		{"internal/tokens", "internal/catalog"},
		{"internal/server", "internal/cli"},
		{"internal/outputs", "internal/userpool"},
		{"internal/front/admin", "internal/store"},
	} {
		r := ruleFor(c.from)
		if r == nil || slices.ContainsFunc(r.may, func(p string) bool { return matches(p, c.to) }) {
			t.Errorf("%s may import %s, want a refusal", c.from, c.to)
		}
	}
}

func name(dir string) string {
	if dir == "" {
		return "the root package"
	}
	return dir
}

func ruleFor(dir string) *rule {
	for i := range rules {
		if matches(rules[i].packages, dir) {
			return &rules[i]
		}
	}
	return nil
}

func matches(pattern, dir string) bool {
	if pattern == "..." {
		return true
	}
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return dir == base || strings.HasPrefix(dir, base+"/")
	}
	ok, err := path.Match(pattern, dir)
	return err == nil && ok
}

// moduleImports maps each package directory of the module to what its non-test
// files import: of the module itself, and of other modules.
func moduleImports(t *testing.T) (own, foreign map[string][]string) {
	t.Helper()
	own, foreign = map[string][]string{}, map[string][]string{}
	for _, f := range goFiles(t) {
		if f.test {
			continue
		}
		ours, theirs := split(f.syntax.Imports)
		own[f.dir], foreign[f.dir] = append(own[f.dir], ours...), append(foreign[f.dir], theirs...)
	}
	return own, foreign
}

// split leaves out the standard library, whose first path segment has no dot.
func split(specs []*ast.ImportSpec) (own, foreign []string) {
	for _, s := range specs {
		p, err := strconv.Unquote(s.Path.Value)
		if err != nil {
			continue
		}
		if p == "fairway" {
			own = append(own, "")
		} else if rest, ok := strings.CutPrefix(p, "fairway/"); ok {
			own = append(own, rest)
		} else if first, _, _ := strings.Cut(p, "/"); strings.Contains(first, ".") {
			foreign = append(foreign, p)
		}
	}
	return own, foreign
}
