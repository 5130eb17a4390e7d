package usage

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fairway/internal/inference"
)

// exported is what a format makes of records.
func exported(t interface {
	Helper()
	Fatal(...any)
}, f Format, records []Record) string {
	t.Helper()
	var b bytes.Buffer
	out, err := NewExport(f, &b)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := out.Put(line, &r); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestExport(t *testing.T) {
	for f, name := range map[Format]string{CSV: "calls.csv", JSONLines: "calls.jsonl", InvocationLog: "calls.log"} {
		golden(t, name, []byte(exported(t, f, someRecords())))
	}
	if _, err := NewExport("xml", nil); err == nil || inference.AsError(err).Message != `usage: format "xml": want one of [csv jsonl invocation-log]` {
		t.Errorf("NewExport(xml) = %v, want a refusal", err)
	}
}

// TestInvocationLog: a line is the service's own (facts of the User Guide and of real
// records), but for the bodies, the id, and what is known of the caller.
func TestInvocationLog(t *testing.T) {
	raw, err := os.ReadFile("testdata/invocation.json")
	if err != nil {
		t.Fatal(err)
	}
	var want, got map[string]any
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(exported(t, InvocationLog, someRecords()[:1])), &got); err != nil {
		t.Fatal(err)
	}
	delete(want["input"].(map[string]any), "inputBodyJson")
	delete(want["output"].(map[string]any), "outputBodyJson")
	want["requestId"] = "8f1c3a52-0000-4000-8000-000000000001"
	want["requestMetadata"] = map[string]any{"team": "x", "key": "checkout-2026", "user": "ana@example.com"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the line is not the service's:\n%s", diff)
	}
}

// TestCSV: texts that look like formulas are kept from being any, and all of them read
// as they were once the apostrophe is taken away.
func TestCSV(t *testing.T) {
	text := rapid.StringMatching(`['=+\-@\t\n"]?[a-zé,;" \n=']{0,12}`)
	rapid.Check(t, func(t *rapid.T) {
		var records []Record
		for range rapid.IntRange(0, 5).Draw(t, "records") {
			r := someRecords()[0]
			r.Principal, r.Caller, r.Team = text.Draw(t, "principal"), text.Draw(t, "caller"), text.Draw(t, "team")
			r.Saved = inference.Money(rapid.Int64().Draw(t, "saved"))
			records = append(records, r)
		}
		rows, err := csv.NewReader(strings.NewReader(exported(t, CSV, records))).ReadAll()
		if err != nil || len(rows) != len(records)+1 {
			t.Fatalf("%d rows, %v, want %d and the names", len(rows), err, len(records))
		}
		for i, r := range records {
			row := map[string]string{}
			for j, name := range rows[0] {
				row[name] = rows[i+1][j]
			}
			for name, want := range map[string]string{"principal": r.Principal, "caller": r.Caller, "team": r.Team} {
				if got := row[name]; strings.TrimPrefix(got, "'") != want || got != "" && strings.Contains("=+-@\t\n", got[:1]) {
					t.Errorf("%s = %q, want %q, quoted", name, got, want)
				}
			}
			if row["saved_usd"] != r.Saved.String() {
				t.Errorf("saved_usd = %s, want the number %s", row["saved_usd"], r.Saved)
			}
		}
	})
}

// TestColumns: each member of a record that is one value has a column of its name, and so
// have those of its usage.
func TestColumns(t *testing.T) {
	head, _, _ := strings.Cut(exported(t, CSV, nil), "\r\n")
	columns := strings.Split(head, ",")
	for _, of := range []reflect.Type{reflect.TypeFor[inference.Record](), reflect.TypeFor[inference.Usage]()} {
		for member := range of.Fields() {
			name, _, _ := strings.Cut(member.Tag.Get("json"), ",")
			kind := member.Type.Kind()
			if member.Type == reflect.TypeFor[*string]() || member.Type == reflect.TypeFor[time.Time]() {
				kind = reflect.String
			}
			isOne := kind != reflect.Struct && kind != reflect.Slice && kind != reflect.Pointer
			if isOne && name != "-" && !slices.Contains(columns, name) {
				t.Errorf("%s has no column %s", of, name)
			}
		}
	}
}

// full takes so many bytes.
type full struct{ room int }

var errFull = errors.New("no space left")

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// TestFull: what could not be written is told, at the latest at the end.
func TestFull(t *testing.T) {
	for _, f := range Formats() {
		out, err := NewExport(f, &full{5_000})
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			r := someRecords()[0]
			line, _ := json.Marshal(r)
			if err = out.Put(line, &r); err != nil {
				break
			}
		}
		if err = errors.Join(err, out.Close()); !errors.Is(err, errFull) {
			t.Errorf("%s to a full disk = %v, want %v", f, err, errFull)
		}
	}
}
