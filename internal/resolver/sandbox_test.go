package resolver

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"fairway/backend"

	"github.com/google/go-cmp/cmp"
)

// TestAttacksOnMemory runs code that would make more than there is memory for.
func TestAttacksOnMemory(t *testing.T) {
	const (
		large   = "a string is larger than 5242880 bytes"
		long    = "is longer than 131072"
		double  = `let s = "0123456789"; for (const i of ctx.args.forty) { `
		text    = `let s = "0123456789"; for (const i of ctx.args.eighteen) { s = s + s; } ` // 2.6 MB
		list    = `let a = [1]; for (const i of ctx.args.eighteen) { a.push(...a); } `       // 262,144
		endless = `const a = []; a.length = 4000000000; `
	)
	for _, tt := range []struct{ name, code, want string }{
		{"sum that doubles", double + `s = s + s; }`, large},
		{"sum of three", double + `s = "a" + s + "b" + s; }`, large},
		{"assignment that doubles", double + `s += s; }`, large},
		{"property that doubles", `const o = { s: "01" }; for (const i of ctx.args.forty) { o.s += o.s; }`, large},
		{"template that doubles", double + "s = `${s}${s}`; }", large},
		{"template of many", text + "return `a${s}b${s}c${s}d${s}`.length;", large},
		{"sum in a function", `const twice = (s) => s + s; ` + double + `s = twice(s); }`, large},
		{"sum in a callback", double + `[1].forEach(() => { s += s; }); }`, large},
		{"sum in a reduction", `ctx.args.forty.reduce((s) => s + s, "01")`, large},
		{"sum in a default", `const f = (s, twice = s + s) => twice; ` + double + `s = f(s); }`, large},
		{"concat of strings", double + `s = s.concat(s); }`, large},
		{"concat of many", text + `"".concat(s, s, s)`, large},
		{"join", text + `[s, s, s].join("")`, large},
		{"join by a long separator", text + `[1, 2, 3, 4].join(s)`, large},
		{"join of arrays in arrays", text + `[[s], [[s]], s].join()`, large},
		{"text of an array", text + "`${[s, s, s]}`", large},
		{"replaceAll", text + `s.replaceAll("0123456789012345678901234567890123456789", s)`, large},
		{"replacement of matches", text + `s.replace("1.*", "$&$&$&$&$&$&$&$&$&$&")`, large},
		{"replaceAll of nothing", text + `s.replaceAll("", "")`, long},
		{"split", text + `s.split("")`, long},
		{"String.raw", text + "String.raw`a${s}b${s}c${s}`", large},
		{"String.raw as a function", `String.raw({ raw: { length: 9007199254740991 } })`, "String.raw is the tag of a template"},
		{"JSON indentation", `const nested = (v, d) => (d > 0 ? [nested(v, d - 1)] : v); ` + list + `JSON.stringify(nested(a, 150), null, 10)`, "the value is larger than 5242880 bytes"},
		{"array that doubles", `let a = [1]; for (const i of ctx.args.forty) { a = [...a, ...a]; }`, long},
		{"array pushed to itself", `const a = [1]; for (const i of ctx.args.forty) { a.push(...a); }`, long},
		{"array put together", `let a = [1]; for (const i of ctx.args.forty) { a = a.concat(a); }`, long},
		{"array put to nothing", `let a = [1]; for (const i of ctx.args.forty) { a = [].concat(a, a); }`, long},
		{"flat", list + `a.map(() => a).flat()`, long},
		{"flat of shared arrays", `let a = []; for (const i of ctx.args.forty) { a = [a, a]; } a.flat(100)`, long},
		{"length assigned, spread", endless + `[...a]`, long},
		{"length assigned, arguments", endless + `Math.max(...a)`, long},
		{"length assigned, the rest", endless + `const [...rest] = a;`, long},
		{"length assigned, fill", endless + `a.fill(0)`, long},
		{"length of Array", `Array(4000000000).join("x")`, long},
		{"string spread", text + `[...s]`, long},
		{"array function of an object", `const o = { length: 9007199254740991, search: [].indexOf }; o.search(1)`, "indexOf is a function of arrays"},
		{"many small things", `const all = []; for (const i of ctx.args.thousand) { for (const j of ctx.args.thousand) { for (const k of ctx.args.thousand) { all.push([i]); } } }`,
			"memory grew past its limit"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &backend.Context{Args: map[string]any{"eighteen": make([]any, 18), "sixteen": make([]any, 16), "forty": make([]any, 40), "thousand": make([]any, 1000)}}
			if _, err := value(t, tt.code, Options{Timeout: time.Minute}, c); !strings.Contains(detail(err), tt.want) {
				t.Errorf("error = %.200s, want %q", detail(err), tt.want)
			}
		})
	}
}

