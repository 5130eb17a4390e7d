package amplify

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"fairway/backend"
	"fairway/internal/amplify/schema"
)

// maxSchema is the size AppSync allows a schema document, in bytes (AppSync
// quotas, "schema document size").
const maxSchema = 1 << 20

// declare fills b with what r says. An evaluation that is not complete has its
// reason found already; then nothing is said about what is missing from r.
func declare(b *backend.Backend, r recording, complete bool, fsys fs.FS, found *findings) {
	for _, u := range r.Unsupported {
		found.warn("unsupported-construct", u.At, onlyDeployed,
			"%s is recorded but has no effect here", u.Name)
	}
	b.Auth = userPool(r, found)
	b.DataSources = dataSources(r, found)
	b.Principals = principals(r, &sourceText{fsys: fsys}, found)
	b.Env = environment(r)
	b.Outputs = outputs(r, found)

	data, ok := theData(r, complete, found)
	if !ok {
		return
	}
	b.Authorization = authorization(data, b.Auth != nil, found)
	built, ok := build(data, found)
	if !ok {
		return
	}
	b.Schema = built.SDL
	b.Deployed = built.Deploy(b.Authorization)
	if n := len(b.Deployed); n > maxSchema {
		found.fail("schema-size", data.At, "declare fewer types, or fewer operations on models",
			"deploy schema: it has %d bytes, AppSync allows %d", n, maxSchema)
	}
	b.Introspection = built.Introspection()
	b.Operations = operations(built, data.At, fsys, found)
	if !complete {
		return
	}
	document, err := parser.ParseSchema(&ast.Source{Input: b.Schema})
	if err != nil {
		found.fail("invalid-schema", data.At, "correct the schema", "parse schema: %v", err)
		return
	}
	checkModes(b, document, data.At, found)
	b.DataSources = append(b.DataSources, modelTables(b, document)...)
	checkDataSources(b, found)
}

// theData is the project's one call of defineData.
func theData(r recording, complete bool, found *findings) (dataRecord, bool) {
	if len(r.Data) > 1 {
		found.fail("duplicate-data", r.Data[1].At, "keep one, or join the schemas with a.combine",
			"defineData: a project has one API, and there is already one at %s", r.Data[0].At)
	}
	switch {
	case len(r.Data) > 0 && (r.Data[0].Used || !complete):
		checkPlace("Data", r.Data[0].At, found)
		return r.Data[0], true
	case !complete:
	case len(r.Backends) == 0:
		found.fail("missing-backend", position{File: entryPoint}, "call defineBackend({ data }) in it",
			"load amplify folder: %s does not call defineBackend", entryPoint)
	case len(r.Data) == 0:
		found.fail("missing-data", r.Backends[0].At, "pass it the result of a defineData",
			"defineBackend: there is no data, so there is no API to serve")
	default:
		found.fail("missing-data", r.Backends[0].At, "pass it the result of the defineData",
			"defineBackend: the data defined at %s is not among its resources", r.Data[0].At)
		return r.Data[0], true // its schema can be read all the same
	}
	return dataRecord{}, false
}

// checkPlace finds a resource that is defined in another file than Amplify wants
// it in. The message is Amplify's, and like here it compares the end of the path
// without the extension (ImportPathVerifier of @aws-amplify/backend 1.25.1).
func checkPlace(resource string, at position, found *findings) {
	name := strings.ToLower(resource)
	want := "amplify/" + name + "/resource"
	if !strings.HasSuffix(strings.TrimSuffix(at.File, path.Ext(at.File)), want) {
		found.fail("misplaced-"+name, at, "move the call there and import its result in "+entryPoint,
			"Amplify %s must be defined in %s.ts", resource, want)
	}
}

// build builds the schema that defineData was given.
func build(data dataRecord, found *findings) (*schema.Built, bool) {
	if len(data.Schema) == 0 || string(data.Schema) == "null" {
		found.fail("unsupported-schema", data.At, "write the schema with a.schema",
			"defineData: the schema is not one that a.schema makes")
		return nil, false
	}
	built, err := schema.Build(data.Schema)
	if err != nil {
		at, message := data.At, err.Error()
		if e, ok := errors.AsType[*schema.Error](err); ok {
			message = e.Message
			if e.At != "" {
				at = parsePosition(e.At)
			}
		}
		found.fail("invalid-schema", at, "correct the schema", "build schema: %s", message)
		return nil, false
	}
	return built, true
}
