package front

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

// steered is a header of pairs.
func steered(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

// TestSteer: each header takes the place of its own member and of no other.
func TestSteer(t *testing.T) {
	above := inference.Steering{Policy: inference.Cost, Session: "above", OnCut: inference.ContinueOnCut, Trace: true}
	longest := strings.Repeat("s", maxSession)
	for name, test := range map[string]struct {
		above  inference.Steering
		header http.Header
		want   inference.Steering
	}{
		"nothing":       {inference.Steering{}, nil, inference.Steering{}},
		"nothing new":   {above, nil, above},
		"empty headers": {above, steered("x-fairway-policy", "", "x-fairway-trace", ""), above},
		"all": {
			inference.Steering{},
			steered("x-fairway-policy", "least-load", "x-fairway-session", longest, "x-fairway-on-cut", "continue", "x-fairway-trace", "1"),
			inference.Steering{Policy: inference.LeastLoad, Session: longest, OnCut: inference.ContinueOnCut, Trace: true},
		},
		"all in place of others": {
			above,
			steered("x-fairway-policy", "ordered", "x-fairway-session", "s", "x-fairway-on-cut", "fail", "x-fairway-trace", "0"),
			inference.Steering{Policy: inference.Ordered, Session: "s", OnCut: inference.FailOnCut},
		},
		"one in place of another": {above, steered("x-fairway-policy", "latency"), inference.Steering{
			Policy: inference.Latency, Session: "above", OnCut: inference.ContinueOnCut, Trace: true,
		}},
	} {
		got, err := Steer(test.above, test.header)
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%s: Steer = %v (-want +got):\n%s", name, err, diff)
		}
	}
}

// TestSteerRefuses what no header takes, and quotes little of it.
func TestSteerRefuses(t *testing.T) {
	for header, test := range map[string]struct{ value, want string }{
		"x-fairway-policy":  {"fastest", `steer call: x-fairway-policy does not take "fastest": send ordered, latency, weighted, least-load, cost, round-robin or adaptive`},
		"x-fairway-session": {strings.Repeat("s", maxSession+1), `steer call: x-fairway-session does not take "` + strings.Repeat("s", 64) + `...": send at most 256 bytes`},
		"x-fairway-on-cut":  {"Continue", `steer call: x-fairway-on-cut does not take "Continue": send fail or continue`},
		"x-fairway-trace":   {"yes", `steer call: x-fairway-trace does not take "yes": send 1 or 0`},
	} {
		got, err := Steer(inference.Steering{Trace: true}, steered(header, test.value))
		e := inference.AsError(err)
		if e.Kind != inference.Validation || e.Message != test.want || got != (inference.Steering{}) {
			t.Errorf("Steer with %s: %s = %+v, %v, want %q", header, test.value, got, err, test.want)
		}
	}
}

// TestVisitsAreSteered: the header is read before the body, and after whose it is.
func TestVisitsAreSteered(t *testing.T) {
	for name, test := range map[string]struct {
		policy string
		knows  knows
		kind   inference.Kind
	}{
		"a policy":         {"cost", knows{}, ""},
		"none":             {"fastest", knows{}, inference.Validation},
		"none, of nobody":  {"fastest", knows{&inference.Error{Kind: inference.MissingAuth}}, inference.MissingAuth},
		"a policy, nobody": {"cost", knows{&inference.Error{Kind: inference.MissingAuth}}, inference.MissingAuth},
	} {
		c := Config{Authenticator: test.knows, DefaultRegion: "us-east-1"}
		r := httptest.NewRequest("POST", "/", strings.NewReader("hello"))
		r.Header.Set("X-Fairway-Policy", test.policy)
		v, err := c.Admit(httptest.NewRecorder(), r, "")
		if (err == nil) != (test.kind == "") || err != nil && inference.AsError(err).Kind != test.kind {
			t.Errorf("%s: Admit = %v, want %s", name, err, test.kind)
		}
		if err == nil && v.Steering.Policy != inference.Cost {
			t.Errorf("%s: the visit is steered by %+v, want cost", name, v.Steering)
		}
	}
}

// FuzzSteer: what is taken is within its bounds, and what is not leaves nothing.
func FuzzSteer(f *testing.F) {
	f.Add("cost", "kitchen", "continue", "1")
	f.Add("fastest", strings.Repeat("é", 200), "Fail", "true")
	f.Add("", "", "", "0")
	f.Fuzz(func(t *testing.T, policy, session, onCut, trace string) {
		got, err := Steer(inference.Steering{}, steered("x-fairway-policy", policy, "x-fairway-session", session, "x-fairway-on-cut", onCut, "x-fairway-trace", trace))
		if err != nil {
			if e := inference.AsError(err); got != (inference.Steering{}) || e.Kind != inference.Validation || len(e.Message) > 512 {
				t.Fatalf("Steer = %+v, %v, want nothing and a short Validation", got, err)
			}
			return
		}
		want := inference.Steering{Policy: inference.Policy(policy), Session: session, OnCut: inference.OnCut(onCut), Trace: trace == "1"}
		if got != want || policy != "" && !inference.IsPolicy(got.Policy) || len(got.Session) > maxSession {
			t.Fatalf("Steer = %+v, want %+v", got, want)
		}
	})
}
