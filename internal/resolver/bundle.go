package resolver

import (
	"encoding/base64"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf16"

	"fairway/backend"

	"github.com/evanw/esbuild/pkg/api"
)

// maxCode is the length AppSync allows a resolver file, in characters (AppSync
// quotas, "function code").
const maxCode = 32768

// Where a module of a bundle comes from: the resolver file, or the runtime. The
// file's name inside a bundle is always entryFile, whatever it is on disk.
const (
	fromProject = "resolver"
	fromRuntime = "runtime"
	entryFile   = "entry"
)

// bundle erases types and joins the file with the runtime's modules into one
// script, whose value is a function that evaluates the module and returns its
// {request, response}. Nothing is lowered or shortened, so that the script has
// the constructs of the file and no others; its source map leads back to it.
func bundle(entry, code string) (string, []backend.Finding) {
	if n := len(utf16.Encode([]rune(code))); n > maxCode {
		return "", []backend.Finding{finding(entry, 0, "code-size",
			fmt.Sprintf("resolver code has %d characters, AppSync allows %d", n, maxCode), "split the resolver into pipeline functions")}
	}
	built := api.Build(api.BuildOptions{
		Stdin: &api.StdinOptions{
			Contents:   `import { request, response } from "` + entryFile + `"; handlers = { request, response };`,
			Sourcefile: "runtime",
		},
		Bundle:         true,
		Format:         api.FormatESModule,
		Platform:       api.PlatformNeutral,
		Target:         api.ESNext,
		TreeShaking:    api.TreeShakingFalse,
		Charset:        api.CharsetUTF8,
		LegalComments:  api.LegalCommentsNone,
		Sourcemap:      api.SourceMapExternal,
		SourcesContent: api.SourcesContentExclude,
		Outfile:        "resolver.js",
		TsconfigRaw:    "{}",
		LogLevel:       api.LogLevelSilent,
		Plugins:        []api.Plugin{modules(entry, code)},
	})
	if len(built.Errors) > 0 {
		var findings []backend.Finding
		for _, m := range built.Errors {
			findings = append(findings, buildFinding(entry, m))
		}
		slices.SortFunc(findings, byLine)
		return "", findings
	}
	var script, sourceMap []byte
	for _, f := range built.OutputFiles {
		if strings.HasSuffix(f.Path, ".map") {
			sourceMap = f.Contents
		} else {
			script = f.Contents
		}
	}
	// The prefix shares the bundle's first line, so that lines keep their numbers.
	return `(function () { "use strict"; let handlers; ` + string(script) + "\nreturn handlers; })\n" +
		"//# sourceMappingURL=data:application/json;base64," + base64.StdEncoding.EncodeToString(sourceMap), nil
}

// modules resolves the file itself and the runtime's modules, and nothing else.
func modules(entry, code string) api.Plugin {
	loader := api.LoaderJS
	if path.Ext(entry) == ".ts" {
		loader = api.LoaderTS
	}
	return api.Plugin{Name: "resolver", Setup: func(b api.PluginBuild) {
		b.OnResolve(api.OnResolveOptions{Filter: ".*"}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
			static := a.Kind == api.ResolveJSImportStatement
			switch {
			case a.Namespace != fromProject:
				return api.OnResolveResult{Path: entryFile, Namespace: fromProject}, nil
			case static && runtimeModules[a.Path] != nil:
				return api.OnResolveResult{Path: a.Path, Namespace: fromRuntime}, nil
			}
			return api.OnResolveResult{}, fmt.Errorf("import of %q: AppSync does not bundle, a resolver may import @aws-appsync/utils only", a.Path)
		})
		b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: fromProject}, func(api.OnLoadArgs) (api.OnLoadResult, error) {
			return api.OnLoadResult{Contents: &code, Loader: loader}, nil
		})
		b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: fromRuntime}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
			text := moduleText(a.Path)
			return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, nil
		})
	}}
}

// runtimeModules is what the importable modules export (@aws-appsync/utils 2.1.1).
var runtimeModules = map[string][]string{
	"@aws-appsync/utils": {"util", "extensions", "runtime"},
	"@aws-appsync/utils/dynamodb": {"get", "put", "remove", "update", "query", "scan", "sync", "batchGet", "batchPut",
		"batchDelete", "transactGet", "transactWrite", "operations"},
	"@aws-appsync/utils/rds": {"sql", "select", "insert", "update", "remove", "createMySQLStatement", "createPgStatement",
		"toJsonObject", "typeHint", "agg"},
	"@aws-appsync/utils/ai": {"invokeModel", "converse"},
}

// moduleText is a module whose exports are the runtime's own objects, which the
// realm keeps under the module's name.
func moduleText(name string) string {
	var text strings.Builder
	for _, export := range runtimeModules[name] {
		fmt.Fprintf(&text, "export const %s = globalThis[%q].%[1]s;\n", export, name)
	}
	return text.String()
}

func buildFinding(entry string, m api.Message) backend.Finding {
	line := 0
	if m.Location != nil && strings.Contains(m.Location.File, fromProject+":") {
		line = m.Location.Line
	}
	for _, name := range []handlerName{request, response} {
		if line == 0 && strings.Contains(m.Text, fmt.Sprintf("for import %q", string(name))) {
			return finding(entry, 1, "missing-"+string(name), "no exported function "+string(name),
				fmt.Sprintf("add: export function %s(ctx) { ... }", name))
		}
	}
	if strings.HasPrefix(m.Text, "import of ") {
		return finding(entry, line, "no-import", m.Text, "copy the code into the resolver file")
	}
	return finding(entry, line, "syntax", m.Text, "")
}
