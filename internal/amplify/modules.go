package amplify

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/dop251/goja"

	"fairway/internal/amplify/schema"
)

//go:embed modules
var modules embed.FS

// packages maps what project code may import, and fairway/ names that only our
// own modules require, to a file of the modules folder.
var packages = map[string]string{
	"@aws-amplify/backend": "backend.js",
	"aws-cdk-lib":          "cdk.js",
	"aws-cdk-lib/core":     "cdk.js",
	"aws-cdk-lib/aws-iam":  "iam.js",
	"fairway/api":          "api.js",
	"fairway/auth":         "auth.js",
	"fairway/override":     "override.js",
	"fairway/recorder":     "recorder.js",
	"fairway/recording":    "recording.js",
	"fairway/resource":     "resource.js",
	"fairway/role":         "role.js",
	"fairway/stack":        "stack.js",
}

// schemaPackage is the package of the schema builder; @aws-amplify/backend
// exports its a as well.
const schemaPackage = "@aws-amplify/data-schema"

// hasModule reports whether project code may import the package name.
func hasModule(name string) bool {
	return name == schemaPackage || isRecorded(name) ||
		packages[name] != "" && !strings.HasPrefix(name, "fairway/")
}

// isRecorded reports whether the package's exports are recorders only.
func isRecorded(name string) bool {
	if packages[name] != "" || name == schemaPackage {
		return false
	}
	return name == "constructs" || strings.HasPrefix(name, "aws-cdk-lib/") ||
		strings.HasPrefix(name, "@aws-cdk/") || strings.HasPrefix(name, "@aws-amplify/")
}

// exported is the packages whose exports are these names only. The others answer
// to any name.
var exported = map[string][]string{
	schemaPackage: {"a"},
	"@aws-amplify/backend": {"a", "defineAuth", "defineBackend", "defineData", "defineFunction", "defineStorage",
		"referenceAuth", "referenceStorage", "secret"},
}

// importText is what stands in the bundle for the package name: its exports, of
// what the global __require gives for it.
func importText(name string) string {
	if isRecorded(name) {
		return `module.exports = __require("fairway/recorder").library(` + strconv.Quote(name) + `)`
	}
	required := `__require(` + strconv.Quote(name) + `)`
	if names := exported[name]; names != nil { // spelled out, so that a wrong import is found
		return "export const { " + strings.Join(names, ", ") + " } = " + required
	}
	return "module.exports = " + required
}

// programs are our modules by package name, each a function of (module, require).
// They bypass the bundler and are compiled once: most of a small project's script
// would be theirs.
var programs = sync.OnceValue(func() map[string]*goja.Program {
	compiled := map[string]*goja.Program{}
	compile := func(name, text string) {
		compiled[name] = goja.MustCompile(moduleNamespace+":"+name, "(function (module, require) {"+text+"\n})", true)
	}
	compile(schemaPackage, schema.Module())
	for name, file := range packages {
		text, err := modules.ReadFile("modules/" + file)
		if err != nil {
			panic(err) // packages names a file that is not there
		}
		compile(name, string(text))
	}
	return compiled
})

// library is require for our modules in vm, which evaluates each once.
func library(vm *goja.Runtime) func(name string) (goja.Value, error) {
	loaded := map[string]goja.Value{}
	var require func(name string) (goja.Value, error)
	require = func(name string) (goja.Value, error) {
		if exports := loaded[name]; exports != nil {
			return exports, nil
		}
		program := programs()[name]
		if program == nil {
			return nil, fmt.Errorf("no module %q", name)
		}
		value, err := vm.RunProgram(program)
		if err != nil {
			return nil, err
		}
		evaluate, _ := goja.AssertFunction(value)
		module := vm.NewObject()
		if _, err := evaluate(goja.Undefined(), module, vm.ToValue(require)); err != nil {
			return nil, err
		}
		loaded[name] = module.Get("exports")
		return loaded[name], nil
	}
	return require
}
