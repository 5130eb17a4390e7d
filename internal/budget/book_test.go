package budget

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fairway/internal/inference"
)

var began = time.Date(2026, 11, 23, 4, 30, 10, 0, time.UTC)

// clock stands still until it is put forward.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.set(began)
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.at.Load()).UTC() }
func (c *clock) set(t time.Time)         { c.at.Store(t.UnixNano()) }
func (c *clock) forward(d time.Duration) { c.at.Add(int64(d)) }

const (
	sonnet = inference.ModelID("anthropic.claude-sonnet-4-20250514-v1:0")
	haiku  = inference.ModelID("anthropic.claude-haiku-4-5-20251001-v1:0")
)

var calls atomic.Int64

// call asks for one call of a model by a principal.
func call(model inference.ModelID, tokens int, cost inference.Money) *Ask {
	return &Ask{
		ID:        fmt.Sprint("call-", calls.Add(1)),
		Principal: "developer",
		Claims:    []Claim{{Model: model, Named: "apac." + string(model), Tokens: tokens, Cost: cost}},
	}
}

// ended is the record of a call that used so much.
func ended(a *Ask, r *Reservation, tokens int, cost inference.Money) *inference.Record {
	return &inference.Record{
		ID: a.ID, Model: a.Claims[0].Model, Charges: r.Charges, Cost: cost,
		Usage:    inference.Usage{InputTokens: tokens},
		Attempts: []inference.Attempt{{Model: a.Claims[0].Named, Outcome: inference.OK, Cost: cost}},
	}
}

func reserve(t *testing.T, b *Book, a *Ask) *Reservation {
	t.Helper()
	r, err := b.Reserve(t.Context(), a)
	if err != nil {
		t.Fatalf("Reserve(%s) = %v", a.ID, err)
	}
	return r
}

// refused wants a refusal of a kind, and gives its cause.
func refused(t *testing.T, b *Book, a *Ask, kind inference.Kind) (*inference.Error, *Exceeded) {
	t.Helper()
	_, err := b.Reserve(t.Context(), a)
	e, ok := errors.AsType[*inference.Error](err)
	if !ok || e.Kind != kind {
		t.Fatalf("Reserve(%s) = %v, want %s", a.ID, err, kind)
	}
	cause, _ := errors.AsType[*Exceeded](err)
	return e, cause
}

// each measure with a budget for exactly 100 calls of 7 tokens and 3 billionths.
var hundred = []struct {
	measure inference.Measure
	budget  Budget
}{
	{inference.DollarsPerMonth, Budget{DollarsPerMonth: 302}},
	{inference.DollarsPerDay, Budget{DollarsPerDay: 300}},
	{inference.TokensPerMinute, Budget{TokensPerMinute: 706}},
	{inference.RequestsPerMinute, Budget{RequestsPerMinute: 100}},
	{inference.Streams, Budget{Streams: 100}},
}

func TestExactlyAsManyAsThereAre(t *testing.T) {
	for _, test := range hundred {
		for _, shared := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/shared=%t", test.measure, shared), func(t *testing.T) {
				test.budget.Name, test.budget.Principals = "all", []string{"*"}
				c := Config{Budgets: []Budget{test.budget}, Now: newClock().now}
				if shared {
					c.Bank, c.Shared, c.Server = newFakeBank(), true, "one"
				}
				b := New(c)
				if got := storm(t.Context(), b); got != 100 {
					t.Errorf("%d of 64 callers' calls were reserved, want 100", got)
				}
				if got := storm(t.Context(), b); got != 0 {
					t.Errorf("%d more calls were reserved of nothing, want 0", got)
				}
			})
		}
	}
}

// storm makes 64 callers reserve until they are refused, and counts what they got.
func storm(ctx context.Context, books ...*Book) int64 {
	var got atomic.Int64
	var all sync.WaitGroup
	for i := range 64 {
		b := books[i%len(books)]
		all.Go(func() {
			for {
				a := call(sonnet, 7, 3)
				a.Stream = true
				if _, err := b.Reserve(ctx, a); err != nil {
					return
				}
				got.Add(1)
			}
		})
	}
	all.Wait()
	return got.Load()
}

