package control

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"fairway/internal/front"
	"fairway/internal/inference"
)

// FuzzParsePath: what is read is the path's own, and an error means zero.
func FuzzParsePath(f *testing.F) {
	for _, seed := range []string{
		"/inference-profiles", "/inference-profiles/apac.x", "/region/us-east-1/foundation-models/a%2Fb%3A0",
		"/region/us-east-1/", "/tagResource/", "//tagResource", "/inference-profiles/%2e%2e", "/inference-profiles/%zz", "/region//x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, escaped string) {
		p, ok := parsePath(escaped)
		if !ok {
			if p != (path{}) {
				t.Errorf("parsePath(%q) = %+v, false, want zero", escaped, p)
			}
			return
		}
		if !Serves(escaped) || p.region != "" && !front.IsRegion(p.region) || strings.HasSuffix(string(p.resource), "/") != (p.id != "") {
			t.Errorf("parsePath(%q) = %+v", escaped, p)
		}
		again := "/" + string(p.resource) + url.PathEscape(p.id)
		if p.region != "" {
			again = "/region/" + string(p.region) + again
		}
		if q, ok := parsePath(again); q != p || !ok {
			t.Errorf("parsePath(%q) = %+v, %v, want %+v as of %q", again, q, ok, p, escaped)
		}
	})
}

// FuzzRequested: what is taken is what the service takes, and an error is a
// Validation with text that any client can read.
func FuzzRequested(f *testing.F) {
	for _, seed := range []string{
		`{"inferenceProfileName":"team-a","description":"Cost: A","clientRequestToken":"a-1","modelSource":{"copyFrom":"arn:aws:bedrock:us-east-1::foundation-model/m"},"tags":[{"key":"k","value":"v"}]}`,
		`{}`, `null`, `[]`, `{"inferenceProfileName":"\u0000","modelSource":null,"tags":[{}]}`, "{\"inferenceProfileName\":\"\xff\"}",
	} {
		f.Add([]byte(seed))
	}
	door := New(Config{Account: "123456789012"})
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := door.requested(&call{region: "us-east-1", body: body})
		if err != nil {
			e, ok := errors.AsType[*inference.Error](err)
			if !ok || e.Kind != inference.Validation || !utf8.ValidString(e.Message) {
				t.Errorf("requested(%q) = %v, want a Validation", body, err)
			}
			if a.Name != "" || a.Tags != nil {
				t.Errorf("requested(%q) = %+v beside an error", body, a)
			}
			return
		}
		if a.Name == "" || len(a.Name) > 64 || a.CopiedFrom == "" || len(a.Tags) > maxTags || a.Region != "us-east-1" {
			t.Errorf("requested(%q) = %+v", body, a)
		}
	})
}

// TestPanic: an operation that panics is an internal error that says nothing.
func TestPanic(t *testing.T) {
	door := New(Config{})
	_, err := door.run(operation{name: "Broken", run: func(*Front, *call) (any, error) { panic("secret") }}, &call{})
	if e := inference.AsError(err); e.Kind != inference.InternalServer || strings.Contains(e.Message, "secret") {
		t.Errorf("run() of a panic = %v, want an internal error", err)
	}
}
