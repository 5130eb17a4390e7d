package policy

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

func TestParseDocument(t *testing.T) {
	got, err := ParseDocument([]byte(`{
		"Version": "2012-10-17", "Id": "models",
		"Statement": {
			"Sid": "One", "Effect": "Deny", "NotAction": "s3:*", "NotResource": ["a", "b"],
			"Condition": {"Bool": {"aws:SecureTransport": false}, "NumericLessThan": {"aws:MultiFactorAuthAge": [60, "90"]}}
		}
	}`))
	want := Document{Version: "2012-10-17", ID: "models", Statements: []Statement{{
		SID: "One", Effect: "Deny", NotActions: []string{"s3:*"}, NotResources: []string{"a", "b"},
		Conditions: map[string]map[string][]string{
			"Bool":            {"aws:SecureTransport": {"false"}},
			"NumericLessThan": {"aws:MultiFactorAuthAge": {"60", "90"}},
		},
	}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("ParseDocument = %v (-want +got):\n%s", err, diff)
	}
}

var malformedDocuments = []string{
	``,
	`null`,
	`[]`,
	`{"Version": "2012-10-17"}`,
	`{"Version": "2012-10-17", "Statement": []}`,
	`{"Version": "2012-10-17", "Statement": null}`,
	`{"Version": "2025-01-01", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`,
	`{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "${aws:username}"}}`,
	`{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}} {}`,
	`{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}}`,
	`{"Statement": {"Effect": "Allow", "Action": "*"}}`,
	`{"Statement": {"Effect": "Allow", "Action": [], "Resource": "*"}}`,
	`{"Statement": {"Effect": "allow", "Action": "*", "Resource": "*"}}`,
	`{"Statement": {"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"}}`,
	`{"Statement": {"Effect": "Allow", "Action": {"a": 1}, "Resource": "*"}}`,
	`{"Statement": {"Effect": "Allow", "Action": null, "Resource": "*"}}`,
	`{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": true}}}`,
}

func TestParseDocumentRefuses(t *testing.T) {
	for _, text := range malformedDocuments {
		got, err := ParseDocument([]byte(text))
		if e, ok := errors.AsType[*inference.Error](err); !ok || e.Kind != inference.Validation || got.Statements != nil {
			t.Errorf("ParseDocument(%s) = %+v, %v, want ValidationException", text, got, err)
		}
	}
}

// FuzzParseDocument: what parses can be written, read again as the same, and
// compiled; what does not is the zero Document.
func FuzzParseDocument(f *testing.F) {
	for _, text := range malformedDocuments {
		f.Add([]byte(text))
	}
	for _, v := range readVectors(f)[:40] {
		for _, text := range v.Identity {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		doc, err := ParseDocument(text)
		if err != nil {
			if diff := cmp.Diff(Document{}, doc); diff != "" {
				t.Errorf("ParseDocument(%q) with an error (-want +got):\n%s", text, diff)
			}
			return
		}
		written := written(t, doc)
		again, err := ParseDocument(written)
		if diff := cmp.Diff(doc, again); err != nil || diff != "" {
			t.Errorf("ParseDocument(%s) = error %v (-first +again):\n%s", written, err, diff)
		}
		if _, err := Compile(Principal{Statements: doc.Statements}, account); err != nil {
			t.Errorf("Compile(%+v) = error %v", doc, err)
		}
	})
}

// written is what ParseDocument reads as d.
func written(t *testing.T, d Document) []byte {
	t.Helper()
	out := documentJSON{Version: d.Version, ID: d.ID}
	for _, s := range d.Statements {
		out.Statement = append(out.Statement, statementJSON{
			SID: s.SID, Effect: s.Effect,
			Action: s.Actions, NotAction: s.NotActions,
			Resource: s.Resources, NotResource: s.NotResources,
			Condition: s.Conditions,
		})
	}
	text, err := json.Marshal(out)
	if err != nil {
		t.Fatalf("Marshal(%+v) = error %v", d, err)
	}
	return text
}