func TestSettle(t *testing.T) {
	b := New(Config{Now: newClock().now, Budgets: []Budget{{
		Name: "all", Principals: []string{"*"},
		DollarsPerMonth: 1000, DollarsPerDay: 900, TokensPerMinute: 800, RequestsPerMinute: 3, Streams: 2,
	}}})
	a := call(sonnet, 500, 400)
	a.Stream = true
	r := reserve(t, b, a)
	want(t, "reserved", amounts(r.Charges), "dollars_per_month 400, dollars_per_day 400, tokens_per_minute 500, requests_per_minute 1, streams 1")
	record := ended(a, r, 30, 20)
	record.Usage = inference.Usage{InputTokens: 10, OutputTokens: 5, CacheReadTokens: 1000, CacheWriteTokens: 7}
	record.Wasted = inference.Usage{InputTokens: 8}
	b.Settle(record)
	const settled = "dollars_per_month 20, dollars_per_day 20, tokens_per_minute 30, requests_per_minute 1, streams 0"
	want(t, "settled", amounts(record.Charges), settled)
	want(t, "reserved, in another's hands", amounts(r.Charges), "dollars_per_month 400, dollars_per_day 400, tokens_per_minute 500, requests_per_minute 1, streams 1")
	want(t, "the book", taken(b), "dollars_per_day 20, dollars_per_month 20, requests_per_minute 1, streams 0, tokens_per_minute 30")

	record.Cost = 700
	b.Settle(record)
	want(t, "settled twice", amounts(record.Charges), settled)
	want(t, "the book", taken(b), "dollars_per_day 20, dollars_per_month 20, requests_per_minute 1, streams 0, tokens_per_minute 30")

	a = call(sonnet, 500, 400)
	record = ended(a, reserve(t, b, a), 0, 0)
	record.Attempts = nil
	b.Settle(record)
	want(t, "never made", amounts(record.Charges), "dollars_per_month 0, dollars_per_day 0, tokens_per_minute 0, requests_per_minute 0")
}

// TestUnpriced: a budget of dollars does not admit what has no price; others do.
func TestUnpriced(t *testing.T) {
	b := New(Config{Now: newClock().now, Budgets: []Budget{
		{Name: "tokens", Principals: []string{"*"}, TokensPerMinute: 1000, RequestsPerMinute: 10, Streams: 1},
		{Name: "dollars", Models: []string{"anthropic.claude-haiku-*"}, DollarsPerMonth: 100},
	}})
	a := call(haiku, 10, 0)
	a.Claims[0].Unpriced = true
	e, exceeded := refused(t, b, a, inference.AccessDenied)
	want(t, "message", e.Message, a.Claims[0].Named+` has no price, and budget "dollars" counts dollars: give it a row in the prices`)
	if exceeded != nil || e.RetryAfter != 0 {
		t.Errorf("Reserve() = %v after %s, want no limit and no time", exceeded, e.RetryAfter)
	}

	a = call(sonnet, 10, 0)
	a.Claims = append(a.Claims, Claim{Model: haiku, Named: string(haiku), Tokens: 20, Unpriced: true})
	a.Claims[0].Unpriced = true
	r := reserve(t, b, a)
	want(t, "admitted", fmt.Sprint(r.Admitted), "[true false]")
	want(t, "reserved", amounts(r.Charges), "tokens_per_minute 10, requests_per_minute 1")
}

// TestNothingComesBack: usage below zero, as a record of a journal may have it, gives a
// budget nothing.
func TestNothingComesBack(t *testing.T) {
	b := New(Config{Now: newClock().now, Budgets: []Budget{{Name: "all", Principals: []string{"*"}, DollarsPerDay: 900, TokensPerMinute: 800}}})
	a := call(sonnet, 500, 400)
	record := ended(a, reserve(t, b, a), -10_000, -10_000)
	record.Usage.OutputTokens = 5
	record.Wasted.CacheWriteTokens = -7
	b.Settle(record)
	want(t, "settled", amounts(record.Charges), "dollars_per_day 0, tokens_per_minute 5")
}

