package amplify

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"fairway/backend"
	"fairway/internal/sample"
)

// refusal loads an amplify/backend.ts of code, and is the first finding.
func refusal(t *testing.T, code string, options ...Option) backend.Finding {
	t.Helper()
	_, err := Load(t.Context(), fstest.MapFS{entryPoint: {Data: []byte(code)}}, options...)
	failure, ok := errors.AsType[*LoadError](err)
	if !ok {
		t.Fatalf("Load(%.80s) = %v, want a *LoadError", code, err)
	}
	return failure.Findings[0]
}

// TestAttacksOnTheProcess runs code that would end the process, or keep it.
func TestAttacksOnTheProcess(t *testing.T) {
	deep := `let a = []; for (let i = 0; i < 100000; i++) a = [a]; `
	for _, tt := range []struct{ name, code, want string }{
		{"code made of text", `eval("1\n//# sourceMappingURL=file:///dev/zero")`, "eval is not available"},
		{"code made of text indirectly", `(0, eval)("1")`, "eval is not available"},
		{"a function made of text", `new Function("1\n//# sourceMappingURL=file:///dev/zero")`, "Function is not available"},
		{"a function made by its kind", `(() => {}).constructor("1")`, "Function is not available"},
		{"an async function made of text", `(async () => {}).constructor("1")`, "Function is not available"},
		{"a generator made of text", `(function* () {}).constructor("1")`, "Function is not available"},
		{"deep JSON", `JSON.parse('['.repeat(5000000))`, "JSON.parse: the text nests deeper than 1000"},
		{"deep JSON of a reviver", `JSON.parse("[1,2]", function (k, v) { return v; })`, "the reviver of JSON.parse is not supported"},
		{"deep value as JSON", deep + `JSON.stringify(a)`, "JSON.stringify: the value nests deeper than 1000"},
		{"endless value as JSON", `class A { toJSON() { return [new A()]; } } JSON.stringify(new A())`, "JSON.stringify: the value nests deeper than 1000"},
		{"deep value as text", deep + `String(a)`, "nests deeper than 1000"},
		{"deep value as local text", deep + `a.toLocaleString()`, "nests deeper than 1000"},
		{"long array", `Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)`, "indexOf of more than 1048576 elements"},
		{"long array as text", `new Array(4294967295).join("x")`, "join of more than 1048576 elements"},
		{"long array spread", `const a = []; a.length = 4294967295; Math.max(...a)`, "values of more than 1048576 elements"},
		{"long array made", `Array.from({ length: 1e9 })`, "Array.from of more than 1048576 elements"},
		{"long text", `"x".repeat(1e11)`, "repeat makes a text longer than 5242880 characters"},
		{"long padding", `"x".padEnd(1e11)`, "padEnd makes a text longer than 5242880 characters"},
		{"long pattern", `new RegExp("(".repeat(1000000))`, "a regular expression is longer than 65536 characters"},
		{"long pattern as text", `"x".match("(".repeat(1000000))`, "a regular expression is longer than 65536 characters"},
		{"large buffer", `new ArrayBuffer(1e11)`, "ArrayBuffer is not defined"},
		{"text that doubles", `let s = "x"; for (;;) s = s + s;`, "it takes more than 536870912 bytes of memory"},
		{"list that grows", `const l = []; for (;;) l.push([]);`, "it takes more than 536870912 bytes of memory"},
		{"deep source", strings.Repeat("[", 1<<20), "larger than 131072 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := refusal(t, tt.code, WithTimeout(5*time.Minute)); !strings.Contains(got.Message, tt.want) {
				t.Errorf("finding = %q, want %q in it", got.Message, tt.want)
			}
		})
	}
}

