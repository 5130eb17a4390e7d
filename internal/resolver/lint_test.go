package resolver

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"fairway/backend"
)

// lists is oracle/appsync_js.json.
type lists struct {
	Base      []string            `json:"eslint_base_rules"`
	Denied    []string            `json:"denied_methods"`
	Supported map[string][]string `json:"documented_supported"`
}

func readLists(t testing.TB) lists {
	t.Helper()
	var l lists
	if err := json.Unmarshal([]byte(read(t, "appsync_js.json")), &l); err != nil {
		t.Fatal(err)
	}
	return l
}

// found is the findings of a handler body whose first line is line 3.
func found(t testing.TB, body string) []backend.Finding {
	t.Helper()
	_, err := Compile("data/test.js", "import { util } from '@aws-appsync/utils';\nexport function request(ctx) {\n"+body+"\n}\nexport function response(ctx) {}\n", Options{})
	if err == nil {
		return nil
	}
	refused, ok := errors.AsType[*CompileError](err)
	if !ok {
		t.Fatalf("Compile error is a %T, want a *CompileError", err)
	}
	return refused.Findings
}

func TestEveryBaseRuleRefuses(t *testing.T) {
	samples := map[string][]string{
		"no-async":                       {"const f = async () => 1;", "async function f() {}", "const o = { async f() {} };"},
		"no-await":                       {"const f = async () => { await 1; };"},
		"no-classes":                     {"class A {}", "const A = class {};"},
		"no-for":                         {"for (let i = 0; i < 3; i += 1) {}"},
		"no-continue":                    {"for (const x of []) { if (x) continue; }"},
		"no-generators":                  {"function* f() {}"},
		"no-yield":                       {"function* f() { yield 1; }"},
		"no-labels":                      {"a: for (const x of []) { break a; }"},
		"no-regex":                       {"const r = /a/;", `const r = /(?<=a)b/v;`},
		"no-this":                        {"return this;"},
		"no-try":                         {"try { ctx.a.b; } catch (e) {}", "try {} finally {}"},
		"no-while":                       {"while (true) {}", "do {} while (true);", "if (false) { while (true) {} }"},
		"no-disallowed-unary-operators":  {"let a = 1; a++;", "let a = 1; --a;", "return ~1;"},
		"no-disallowed-binary-operators": {"return ctx instanceof Object;"},
		"no-promise":                     {"return Promise.resolve(1);", "return new Promise(() => {});"},
		"no-disallowed-re-assignment":    {"ctx = {};", "ctx.args = {};", "ctx['stash'] = {};", "[1].forEach((x) => { ctx.result = x; });"},
		"no-in-operator":                 {"return 'a' in ctx;"},
		"no-throw":                       {"throw 1;"},
		"no-undefined-global":            {"return new Date();", "return RegExp('a');", "return eval('1');", "return parseInt('1');", "return { fetch };", "return globalThis;"},
		"no-disallowed-methods":          {"return Number('1');", "return ctx.args.a.sort((a, b) => 1);"},
		"no-unsafe-regex":                {"return 'a'.replace('(?=a)', '');", `return util.matches('(a)\\1', 'aa');`},
	}
	for _, rule := range readLists(t).Base {
		rule, _, _ = strings.Cut(rule, "(")
		if len(samples[rule]) == 0 {
			t.Errorf("no sample for the base rule %s", rule)
		}
	}
	for rule, bodies := range samples {
		for _, body := range bodies {
			findings := found(t, body)
			i := slices.IndexFunc(findings, func(f backend.Finding) bool { return f.Code == rule })
			if i < 0 {
				t.Errorf("Compile(%s) = %v, want %s", body, findings, rule)
				continue
			}
			if f := findings[i]; f.Line != 3 || f.File != "data/test.js" || f.Severity != backend.SeverityError || f.Message == "" {
				t.Errorf("Compile(%s) = %+v, want an error on line 3", body, f)
			}
		}
	}
}

func TestWhatIsNotRefused(t *testing.T) {
	for _, body := range []string{
		"ctx.args.id = 1; ctx.stash.k = 2; const ctx2 = {}; ctx2.args = 1;",
		"return [1].map((ctx) => { ctx.args = 1; return ctx; });",
		"const { a = 1, ...rest } = ctx.args; return { a, rest };",
		"switch (ctx.args.a) { case 1: break; default: } delete ctx.args.a; return typeof ctx ?? void 0;",
		"for (const k in ctx.args) { if (k) break; }",
		"let a = 1; a += 1; a ??= 2; a ||= 3; return a ** 2 | 1;",
		"return `${ctx.args?.a?.[0]}` + String.raw`x`;",
		"return util.dynamodb.toString('a');",
		"// while (true) {}\nreturn 'while (true) {}';",
	} {
		if findings := found(t, body); len(findings) > 0 {
			t.Errorf("Compile(%s) = %v, want nothing", body, findings)
		}
	}
}

