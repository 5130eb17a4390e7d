package meter

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"fairway/internal/inference"
)

// priced has prices by name, in dollars a token of input.
type priced map[string]inference.Money

func (p priced) Cost(named string, u inference.Usage, _ time.Time) (inference.Money, bool) {
	price, ok := p[named]
	return price * inference.Money(u.InputTokens) * inference.Dollar, ok
}

func input(tokens int) inference.Usage { return inference.Usage{InputTokens: tokens} }

// used is the row of an attempt whose answer was not used, of a target by that model.
func used(model string, tokens int) inference.Attempt {
	u := input(tokens)
	return inference.Attempt{Model: model, Outcome: inference.Failed, Kind: inference.Canceled, Hedge: true, Usage: &u}
}

// TestCharge: an answer at the price of what gave it, and what nobody was given at the
// price of what wrote it.
func TestCharge(t *testing.T) {
	const other, elsewhere = "amazon.nova-pro-v1:0", "us." + model
	ok := inference.Attempt{Model: model, Outcome: inference.OK}
	broken := used(model, 40)
	broken.Cut = true
	prices := priced{profile: 3, elsewhere: 50, other: 7}
	for name, test := range map[string]struct {
		fallback string
		attempts []inference.Attempt
		want     inference.Money // dollars
	}{
		"an answer":                         {"", []inference.Attempt{ok}, 3 * 100},
		"a hedge that lost":                 {"", []inference.Attempt{ok, used(model, 10)}, 3*100 + 3*10},
		"two legs of one answer":            {"", []inference.Attempt{broken, ok}, 3 * 100},
		"a hedge at another entry region":   {"", []inference.Attempt{ok, used(elsewhere, 10)}, 3*100 + 3*10},
		"a hedge of another model":          {"", []inference.Attempt{ok, used(other, 10)}, 3*100 + 7*10},
		"a hedge of what has no price":      {"", []inference.Attempt{ok, used("arn:unknown", 10)}, 3*100 + 3*10},
		"a fallback":                        {other, []inference.Attempt{{Model: other, Outcome: inference.OK}}, 7 * 100},
		"a fallback, priced by its model":   {"arn:of-a-profile", []inference.Attempt{{Model: other, Outcome: inference.OK}}, 7 * 100},
		"a fallback, after a hedge":         {other, []inference.Attempt{used(model, 10), {Model: other, Outcome: inference.OK}}, 7*100 + 3*10},
		"a fallback that has no price":      {"unknown", []inference.Attempt{{Model: "unknown", Outcome: inference.OK}}, 0},
		"an answer, and none of a fallback": {"", []inference.Attempt{ok, used(other, 0)}, 3 * 100},
	} {
		r := answered()
		r.Usage, r.Fallback, r.Attempts = input(100), test.fallback, test.attempts
		New(Config{Pricer: prices, Now: later}).Settle(t.Context(), r)
		if r.Cost != test.want*inference.Dollar {
			t.Errorf("cost of %s = %s, want %s", name, r.Cost, test.want*inference.Dollar)
		}
	}
}

// TestFallbackWithoutPrice: the warning names what answered, not what was called.
func TestFallbackWithoutPrice(t *testing.T) {
	var log bytes.Buffer
	r := answered()
	r.Fallback, r.Attempts = "unknown", []inference.Attempt{{Model: "unknown", Outcome: inference.OK}}
	New(Config{Pricer: list{}, Log: logTo(&log), Now: later}).Settle(t.Context(), r)
	if want := `msg="no price known, counted as free" model=unknown`; !strings.Contains(log.String(), want) {
		t.Errorf("log = %q, want %q in it", log.String(), want)
	}
}

// TestLineOfWhatHappensToFew: the line of a call tells it where it did happen.
func TestLineOfWhatHappensToFew(t *testing.T) {
	var log bytes.Buffer
	r := answered()
	r.Policy, r.Fallback, r.Continued, r.ShadowOf = inference.Adaptive, profile, 2, "beef"
	r.Attempts, r.Residency, r.Wasted = append(r.Attempts, used(model, 0)), []string{"apac", "eu"}, inference.Usage{InputTokens: 30, OutputTokens: 4}
	New(Config{Pricer: list{}, Log: logTo(&log), Now: later}).Settle(t.Context(), r)
	const want = " cost_usd=0.00105 policy=adaptive residency=apac,eu fallback=" + profile +
		" hedged=true continued=2 wasted_input_tokens=30 wasted_output_tokens=4 shadow_of=beef\n"
	if !strings.HasSuffix(log.String(), want) {
		t.Errorf("log = %q, want it to end with %q", log.String(), want)
	}
}