// TestAttacksOnTime runs code that the interpreter cannot stop.
func TestAttacksOnTime(t *testing.T) {
	for _, tt := range []struct{ name, code string }{
		{"backtracking", `/^(a+)+(?=b)$/.test("a".repeat(24))`},
		{"a loop where the record is read", `globalThis.__recording = { toJSON() { for (;;); } }`},
		{"a loop where the error is described", `throw { toString() { for (;;); } }`},
		{"a loop in each of these", `globalThis.__recording = { toJSON() { for (;;); } }; throw { toString() { for (;;); } }`},
		{"a loop after the loop", `try { for (;;); } finally { for (;;); }`},
		{"a loop in a promise", `Promise.resolve().then(() => { for (;;); })`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			refusal(t, tt.code, WithTimeout(50*time.Millisecond))
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("Load took %v, want it to give up", took)
			}
		})
	}
}

// TestBundleMessages says what is wrong in the project's own terms.
func TestBundleMessages(t *testing.T) {
	for _, tt := range []struct{ code, want, text string }{
		{"\nawait 1;", "top-level-await", "bundle amplify folder: await outside a function is not supported"},
		{`import { none } from "./other"; none();`, "unavailable-export", `bundle amplify folder: No matching export in "amplify/other.ts" for import "none"`},
	} {
		_, err := Load(t.Context(), fstest.MapFS{entryPoint: {Data: []byte(tt.code)}, "amplify/other.ts": {Data: []byte("export {}")}})
		failure, ok := errors.AsType[*LoadError](err)
		if !ok || failure.Findings[0].Code != tt.want || failure.Findings[0].Message != tt.text {
			t.Errorf("Load(%q) = %v, want %s: %s", tt.code, err, tt.want, tt.text)
		}
	}
}

// TestTimeoutPosition is at the call that does not end, whose line is known.
func TestTimeoutPosition(t *testing.T) {
	got := refusal(t, "\nconst f = () => {\n  for (;;);\n};\n\nf();\n", WithTimeout(3*time.Second)) // bundling takes some of it
	if got.Code != "evaluation-timeout" || got.File != entryPoint || got.Line != 6 {
		t.Errorf("finding = %+v, want evaluation-timeout on line 6", got)
	}
}

// TestOrdinaryCode uses what the limits were put around.
func TestOrdinaryCode(t *testing.T) {
	const code = `
const check = (name, got, want) => {
  if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(name + " = " + JSON.stringify(got));
};
check("parse", JSON.parse('{"a":[1,"[[",{"b":null}]}').a[2].b, null);
check("stringify", JSON.stringify({ a: [1, { b: 2 }], c: undefined, d: new Date(0) }, null, 1), '{\n "a": [\n  1,\n  {\n   "b": 2\n  }\n ],\n "d": "1970-01-01T00:00:00.000Z"\n}');
check("flat", [1, [2, [3, [4]]]].flat(Infinity), [1, 2, 3, 4]);
check("spread", [...[1, 2], ...new Set([3])], [1, 2, 3]);
check("from", Array.from({ length: 2 }, (_, i) => i), [0, 1]);
check("match", ["a1b2".match(/\d/g), "a1".match("\\d")[0], "a1b2".search(/\d/), [..."a1b2".matchAll(/\d/g)].length], [["1", "2"], "1", 1, 2]);
check("RegExp", [new RegExp("a+", "g").exec("caab")[0], RegExp(/b/i).flags, /a/ instanceof RegExp, /a/.constructor === RegExp], ["aa", "i", true, true]);
check("Function", [(() => 1) instanceof Function, check.constructor === Function], [true, true]);
check("repeat", "ab".repeat(2) + "c".padStart(3), "abab  c");
class A extends Array {}
check("subclass", [A.from([1]) instanceof A, new A(1, 2).map((x) => x * 2)], [true, [2, 4]]);
throw new Error("done");
`
	if got := refusal(t, code); !strings.Contains(got.Message, "Error: done") {
		t.Errorf("finding = %q, want that the code ran to its end", got.Message)
	}
}

// special is a file system with files that are not regular.
type special struct {
	fstest.MapFS
	opened *[]string
}

func (s special) Open(name string) (fs.File, error) {
	*s.opened = append(*s.opened, name)
	return s.MapFS.Open(name)
}