func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		budget  Budget
		kind    inference.Kind
		message string
		wait    time.Duration
		cause   string
	}{
		{Budget{DollarsPerMonth: 10}, inference.ServiceQuotaExceeded, tooManyMonth, 7*24*time.Hour + 19*time.Hour + 29*time.Minute + 50*time.Second,
			`budget "b": dollars_per_month: the call may take 0.000000007, 0.000000003 of 0.00000001 are left until 2026-12-01T00:00:00Z`},
		{Budget{DollarsPerDay: 10}, inference.ServiceQuotaExceeded, tooManyToday, 19*time.Hour + 29*time.Minute + 50*time.Second,
			`budget "b": dollars_per_day: the call may take 0.000000007, 0.000000003 of 0.00000001 are left until 2026-11-24T00:00:00Z`},
		{Budget{TokensPerMinute: 12}, inference.Throttling, tooManyTokens, 50 * time.Second,
			`budget "b": tokens_per_minute: the call may take 8, 4 of 12 are left until 2026-11-23T04:31:00Z`},
		{Budget{RequestsPerMinute: 1, Per: PerPrincipal}, inference.Throttling, tooManyRequests, 50 * time.Second,
			`budget "b" of "developer": requests_per_minute: the call may take 1, 0 of 1 are left until 2026-11-23T04:31:00Z`},
		{Budget{Streams: 1}, inference.Throttling, tooManyRequests, time.Second,
			`budget "b": streams: the call may take 1, 0 of 1 are left`},
		{Budget{RequestsPerMinute: 1, DollarsPerDay: 7}, inference.ServiceQuotaExceeded, tooManyToday, 19*time.Hour + 29*time.Minute + 50*time.Second,
			`budget "b": dollars_per_day: the call may take 0.000000007, 0 of 0.000000007 are left until 2026-11-24T00:00:00Z`},
	} {
		test.budget.Name, test.budget.Principals = "b", []string{"dev*"}
		b := New(Config{Budgets: []Budget{test.budget}, Now: newClock().now})
		a := call(sonnet, 8, 7)
		a.Stream = true
		reserve(t, b, a)
		again := *a
		again.ID += "-again"
		e, cause := refused(t, b, &again, test.kind)
		if e.Message != test.message || e.RetryAfter != test.wait {
			t.Errorf("Reserve = %q after %v, want %q after %v", e.Message, e.RetryAfter, test.message, test.wait)
		}
		want(t, "cause", cause.Error(), test.cause)
	}
}

func TestLargerThanTheWholeLimit(t *testing.T) {
	b := New(Config{Budgets: []Budget{{Name: "b", Principals: []string{"*"}, TokensPerMinute: 100}}, Now: newClock().now})
	e, cause := refused(t, b, call(sonnet, 101, 0), inference.ServiceQuotaExceeded)
	if !cause.Never() || e.Message != tooLarge || e.RetryAfter != 0 {
		t.Errorf("Reserve = %q after %v, never %t, want %q without a time", e.Message, e.RetryAfter, cause.Never(), tooLarge)
	}
	want(t, "cause", cause.Error(), `budget "b": tokens_per_minute: the call may take 101, more than the whole limit of 100: raise the limit, or lower what the call asks for`)
	reserve(t, b, call(sonnet, 100, 0))
}

