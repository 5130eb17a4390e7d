package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"fairway/internal/config"
)

// TestReadme runs the commands that the README shows with their output, and wants
// that output, whatever the milliseconds are.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?s)```console\n\\$ go run ./cmd/fairway ([^\n]+)\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(shown) != 2 {
		t.Fatalf("the README shows %d commands with their output, want 2", len(shown))
	}
	for _, m := range shown {
		args, output := m[1], m[2]
		t.Run(args, func(t *testing.T) {
			t.Parallel() // they take the time that regions take
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), strings.Fields(args), surroundings(&stdout, &stderr)); code != exitDone {
				t.Fatalf("exit %d: %s", code, &stderr)
			}
			want := regexp.QuoteMeta(output)
			want = regexp.MustCompile(`\d+ ms`).ReplaceAllString(want, `\d+ ms`)
			want = strings.ReplaceAll(want, regexp.QuoteMeta("...\n"), "(?s:.*)")
			if !regexp.MustCompile("^" + want + "$").MatchString(stdout.String()) {
				t.Errorf("prints\n%s\nwant\n%s", stdout.String(), output)
			}
		})
	}
}

// TestReadmeConfiguration wants the configuration that the README shows to be fit
// to serve.
func TestReadmeConfiguration(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?s)```yaml fairway.yaml\n(.*?)```").FindSubmatch(text)
	if shown == nil {
		t.Fatal("the README shows no fairway.yaml")
	}
	file := filepath.Join(t.TempDir(), config.FileName)
	if err := os.WriteFile(file, shown[1], 0o600); err != nil {
		t.Fatal(err)
	}
	c, origins, err := config.Load(config.Source{File: file})
	if err == nil {
		err = config.ServeProblems(c, origins)
	}
	if err != nil {
		t.Errorf("the README's fairway.yaml cannot be served: %v", err)
	}
}
