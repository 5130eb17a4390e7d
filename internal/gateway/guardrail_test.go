package gateway

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

// guarded is a request that names a guardrail of its source region.
func guarded() *inference.Request {
	r := request("id")
	r.Header = http.Header{}
	r.Header.Set("X-Amzn-Bedrock-GuardrailIdentifier", "g-1")
	r.Header.Set("X-Amzn-Bedrock-GuardrailVersion", "1")
	return r
}

// TestGuardrailPinsTheCall: no other region is asked, whatever becomes of it.
func TestGuardrailPinsTheCall(t *testing.T) {
	for name, c := range map[string]struct {
		regions  regions
		allow    []inference.Region
		kind     inference.Kind // of the error, empty for an answer
		attempts []inference.Attempt
	}{
		"well":               {regions{}, destinations, "", []inference.Attempt{attempt(source, "", 200)}},
		"down":               {regions{source: refused}, destinations, inference.ServiceUnavailable, []inference.Attempt{attempt(source, inference.ServiceUnavailable, 0)}},
		"throttled":          {regions{source: throttled}, destinations, inference.Throttling, []inference.Attempt{attempt(source, inference.Throttling, 429)}},
		"source not first":   {regions{}, []inference.Region{"ap-northeast-1", source}, "", []inference.Attempt{attempt(source, "", 200)}},
		"source not granted": {regions{}, destinations[1:], inference.AccessDenied, []inference.Attempt{}},
	} {
		l := newLine(t, c.regions, ticking(), allow(modelARNs(c.allow...)...))
		stream, r, err := l.Invoke(t.Context(), guarded())
		if stream != nil {
			err = read(t.Context(), stream)
		}
		if (err == nil) != (c.kind == "") || err != nil && inference.AsError(err).Kind != c.kind {
			t.Errorf("%s: Invoke = %v, want %s", name, err, c.kind)
		}
		if diff := cmp.Diff(c.attempts, r.Attempts, noTimes); diff != "" {
			t.Errorf("%s: attempts differ (-want +got):\n%s", name, diff)
		}
	}
}
