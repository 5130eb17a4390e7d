package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

// What a route leaves out is as the settings have it, from whatever source, and says
// where that is written; what it writes is its own, also where that is nothing.
func TestRoutesInherit(t *testing.T) {
	file := filepath.Join(t.TempDir(), FileName)
	const text = `residency: [eu]
fallbacks: [a, b]
routes:
  - models: [x]
    policy:
    residency: []
    on_cut_instruct: false
    hedge: false
  - on_cut: fail
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, o, err := Load(Source{
		File:  file,
		Env:   environment(map[string]string{"FAIRWAY_WEIGHTS": "us-east-1=2", "FAIRWAY_ON_CUT_INSTRUCT": "true"}),
		Flags: map[string]string{"policy": "cost", "on_cut": "continue"},
	})
	if err != nil {
		t.Fatalf("Load() error = %v", err)
	}
	weights := map[inference.Region]float64{"us-east-1": 2}
	want := []Route{
		{
			Models:  []string{"x"},
			Routing: Routing{Policy: "cost", Weights: weights, Residency: Residency{}, OnCut: "continue", Fallbacks: []string{"a", "b"}},
		},
		{
			Routing: Routing{Policy: "cost", Weights: weights, Residency: Residency{"eu"}, OnCut: "fail", OnCutInstruct: true, Fallbacks: []string{"a", "b"}},
			Hedge:   true,
		},
	}
	if diff := cmp.Diff(want, c.Routes); diff != "" {
		t.Errorf("Load() routes (-want +got):\n%s", diff)
	}
	for path, origin := range map[string]string{
		"routes[0].policy": "flag", "routes[0].weights": "FAIRWAY_WEIGHTS", "routes[0].order": "default",
		"routes[0].residency": file + ":6", "routes[0].fallbacks": file + ":2",
		"routes[1].residency": file + ":1", "routes[1].on_cut": file + ":9",
	} {
		if o[path] != origin {
			t.Errorf("origin of %s = %q, want %q", path, o[path], origin)
		}
	}
}

func TestResidencyRegions(t *testing.T) {
	for _, test := range []struct {
		names Residency
		want  []inference.Region
	}{
		{nil, nil},
		{Residency{"mars-north-1"}, []inference.Region{"mars-north-1"}},
		{Residency{"jp", "ap-northeast-3", "ap-south-1"}, []inference.Region{"ap-northeast-1", "ap-northeast-3", "ap-south-1"}},
		{Residency{"uk", "eu", "eu-west-1"}, []inference.Region{"eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3"}},
	} {
		if diff := cmp.Diff(test.want, test.names.Regions()); diff != "" {
			t.Errorf("Residency(%v).Regions() (-want +got):\n%s", test.names, diff)
		}
	}
}

// Routing may change while a server runs: each of its settings is told by its path.
func TestChangedRouting(t *testing.T) {
	next := Default()
	next.Policy, next.Probe.Every, next.Routes = "cost", 1, []Route{{}}
	next.Retry.Reserve, next.Quotas = 1, []Quota{{}}
	want := []string{"policy", "retry.reserve", "probe.every", "routes", "quotas"}
	if diff := cmp.Diff(want, Changed(Default(), next)); diff != "" {
		t.Errorf("Changed() (-want +got):\n%s", diff)
	}
}