func TestBinding(t *testing.T) {
	budgets := []Budget{
		{Name: "named"},
		{Name: "server", Principals: []string{"*"}},
		{Name: "users", Users: []string{"*"}, Per: PerUser},
		{Name: "keys", Keys: []string{"ci-*"}, Per: PerKey},
		{Name: "bob", Users: []string{"bob@example.com"}},
		{Name: "team", Teams: []string{"red", "blue"}, Models: []string{"*.claude-sonnet-*"}, Per: PerTeam},
		{Name: "haiku", Models: []string{"anthropic.claude-haiku-*"}, Per: PerModel},
		{Name: "both", Principals: []string{"developer"}, Teams: []string{"red"}, Per: PerPrincipal},
	}
	for i := range budgets {
		budgets[i].RequestsPerMinute = 1000
	}
	b := New(Config{Budgets: budgets, Now: newClock().now})
	for _, test := range []struct {
		change func(*Ask)
		want   string
	}{
		{func(*Ask) {}, "server/"},
		{func(a *Ask) { a.Caller.Budget = "named" }, "named/ server/"},
		{func(a *Ask) { a.Budget = "named" }, "named/ server/"},
		{func(a *Ask) { a.Budget = "haiku" }, "server/"},
		{func(a *Ask) { a.Caller = inference.Caller{ID: "id-1", Name: "ana"} }, "server/ users/id-1"},
		{func(a *Ask) { a.Caller = inference.Caller{Name: "ana"} }, "server/ users/ana"},
		{func(a *Ask) { a.Caller = inference.Caller{ID: "id-2", Name: "id-2", Alias: "bob@example.com"} }, "server/ users/id-2 bob/"},
		{func(a *Ask) { a.Caller = inference.Caller{Key: "ci-7"} }, "server/ keys/ci-7"},
		{func(a *Ask) { a.Caller = inference.Caller{Key: "cd-7"} }, "server/"},
		{func(a *Ask) { a.Caller = inference.Caller{Budget: "keys"} }, "server/ keys/"},
		{func(a *Ask) { a.Team = "red" }, "server/ team/red both/developer"},
		{func(a *Ask) { a.Team, a.Principal = "blue", "arn:x/y" }, "server/ team/blue"},
		{func(a *Ask) { a.Claims[0] = Claim{Model: haiku, Named: string(haiku)}; a.Team = "blue" }, "server/ haiku/" + string(haiku)},
	} {
		a := call(sonnet, 1, 1)
		test.change(a)
		got := ""
		for _, c := range reserve(t, b, a).Charges {
			got += " " + c.Budget + "/" + c.Pot
		}
		want(t, "bound", got, " "+test.want)
	}
	for _, a := range []*Ask{{Budget: "none"}, {Caller: inference.Caller{Budget: "none"}}} {
		e, _ := refused(t, b, a, inference.AccessDenied)
		want(t, "message", e.Message, `authorize call: budget "none" is not configured: ask the operator to add it to the budgets, or to name another for this caller`)
	}
}

func TestFallbacks(t *testing.T) {
	b := New(Config{Now: newClock().now, Budgets: []Budget{
		{Name: "all", Principals: []string{"*"}, TokensPerMinute: 1000, DollarsPerDay: 1000},
		{Name: "haiku", Models: []string{"anthropic.claude-haiku-*"}, RequestsPerMinute: 1, DollarsPerDay: 100},
	}})
	ask := func() *Ask {
		a := call(sonnet, 100, 80)
		a.Claims = append(a.Claims, Claim{haiku, "global." + string(haiku), 120, 30, false}, Claim{sonnet, "us." + string(sonnet), 2000, 1, false})
		return a
	}
	first := ask()
	r := reserve(t, b, first)
	want(t, "admitted", fmt.Sprint(r.Admitted), "[true true false]")
	want(t, "reserved", amounts(r.Charges), "dollars_per_day 80, tokens_per_minute 120, dollars_per_day 30, requests_per_minute 1")

	second := ask()
	r2 := reserve(t, b, second)
	want(t, "admitted", fmt.Sprint(r2.Admitted), "[true false false]")
	want(t, "reserved", amounts(r2.Charges), "dollars_per_day 80, tokens_per_minute 100")

	record := ended(first, r, 0, 35)
	record.Fallback = "global." + string(haiku)
	record.Usage = inference.Usage{OutputTokens: 20}
	record.Wasted = inference.Usage{InputTokens: 50}
	record.Attempts = []inference.Attempt{
		{Model: "apac." + string(sonnet), Outcome: inference.Failed, Cost: 25, Usage: &inference.Usage{InputTokens: 50}},
		{Model: "global." + string(haiku), Outcome: inference.OK, Cost: 10},
	}
	b.Settle(record)
	want(t, "settled", amounts(record.Charges), "dollars_per_day 35, tokens_per_minute 70, dollars_per_day 10, requests_per_minute 1")

	record = ended(second, r2, 60, 50)
	b.Settle(record)
	want(t, "settled", amounts(record.Charges), "dollars_per_day 50, tokens_per_minute 60")
}

