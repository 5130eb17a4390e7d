package schema_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"fairway/internal/amplify/schema"
)

// op is a query of the given calls with a handler and a rule.
func op(calls string) string {
	return "a.query()" + calls + ".authorization((allow) => allow.authenticated()).handler(a.handler.custom({ entry: './q.js' }))"
}

func TestBuildRefuses(t *testing.T) {
	program := compiled(t)
	const handled = ".handler(a.handler.custom({ entry: './q.js' }))"
	const allowed = ".authorization((allow) => allow.authenticated())"
	for _, c := range []struct{ name, schema, want string }{
		{"undefined ref in returns", "({\n q: " + op(".returns(a.ref('Gone'))") + " })", "Invalid ref. q is referring to Gone which is not defined in the schema"},
		{"undefined ref in arguments", "({\n q: " + op(".arguments({ x: a.ref('Gone') }).returns(a.string())") + " })", "Invalid ref. q is referring to Gone which is not defined in the schema"},
		{"undefined ref in a type", "({\n T: a.customType({ x: a.ref('Gone') }) })", "Invalid ref. T is referring to Gone which is not defined in the schema"},
		{"model as argument", "({ M: a.model({ x: a.id() }).authorization((l) => l.owner()),\n q: " + op(".arguments({ m: a.ref('M') }).returns(a.string())") + " })", "Unsupported reference type 'Model' for argument 'm' in 'q'. Only references to CustomType and Enum are supported."},
		{"no returns", "({\n q: " + op("") + " })", "Invalid Custom Query definition. A Custom Query must include a return type. q has no return type specified."},
		{"rule without handler", "({\n q: a.query().returns(a.string())" + allowed + " })", "Custom operation q requires both an authorization rule and a handler reference"},
		{"handler without rule", "({\n q: a.query().returns(a.string())" + handled + " })", "Custom operation q requires both an authorization rule and a handler reference"},
		{"mixed handlers", "({\n q: a.query().returns(a.string())" + allowed + ".handler([a.handler.custom({ entry: './q.js' }), a.handler.function('f')]) })", `Field handlers must be of the same type. q has been configured with ["customHandler"]`},
		{"no handler at all", "({\n q: a.query().returns(a.string())" + allowed + ".handler('q.js') })", "handler of q is none: make it with a.handler.custom, a.handler.function or a.handler.inlineSql"},
		{"for on a query", "({\n q: " + op(".for(a.ref('q')).returns(a.string())") + " })", "The .for() modifier function can only be used with a custom subscription. q is not a custom subscription."},
		{"subscription without a source", "({\n s: a.subscription()" + allowed + handled + " })", "s is missing a mutation source. Custom subscriptions must reference a mutation source via subscription().for(a.ref('ModelOrOperationName')) "},
		{"subscription to a query", "({ q: " + op(".returns(a.string())") + ",\n s: a.subscription().for(a.ref('q'))" + allowed + handled + " })", "Invalid subscription definition. .for() can only reference a mutation. s is referencing q which is a Query"},
		{"subscription to a model without mutations", "({ M: a.model({ x: a.id() }).authorization((l) => l.owner()),\n s: a.subscription().for(a.ref('M'))" + allowed + handled + " })", "Invalid subscription definition. .mutations() modifier must be used with a Model ref subscription source. s is referencing M without specifying a mutation"},
		{"oidc groups", "({\n q: a.query().returns(a.string()).authorization((l) => l.group('A', 'oidc'))" + handled + " })", "OIDC group auth is not supported with a.handler.custom"},
		{"model without rules", "({\n M: a.model({ x: a.id() }) })", "Model `M` is missing authorization rules. Add global rules to the schema or ensure every model has its own rules."},
		{"model ref in a model", "({ M: a.model({ x: a.id() }).authorization((l) => l.owner()),\n N: a.model({ m: a.ref('M') }).authorization((l) => l.owner()) })", "Cannot use `.ref()` to refer a model from a `model`. Field `m` of `N` refers to model `M`"},
		{"nullable identifier", "({\n M: a.model({ x: a.string() }).identifier(['x']).authorization((l) => l.owner()) })", "Invalid identifier definition. Field x cannot be used in the identifier. Identifiers must reference required or DB-generated fields)"},
		{"owner field of another type", "({\n M: a.model({ by: a.integer() }).authorization((l) => l.ownerDefinedIn('by')) })", "Implicit field by conflicts with the explicit field definition."},
		{"one-sided relation", "({\n P: a.model({ cs: a.hasMany('C', 'pId') }).authorization((l) => l.owner()), C: a.model({ pId: a.id() }).authorization((l) => l.owner()) })", "Unable to find associated relationship definition in C for P.cs: [C] @hasMany(references: ['pId'])"},
		{"relation without its reference field", "({\n P: a.model({ cs: a.hasMany('C', 'pId') }).authorization((l) => l.owner()), C: a.model({ p: a.belongsTo('P', 'pId') }).authorization((l) => l.owner()) })", "reference field 'pId' must be defined on C. P.cs: [C] @hasMany(references: ['pId']) <-> C.p: P @belongsTo(references: ['pId'])"},
		{"relation of other types", "({\n P: a.model({ cs: a.hasMany('C', 'pId') }).authorization((l) => l.owner()), C: a.model({ pId: a.integer(), p: a.belongsTo('P', 'pId') }).authorization((l) => l.owner()) })", "Validate Error: types do not match"},
		{"spaces in an enum", "({ E: a.enum(['a b']) })", "Values of the enum type E should not contain any whitespace."},
		{"conversation without rules", "({\n c: a.conversation({ aiModel: a.ai.model('Claude 3 Haiku'), systemPrompt: '' }) })", "Conversation c is missing authorization rules. Use .authorization((allow) => allow.owner()) to configure authorization for your conversation route."},
		{"unknown model", "({\n c: a.conversation({ aiModel: a.ai.model('Claude 0'), systemPrompt: '' }).authorization((l) => l.owner()) })", "conversation c names no known model: set aiModel to a.ai.model('...') or to { resourcePath: '...' }"},
		{"tool name", "({\n c: a.conversation({ aiModel: a.ai.model('Claude 3 Haiku'), systemPrompt: '', tools: [a.ai.dataTool({ name: '1', description: '', query: a.ref('q') })] }).authorization((l) => l.owner()) })", "Tool name must be between 1 and 64 characters, start with a letter, and contain only letters, numbers, and underscores. Found: 1"},
		{"function of another kind", "({\n q: a.query().returns(a.string())" + allowed + ".handler(a.handler.function({})) })", "Invalid value specified for q handler.function(). Expected: defineFunction or string."},
		{"not a builder", "({ q: 'String' })", "q is no type, model or operation: a schema's members are made with a.model, a.customType, a.enum, a.query and their like"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := build(t, program, c.schema)
			refused, ok := errors.AsType[*schema.Error](err)
			if !ok || refused.Message != c.want {
				t.Fatalf("Build(%s) = error %v, want %q", c.schema, err, c.want)
			}
			if i := strings.IndexByte(c.schema, '\n'); i >= 0 && refused.At != "resource.ts:2" {
				t.Errorf("Build(%s) error is at %q, want resource.ts:2", c.schema, refused.At)
			}
		})
	}
}

