package amplify

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"fairway/backend"
	"fairway/internal/amplify/schema"
)

// maxFunctions is how many functions AppSync allows a pipeline (AppSync quotas,
// "functions per pipeline resolver").
const maxFunctions = 10

// operations are the schema's, with each resolver's file read. One that the
// schema gives no position is placed at data, the call of defineData.
func operations(built *schema.Built, data position, fsys fs.FS, found *findings) []backend.Operation {
	list := slices.Clone(built.Operations)
	for i := range list {
		op := &list[i]
		op.At = cmp.Or(op.At, data.String())
		op.Pipeline = slices.Clone(op.Pipeline)
		if n := len(op.Pipeline); n > maxFunctions {
			found.fail("pipeline-length", parsePosition(op.At), "do the work of several functions in one",
				"%s.%s: its pipeline has %d functions, AppSync allows %d", op.Type, op.Field, n, maxFunctions)
		}
		for j := range op.Pipeline {
			at := parsePosition(built.HandlerAt[i][j])
			readEntry(&op.Pipeline[j], at, *op, fsys, found)
		}
	}
	reportUnsupported(list, found)
	return list
}

// reportUnsupported notes the fields that have no engine, those of one
// declaration in one finding.
func reportUnsupported(operations []backend.Operation, found *findings) {
	type declaration struct{ construct, at string }
	var order []declaration
	fields := map[declaration][]string{}
	for _, op := range operations {
		if op.Unsupported == "" {
			continue
		}
		d := declaration{op.Unsupported, op.At}
		if fields[d] == nil {
			order = append(order, d)
		}
		fields[d] = append(fields[d], op.Type+"."+op.Field)
	}
	for _, d := range order {
		found.add(backend.SeverityInfo, "unsupported-operation", parsePosition(d.at),
			"nothing, as long as they are not called",
			fmt.Sprintf("%s has no engine here yet: %s", d.construct, strings.Join(fields[d], ", ")))
	}
}

// readEntry reads a resolver file, byte for byte. Its name is relative to the
// file that declares the handler.
func readEntry(f *backend.Function, at position, op backend.Operation, fsys fs.FS, found *findings) {
	if f.Entry == "" {
		return
	}
	file := path.Join(path.Dir(at.File), f.Entry)
	if path.IsAbs(f.Entry) {
		file = path.Clean(f.Entry)
	}
	code, err := fs.ReadFile(fsys, file)
	switch {
	case err == nil:
		f.Entry, f.Code = file, string(code)
	case !fs.ValidPath(file):
		found.fail("missing-resolver-entry", at, "move the file into the project folder",
			"%s.%s: resolver entry %q: no file %s in the project folder", op.Type, op.Field, f.Entry, file)
	case errors.Is(err, fs.ErrNotExist):
		found.fail("missing-resolver-entry", at, "create the file or correct the entry",
			"%s.%s: resolver entry %q: no file %s in the project folder", op.Type, op.Field, f.Entry, file)
	default:
		found.fail("unreadable-resolver-entry", at, "make it a regular file that can be read",
			"%s.%s: resolver entry %q: %v", op.Type, op.Field, f.Entry, err)
	}
}
