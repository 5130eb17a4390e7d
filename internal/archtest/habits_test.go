package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// goFile is a parsed Go file of the module.
type goFile struct {
	dir    string // package directory relative to the module, "" the root
	test   bool   // a _test.go file
	files  *token.FileSet
	syntax *ast.File
}

// at is where a node begins, "internal/route/run.go:10".
func (f goFile) at(pos token.Pos) string {
	p := f.files.Position(pos)
	p.Column = 0
	return strings.TrimPrefix(filepath.ToSlash(p.String()), "../../")
}

// goFiles parses every Go file of the module.
func goFiles(t *testing.T) []goFile {
	t.Helper()
	root := filepath.Join("..", "..")
	var found []goFile
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if n := d.Name(); p != root && (n == "testdata" || n == "node_modules" || n == "bench" || strings.HasPrefix(n, ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(p))
		if err != nil {
			return err
		}
		f := goFile{dir: strings.TrimPrefix(filepath.ToSlash(rel), "."), test: strings.HasSuffix(p, "_test.go"), files: token.NewFileSet()}
		f.syntax, err = parser.ParseFile(f.files, p, nil, parser.ParseComments|parser.SkipObjectResolution)
		found = append(found, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 100 {
		t.Fatalf("found %d Go files, want the whole module", len(found))
	}
	return found
}

var (
	todo     = regexp.MustCompile(`\bTODO\b`)
	numbered = regexp.MustCompile(`^TODO\(#?[0-9]+\)`)
)

// unnumbered is the first open end in a comment's text that names no issue.
func unnumbered(text string) string {
	for _, at := range todo.FindAllStringIndex(text, -1) {
		if rest := text[at[0]:]; !numbered.MatchString(rest) {
			line, _, _ := strings.Cut(rest, "\n")
			return line
		}
	}
	return ""
}

// TestOpenEndsNameTheirIssue wants an issue's number, in parentheses, behind
// every marker of work that is left.
func TestOpenEndsNameTheirIssue(t *testing.T) {
	for _, f := range goFiles(t) {
		for _, group := range f.syntax.Comments {
			for _, c := range group.List {
				if line := unnumbered(c.Text); line != "" {
					t.Errorf("%s: %q: put the number of its issue in parentheses", f.at(c.Pos()), line)
				}
			}
		}
	}
}

// TestNoSleeps wants tests to wait for events. In a synctest bubble, where a
// sleep takes no time, it is how a test moves the clock.
func TestNoSleeps(t *testing.T) {
	for _, f := range goFiles(t) {
		if !f.test {
			continue
		}
		for _, pos := range sleeps(f.syntax) {
			t.Errorf("%s: a test sleeps: wait for an event, or use testing/synctest", f.at(pos))
		}
	}
}

// sleeps are the mentions of time.Sleep outside calls of synctest.Test.
func sleeps(in ast.Node) []token.Pos {
	var found []token.Pos
	ast.Inspect(in, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			return !names(n.Fun, "synctest", "Test")
		case *ast.SelectorExpr:
			if names(n, "time", "Sleep") {
				found = append(found, n.Pos())
			}
		}
		return true
	})
	return found
}

// names reports whether n is the qualified name pkg.name.
func names(n ast.Node, pkg, name string) bool {
	s, ok := n.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == pkg
}

// TestHabitsBite makes sure that both checks find what they look for.
func TestHabitsBite(t *testing.T) {
	for text, want := range map[string]string{
		"// TODO: later":                  "TODO: later",
		"// TODO(me): later":              "TODO(me): later",
		"/* first\n TODO later\n last */": "TODO later",
		"// TODO(7): a\n// TODO: more":    "TODO: more",
		"// TODO(12): later":              "",
		"// TODO(#12): later":             "",
		"// the method":                   "",
	} {
		if got := unnumbered(text); got != want {
			t.Errorf("unnumbered(%q) = %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]int{
		"time.Sleep(1)": 1,
		"f(time.Sleep)": 1,
		"func() { time.Sleep(1); time.Now(); time.Sleep(2) }()": 2,
		"other.Sleep(1)": 0,
		"synctest.Test(t, func(t *testing.T) { time.Sleep(1) })": 0,
		"synctest.Run(func() { time.Sleep(1) })":                 1,
	} {
		e, err := parser.ParseExpr(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(sleeps(e)); got != want {
			t.Errorf("sleeps(%s) = %d, want %d", text, got, want)
		}
	}
}
