package policy

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"fairway/internal/inference"
)

// vector is a row of testdata/vectors.json, whose head names its source.
type vector struct {
	Action   string                 `json:"action"`
	Resource inference.ARN          `json:"resource"`
	Context  map[string]stringsJSON `json:"context"`
	Identity []json.RawMessage      `json:"identity_policies"`
	SCP      json.RawMessage        `json:"service_control_policy"`
	Boundary json.RawMessage        `json:"permission_boundary"`
	Result   Effect                 `json:"result"`
}

// TestVectors holds every vector against the evaluator. A vector listed in
// testdata/deviations is expected to fail: one that passes fails the test.
func TestVectors(t *testing.T) {
	deviations := readDeviations(t)
	for i, v := range readVectors(t) {
		name := strconv.Itoa(i)
		p, err := v.compile()
		if err != nil {
			t.Errorf("vector %s: %v", name, err)
			continue
		}
		got := p.Evaluate(v.Action, v.Resource, v.values())
		reason, deviates := deviations[name]
		switch {
		case got.Effect == v.Result && deviates:
			t.Errorf("vector %s passes, take it out of testdata/deviations (%s)", name, reason)
		case got.Effect != v.Result && !deviates:
			t.Errorf("vector %s: Evaluate(%s, %s) = %+v, want %s", name, v.Action, v.Resource, got, v.Result)
		}
		if (got.Effect == Allowed) != (got.Reason == "") {
			t.Errorf("vector %s: Evaluate = %+v, want a reason with a denial and only then", name, got)
		}
		delete(deviations, name)
	}
	for name := range deviations {
		t.Errorf("testdata/deviations lists vector %s, which does not exist", name)
	}
}

func (v vector) values() map[string][]string {
	context := make(map[string][]string)
	for key, values := range v.Context {
		context[key] = values
	}
	return context
}

func (v vector) compile() (*Policies, error) {
	p, err := v.principal()
	if err != nil {
		return nil, err
	}
	return Compile(p, "111122223333")
}

func (v vector) principal() (p Principal, err error) {
	for _, text := range v.Identity {
		doc, err := ParseDocument(text)
		if err != nil {
			return p, err
		}
		p.Statements = append(p.Statements, doc.Statements...)
	}
	for text, layer := range map[*json.RawMessage]*[]Statement{&v.SCP: &p.ServiceControls, &v.Boundary: &p.Boundary} {
		if *text == nil {
			continue
		}
		doc, err := ParseDocument(*text)
		if err != nil {
			return p, err
		}
		*layer = doc.Statements
	}
	return p, nil
}

func readVectors(t testing.TB) []vector {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) == 0 {
		t.Fatal("testdata/vectors.json has no vectors")
	}
	return file.Vectors
}

// readDeviations reads lines "number, reason"; # begins a comment.
func readDeviations(t testing.TB) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/deviations")
	if err != nil {
		t.Fatal(err)
	}
	deviations := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		name, reason, ok := strings.Cut(line, ", ")
		if !ok {
			t.Fatalf("testdata/deviations: %q has no reason", line)
		}
		deviations[name] = reason
	}
	return deviations
}
