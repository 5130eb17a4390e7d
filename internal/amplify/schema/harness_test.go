package schema_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/dop251/goja"

	"fairway/backend"
	"fairway/internal/amplify/schema"
)

// amplifyAuth is what Amplify gives an API with a user pool and an API key.
var amplifyAuth = backend.Authorization{Default: backend.APIKey, Additional: []backend.Mode{backend.UserPool, backend.IAM}}

// compiled is the module as a script whose value is `a`.
func compiled(t testing.TB) *goja.Program {
	t.Helper()
	program, err := goja.Compile("builder.js", "(function (module) {"+schema.Module()+"\nreturn module.exports.a})({})", true)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// record evaluates an expression over `a` that gives a schema object and records it.
func record(t testing.TB, program *goja.Program, expression string) ([]byte, error) {
	t.Helper()
	vm := goja.New()
	set := func(name string, value any) {
		if err := vm.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	set("__at", func() string {
		for _, frame := range vm.CaptureCallStack(0, nil) {
			if frame.SrcName() == "resource.ts" {
				return fmt.Sprintf("%s:%d", frame.SrcName(), frame.Position().Line)
			}
		}
		return ""
	})
	a, err := vm.RunProgram(program)
	if err != nil {
		t.Fatal(err)
	}
	set("a", a)
	if _, err := vm.RunString("const fnProvider = { getInstance() {} }"); err != nil {
		t.Fatal(err)
	}
	recorded, err := vm.RunScript("resource.ts", "JSON.stringify(("+expression+").record())")
	if err != nil {
		return nil, err
	}
	return []byte(recorded.String()), nil
}

// build builds the schema of an a.schema argument.
func build(t testing.TB, program *goja.Program, argument string) (*schema.Built, error) {
	t.Helper()
	recorded, err := record(t, program, "a.schema("+argument+")")
	if err != nil {
		return nil, err
	}
	return schema.Build(recorded)
}

// message is an error as the builder's user reads it.
func message(err error) string {
	switch err := err.(type) {
	case *goja.Exception:
		return strings.TrimPrefix(strings.SplitN(err.Value().String(), "\n", 2)[0], "TypeError: ")
	case *schema.Error:
		return err.Message
	}
	return err.Error()
}

type builderCase struct {
	Name     string
	Schema   string
	SDL      string
	Error    string
	Handlers []handlers
}

type handlers struct {
	Type     string    `json:"type"`
	Field    string    `json:"field"`
	Handlers []handler `json:"handlers"`
}

type handler struct {
	DataSource string `json:"dataSource"`
	Entry      string `json:"entry"`
}

// builderCases are the cases of both files: what the real builder made of each schema.
func builderCases(t testing.TB) []builderCase {
	t.Helper()
	var all []builderCase
	for _, name := range []string{"testdata/builder_cases.json", "testdata/builder_random.json"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var file struct{ Cases []builderCase }
		if err := json.Unmarshal(data, &file); err != nil {
			t.Fatal(err)
		}
		if len(file.Cases) == 0 {
			t.Fatalf("%s has no cases", name)
		}
		all = append(all, file.Cases...)
	}
	return all
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
