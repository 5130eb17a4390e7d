package front

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"

	"fairway/internal/inference"
)

// maxSession is the longest session that a call may be of, in bytes.
const maxSession = 256

// Steer is s with what h says in its place: how a caller wants one call routed. A
// header that is missing or empty leaves a member as it is. The error, a Validation,
// is a header with a value that it does not take.
func Steer(s inference.Steering, h http.Header) (inference.Steering, error) {
	s.Policy = cmp.Or(inference.Policy(h.Get("X-Fairway-Policy")), s.Policy)
	s.Session = cmp.Or(h.Get("X-Fairway-Session"), s.Session)
	s.OnCut = cmp.Or(inference.OnCut(h.Get("X-Fairway-On-Cut")), s.OnCut)
	trace, cost := h.Get("X-Fairway-Trace"), h.Get("X-Fairway-Cost")
	s.Trace = trace == "1" || trace == "" && s.Trace
	s.Cost = cost == "1" || cost == "" && s.Cost
	switch {
	case s.Policy != "" && !inference.IsPolicy(s.Policy):
		return inference.Steering{}, notTaken("x-fairway-policy", string(s.Policy), "ordered, latency, weighted, least-load, cost, round-robin or adaptive")
	case len(s.Session) > maxSession:
		return inference.Steering{}, notTaken("x-fairway-session", s.Session, "at most "+strconv.Itoa(maxSession)+" bytes")
	case s.OnCut != "" && s.OnCut != inference.FailOnCut && s.OnCut != inference.ContinueOnCut:
		return inference.Steering{}, notTaken("x-fairway-on-cut", string(s.OnCut), "fail or continue")
	case trace != "" && trace != "1" && trace != "0":
		return inference.Steering{}, notTaken("x-fairway-trace", trace, "1 or 0")
	case cost != "" && cost != "1" && cost != "0":
		return inference.Steering{}, notTaken("x-fairway-cost", cost, "1 or 0")
	}
	return s, nil
}

// notTaken is the refusal of a header's value. A log gets its name alone.
func notTaken(header, value, takes string) error {
	return &inference.Error{
		Kind: inference.Validation, Op: "steer call",
		Message: "steer call: " + header + " does not take " + strconv.Quote(Clip(value)) + ": send " + takes,
		Err:     errors.New(header),
	}
}