// TestModuleRefuses has calls that fail where they are written, as in Node.
func TestModuleRefuses(t *testing.T) {
	program := compiled(t)
	for _, c := range []struct{ expression, want string }{
		{"a.query().authorization((allow) => [allow.owner()])", "allow.owner is not a function"},
		{"a.query().authorization(function (l) { return l.ownerDefinedIn('x') })", "l.ownerDefinedIn is not a function"},
		{"a.model({}).authorization((allow) => allow.resource({}))", "allow.resource is not a function"},
		{"a.conversation({}).authorization(allow => allow.authenticated())", "allow.authenticated is not a function"},
		{"a.query().authorization((l) => l.authenticated('apiKey'))", "Error: Invalid provider (apiKey) given!"},
	} {
		_, err := record(t, program, c.expression)
		if err == nil || message(err) != c.want {
			t.Errorf("%s = error %v, want %q", c.expression, err, c.want)
		}
	}
}

func TestPositions(t *testing.T) {
	built, err := build(t, compiled(t), `({
  q: a.query()
    .returns(a.string())
    .authorization((l) => l.publicApiKey())
    .handler([
      a.handler.custom({ entry: './one.js' }),
      a.handler.custom({ entry: './two.js' }),
    ]),
})`)
	if err != nil {
		t.Fatal(err)
	}
	at := append([]string{built.Operations[0].At}, built.HandlerAt[0]...)
	if want := []string{"resource.ts:2", "resource.ts:6", "resource.ts:7"}; !slices.Equal(at, want) {
		t.Errorf("the query and its handlers are at %q, want %q", at, want)
	}
	if len(built.HandlerAt) != len(built.Operations) {
		t.Errorf("HandlerAt has %d entries for %d operations", len(built.HandlerAt), len(built.Operations))
	}
}

