package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

const document = "../../docs/configuration.md"

// block is a fenced code block: its language, the file that it stands for if any,
// and its text.
type block struct {
	language, file, text string
	line                 int
}

func blocks(t *testing.T) []block {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	var all []block
	var open *block
	for i, line := range strings.Split(string(text), "\n") {
		info, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && open == nil:
			language, file, _ := strings.Cut(info, " ")
			open = &block{language: language, file: file, line: i + 1}
		case fence:
			all, open = append(all, *open), nil
		case open != nil:
			open.text += line + "\n"
		}
	}
	return all
}

// TestDocumentedExamples loads every example: those that stand for a whole file
// are also fit to serve.
func TestDocumentedExamples(t *testing.T) {
	dir := t.TempDir()
	examples := 0
	for _, b := range blocks(t) {
		if b.language == "json" {
			file := filepath.Join(dir, b.file)
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(b.text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, b := range blocks(t) {
		if b.language != "yaml" {
			continue
		}
		examples++
		file := filepath.Join(dir, FileName)
		if err := os.WriteFile(file, []byte(b.text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, o, err := Load(Source{File: file})
		if err != nil {
			t.Errorf("%s:%d: Load() error = %v", document, b.line, err)
			continue
		}
		if err := ServeProblems(c, o); b.file == FileName && err != nil {
			t.Errorf("%s:%d: ServeProblems() = %v", document, b.line, err)
		}
	}
	if examples < 5 {
		t.Errorf("%s has %d examples, want at least 5", document, examples)
	}
}

// documented are the rows of the tables by path, with the default they tell.
func documented(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	code := regexp.MustCompile("`([^`]*)`")
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, " | ")
		if !strings.HasPrefix(line, "| `") || len(cells) != 3 {
			continue
		}
		for _, name := range code.FindAllStringSubmatch(cells[0], -1) {
			rows[name[1]] = strings.Trim(cells[1], "`")
		}
	}
	return rows
}

// paths are those of a section and of all below, without the places in lists.
func paths(prefix string, section reflect.Type) []string {
	var all []string
	for _, m := range members(reflect.Zero(section)) {
		path := prefix + m.path
		of := m.value.Type()
		if of.Kind() == reflect.Slice && isSection(of.Elem()) {
			of = of.Elem()
		}
		if isSection(of) {
			all = append(all, paths(path+".", of)...)
		} else {
			all = append(all, path)
		}
	}
	return all
}

// TestDocumentedSettings: each setting is in a table with the default that it has,
// and nothing else is.
func TestDocumentedSettings(t *testing.T) {
	rows := documented(t)
	known := map[string]bool{"principals.access_keys": true}
	for _, path := range paths("", reflect.TypeFor[Config]()) {
		known[path] = true
		if _, ok := rows[path]; !ok {
			t.Errorf("%s does not tell of %s", document, path)
		}
	}
	for path := range rows {
		if !known[path] {
			t.Errorf("%s tells of %s, which does not exist", document, path)
		}
	}
	for _, s := range settings(Default()) {
		want := strings.Trim(literal(s.value), `"`)
		if want == "" || want == "[]" || want == "{}" {
			want = "none"
		}
		if rows[s.path] != want {
			t.Errorf("%s gives %s the default %q, want %q", document, s.path, rows[s.path], want)
		}
	}
}
