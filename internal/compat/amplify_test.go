package compat

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"fairway/backend"
	"fairway/internal/amplify"
	"fairway/internal/resolver"
)

// state is how far a feature is.
type state string

const (
	works  state = "works"
	loads  state = "loads, no engine yet"
	absent state = "not there"
)

// feature is one thing that AWS has.
type feature struct {
	group, name string
	state       state
}

// folder is an amplify/ folder around the feature that is tried.
type folder struct {
	entry  string // statements at the end of backend.ts, which has data, auth, a and all of the package
	schema string // the whole expression; default plain
	auth   string // the expression; default a user pool
}

const (
	rules   = `.returns(a.string()).authorization((allow) => allow.authenticated())`
	handler = `.handler(a.handler.custom({ entry: "./q.js" }))`
	plain   = `a.schema({ q: a.query()` + rules + handler + ` })`
)

func (f folder) load(t *testing.T) (*backend.Backend, error) {
	t.Helper()
	schema, auth := cmp.Or(f.schema, plain), cmp.Or(f.auth, "defineAuth({ loginWith: { email: true } })")
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	return amplify.Load(t.Context(), fstest.MapFS{
		"amplify/backend.ts": file(`import * as all from "@aws-amplify/backend";
import { auth } from "./auth/resource";
import { data } from "./data/resource";
const { a, defineBackend, defineFunction, defineStorage, secret } = all;
const backend = defineBackend({ auth, data });
` + f.entry),
		"amplify/auth/resource.ts": file(`import { defineAuth, referenceAuth } from "@aws-amplify/backend";
export const auth = ` + auth + `;`),
		"amplify/data/resource.ts": file(`import { a, defineData } from "@aws-amplify/backend";
export const data = defineData({ schema: ` + schema + `,
	authorizationModes: { defaultAuthorizationMode: "apiKey", apiKeyAuthorizationMode: { expiresInDays: 7 } } });`),
		"amplify/data/q.js": file("export const request = () => ({});\nexport const response = () => null;\n"),
	})
}

// state tries the folder against the plain one: what changes nothing in the
// backend, or is reported as unsupported, has no engine.
func (f folder) state(t *testing.T, without *backend.Backend) state {
	t.Helper()
	b, err := f.load(t)
	if err != nil {
		return absent
	}
	unsupported := func(f backend.Finding) bool { return strings.HasPrefix(f.Code, "unsupported-") }
	if slices.ContainsFunc(b.Findings, unsupported) || reflect.DeepEqual(without, b) {
		return loads
	}
	return works
}

// member is a schema whose one custom type has a field of the type.
func member(typ string) folder {
	return folder{schema: `a.schema({ E: a.enum(["A"]), T: a.customType({ x: ` + typ + ` }),
		q: a.query().returns(a.ref("T")).authorization((allow) => allow.authenticated())` + handler + ` })`}
}

func handled(by string) folder {
	return folder{schema: `a.schema({ p: a.query()` + rules + by + ` })`}
}

const (
	owned  = `.authorization((allow) => allow.owner())`
	parent = `P: a.model({ one: a.hasOne("C", "pId"), many: a.hasMany("D", "pId") })` + owned + `,
		C: a.model({ pId: a.id(), p: a.belongsTo("P", "pId") })` + owned + `, D: a.model({ pId: a.id(), p: a.belongsTo("P", "pId") })` + owned
	generated = `a.schema({ g: a.generation({ aiModel: a.ai.model("Claude 3 Haiku"), systemPrompt: "" })` + rules + ` })`
)