// What the checks are put around gives what it gave.
func TestCheckedTexts(t *testing.T) {
	for code, want := range map[string]any{
		"const a = 1, b = 2; return a + b;":                                      int64(3),
		"const a = 1, b = '2'; return a + b + a;":                                "121",
		"let a = 'x'; const r = (a += a) + a; return r + a;":                     "xxxxxx",
		"const o = { a: ['x'] }; let i = 0; o.a[i] += o.a[i]; return o.a;":       []any{"xx"},
		"const a = 1, b = 'b'; return `${a}${b}-${[a, b]}/${{}}`;":               "1b-1,b/[object Object]",
		"const a = 'a'; return `<${`(${a}${a})`}|${a}>`;":                        "<(aa)|a>",
		"const f = (...p) => p.length; return f(...[1, 2], ...'ab');":            int64(4),
		"const [a, ...rest] = [1, 2, 3]; return [a, rest];":                      []any{int64(1), []any{int64(2), int64(3)}},
		"return [[1, [2]], 3].flat().concat([4], 5).join('-');":                  "1-2-3-4-5",
		"return 'a-b'.split('-').concat('c'.concat('d', 1));":                    []any{"a", "b", "cd1"},
		"return ['a-b'.split(), 'ab'.split(''), 'abc'.split('', 2)];":            []any{[]any{"a-b"}, []any{"a", "b"}, []any{"a", "b"}},
		"const x = 1; return String.raw`a\\n${x}b`;":                             `a\n1b`,
		"return JSON.stringify({ a: [1, { b: 2 }] }, null, 1).length;":           int64(37),
		"const s = 'x'; return typeof (s + undefined) + (true + true) + `${s}`;": "string2x",
	} {
		got, err := value(t, code, Options{}, &backend.Context{})
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s = %#v, %v, want %#v", code, got, err, want)
		}
	}
}

// A log has the place and kind of a failure, and what the code was given only
// where it was asked for.
func TestLogHygiene(t *testing.T) {
	for _, tt := range []struct{ code, class string }{
		{`return ctx.args.none[ctx.args.secret];`, "TypeError"},
		{`return ctx.args.secret();`, "TypeError"},
		{`return util.time.parseISO8601ToEpochMilliSeconds(ctx.args.secret);`, "TypeError"},
		{`return util.time.nowFormatted("yyyy", ctx.args.secret);`, "TypeError"},
		{`return util.time.nowFormatted(ctx.args.secret);`, "TypeError"},
		{`return util.matches(ctx.args.secret + "(", "");`, "TypeError"},
		{`return util.urlDecode(ctx.args.secret + "%zz");`, "TypeError"},
		{`return nothing(ctx.args.secret); function nothing(s) { return nothing(s); }`, "recursion"},
		{`const f = (s) => { let x = s; return f(x); }; return (1).toFixed(1000);`, "RangeError"},
	} {
		c := &backend.Context{Args: map[string]any{"secret": "SECRETPROMPT"}}
		_, err := value(t, tt.code, Options{}, c)
		if got := logged(err); strings.Contains(got, "SECRET") || !strings.Contains(got, "error.entry=data/test.js error.line=2 error.class="+tt.class+"\n") {
			t.Errorf("log of %s = %q, want its place and %s alone", tt.code, got, tt.class)
		}
	}
	_, err := value(t, `return ctx.args.none.SECRETPROMPT;`, Options{LogContent: true}, &backend.Context{})
	if got := logged(err); !strings.Contains(got, "SECRETPROMPT") {
		t.Errorf("log with content = %q, want the message", got)
	}
}

func logged(err error) string {
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Warn("resolver failed", "error", err)
	return out.String()
}

// A file that exports no handlers is told so, and where it is not known where,
// the file alone is named.
func TestMissingHandlers(t *testing.T) {
	const both = "r.js:1: no exported function request (missing-request)\nr.js:1: no exported function response (missing-response)"
	for code, want := range map[string]string{
		"":                           both,
		"const x = 1;":               both,
		"exports.request = () => 1;": both,
		"export const x = 1;":        both,
		"export const request = 1, response = () => 1;": "r.js:1: no exported function request (missing-request)",
		"/*" + strings.Repeat("x", maxCode) + "*/":      "r.js: resolver code has 32772 characters, AppSync allows 32768 (code-size)",
	} {
		if _, err := Compile("r.js", code, Options{}); err == nil || err.Error() != want {
			t.Errorf("Compile(%.50q) = %v, want %s", code, err, want)
		}
	}
}
