package cli

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
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
