package gateway

import (
	"context"
	"math"
	"strconv"
	"sync"
	"testing"
	"time"

	"fairway/internal/budget"
	"fairway/internal/inference"
	"fairway/internal/meter"
	"fairway/internal/route"
)

// spending is a line whose calls have prompts of 1,000 tokens and answers of up to 200,
// and budgets. At 3 and 15 dollars a million tokens such a call takes 0.006 dollars at
// most, which is what it costs.
func spending(t *testing.T, upstream route.Upstream, r route.Route, budgets ...budget.Budget) *line {
	t.Helper()
	all := everything
	all.Actions = []string{"bedrock:*"}
	l := routed(t, upstream, r, all)
	l.Clock = func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
	l.Budgets = budget.New(budget.Config{Budgets: budgets, Now: l.Clock})
	l.Outline = func(*inference.Request, inference.ModelID) inference.Outline {
		return inference.Outline{InputTokens: 900, MostInput: 1000, MaxTokens: 200}
	}
	l.Meter = meter.New(meter.Config{Pricer: prices{l.Catalog}, Budgets: l.Budgets, Sinks: []meter.Sink{&l.kept}, Now: l.Clock})
	return l
}

const mostOfOne = 6 * inference.Dollar / 1000

// TestExactlyAsMany: of 64 callers at once as many get through as the budget is for,
// whatever it counts, and what they leave of it is there for others.
func TestExactlyAsMany(t *testing.T) {
	const callers, admitted = 64, 10
	for name, b := range map[string]budget.Budget{
		"dollars a day":     {DollarsPerDay: admitted * mostOfOne},
		"dollars a month":   {DollarsPerMonth: admitted*mostOfOne + 1},
		"tokens a minute":   {TokensPerMinute: admitted * 1200},
		"requests a minute": {RequestsPerMinute: admitted},
		"streams":           {Streams: admitted},
	} {
		t.Run(name, func(t *testing.T) {
			b.Name, b.Principals = "all", []string{"*"}
			l := spending(t, regions{}, route.Route{}, b)
			var group sync.WaitGroup
			streams := make(chan inference.Stream, callers)
			for n := range callers {
				group.Go(func() {
					r := request(strconv.Itoa(n))
					r.Operation = inference.ConverseStream
					if stream, _, err := l.Invoke(t.Context(), r); err == nil {
						streams <- stream
					} else if e := inference.AsError(err); e.RetryAfter <= 0 || e.Kind != inference.Throttling && e.Kind != inference.ServiceQuotaExceeded {
						t.Errorf("Invoke = %v to be tried again after %s, want a limit with a time", err, e.RetryAfter)
					}
				})
			}
			group.Wait()
			if len(streams) != admitted {
				t.Fatalf("%d of %d calls were made, want %d", len(streams), callers, admitted)
			}
			for range admitted {
				if err := read(t.Context(), <-streams); err != nil {
					t.Fatal(err)
				}
			}
			want := int64(admitted) // records that were charged
			for _, r := range l.kept.records {
				if r.Cost > 0 {
					want--
				}
				if r.Cost > 0 != (len(r.Attempts) > 0) {
					t.Errorf("record with %d attempts costs %s", len(r.Attempts), r.Cost)
				}
			}
			if want != 0 || len(l.kept.records) != callers {
				t.Errorf("%d records, %d short of those that cost, want %d, all of them", len(l.kept.records), want, callers)
			}
		})
	}
}

