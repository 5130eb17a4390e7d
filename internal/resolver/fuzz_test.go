package resolver

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"fairway/backend"

	"github.com/google/go-cmp/cmp"
)

// Compile gives a resolver or findings, and a resolver runs without taking the
// process down: what it returns is JSON.
func FuzzCompile(f *testing.F) {
	f.Add(read(f, "bedrock.js"))
	f.Add(read(f, "pipeline.js"))
	for _, body := range []string{
		`for (const a of ctx.args.l) if (a) return { a }; else return 1;`, `while (1) {}`, `return { get a() { return this; } };`,
		"return `${ctx}`;", `const { a: { b = 1 } = {}, ...c } = ctx; return [a?.b?.(), ...c];`, `return util;`, `return ctx;`,
		`switch (1) { case 2: for (const k in util) break; }`, `return /a/v.b ??= async () => { for await (const x of y) {} };`,
		`enum E { A }`, `return (function f(n) { return f(n) })(1);`, `return [1n, -0, NaN, "\ud800"];`, `return Object.assign(ctx, [,]);`,
	} {
		f.Add("export function request(ctx) { " + body + " }\nexport const response = (ctx) => ctx.result;")
	}
	f.Fuzz(func(t *testing.T, code string) {
		r, err := Compile("a.ts", code, Options{Timeout: time.Second})
		if err != nil {
			refused, ok := errors.AsType[*CompileError](err)
			if !ok || len(refused.Findings) == 0 || r != nil {
				t.Fatalf("Compile = %v, %v, want a CompileError with findings", r, err)
			}
			return
		}
		got, err := r.Request(t.Context(), &backend.Context{Args: map[string]any{"l": []any{1, nil}}})
		if err != nil {
			if answer, ok := errors.AsType[*backend.Error](err); !ok || answer.Message == "" && answer.Type != "" {
				t.Fatalf("Request error = %v, want a *backend.Error in its chain", err)
			}
			return
		}
		if early, ok := got.(*backend.EarlyReturn); ok {
			got = early.Value
		}
		if _, err := json.Marshal(got); err != nil {
			t.Fatalf("Request = %#v, which is not JSON: %v", got, err)
		}
	})
}

// JSON.parse and JSON.stringify agree with encoding/json about what JSON is and
// what it says; a text that is not JSON parses to "".
func FuzzJSON(f *testing.F) {
	for _, text := range []string{`{"a":[1,-2.5e3,"x\u00e9\n",null,true,{}]}`, `[`, `"\ud83d\ude00"`, `1e999`, `01`, `-0`, `{"__proto__":1,"a":1,"a":2}`, "\"\x7f\"", ""} {
		f.Add(text)
	}
	r := compiled(f, `export const request = (ctx) => { const v = JSON.parse(ctx.args.text); return { v, text: JSON.stringify(v) }; };
export const response = () => 1;`, Options{})
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ToValidUTF8(text, "") != text || strings.Contains(text, `\u`) {
			return // halves of surrogate pairs have no form in Go
		}
		got, err := r.Request(t.Context(), &backend.Context{Args: map[string]any{"text": text}})
		var want any
		invalid := json.Unmarshal([]byte(text), &want)
		if err != nil {
			t.Fatalf("Request(%q): %v", text, err)
		}
		fields := got.(map[string]any)
		if !json.Valid([]byte(text)) {
			if fields["v"] != "" {
				t.Errorf("JSON.parse(%q) = %v, want an empty string", text, fields["v"])
			}
			return
		}
		if invalid != nil || strings.Count(text, "[")+strings.Count(text, "{") > maxNesting-2 {
			return // a number that float64 cannot hold, or too deep
		}
		var again any
		if err := json.Unmarshal([]byte(fields["text"].(string)), &again); err != nil || !cmp.Equal(want, again) {
			t.Errorf("JSON.stringify(JSON.parse(%q)) = %s, %v, want the same value", text, fields["text"], err)
		}
	})
}

// Any pattern is taken apart or refused, and formats; one that names the whole
// instant, with any text after it, parses to what it formatted.
func FuzzDatePattern(f *testing.F) {
	for _, p := range []string{"yyyy-MM-dd HH:mm:ss.SSSZ", "EEEE, d MMM yy h:mm a", "'at' H ''xxx", "yyyyMMddHHmmssSSS", "DDD", "'", "QQ", "X"} {
		f.Add(p, int64(1517943695749))
	}
	f.Fuzz(func(t *testing.T, pattern string, millis int64) {
		instant := time.UnixMilli(millis % 4e12).UTC()
		p, err := parseDatePattern(pattern)
		if err != nil && p != nil {
			t.Errorf("parseDatePattern(%q) = %v beside %v, want nothing", pattern, p, err)
		}
		if _, err := p.parse(p.format(instant), time.UTC); err != nil && !strings.HasPrefix(err.Error(), "util.time: ") {
			t.Errorf("parse error = %v, want one of ours", err)
		}
		whole, err := parseDatePattern("yyyy-MM-dd HH:mm:ss.SSSX'!" + strings.ReplaceAll(pattern, "'", "''") + "'")
		if err != nil {
			t.Fatal(err)
		}
		text := whole.format(instant)
		if got, err := whole.parse(text, time.UTC); err != nil || !got.Equal(instant) {
			t.Errorf("parse(%q) = %v, %v, want %v", text, got, err, instant)
		}
	})
}

// A pattern without metacharacters replaces as plain text does.
func FuzzReplace(f *testing.F) {
	f.Add("a.b.c", ".", "-")
	f.Add("aaa", "a", "$1$&${x}\\")
	f.Fuzz(func(t *testing.T, s, pattern, replacement string) {
		re, err := regexp.Compile(regexp.QuoteMeta(pattern))
		if err != nil {
			return
		}
		var out strings.Builder
		replace(&out, s, re, replacement, re.FindAllStringSubmatchIndex(s, -1))
		if strings.ContainsAny(replacement, `$\`) || pattern == "" || strings.ToValidUTF8(s+pattern, "") != s+pattern {
			return
		}
		if want := strings.ReplaceAll(s, pattern, replacement); out.String() != want {
			t.Errorf("replace(%q, %q, %q) = %q, want %q", s, pattern, replacement, out.String(), want)
		}
	})
}
