package amplify

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/evanw/esbuild/pkg/api"
)

// Namespaces of bundled files: the project's own and what stands for our modules.
// They are also the prefixes of file names in the source map.
const (
	projectNamespace = "project"
	moduleNamespace  = "module"
)

// bundle makes one script, with its source map inside, of the entry point and
// everything it imports: the files.
func bundle(ctx context.Context, source *folder, s settings, found *findings) (script string, files []string, ok bool) {
	if _, err := fs.Stat(source, entryPoint); errors.Is(err, fs.ErrNotExist) {
		found.fail("missing-backend", position{File: entryPoint},
			"name the project root, the folder that holds amplify/",
			"load amplify folder: no %s in the project folder", entryPoint)
		return "", nil, false
	}
	p := &project{folder: source, read: map[string]bool{}}
	result, err := within(ctx, 0, p.build)
	if err != nil {
		reportGivenUp(err, "bundle", s, found)
		return "", p.files(), false
	}
	for _, message := range result.Errors {
		reportMessage(message, found)
	}
	if len(result.Errors) > 0 {
		return "", p.files(), false
	}
	return string(result.OutputFiles[0].Contents), p.files(), true
}

func (p *project) build() api.BuildResult {
	return api.Build(api.BuildOptions{
		// Not an entry point: those esbuild looks for on the disk first.
		Stdin:     &api.StdinOptions{Contents: `import "./` + entryPoint + `"`},
		Bundle:    true,
		Format:    api.FormatIIFE,
		Platform:  api.PlatformNeutral,
		Target:    api.ES2017, // what the interpreter has in full
		Sourcemap: api.SourceMapInline,
		// The map need not repeat the files.
		SourcesContent: api.SourcesContentExclude,
		TsconfigRaw:    "{}", // no tsconfig.json outside fsys
		LogLevel:       api.LogLevelSilent,
		Plugins:        []api.Plugin{{Name: "project", Setup: p.setup}},
	})
}

// importError is an import that leads nowhere; it travels through esbuild as
// the detail of a message.
type importError struct {
	code, message, fix string
}

// reportMessage makes a finding of an esbuild error.
func reportMessage(m api.Message, found *findings) {
	at := position{File: entryPoint}
	if m.Location != nil {
		if file, ok := strings.CutPrefix(m.Location.File, projectNamespace+":"); ok {
			at = position{File: file, Line: m.Location.Line}
		}
	}
	if e, ok := m.Detail.(*importError); ok {
		found.fail(e.code, at, e.fix, "%s", e.message)
		return
	}
	code, fix := "syntax-error", "correct the syntax"
	switch {
	case strings.HasPrefix(m.Text, "No matching export"):
		code, fix = "unavailable-export", "correct the name that is imported"
	case strings.HasPrefix(m.Text, "Top-level await"):
		found.fail("top-level-await", at, "move it into an async function, or do without the promise",
			"bundle amplify folder: await outside a function is not supported")
		return
	}
	names := strings.NewReplacer(`"`+moduleNamespace+":", `"`, `"`+projectNamespace+":", `"`)
	found.fail(code, at, fix, "bundle amplify folder: %s", names.Replace(m.Text))
}

// project resolves and loads the files of a project folder for esbuild.
type project struct {
	folder *folder

	mu   sync.Mutex // esbuild loads files concurrently
	read map[string]bool
}

// files are those that were read so far, sorted.
func (p *project) files() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.read))
}

func (p *project) setup(build api.PluginBuild) {
	build.OnResolve(api.OnResolveOptions{Filter: ".*"}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
		result, failure := p.resolve(args)
		if failure != nil {
			result.Errors = []api.Message{{Text: failure.message, Detail: failure}}
		}
		return result, nil
	})
	build.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: moduleNamespace}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
		text := importText(args.Path)
		return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, nil
	})
	build.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: projectNamespace}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
		p.mu.Lock()
		p.read[args.Path] = true
		p.mu.Unlock()
		data, err := p.folder.read(args.Path, maxSource)
		if err != nil {
			failure := unreadable("read "+args.Path, err)
			return api.OnLoadResult{Errors: []api.Message{{Text: failure.message, Detail: failure}}}, nil
		}
		text := string(data)
		return api.OnLoadResult{Contents: &text, Loader: loaders[path.Ext(args.Path)]}, nil
	})
}

// loaders is how a project file is read, by its extension.
var loaders = map[string]api.Loader{
	".ts": api.LoaderTS, ".mts": api.LoaderTS, ".cts": api.LoaderTS, ".tsx": api.LoaderTSX,
	".js": api.LoaderJS, ".mjs": api.LoaderJS, ".cjs": api.LoaderJS, ".jsx": api.LoaderJSX,
	".json": api.LoaderJSON,
}

func (p *project) resolve(args api.OnResolveArgs) (api.OnResolveResult, *importError) {
	if hasModule(args.Path) {
		return api.OnResolveResult{Path: args.Path, Namespace: moduleNamespace}, nil
	}
	importer := args.Importer
	if args.Namespace != projectNamespace {
		importer = "" // the root
	}
	file, failure := p.file(importer, args.Path)
	return api.OnResolveResult{Path: file, Namespace: projectNamespace}, failure
}

// file is the project file that importer means by name.
func (p *project) file(importer, name string) (string, *importError) {
	if !strings.HasPrefix(name, ".") && !path.IsAbs(name) {
		return "", &importError{
			code:    "unavailable-package",
			message: "import " + name + ": the package is not available to an amplify folder here",
			fix:     "remove the import, or move what needs it out of the code that declares the backend",
		}
	}
	target := path.Join(path.Dir(importer), name)
	if path.IsAbs(name) || !fs.ValidPath(target) {
		return "", &importError{
			code:    "import-outside-project",
			message: "import " + name + ": it is outside the project folder",
			fix:     "move the file into the project folder",
		}
	}
	for _, candidate := range candidates(target) {
		info, err := fs.Stat(p.folder, candidate)
		if err == nil && !info.IsDir() && loaders[path.Ext(candidate)] != api.LoaderNone {
			return candidate, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", unreadable("import "+name, err)
		}
	}
	return "", &importError{
		code:    "missing-import",
		message: "import " + name + ": no such file in the project folder",
		fix:     "create " + target + " or correct the import",
	}
}

// unreadable is the failure of a file that is there. The cause of a *fs.PathError
// says it all: its path is the file's, which the message has.
func unreadable(operation string, err error) *importError {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return &importError{code: "unreadable-import", message: operation + ": " + err.Error(), fix: "make it a file that can be read"}
}

// candidates lists the files that an import of target may mean, the likeliest
// first: the file itself, TypeScript for a .js name, an extension left out, an
// index file.
func candidates(target string) []string {
	files := []string{target}
	for _, pair := range [][2]string{{".js", ".ts"}, {".js", ".tsx"}, {".mjs", ".mts"}, {".cjs", ".cts"}} {
		if stem, ok := strings.CutSuffix(target, pair[0]); ok {
			files = append(files, stem+pair[1])
		}
	}
	for _, stem := range []string{target, path.Join(target, "index")} {
		for _, extension := range []string{".ts", ".tsx", ".mts", ".js", ".mjs", ".jsx", ".json"} {
			files = append(files, stem+extension)
		}
	}
	return files
}
