package usage

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"fairway/internal/inference"
)

// TestDocument: docs/usage.md names every member and every dimension, and shows a
// table as it is.
func TestDocument(t *testing.T) {
	raw, err := os.ReadFile("../../docs/usage.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for _, v := range []any{Report{}, Row{}, PerCall{}, Point{}, budgetJSON{}} {
		for _, name := range members(reflect.TypeOf(v)) {
			if !strings.Contains(text, "`"+name+"`") {
				t.Errorf("docs/usage.md says nothing of %s", name)
			}
		}
	}
	for _, name := range members(reflect.TypeFor[End]()) {
		if !strings.Contains(text, `"`+name+`"`) && !strings.Contains(text, "`"+name+"`") {
			t.Errorf("docs/usage.md says nothing of %s", name)
		}
	}
	for _, name := range append(names(inference.Dimensions()), "csv", "jsonl", "invocation-log") {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("docs/usage.md says nothing of %s", name)
		}
	}
	shown, err := os.ReadFile("testdata/narrow.txt")
	if err != nil {
		t.Fatal(err)
	}
	if table, _, _ := strings.Cut(string(shown), "\nno room"); !strings.Contains(text, "```\n"+table+"```") {
		t.Errorf("docs/usage.md shows another table than\n%s", table)
	}
}

// members are the names of a type's JSON, with those of what it embeds.
func members(of reflect.Type) []string {
	var all []string
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		if of.Field(i).Anonymous {
			all = append(all, members(of.Field(i).Type)...)
		} else {
			all = append(all, name)
		}
	}
	return all
}