func TestIrregularFiles(t *testing.T) {
	for _, tt := range []struct {
		name string
		file *fstest.MapFile
		want string
	}{
		{"pipe", &fstest.MapFile{Mode: fs.ModeNamedPipe | 0o600}, "not a regular file"},
		{"device", &fstest.MapFile{Mode: fs.ModeDevice | fs.ModeCharDevice | 0o600}, "not a regular file"},
		{"large file", &fstest.MapFile{Data: make([]byte, maxSource+1)}, "larger than 131072 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var opened []string
			project := special{fstest.MapFS{
				entryPoint:         {Data: []byte(`import "./other"`)},
				"amplify/other.ts": tt.file,
			}, &opened}
			_, err := Load(t.Context(), project)
			failure, ok := errors.AsType[*LoadError](err)
			if !ok || failure.Findings[0].Code != "unreadable-import" || !strings.HasSuffix(failure.Findings[0].Message, tt.want) {
				t.Errorf("Load = %v, want unreadable-import, %s", err, tt.want)
			}
			for _, name := range opened {
				if name != entryPoint && tt.file.Mode.Type() != 0 {
					t.Errorf("%s was opened", name)
				}
			}
		})
	}
}

func TestIrregularEntryPoint(t *testing.T) {
	_, err := Load(t.Context(), fstest.MapFS{entryPoint: {Mode: fs.ModeNamedPipe}})
	if want := "amplify/backend.ts: read amplify/backend.ts: not a regular file; make it a file that can be read"; err == nil || err.Error() != want {
		t.Errorf("Load = %v, want %s", err, want)
	}
}

func TestFolderLimit(t *testing.T) {
	f := &folder{FS: fstest.MapFS{"a": {Data: make([]byte, 10)}}, left: 15}
	if data, err := f.ReadFile("a"); err != nil || len(data) != 10 {
		t.Errorf("ReadFile = %d bytes, %v, want 10", len(data), err)
	}
	if _, err := f.ReadFile("a"); !errors.Is(err, errTooMuch) {
		t.Errorf("ReadFile past the limit = %v, want %v", err, errTooMuch)
	}
}

// TestWithin gives up on work that does not end, and returns what it panics with.
func TestWithin(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	defer close(release)
	cancel()
	if _, err := within(ctx, 0, func() int { <-release; return 1 }); !errors.Is(err, context.Canceled) {
		t.Errorf("within a canceled context = %v, want %v", err, context.Canceled)
	}
	if _, err := within(t.Context(), 0, func() int { panic("broken") }); err == nil || err.Error() != "broken" {
		t.Errorf("within of a panic = %v, want broken", err)
	}
}

// FuzzNesting agrees with the depth of what it generates.
func FuzzNesting(f *testing.F) {
	f.Add("a\"[", 3)
	f.Fuzz(func(t *testing.T, text string, depth int) {
		if depth < 0 || depth > 100 {
			return
		}
		quoted, err := json.Marshal(text)
		if err != nil {
			return
		}
		whole := strings.Repeat("[", depth) + string(quoted) + strings.Repeat("]", depth)
		if got := nesting(whole); got != depth {
			t.Errorf("nesting(%q) = %d, want %d", whole, got, depth)
		}
	})
}

// TestUnreadableEntry: a resolver entry that is there and is no file to read is
// not called missing.
func TestUnreadableEntry(t *testing.T) {
	files := fstest.MapFS{}
	if err := fs.WalkDir(sample.Files(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(sample.Files(), name)
		files[name] = &fstest.MapFile{Data: data}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	files["amplify/data/bedrock.js"] = &fstest.MapFile{Mode: fs.ModeDir | 0o755}
	_, err := Load(t.Context(), files)
	if err == nil || strings.Contains(err.Error(), "no file") || !strings.Contains(err.Error(), `resolver entry "./bedrock.js"`) {
		t.Errorf("Load = %v, want the entry called unreadable", err)
	}
}
