package seed

import (
	"io/fs"
	"strings"
	"testing"
)

func TestFiles(t *testing.T) {
	files := Files(t)
	code, err := fs.ReadFile(files, "amplify/data/bedrock.js")
	if err != nil {
		t.Fatal(err)
	}
	// The size of the asset that the real toolchain uploads for it.
	if len(code) != 1486 {
		t.Errorf("len(bedrock.js) = %d, want 1486", len(code))
	}
	backend, err := fs.ReadFile(files, "amplify/backend.ts")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(backend), "<UserID>") {
		t.Error("backend.ts lost its <UserID>")
	}
}

func TestExtractNamesMissingBlock(t *testing.T) {
	_, err := extract("```ts\ndefineData({})\n```\n```js\nx\n```\n")
	if err == nil || err.Error() != "no code block for amplify/backend.ts" {
		t.Errorf("extract = %v, want the missing file's name", err)
	}
}
