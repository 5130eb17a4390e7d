package resolver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"fairway/backend"
)

// Nothing that a call does to what it can reach is seen by the next, which gets
// the same engine: the pool has one.
func TestNothingIsLeftBehind(t *testing.T) {
	code := `
let calls = 0;
const seen = { list: [] };
function note(ctx) { calls += 1; seen.list.push(ctx.args.n); note2.mark = 1; return calls; }
const note2 = (x) => x;
export function request(ctx) {
  const marked = note2.mark;
  const n = note(ctx);
  return { n, seen: seen.list.length, marked, stash: Object.keys(ctx.stash), list: ctx.args.list };
}
export function response(ctx) { return calls; }`
	r := compiled(t, code, Options{})
	for i := range 3 {
		got, err := r.Request(t.Context(), &backend.Context{Args: map[string]any{"n": i, "list": []any{}}})
		if want := "map[list:[] n:1 seen:1 stash:[]]"; err != nil || fmt.Sprint(got) != want {
			t.Errorf("call %d = %v, %v, want %s", i, got, err, want)
		}
	}
	if got, err := r.Response(t.Context(), &backend.Context{}); got != int64(0) || err != nil {
		t.Errorf("response sees calls = %v, %v, want 0", got, err)
	}
}

func TestSharedObjectsCannotBeChanged(t *testing.T) {
	for _, body := range []string{
		"Object.assign = 1;", "util.extra = 1;", "util.time.nowISO8601 = 1;", "console.log = 1;", "JSON.parse = 1;", "Math.x = 1;",
		"delete util.error;", "runtime.x = 1;", "Array.isArray.x = 1;", "[].map.x = 1;", "const c = ctx; c.extra = 1;", "const c = ctx; c.args = 1;",
		"Object.assign(ctx, { args: 1 });", "Object.assign(util, { a: 1 });", "NaN = 1;",
		"({}).toString.x = 1;", "''.concat.x = 1;", "(1).toFixed.x = 1;", "[][ctx.args.proto].x = 1;",
	} {
		_, err := value(t, body+" return 1;", Options{}, &backend.Context{Args: map[string]any{"k": "args", "proto": "__proto__"}})
		if detail(err) == "" {
			t.Errorf("%s passed, want a runtime error", body)
		}
	}
}

func TestOwnPropertiesMayHaveInheritedNames(t *testing.T) {
	got, err := value(t, `const o = {}; for (const k of ["toString", "valueOf", "constructor", "__proto__", "hasOwnProperty"]) o[k] = 1;
		return { keys: Object.keys(o).length, parsed: Object.keys(JSON.parse('{"toString":1,"__proto__":{"a":1}}')).length, a: JSON.parse('{"__proto__":{"a":1}}').a === undefined };`,
		Options{}, &backend.Context{})
	if want := "map[a:true keys:5 parsed:2]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("= %v, %v, want %s", got, err, want)
	}
}

func TestLimits(t *testing.T) {
	many := `const many = []; for (const a of ctx.args.thousand) { for (const b of ctx.args.twenty) { many.push(1); } }`
	deep := `let deep = []; for (const a of ctx.args.thousand) { deep = [deep]; }`
	tests := []struct{ name, body, want string }{
		{"iterations of for-of", `for (const a of ctx.args.more) {}`, "a loop ran past 1000 iterations"},
		{"iterations of for-in", `for (const a in ctx.args.more) {}`, "a loop ran past 1000 iterations"},
		{"recursion", `const f = (n) => f(n + 1); return f(1);`, "calls nest deeper than 500"},
		{"deep value", deep + `return deep;`, "nests deeper than"},
		{"deep text", deep + `return JSON.stringify(deep);`, "nests deeper than"},
		{"deep join", deep + "return `${deep}`;", "nests deeper than"},
		{"deep stash", deep + `ctx.stash.x = deep;`, "nests deeper than"},
		{"cycle", `const a = {}; a.a = a; return a;`, "nests deeper than"},
		{"array length", `const a = []; a.length = 4000000000; return a.join("x");`, "is longer than"},
		{"large value", `let s = "0123456789"; for (const x of ctx.args.twenty) { s = s + s; } return s;`, "larger than 5242880 bytes"},
		{"shared value", `let a = ["x"]; for (const x of ctx.args.twenty) { a = [a, a]; } return a;`, "larger than 5242880 bytes"},
		{"shared text", `let a = ["x"]; for (const x of ctx.args.twenty) { a = [a, a]; } return JSON.stringify(a).length;`, "larger than 5242880 bytes"},
		{"sparse value", `const a = []; a.length = 4000000000; return a;`, "larger than 5242880 bytes"},
	}
	c := &backend.Context{Args: map[string]any{"thousand": make([]any, 1000), "more": make([]any, 1001), "twenty": make([]any, 20)}}
	for _, tt := range tests {
		if _, err := value(t, tt.body, Options{}, c); !strings.Contains(detail(err), tt.want) {
			t.Errorf("%s: error = %v, want %q", tt.name, err, tt.want)
		}
	}
	if got, err := value(t, many+`return many.length;`, Options{}, c); got != int64(20_000) || err != nil {
		t.Errorf("nested loops = %v, %v, want 20000", got, err)
	}
	if got, err := value(t, `let n = 0; if (true) for (const a of ctx.args.more) n += 1; else n = 5; return n;`, Options{MaxIterations: 2000}, c); got != int64(1001) || err != nil {
		t.Errorf("raised limit = %v, %v, want 1001", got, err)
	}
}

// endless runs for hours, within every other limit.
const endless = `const t = []; for (const a of ctx.args.hundred) t.push(a);
	t.forEach(() => t.forEach(() => t.forEach(() => t.forEach(() => t.forEach(() => t.forEach(() => 1))))));`

func TestTimeLimit(t *testing.T) {
	c := &backend.Context{Args: map[string]any{"hundred": make([]any, 100)}}
	_, err := value(t, endless, Options{Timeout: 20 * time.Millisecond}, c)
	answer, _ := errors.AsType[*backend.Error](err)
	if answer == nil || answer.Type != "ExecutionTimeout" || answer.Message != "Execution timed out." || detail(err) != "ran past its time limit" {
		t.Errorf("error = %v, want ExecutionTimeout", err)
	}
}

func TestContextEndsACall(t *testing.T) {
	code := "export function request(ctx) { console.log(1); " + endless + " }\nexport function response(ctx) { return 1; }"
	ctx, cancel := context.WithCancel(t.Context())
	log, running := signal(t)
	r := compiled(t, code, Options{Log: log})
	go func() { <-running; cancel() }()
	c := &backend.Context{Args: map[string]any{"hundred": make([]any, 100)}}
	if _, err := r.Request(ctx, c); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want context.Canceled", err)
	}
	if _, err := r.Request(ctx, c); !errors.Is(err, context.Canceled) {
		t.Errorf("error of a call that starts late = %v, want context.Canceled", err)
	}
	if got, err := r.Response(t.Context(), &backend.Context{}); got != int64(1) || err != nil {
		t.Errorf("the next call = %v, %v, want 1", got, err)
	}
}

func TestConcurrentCalls(t *testing.T) {
	r := compiled(t, read(t, "bedrock.js"), Options{})
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 50 {
				want := fmt.Sprintf("text %d %d", i, j)
				got, err := r.Response(t.Context(), &backend.Context{Result: map[string]any{"body": `{"content":[{"text":"` + want + `"}]}`}})
				if err != nil || got.(map[string]any)["body"] != want {
					t.Errorf("Response = %v, %v, want %s", got, err, want)
				}
			}
		})
	}
	group.Wait()
}