// TestReserved: the record has the most that the call may cost, and its charges become
// what it did.
func TestReserved(t *testing.T) {
	l := spending(t, regions{source: sends(begun, content, inference.Event{Raw: []byte("end"), Final: true, Usage: &some})}, route.Route{},
		budget.Budget{Name: "all", Principals: []string{"*"}, DollarsPerDay: inference.Dollar, TokensPerMinute: 5000})
	r := request("id")
	r.Operation = inference.ConverseStream
	stream, record, err := l.Invoke(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if record.Reserved != mostOfOne || record.Charges[0].Amount != int64(mostOfOne) || record.Charges[1].Amount != 1200 {
		t.Errorf("reserved %s, charges %+v, want %s and as much, and 1200 tokens", record.Reserved, record.Charges, mostOfOne)
	}
	if err := read(t.Context(), stream); err != nil {
		t.Fatal(err)
	}
	const cost = (1000*3 + 7*15) * 1000 // billionths
	if record.Cost != cost || record.Charges[0].Amount != cost || record.Charges[1].Amount != 1007 {
		t.Errorf("cost %s, charges %+v, want 0.003105 and as much, and 1007 tokens", record.Cost, record.Charges)
	}
}

// TestCacheIsReserved at its dearest: what is written to the cache for an hour.
func TestCacheIsReserved(t *testing.T) {
	l := spending(t, regions{}, route.Route{})
	l.Outline = func(*inference.Request, inference.ModelID) inference.Outline {
		return inference.Outline{InputTokens: 1000, Prefix: 1, PrefixTokens: 999}
	}
	stream, record, err := l.Invoke(t.Context(), request("id"))
	if err != nil {
		t.Fatal(err)
	}
	stream.Close()
	if want := inference.Money(1000 * 6000); record.Reserved != want {
		t.Errorf("reserved %s, want %s: a thousand tokens at twice the price of input", record.Reserved, want)
	}
}

// TestAbsurdIsReserved: what no model can use does not wrap to nothing.
func TestAbsurdIsReserved(t *testing.T) {
	for _, o := range []inference.Outline{
		{InputTokens: 10, MaxTokens: math.MaxInt}, {InputTokens: math.MaxInt, MaxTokens: 10}, {InputTokens: math.MaxInt, PrefixTokens: math.MaxInt, MaxTokens: math.MaxInt},
	} {
		for _, b := range []budget.Budget{
			{Name: "all", Principals: []string{"*"}, DollarsPerDay: inference.Dollar}, {Name: "all", Principals: []string{"*"}, TokensPerMinute: 5000},
		} {
			l := spending(t, regions{}, route.Route{}, b)
			l.Outline = func(*inference.Request, inference.ModelID) inference.Outline { return o }
			stream, _, err := l.Invoke(t.Context(), request("id"))
			if err == nil {
				stream.Close()
				t.Errorf("%+v is within %+v, want it refused", o, b)
			}
		}
	}
}

// TestFallbackOverBudget: a model that its own budget does not admit is left out; the
// one that was called is refused.
func TestFallbackOverBudget(t *testing.T) {
	down := byModel{model: refused}
	toNova := route.Route{Fallbacks: []string{novaProfile}}
	l := spending(t, down, toNova, budget.Budget{Name: "nova", Models: []string{"amazon.*"}, Principals: []string{"*"}, DollarsPerDay: 1})
	_, record, err := l.Invoke(t.Context(), converse("id"))
	if got := models(record); err == nil || len(got) != 1 || got[0] != model {
		t.Errorf("attempts at %v, %v, want those of the model that was called, which fail", got, err)
	}
	l = spending(t, down, toNova, budget.Budget{Name: "nova", Models: []string{"amazon.*"}, Principals: []string{"*"}, DollarsPerDay: inference.Dollar})
	stream, record, err := l.Invoke(t.Context(), converse("id"))
	if err != nil {
		t.Fatal(err)
	}
	if err := read(t.Context(), stream); err != nil {
		t.Fatal(err)
	}
	if record.Fallback != novaProfile || record.Charges[0].Amount == 0 || record.Charges[0].Amount != int64(record.Cost) {
		t.Errorf("%s answered, charges %+v of %s, want nova's, charged with all of it", record.Fallback, record.Charges, record.Cost)
	}
	l = spending(t, down, toNova, budget.Budget{Name: "claude", Models: []string{"anthropic.*"}, Principals: []string{"*"}, DollarsPerDay: 1})
	_, record, err = l.Invoke(t.Context(), converse("id"))
	if e := inference.AsError(err); e.Kind != inference.ServiceQuotaExceeded || len(record.Attempts) != 0 {
		t.Errorf("Invoke = %v after %d attempts, want ServiceQuotaExceeded and none", err, len(record.Attempts))
	}
}

// intents is a ledger that remembers the state of each call when it was told of it.
type intents struct {
	records []inference.Record
	err     error
}

func (i *intents) Intend(_ context.Context, r *inference.Record) error {
	i.records = append(i.records, *r)
	return i.err
}

// TestIntent: the ledger is told before the first attempt leaves, and its refusal keeps
// the call from being made, with nothing of the budget taken.
func TestIntent(t *testing.T) {
	told := &intents{}
	var before int
	answers := sends(whole)
	l := spending(t, regions{source: func(ctx context.Context) (inference.Stream, error) {
		before = len(told.records)
		return answers(ctx)
	}}, route.Route{}, budget.Budget{Name: "all", Principals: []string{"*"}, DollarsPerDay: mostOfOne})
	l.Meter = meter.New(meter.Config{Pricer: prices{l.Catalog}, Budgets: l.Budgets, Ledger: told, Sinks: []meter.Sink{&l.kept}, Now: l.Clock})

	told.err = &inference.Error{Kind: inference.ServiceUnavailable, Message: "Bedrock is unable to process your request."}
	_, record, err := l.Invoke(t.Context(), request("first"))
	if e := inference.AsError(err); e.Kind != inference.ServiceUnavailable || before != 0 || len(record.Attempts) != 0 || record.Charges[0].Amount != 0 {
		t.Errorf("Invoke = %v, attempts %v, charges %+v, want ServiceUnavailable and nothing made or charged", err, record.Attempts, record.Charges)
	}
	told.err = nil
	stream, _, err := l.Invoke(t.Context(), request("second"))
	if err != nil {
		t.Fatal(err)
	}
	stream.Close()
	if got := told.records[1]; before != 2 || got.ID != "second" || got.Reserved != mostOfOne || got.Outcome != "" || len(got.Attempts) != 0 {
		t.Errorf("at the first attempt %d intents, the last %+v, want 2, an open record with its reservation", before, got)
	}
}

// TestLearn: what real models report is passed on, once the answer is whole; not what a
// simulated region says, be it behind another server.
func TestLearn(t *testing.T) {
	ofAnother := whole
	ofAnother.Served = &inference.Served{Simulated: true}
	for name, test := range map[string]struct {
		simulated bool
		answer    inference.Event
		want      int
	}{
		"real": {false, whole, 1000}, "simulated": {true, whole, 0}, "simulated by another server": {false, ofAnother, 0},
	} {
		l := spending(t, regions{}, route.Route{})
		l.Router = route.New(route.Config{Upstream: regions{source: sends(test.answer)}, Simulated: test.simulated})
		learned := 0
		l.Learn = func(_ *inference.Request, m inference.ModelID, tokens int) {
			if m != model {
				t.Errorf("learned of %s, want %s", m, model)
			}
			learned += tokens
		}
		stream, record, err := l.Invoke(t.Context(), request("id"))
		if err != nil {
			t.Fatal(err)
		}
		if err := read(t.Context(), stream); err != nil || learned != test.want {
			t.Errorf("%s: learned of %d tokens, %v, want %d", name, learned, err, test.want)
		}
		if record.Simulated != (test.want == 0) {
			t.Errorf("%s: the record says simulated: %v", name, record.Simulated)
		}
	}
}
