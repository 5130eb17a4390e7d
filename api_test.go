package fairway_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite testdata/api.txt")

// public are the packages that other modules import, by import path.
var public = map[string]string{"fairway": ".", "fairway/backend": "backend", "fairway/fairwaytest": "fairwaytest"}

// TestAPI compares what the public packages export with testdata/api.txt, so
// that no change to it goes unseen.
func TestAPI(t *testing.T) {
	var lines []string
	for path, dir := range public {
		lines = append(lines, exported(t, path, dir)...)
	}
	slices.Sort(lines)
	got := strings.Join(lines, "\n") + "\n"
	golden := filepath.Join("testdata", "api.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the public API changed; go test . -run TestAPI -update accepts it (-want +got):\n%s", diff)
	}
}

// exported lists a package's exported names, fields and methods, each on a line
// with its type as it is written: "pkg fairway/backend, type Mode string".
func exported(t *testing.T, path, dir string) []string {
	t.Helper()
	sources, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	var syntax []*ast.File
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(files, source, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		syntax = append(syntax, f)
	}
	p, err := doc.NewFromFiles(files, syntax, path)
	if err != nil {
		t.Fatal(err)
	}
	a := api{pkg: path, files: files}
	a.values(p.Consts)
	a.values(p.Vars)
	a.functions(p.Funcs)
	for _, typ := range p.Types {
		a.values(typ.Consts)
		a.values(typ.Vars)
		a.functions(typ.Funcs)
		a.functions(typ.Methods)
		a.typeSpec(typ.Decl.Specs[0].(*ast.TypeSpec))
	}
	if len(a.lines) == 0 {
		t.Fatalf("package %s exports nothing", path)
	}
	return a.lines
}

// api collects the lines of one package.
type api struct {
	pkg   string
	files *token.FileSet
	lines []string
}

func (a *api) add(format string, args ...any) {
	a.lines = append(a.lines, "pkg "+a.pkg+", "+fmt.Sprintf(format, args...))
}

// text is a node as gofmt prints it, on one line.
func (a *api) text(n ast.Node) string {
	var b bytes.Buffer
	// Fails only when the buffer does.
	_ = printer.Fprint(&b, a.files, n)
	return strings.Join(strings.Fields(b.String()), " ")
}

func (a *api) values(values []*doc.Value) {
	for _, v := range values {
		for _, spec := range v.Decl.Specs {
			spec := spec.(*ast.ValueSpec)
			for i, name := range spec.Names {
				if !name.IsExported() {
					continue
				}
				line := v.Decl.Tok.String() + " " + name.Name
				if spec.Type != nil {
					line += " " + a.text(spec.Type)
				}
				if i < len(spec.Values) && v.Decl.Tok == token.CONST {
					line += " = " + a.text(spec.Values[i])
				}
				a.add("%s", line)
			}
		}
	}
}

func (a *api) functions(functions []*doc.Func) {
	for _, f := range functions {
		kind := "func "
		if f.Recv != "" {
			kind = "method (" + f.Recv + ") "
		}
		a.add("%s%s%s", kind, f.Name, strings.TrimPrefix(a.text(f.Decl.Type), "func"))
	}
}

// typeSpec lists a struct's or an interface's members one by one.
func (a *api) typeSpec(spec *ast.TypeSpec) {
	var members *ast.FieldList
	switch typ := spec.Type.(type) {
	case *ast.StructType:
		a.add("type %s struct", spec.Name)
		members = typ.Fields
	case *ast.InterfaceType:
		a.add("type %s interface", spec.Name)
		members = typ.Methods
	default:
		a.add("type %s %s", spec.Name, a.text(spec.Type))
		return
	}
	for _, m := range members.List {
		typ := a.text(m.Type)
		if _, ok := m.Type.(*ast.FuncType); ok && !isStruct(spec) {
			typ = strings.TrimPrefix(typ, "func")
		} else {
			typ = " " + typ
		}
		if m.Tag != nil {
			typ += " " + m.Tag.Value
		}
		if len(m.Names) == 0 {
			a.add("type %s, embedded%s", spec.Name, typ)
		}
		for _, name := range m.Names {
			if name.IsExported() {
				a.add("type %s, %s%s", spec.Name, name.Name, typ)
			}
		}
	}
}

func isStruct(spec *ast.TypeSpec) bool {
	_, ok := spec.Type.(*ast.StructType)
	return ok
}
