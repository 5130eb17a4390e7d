package compat

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite docs/compatibility.md")

const document = "docs/compatibility.md"

// TestReport makes the report and compares it with docs/compatibility.md.
func TestReport(t *testing.T) {
	got := report(t)
	if t.Failed() {
		return
	}
	if *update {
		if err := os.WriteFile(filepath.Join(root, document), []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := gocmp.Diff(read(t, document), got); diff != "" {
		t.Errorf("%s is out of date, go test ./internal/compat -update rewrites it (-want +got):\n%s", document, diff)
	}
}

const preface = `# Compatibility

How close Fairway is to AWS, as ` + "`go test ./internal/compat -update`" + ` finds it. The first table counts the vectors in the repository's
` + "`testdata`" + ` folders; the others come from trying each feature. A vector is an input with what the real service or tool makes
of it, by observation or by its documentation. A vector that fails fails the tests, unless it is expected to, with a reason;
one that passes against expectation fails them too.

## Held to the real thing

`

// report is the text of docs/compatibility.md.
func report(t *testing.T) string {
	var b strings.Builder
	b.WriteString(preface)
	writeVectors(t, &b)
	b.WriteString("\n## Amplify and AppSync\n\nWhat *loads* does no harm in a folder: a field behind it answers an error that names it, the rest has no effect.\n\n")
	writeFeatures(&b, amplifyFeatures(t), works, loads, absent)
	b.WriteString("\n## Bedrock and the other doors\n\nWhat is *not there* answers `UnknownOperationException`.\n\n")
	writeFeatures(&b, doorFeatures(t), works, absent)
	b.WriteString("\n## Other dialects\n\nThe body of a call goes to the dialect's own models nearly as it is, and to all others through Converse.\n" +
		"What cannot be carried there is refused with a text that names it, never dropped. Tried on simulated regions; what goes as it is, a real model judges for itself.\n\n")
	writeFeatures(&b, dialectFeatures(t), works, native, refused)
	return b.String()
}

func writeVectors(t *testing.T, b *strings.Builder) {
	rows := [][]string{{"area", "the real thing", "vectors", "pass", "expected failures", "test"}, {"---", "---", "--:", "--:", "--:", "---"}}
	var reasons []string
	for _, a := range areas {
		count, failures := a.count(t), a.failures(t)
		for _, f := range failures {
			reasons = append(reasons, fmt.Sprintf("- %s, vector %s: %s\n", a.name, f.vector, f.reason))
		}
		rows = append(rows, []string{
			a.name, a.source(t), strconv.Itoa(count), strconv.Itoa(count - len(failures)), strconv.Itoa(len(failures)),
			"`" + a.pkg + "` " + a.test,
		})
	}
	writeTable(b, rows)
	b.WriteString("\nExpected failures:\n\n" + cmp.Or(strings.Join(reasons, ""), "none\n"))
}

// writeFeatures writes a row for each group and a column for each state.
func writeFeatures(b *strings.Builder, features []feature, states ...state) {
	head, rule := []string{""}, []string{"---"}
	for _, s := range states {
		head, rule = append(head, string(s)), append(rule, "---")
	}
	rows := [][]string{head, rule}
	var row []string
	for i, f := range features {
		if i == 0 || f.group != features[i-1].group {
			row = make([]string, len(states)+1)
			row[0] = f.group
			rows = append(rows, row)
		}
		for j, s := range states {
			if f.state == s {
				row[j+1] = strings.TrimPrefix(row[j+1]+", `"+f.name+"`", ", ")
			}
		}
	}
	writeTable(b, rows)
}

func writeTable(b *strings.Builder, rows [][]string) {
	for _, row := range rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
	}
}