func TestUnsupported(t *testing.T) {
	const allowed = ".authorization((l) => l.authenticated())"
	built, err := build(t, compiled(t), `({
  M: a.model({ x: a.string() }).authorization((l) => l.owner()),
  js: a.query().returns(a.string())`+allowed+`.handler(a.handler.custom({ entry: './q.js' })),
  fn: a.query().returns(a.string())`+allowed+`.handler(a.handler.function('f')),
  sql: a.query().returns(a.string())`+allowed+`.handler(a.handler.inlineSql('select 1')),
  gen: a.generation({ aiModel: a.ai.model('Claude 3 Haiku'), systemPrompt: '' }).returns(a.string())`+allowed+`,
  sub: a.subscription().for(a.ref('M').mutations(['create']))`+allowed+`.handler(a.handler.custom({ entry: './s.js' })),
  bare: a.query().returns(a.string()),
  chat: a.conversation({ aiModel: { resourcePath: 'm' }, systemPrompt: '' }).authorization((l) => l.owner()),
})`)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, op := range built.Operations {
		got[op.Type+"."+op.Field] = op.Unsupported
	}
	for field, want := range map[string]string{
		"Query.js": "", "Query.fn": "handler.function", "Query.sql": "handler.inlineSql", "Query.gen": "a.generation",
		"Subscription.sub": "a.subscription", "Query.bare": "a.query without a handler", "Mutation.chat": "a.conversation",
		"Query.getM": "a.model", "Query.listMS": "a.model", "Mutation.createM": "a.model", "Subscription.onDeleteM": "a.model",
		"Query.listConversationChats": "a.conversation", "Subscription.onCreateAssistantResponseChat": "a.conversation",
	} {
		have, ok := got[field]
		if !ok || have != want {
			t.Errorf("Unsupported of %s = %q (listed: %t), want %q", field, have, ok, want)
		}
	}
}

func TestCombine(t *testing.T) {
	recorded, err := record(t, compiled(t), `a.combine([
  a.schema({ T: a.customType({ x: a.string() }), one: `+op(".returns(a.ref('T'))")+` }),
  a.schema({ two: a.query().returns(a.ref('T')).handler(a.handler.custom({ entry: './q.js' })) }).authorization((l) => l.publicApiKey()),
])`)
	if err != nil {
		t.Fatal(err)
	}
	built, err := schema.Build(recorded)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := load(built.Deploy(amplifyAuth))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one", "two"} {
		if loaded.Query.Fields.ForName(name) == nil {
			t.Errorf("the combined schema has no query %q", name)
		}
	}
}

func TestModelTable(t *testing.T) {
	var known map[string]string
	if err := json.Unmarshal([]byte(readFile(t, "testdata/ai_models.json")), &known); err != nil {
		t.Fatal(err)
	}
	program := compiled(t)
	for name, id := range known {
		quoted, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		built, err := build(t, program, "({ g: a.generation({ aiModel: a.ai.model("+string(quoted)+"), systemPrompt: '' }).returns(a.string()).authorization((l) => l.authenticated()) })")
		if err != nil {
			t.Fatal(err)
		}
		if want := `aiModel: "` + id + `"`; !strings.Contains(built.SDL, want) {
			t.Errorf("a.ai.model(%q) gives %s, want %s", name, built.SDL, want)
		}
	}
}

func FuzzBuild(f *testing.F) {
	program := compiled(f)
	for _, c := range builderCases(f) {
		if recorded, err := record(f, program, "a.schema("+c.Schema+")"); err == nil {
			f.Add(recorded)
		}
	}
	f.Fuzz(func(t *testing.T, recorded []byte) {
		built, err := schema.Build(recorded)
		if (built == nil) == (err == nil) {
			t.Fatalf("Build = %v, %v, want exactly one of them", built, err)
		}
		if err != nil {
			if _, ok := errors.AsType[*schema.Error](err); !ok {
				t.Fatalf("Build = error of type %T", err)
			}
			return
		}
		if len(built.HandlerAt) != len(built.Operations) {
			t.Fatalf("HandlerAt has %d entries for %d operations", len(built.HandlerAt), len(built.Operations))
		}
		built.Deploy(amplifyAuth)
		if _, err := json.Marshal(built.Introspection()); err != nil {
			t.Fatalf("Introspection() does not marshal: %v", err)
		}
	})
}

func BenchmarkBuild(b *testing.B) {
	recorded, err := record(b, compiled(b), "a.schema("+readFile(b, "testdata/source/seed.js")+")")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := schema.Build(recorded); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDeploy(b *testing.B) {
	built, err := build(b, compiled(b), readFile(b, "testdata/source/seed.js"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		built.Deploy(amplifyAuth)
	}
}
