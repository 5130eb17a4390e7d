package route

import (
	"slices"
	"testing"
	"time"

	"fairway/internal/inference"
)

// A target that the account may not use is no outage: it goes last, is left alone for
// the hold, and is asked by one call at a time when that is over.
func TestNotEntitled(t *testing.T) {
	denied := fails(*errDenied)
	for name, refusal := range map[string]behaviour{
		"access denied": denied, "no such model": missing,
		"credential":    fails(inference.Error{Kind: inference.UnrecognizedClient}),
		"not on demand": fails(inference.Error{Kind: inference.Validation, Message: "Invocation of model ID x " + notOnDemand + "."}),
	} {
		clock := &steppedClock{now: epoch}
		w := &world{regions: map[inference.Region]behaviour{"a": refusal, "b": sends(whole)}}
		r := New(Config{Upstream: w, Clock: clock, Retry: Retry{Budget: 0.01}})
		calls := func(n int) []inference.Region {
			w.called = nil
			for range n {
				got, err := run(t.Context(), r, request, targets("a", "b"))
				if err != nil {
					t.Fatalf("%s: Run() error = %v", name, err)
				}
				got.Stream.Close()
			}
			return w.called
		}
		if got, want := calls(3), []inference.Region{"a", "b", "b", "b"}; !slices.Equal(got, want) {
			t.Errorf("%s: called %v, want %v", name, got, want)
		}
		s := r.States(clock.now)[0]
		if s.State != NotEntitled || s.Failures != 0 || s.Until == nil || *s.Until != clock.now.Add(entitlementHold) {
			t.Errorf("%s: state of a = %+v, want not-entitled for %s", name, s, entitlementHold)
		}
		clock.advance(entitlementHold)
		if got, want := calls(2), []inference.Region{"a", "b", "b"}; !slices.Equal(got, want) {
			t.Errorf("%s: when the hold is over called %v, want %v", name, got, want)
		}
		clock.advance(entitlementHold)
		w.set("a", sends(whole))
		if got, want := calls(2), []inference.Region{"a", "a"}; !slices.Equal(got, want) {
			t.Errorf("%s: when it is entitled again called %v, want %v", name, got, want)
		}
		if s := r.States(clock.now)[0]; s.State != Closed {
			t.Errorf("%s: state of a = %s, want closed", name, s.State)
		}
	}
}

// Where no target entitles the account each call asks them all the same: it costs
// nothing, and the refusal may have been about another call.
func TestNotEntitledAnywhere(t *testing.T) {
	w := &world{regions: map[inference.Region]behaviour{"a": fails(*errDenied)}}
	r := New(Config{Upstream: w, Retry: Retry{Budget: 0.01}})
	for n := range 2 * burst {
		_, err := run(t.Context(), r, request, targets("a"))
		if e := inference.AsError(err); e.Kind != inference.AccessDenied || e.Message != errDenied.Message {
			t.Fatalf("call %d: Run() error = %v, want %v", n, err, errDenied)
		}
	}
	if len(w.called) != 2*burst {
		t.Errorf("%d attempts of %d calls, want one each", len(w.called), 2*burst)
	}
}

// A guardrail, and a resource of one region, may be what is denied: that says nothing of
// the model there.
func TestNotEntitledToSomethingElse(t *testing.T) {
	guarded := callOf(request)
	guarded.Guarded = true
	regional := choose(targets("a")...)
	regional[0].Profile = &inference.Profile{ARN: "arn:aws:bedrock:a:111122223333:provisioned-model/x", Model: model}
	for _, test := range []struct {
		call *Call
		plan []Choice
	}{{guarded, choose(targets("a")...)}, {callOf(request), regional}} {
		r := New(Config{Upstream: &world{regions: map[inference.Region]behaviour{"a": fails(*errDenied)}}})
		if _, err := r.Run(t.Context(), request, test.call, test.plan); inference.AsError(err).Kind != inference.AccessDenied {
			t.Errorf("Run() error = %v, want AccessDeniedException", err)
		}
		if s := r.States(time.Now())[0]; s.State != Closed {
			t.Errorf("state = %s, want closed", s.State)
		}
	}
}
