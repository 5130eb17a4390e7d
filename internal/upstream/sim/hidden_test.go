package sim

import (
	"errors"
	"strings"
	"testing"

	"fairway/internal/inference"
)

const apac = "apac." + sonnet4

// apacWorld is a world whose apac. profile runs in Singapore, Tokyo and Sydney.
func apacWorld() *World {
	c := config()
	c.Profiles = func(named string, source inference.Region) (inference.ModelID, []inference.Region, bool) {
		return sonnet4, []inference.Region{tokyo, singapore, "ap-southeast-2"}, named == apac
	}
	return New(c)
}

// ran is how many calls each region ran, with the entry's own arrivals.
func ran(w *World) map[inference.Region]uint64 {
	requests := map[inference.Region]uint64{}
	for _, s := range w.Status() {
		requests[s.Region] = s.Requests
	}
	return requests
}

func TestHiddenRouting(t *testing.T) {
	w := apacWorld()
	plain, err := run(t, w, singapore, inference.Converse, apac, talk(prompt, ""))
	if err != nil {
		t.Fatal(err)
	}
	if got := ran(w); got[tokyo] != 0 || got[singapore] != 1 {
		t.Errorf("a healthy region handed a call on: %v", got)
	}
	for _, fault := range []Fault{Throttle, ServerError, Slow, Cut} {
		w := apacWorld()
		w.Set(singapore, fault)
		for range 20 {
			events, err := run(t, w, singapore, inference.Converse, apac, talk(prompt, ""))
			if err != nil {
				t.Fatalf("%s: %v, want the call to run elsewhere", fault, err)
			}
			if got := collected(t, inference.Converse, sonnet4, events); got.Content[0].Text != collected(t, inference.Converse, sonnet4, plain).Content[0].Text ||
				strings.Contains(string(events[0].Raw), "ap-") {
				t.Fatalf("%s: answer elsewhere = %s, want it the same and to name no region", fault, events[0].Raw)
			}
		}
		if got := ran(w); got[tokyo] == 0 || got["ap-southeast-2"] == 0 || got[tokyo]+got["ap-southeast-2"] != 20 {
			t.Errorf("%s: calls ran in %v, want both others to share 20", fault, got)
		}
		for _, s := range w.Status() {
			if s.InFlight != 0 || len(s.Quotas) > 0 != (s.Region == singapore) {
				t.Errorf("%s: status = %+v, want none in flight and the quota of the entry region", fault, s)
			}
		}
	}
}

// The endpoint that was called is all that an error names.
func TestHiddenFailures(t *testing.T) {
	for fault, transport := range map[Fault]bool{Throttle: false, Down: true} {
		w := apacWorld()
		for _, region := range []inference.Region{singapore, tokyo, "ap-southeast-2"} {
			w.Set(region, fault)
		}
		_, err := run(t, w, singapore, inference.ConverseStream, apac, talk(prompt, ""))
		if e, ok := errors.AsType[*inference.Error](err); !ok || e.Region != singapore || e.Transport != transport {
			t.Errorf("with %s everywhere: %v, want an error of %s", fault, err, singapore)
		}
	}
	w := apacWorld()
	w.Set(singapore, Down)
	_, err := run(t, w, singapore, inference.Converse, apac, talk(prompt, ""))
	if e, ok := errors.AsType[*inference.Error](err); !ok || !e.Transport || ran(w)[tokyo] != 0 {
		t.Errorf("an endpoint that is down: %v, calls ran in %v, want it to hand nothing on", err, ran(w))
	}
	refusedBy := func(model string) {
		_, err := run(t, w, tokyo, inference.Converse, model, talk(prompt, ""))
		if e, ok := errors.AsType[*inference.Error](err); !ok || e.Message != unknownModel {
			t.Errorf("a call of %s: %v, want %q", model, err, unknownModel)
		}
	}
	refusedBy("eu." + sonnet4)
}