// A method is refused on a receiver whose kind can be told.
func TestDeniedMethods(t *testing.T) {
	receivers := map[string]func(string) string{
		"Array": func(m string) string {
			if m == "from" || m == "of" {
				return "Array." + m + "([])"
			}
			return "[]." + m + "()"
		},
		"String": func(m string) string {
			if strings.HasPrefix(m, "from") {
				return "String." + m + "(1)"
			}
			return "''." + m + "('a')"
		},
		"ObjectConstructor": func(m string) string { return "Object." + m + "({})" },
		"Date":              func(m string) string { return "Date()." + m + "()" },
	}
	denied := readLists(t).Denied
	for _, name := range denied {
		kind, method, _ := strings.Cut(name, ".")
		if name == "String.raw" {
			continue // documented as supported
		}
		body := "return " + receivers[kind](method) + ";"
		findings := found(t, body)
		want := "no-disallowed-methods"
		if kind == "Date" {
			want = "no-undefined-global"
		}
		if !slices.ContainsFunc(findings, func(f backend.Finding) bool { return f.Code == want && f.Line == 3 }) {
			t.Errorf("Compile(%s) = %v, want %s on line 3", body, findings, want)
		}
	}
	if len(denied) < 60 {
		t.Errorf("%d denied methods, want the whole list", len(denied))
	}
}

// Where the kind of a receiver cannot be told, the method is not there.
func TestDeniedMethodsAreAbsent(t *testing.T) {
	for _, expression := range []string{
		"ctx.args.o.entries", "ctx.args.o.keys", "ctx.args.s.search", "ctx.args.s.charCodeAt", "Object[ctx.args.k]",
		"ctx.args.o.constructor", "ctx.args.s.constructor", "(() => 1).constructor", "ctx.__proto__", "ctx.constructor",
	} {
		c := &backend.Context{Args: map[string]any{"o": []any{}, "s": "s", "k": "defineProperty"}}
		if got, err := value(t, "return typeof "+expression+";", Options{}, c); got != "undefined" || err != nil {
			t.Errorf("typeof %s = %v, %v, want undefined", expression, got, err)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	handlers := "\nexport function request(ctx) { return {}; }\nexport function response(ctx) { return 1; }\n"
	tests := []struct {
		name, entry, code, rule string
		line                    int
	}{
		{"no request", "a.js", "export function response() {}", "missing-request", 1},
		{"no response", "a.js", "export function request() {}", "missing-response", 1},
		{"not a function", "a.js", "export const request = 1;\nexport function response() {}", "missing-request", 1},
		{"package", "a.js", "import x from 'lodash';" + handlers, "no-import", 1},
		{"relative", "a.ts", "\nimport { x } from './x';\nx();" + handlers, "no-import", 2},
		{"dynamic", "a.js", handlers + "const x = import('@aws-appsync/utils');", "no-import", 4},
		{"require", "a.js", handlers + "const x = require('fs');", "no-import", 4},
		{"re-export", "a.js", handlers + "export * from './y';", "no-import", 4},
		{"syntax", "a.js", handlers + "const = 1;", "syntax", 4},
		{"types in js", "a.js", handlers + "const a: string = '';", "syntax", 4},
		{"fails when evaluated", "a.js", handlers + "const a = null.b;", "module-evaluation", 4},
		{"too long", "a.js", handlers + "//" + strings.Repeat("x", maxCode), "code-size", 0},
		{"no such export", "a.js", "import { nothing } from '@aws-appsync/utils';" + handlers + "nothing();", "syntax", 1},
	}
	for _, tt := range tests {
		_, err := Compile(tt.entry, tt.code, Options{})
		refused, ok := errors.AsType[*CompileError](err)
		if !ok || len(refused.Findings) == 0 {
			t.Errorf("%s: Compile = %v, want a CompileError", tt.name, err)
			continue
		}
		if f := refused.Findings[0]; f.Code != tt.rule || f.Line != tt.line || f.File != tt.entry {
			t.Errorf("%s: Compile = %+v, want %s on line %d", tt.name, f, tt.rule, tt.line)
		}
	}
}

func TestEveryFindingIsReported(t *testing.T) {
	findings := found(t, "while (true) {}\nreturn this;\nthrow 1;")
	var got []string
	for _, f := range findings {
		got = append(got, f.Code)
	}
	if want := []string{"no-while", "no-this", "no-throw"}; !slices.Equal(got, want) {
		t.Errorf("findings = %v, want %v in the order of lines", got, want)
	}
	message := (&CompileError{Findings: findings}).Error()
	if !strings.Contains(message, "data/test.js:4: this is not supported by APPSYNC_JS (no-this)") {
		t.Errorf("Error() = %s, want file, line, message and rule", message)
	}
}

func TestModulesLoad(t *testing.T) {
	code := `import { util } from "@aws-appsync/utils";
import { get } from "@aws-appsync/utils/dynamodb";
import * as rds from "@aws-appsync/utils/rds";
import { converse } from "@aws-appsync/utils/ai";
export function request(ctx) { return ctx.args.which === "get" ? get({}) : ctx.args.which === "rds" ? rds.select({}) : converse({}); }
export function response(ctx) { return util.error(ctx.prev.result); }`
	r := compiled(t, code, Options{})
	for which, name := range map[string]string{"get": "dynamodb.get", "rds": "rds.select", "ai": "ai.converse"} {
		_, err := r.Request(t.Context(), &backend.Context{Args: map[string]any{"which": which}})
		got, _ := errors.AsType[*backend.Error](err)
		if want := "@aws-appsync/utils/" + name + " is not available yet"; got == nil || got.Message != want {
			t.Errorf("%s: error = %v, want %s", which, err, want)
		}
	}
}