// builderProbes tries every name that the schema builder has.
var builderProbes = map[string]folder{
	"schema": handled(handler), "combine": {schema: `a.combine([a.schema({ p: a.query()` + rules + handler + ` })])`},
	"configure": {schema: `a.configure({}).schema({ p: a.query()` + rules + handler + ` })`},
	"query":     handled(handler), "mutation": {schema: `a.schema({ m: a.mutation()` + rules + handler + ` })`},
	"subscription": {schema: `a.schema({ m: a.mutation()` + rules + handler + `, s: a.subscription().for(a.ref("m")).authorization((allow) => allow.authenticated())` + handler + ` })`},
	"generation":   {schema: generated}, "ai": {schema: generated},
	"conversation": {schema: `a.schema({ c: a.conversation({ aiModel: a.ai.model("Claude 3 Haiku"), systemPrompt: "" })` + owned + ` })`},
	"model":        {schema: `a.schema({ P: a.model({ x: a.string() })` + owned + ` })`},
	"hasOne":       {schema: `a.schema({` + parent + `})`}, "hasMany": {schema: `a.schema({` + parent + `})`}, "belongsTo": {schema: `a.schema({` + parent + `})`},
	"handler": handled(handler), "customType": member(`a.customType({ y: a.string() })`), "enum": member(`a.enum(["B"])`), "ref": member(`a.ref("E")`),
	"id": member("a.id()"), "string": member("a.string()"), "integer": member("a.integer()"), "float": member("a.float()"), "boolean": member("a.boolean()"),
	"date": member("a.date()"), "time": member("a.time()"), "datetime": member("a.datetime()"), "timestamp": member("a.timestamp()"),
	"email": member("a.email()"), "json": member("a.json()"), "phone": member("a.phone()"), "url": member("a.url()"), "ipAddress": member("a.ipAddress()"),
}

var handlerProbes = map[string]folder{
	"custom": handled(handler), "function": handled(`.handler(a.handler.function("f"))`),
	"inlineSql": handled(`.handler(a.handler.inlineSql("select 1"))`), "sqlReference": handled(`.handler(a.handler.sqlReference("q.sql"))`),
}

// packageProbes tries every name that @aws-amplify/backend exports. A nil folder
// is for what every folder needs to load at all.
var packageProbes = map[string]*folder{
	"a": nil, "defineBackend": nil, "defineData": nil, "defineAuth": nil,
	"defineFunction":   {entry: `defineBackend({ f: defineFunction({ name: "f" }) });`},
	"defineStorage":    {entry: `defineBackend({ s: defineStorage({ name: "s" }) });`},
	"referenceAuth":    {auth: `referenceAuth({})`, schema: `a.schema({ q: a.query().returns(a.string()).authorization((allow) => allow.publicApiKey())` + handler + ` })`},
	"referenceStorage": {entry: `defineBackend({ s: all.referenceStorage({ name: "s" }) });`},
	"secret":           {entry: `defineFunction({ name: "f", environment: { KEY: secret("KEY") } });`},
}

// dataSourceProbe adds a data source by the method that makes its kind.
func dataSourceProbe(method string) folder {
	return folder{entry: "backend.data." + method + `("source", "https://example.com", {}, {});`}
}

// amplifyFeatures tries what an amplify/ folder may hold.
func amplifyFeatures(t *testing.T) []feature {
	without, err := folder{}.load(t)
	if err != nil {
		t.Fatal(err)
	}
	if len(without.Operations) != 1 || without.Auth == nil {
		t.Fatalf("the plain folder has operations %v, auth %v, want one and some", without.Operations, without.Auth)
	}
	names := exports(t)
	var features []feature
	add := func(group, prefix, list string, probe func(name string) (folder, bool)) {
		for _, name := range names[list] {
			f, ok := probe(name)
			if !ok {
				t.Errorf("no probe for %s%s: add one", prefix, name)
				continue
			}
			features = append(features, feature{group, prefix + name, f.state(t, without)})
		}
	}
	for _, name := range names["all"] {
		f, ok := packageProbes[name]
		switch {
		case !ok:
			t.Errorf("no probe for %s of @aws-amplify/backend: add one", name)
		case f == nil:
			features = append(features, feature{"`@aws-amplify/backend`", name, works})
		default:
			features = append(features, feature{"`@aws-amplify/backend`", name, f.state(t, without)})
		}
	}
	add("schema builder", "a.", "a", func(name string) (folder, bool) { f, ok := builderProbes[name]; return f, ok })
	add("handlers", "a.handler.", "handler", func(name string) (folder, bool) { f, ok := handlerProbes[name]; return f, ok })
	add("data sources", "", "sources", func(name string) (folder, bool) { return dataSourceProbe(name), true })
	features = append(features, modeFeatures(t)...)
	features = append(features, helperFeatures(t)...)
	return append(features, graphqlFeatures(t)...)
}