// TestWindows goes over the end of a minute, a day and a month.
func TestWindows(t *testing.T) {
	c := newClock()
	c.set(time.Date(2028, 2, 29, 23, 59, 30, 0, time.UTC))
	b := New(Config{Now: c.now, Budgets: []Budget{{
		Name: "b", Principals: []string{"*"}, DollarsPerMonth: 100, DollarsPerDay: 60, RequestsPerMinute: 1, Streams: 1,
	}}})
	a := call(sonnet, 0, 50)
	a.Stream = true
	r := reserve(t, b, a)
	refused(t, b, call(sonnet, 0, 1), inference.Throttling)
	c.forward(time.Minute)
	next := call(sonnet, 0, 60)
	next.Stream = true
	refused(t, b, next, inference.Throttling) // the stream still runs
	record := ended(a, r, 0, 55)
	b.Settle(record)
	want(t, "settled late", amounts(record.Charges), "dollars_per_month 55, dollars_per_day 55, requests_per_minute 1, streams 0")
	next.ID += "-again"
	reserve(t, b, next)
	want(t, "the book in march", taken(b), "dollars_per_day 60, dollars_per_month 60, requests_per_minute 1, streams 1")
	c.forward(-time.Minute)
	refused(t, b, call(sonnet, 0, 1), inference.ServiceQuotaExceeded) // a clock that goes back gives nothing anew
}

func TestReconfigured(t *testing.T) {
	budgets := func(requests int, names ...string) Config {
		c := Config{Now: newClock().now}
		for _, name := range names {
			c.Budgets = append(c.Budgets, Budget{Name: name, Principals: []string{"*"}, RequestsPerMinute: requests})
		}
		return c
	}
	b := New(budgets(3, "a", "b"))
	a := call(sonnet, 0, 0)
	r := reserve(t, b, a)
	reserve(t, b, call(sonnet, 0, 0))
	b.Reconfigured(budgets(2, "b"))
	if _, cause := refused(t, b, call(sonnet, 0, 0), inference.Throttling); cause.Left != 0 || cause.Limit != 2 {
		t.Errorf("left %d of %d, want 0 of 2", cause.Left, cause.Limit)
	}
	record := ended(a, r, 0, 0)
	record.Attempts = nil
	b.Settle(record)
	want(t, "settled", amounts(record.Charges), "requests_per_minute 0, requests_per_minute 0")
	reserve(t, b, call(sonnet, 0, 0))
	b.Reconfigured(budgets(5, "a", "b"))
	want(t, "the book", taken(b), "requests_per_minute 2")
	reserve(t, b, call(sonnet, 0, 0))
	want(t, "the book", taken(b), "requests_per_minute 1, requests_per_minute 3")
}

func TestPotsAreBounded(t *testing.T) {
	c := newClock()
	b := New(Config{Now: c.now, MostPots: 3, Budgets: []Budget{{Name: "b", Users: []string{"*"}, Per: PerUser, RequestsPerMinute: 2, Streams: 1}}})
	by := func(user string) *Ask {
		a := call(sonnet, 0, 0)
		a.Caller.ID, a.Stream = user, true
		return a
	}
	first := by("u1")
	r := reserve(t, b, first)
	reserve(t, b, by("u2"))
	reserve(t, b, by("u3"))
	r4 := reserve(t, b, by("u4"))
	want(t, "pot of one too many", r4.Charges[0].Pot, "")
	refused(t, b, by("u5"), inference.Throttling) // it shares that pot, whose stream runs
	refused(t, b, by("u1"), inference.Throttling)

	b.Settle(ended(first, r, 0, 0))
	c.forward(2 * time.Minute)
	b.forget()
	if len(b.byName["b"].pots) != 3 || b.pots != 3 {
		t.Errorf("%d pots, counted %d, want the 3 of calls that are under way", len(b.byName["b"].pots), b.pots)
	}
	refused(t, b, by("u2"), inference.Throttling)
}

