package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"fairway/internal/sample"
	"fairway/internal/seed"
)

// TestMain lets scripts run the command line as a program called fairway.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"fairway": func() {
			os.Exit(Main(os.Args[1:], Surroundings{
				Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, Version: "test",
			}))
		},
	})
}

// TestScripts drives the command line as its users do. Each script's name begins
// with the subcommand it is about.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("..", "..", "testdata", "script"),
		Setup: func(env *testscript.Env) error {
			return os.CopyFS(filepath.Join(env.WorkDir, "sample"), sample.Files())
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"json": compareJSON,
		},
	})
}

// TestSeedScripts runs the scripts about the guide's own files, extracted as they
// are printed.
func TestSeedScripts(t *testing.T) {
	files := seed.Files(t)
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("..", "..", "testdata", "script", "seed"),
		Setup: func(env *testscript.Env) error {
			return os.CopyFS(filepath.Join(env.WorkDir, "seed"), files)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"json":   compareJSON,
			"cutout": cutLines,
		},
	})
}

// compareJSON is "json FILE PATH [WANT]": the value at a dotted path of a JSON
// file, or of stdout, equals WANT, itself JSON or else a string.
func compareJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: json FILE PATH WANT")
	}
	var doc any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &doc))
	got := walk(doc, strings.Split(args[1], "."))
	var want any
	if json.Unmarshal([]byte(args[2]), &want) != nil {
		want = args[2]
	}
	a, err := json.Marshal(got)
	ts.Check(err)
	b, err := json.Marshal(want)
	ts.Check(err)
	if bytes.Equal(a, b) == neg {
		ts.Fatalf("%s of %s is %s, want %s (not: %v)", args[1], args[0], a, b, neg)
	}
}

// walk follows member names; "*" makes a list of each element's value, "len" is
// the length of a list.
func walk(v any, path []string) any {
	for i, name := range path {
		switch here := v.(type) {
		case map[string]any:
			v = here[name]
		case []any:
			if name == "len" {
				return len(here)
			}
			if name == "*" {
				list := []any{}
				for _, e := range here {
					list = append(list, walk(e, path[i+1:]))
				}
				return list
			}
			return nil
		default:
			return nil
		}
	}
	return v
}

// cutLines is "cutout FILE TEXT...": removes the lines that hold one of the texts.
func cutLines(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	var kept []string
	for _, line := range strings.SplitAfter(ts.ReadFile(args[0]), "\n") {
		if !holdsAny(line, args[1:]) {
			kept = append(kept, line)
		}
	}
	ts.Check(os.WriteFile(path, []byte(strings.Join(kept, "")), 0o600))
}

func holdsAny(line string, texts []string) bool {
	for _, text := range texts {
		if strings.Contains(line, text) {
			return true
		}
	}
	return false
}
