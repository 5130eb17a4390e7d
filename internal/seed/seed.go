// Package seed gives tests the project folder that Fairway starts from: the
// code blocks of the guide seed/cross-region-backend.md, byte for byte.
//
// The guide is shared material beside the repository, not part of it. Where it
// is missing a test that needs it is skipped by name, and fails when the
// environment says REQUIRE_ALL=1.
package seed

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// guide is the path of the guide below the folder that holds shared material.
const guide = "shared/seed/cross-region-backend.md"

// auth is the one file the guide takes as given.
const auth = `import { defineAuth } from "@aws-amplify/backend";

export const auth = defineAuth({ loginWith: { email: true } });
`

// Files is the seed's project folder, rooted where it holds "amplify". It skips
// tb when the guide is not there.
func Files(tb testing.TB) fs.FS {
	tb.Helper()
	path, ok := find(guide)
	if !ok {
		missing := tb.Skipf
		if os.Getenv("REQUIRE_ALL") == "1" {
			missing = tb.Fatalf
		}
		missing("%s did not run: no %s in a parent folder", tb.Name(), guide)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	files, err := extract(string(text))
	if err != nil {
		tb.Fatalf("extract %s: %v", guide, err)
	}
	return files
}

// find looks for name in the working directory and upwards.
func find(name string) (string, bool) {
	dir, err := os.Getwd()
	for err == nil {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if _, err := os.Stat(path); err == nil {
			return path, true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	return "", false
}

// extract makes the project folder of the guide's code blocks: the first ts
// block, the ts block that calls defineData and the js block.
func extract(markdown string) (fstest.MapFS, error) {
	var backend, data, resolver string
	for _, b := range blocks(markdown) {
		switch {
		case b.language == "js":
			resolver = b.text
		case b.language == "ts" && strings.Contains(b.text, "defineData("):
			data = b.text
		case b.language == "ts" && backend == "":
			backend = b.text
		}
	}
	files := fstest.MapFS{}
	for name, text := range map[string]string{
		"amplify/backend.ts":       backend,
		"amplify/data/resource.ts": data,
		"amplify/data/bedrock.js":  resolver,
		"amplify/auth/resource.ts": auth,
	} {
		if text == "" {
			return nil, fmt.Errorf("no code block for %s", name)
		}
		files[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	return files, nil
}

// block is a fenced code block; its text ends in a newline.
type block struct {
	language string
	text     string
}

// blocks lists the fenced code blocks of a markdown text in order.
func blocks(markdown string) []block {
	var found []block
	open := false
	for line := range strings.Lines(markdown) {
		fence, isFence := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "```")
		switch {
		case isFence && !open:
			open = true
			found = append(found, block{language: strings.TrimSpace(fence)})
		case isFence:
			open = false
		case open:
			found[len(found)-1].text += line
		}
	}
	return found
}