// TestCrowdedBook forgets pots whose spending the bank remembers, and takes it up again.
func TestCrowdedBook(t *testing.T) {
	c := newClock()
	b := New(Config{Now: c.now, Bank: newFakeBank(), Server: "one", MostPots: 4, Budgets: []Budget{{Name: "b", Users: []string{"*"}, Per: PerUser, DollarsPerDay: 100}}})
	spend := func(user string, most, cost inference.Money) (string, error) {
		a := call(sonnet, 0, most)
		a.Caller.ID = user
		r, err := b.Reserve(t.Context(), a)
		b.errands.Wait()
		if err != nil {
			return "", err
		}
		b.Settle(ended(a, r, 0, cost))
		return r.Charges[0].Pot, nil
	}
	for i := range 4 {
		if _, err := spend(fmt.Sprint("u", i), 70, 60); err != nil {
			t.Fatal(err)
		}
	}
	c.forward(2 * idleAfter)
	if err := b.giveBack(t.Context(), idleAfter); err != nil {
		t.Fatal(err)
	}
	b.forget()
	if b.pots != 2 {
		t.Errorf("%d pots are known, want half of the 4 there is room for", b.pots)
	}
	for i := range 4 {
		if pot, err := spend(fmt.Sprint("u", i), 41, 41); err == nil {
			t.Errorf("pot %q had 41 left of 100, want 40", pot)
		}
	}
	c.forward(2 * dryFor)
	for i := range 4 {
		if pot, err := spend(fmt.Sprint("u", i), 40, 40); err != nil || pot != fmt.Sprint("u", i) {
			t.Errorf("Reserve = pot %q, %v, want that of u%d with 40 left", pot, err, i)
		}
	}
}

// TestAttempts splits what a call took between a budget of one model and that of all.
func TestAttempts(t *testing.T) {
	b := New(Config{Now: newClock().now, Budgets: []Budget{
		{Name: "models", Principals: []string{"*"}, Per: PerModel, TokensPerMinute: 1000, DollarsPerDay: 1000, RequestsPerMinute: 10},
	}})
	a := call(sonnet, 100, 100)
	a.Claims = append(a.Claims, Claim{haiku, "us." + string(haiku), 100, 100, false})
	record := ended(a, reserve(t, b, a), 0, 47)
	record.Usage, record.Wasted = inference.Usage{InputTokens: 30, OutputTokens: 10}, inference.Usage{InputTokens: 8}
	record.Fallback = "us." + string(haiku)
	record.Attempts = []inference.Attempt{
		{Model: "apac." + string(sonnet), Outcome: inference.Failed, Cost: 7, Usage: &inference.Usage{InputTokens: 8}},
		{Model: string(sonnet), Outcome: inference.Failed, Cut: true, Cost: 20, Usage: &inference.Usage{InputTokens: 15, OutputTokens: 4}},
		{Model: "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/x", Outcome: inference.OK, Cost: 20},
	}
	b.Settle(record)
	want(t, "settled", amounts(record.Charges), "dollars_per_day 27, tokens_per_minute 27, requests_per_minute 1, dollars_per_day 20, tokens_per_minute 21, requests_per_minute 1")
}

func TestSameCallTwice(t *testing.T) {
	b := New(Config{Now: newClock().now})
	a := call(sonnet, 0, 0)
	reserve(t, b, a)
	refused(t, b, a, inference.InternalServer)
}

func want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s = %s, want %s", what, got, want)
	}
}

func amounts(charges []inference.Charge) string {
	s := ""
	for i, c := range charges {
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprintf("%s %d", c.Measure, c.Amount)
	}
	return s
}

func taken(b *Book) string {
	var charges []inference.Charge
	for _, s := range b.State() {
		charges = append(charges, inference.Charge{Slot: s.Slot, Amount: s.Taken})
	}
	return amounts(charges)
}

func BenchmarkReserveSettle(b *testing.B) {
	for _, shared := range []bool{false, true} {
		b.Run(fmt.Sprintf("budgets=3/shared=%t", shared), func(b *testing.B) {
			c := Config{Budgets: []Budget{
				{Name: "server", Principals: []string{"*"}, DollarsPerMonth: 1e15, RequestsPerMinute: 1e12},
				{Name: "users", Users: []string{"*"}, Per: PerUser, DollarsPerDay: 1e15, TokensPerMinute: 1e12},
				{Name: "team", Teams: []string{"red*"}, Models: []string{"anthropic.*"}, DollarsPerDay: 1e15},
			}}
			if shared {
				c.Bank, c.Shared, c.Server = newFakeBank(), true, "one"
			}
			book := New(c)
			a := call(sonnet, 1000, 1000)
			a.Caller, a.Team = inference.Caller{ID: "id-1", Name: "ana"}, "red-1"
			record := ended(a, &Reservation{}, 500, 500)
			b.ReportAllocs()
			for b.Loop() {
				r, err := book.Reserve(b.Context(), a)
				if err != nil {
					b.Fatal(err)
				}
				record.Charges = r.Charges
				book.Settle(record)
			}
		})
	}
}