// exports asks a folder what it can see: names of @aws-amplify/backend, of the
// schema builder, of its handlers, and the methods that add data sources.
func exports(t *testing.T) map[string][]string {
	t.Helper()
	b, err := folder{entry: `backend.addOutput({ custom: {
	all: Object.keys(all), a: Object.keys(a), handler: Object.keys(a.handler),
	sources: Object.keys(backend.data).filter((name) => name.endsWith("DataSource")),
} });`}.load(t)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string][]string{}
	custom, _ := b.Outputs["custom"].(map[string]any)
	for list, values := range custom {
		for _, name := range values.([]any) {
			names[list] = append(names[list], name.(string))
		}
	}
	for _, list := range []string{"all", "a", "handler", "sources"} {
		if len(names[list]) == 0 {
			t.Fatalf("a folder sees no names of %q", list)
		}
	}
	return names
}

// modeFeatures: a mode works where package auth makes identities of it.
func modeFeatures(t *testing.T) []feature {
	t.Helper()
	made := map[string]bool{}
	for _, file := range glob(t, "internal/auth/*.go") {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(syntax, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "backend" {
					made[s.Sel.Name] = true
				}
			}
			return true
		})
	}
	var features []feature
	for name, mode := range map[string]backend.Mode{
		"APIKey": backend.APIKey, "UserPool": backend.UserPool, "IAM": backend.IAM, "OIDC": backend.OIDC, "Lambda": backend.Lambda,
	} {
		f := feature{"authorization modes", string(mode), loads}
		if made[name] {
			f.state = works
		}
		features = append(features, f)
	}
	slices.SortFunc(features, func(a, b feature) int { return strings.Compare(a.name, b.name) })
	return features
}

// listing is a resolver that answers with the names of what it can call.
const listing = `import { util, runtime, extensions } from "@aws-appsync/utils";
export function request() {
  const names = [];
  const list = (prefix, o) => {
    for (const name of Object.keys(o)) {
      if (typeof o[name] === "function") names.push(prefix + name);
    }
  };
  list("util.", util);
  for (const name of Object.keys(util)) {
    if (typeof util[name] === "object") list("util." + name + ".", util[name]);
  }
  list("runtime.", runtime);
  list("extensions.", extensions);
  return names;
}
export const response = () => null;
`

// moduleCalls is a call of each module that a resolver may import.
var moduleCalls = map[string]string{
	"@aws-appsync/utils/dynamodb": "get({})", "@aws-appsync/utils/rds": "select({})", "@aws-appsync/utils/ai": "converse({})",
}

// helperFeatures calls every helper that a resolver can see.
func helperFeatures(t *testing.T) []feature {
	t.Helper()
	listed, err := resolve(t, listing)
	if err != nil {
		t.Fatal(err)
	}
	var features []feature
	for _, name := range listed.([]any) {
		object, helper := split(name.(string))
		f := feature{"resolvers: `" + object + "`", helper, helperState(t, `import { util, runtime, extensions } from "@aws-appsync/utils";`, name.(string)+"()")}
		features = append(features, f)
	}
	if len(features) == 0 {
		t.Fatal("a resolver sees no helpers")
	}
	for module, call := range moduleCalls {
		f := feature{"resolvers: modules", module, helperState(t, `import * as module from "`+module+`";`, "module."+call)}
		features = append(features, f)
	}
	slices.SortFunc(features, func(a, b feature) int {
		return cmp.Or(strings.Compare(plainText(a.group), plainText(b.group)), strings.Compare(a.name, b.name))
	})
	return features
}

// plainText is Markdown without its marks of code.
func plainText(markdown string) string { return strings.ReplaceAll(markdown, "`", "") }

// split cuts a helper's name, "util.time.nowISO8601", at its last dot.
func split(name string) (object, helper string) {
	i := strings.LastIndex(name, ".")
	return name[:i], name[i+1:]
}

// helperState calls a helper: one without an engine answers so.
func helperState(t *testing.T, imports, call string) state {
	t.Helper()
	_, err := resolve(t, imports+"\nexport const request = () => "+call+";\nexport const response = () => null;\n")
	if err != nil && strings.HasSuffix(err.Error(), "is not available yet") {
		return loads
	}
	return works
}

// resolve runs the request function of a resolver's code.
func resolve(t *testing.T, code string) (any, error) {
	t.Helper()
	r, err := resolver.Compile("amplify/data/q.js", code, resolver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r.Request(t.Context(), &backend.Context{})
}
