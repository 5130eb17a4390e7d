package budget

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairway/internal/inference"
)

// world is some servers, and what their records say.
type world struct {
	books   []*Book
	bank    *fakeBank
	clock   *clock
	pending []pending
	spent   map[inference.Slot]int64 // by records
	held    map[inference.Slot]int64 // reserved and not settled
}

// pending is a call that is under way.
type pending struct {
	book *Book
	ask  *Ask
	r    *Reservation
}

// TestProperties has servers reserve, settle, give back and reload in any order. What is
// reserved or spent of a slot never passes its limit while calls use no more than they
// reserved; the books know as spent what the records say.
func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		t.Repeat(map[string]func(*rapid.T){
			"reserve":  w.reserve,
			"settle":   w.settle,
			"time":     w.pass,
			"giveback": w.giveBack,
			"reload":   w.reload,
			"":         w.check,
		})
		for len(w.pending) > 0 {
			w.settle(t)
		}
		w.check(t)
	})
}

func newWorld(t *rapid.T) *world {
	w := &world{clock: newClock(), spent: map[inference.Slot]int64{}, held: map[inference.Slot]int64{}}
	c := Config{Now: w.clock.now, Budgets: propertyBudgets(1)}
	if rapid.Bool().Draw(t, "shared") {
		w.bank = newFakeBank()
		w.books = servers(3, w.bank, c)
	} else {
		w.books = []*Book{New(c)}
	}
	return w
}

func propertyBudgets(times int) []Budget {
	return []Budget{
		{Name: "all", Principals: []string{"*"}, DollarsPerMonth: inference.Money(2000 * times), TokensPerMinute: 300 * times, Streams: 4 * times},
		{Name: "users", Users: []string{"*"}, Per: PerUser, DollarsPerDay: inference.Money(500 * times), RequestsPerMinute: 5 * times},
		{Name: "models", Models: []string{"anthropic.claude-haiku-*"}, Per: PerModel, DollarsPerDay: inference.Money(300 * times)},
	}
}

func (w *world) reserve(t *rapid.T) {
	b := rapid.SampledFrom(w.books).Draw(t, "book")
	a := call(sonnet, 0, 0)
	a.Caller.ID = rapid.SampledFrom([]string{"", "u1", "u2"}).Draw(t, "user")
	a.Stream = rapid.Bool().Draw(t, "stream")
	models := rapid.SampledFrom([][]inference.ModelID{{sonnet}, {haiku}, {sonnet, haiku}, {haiku, sonnet}}).Draw(t, "models")
	a.Claims = nil
	for _, m := range models {
		a.Claims = append(a.Claims, Claim{
			Model: m, Named: "apac." + string(m),
			Tokens: rapid.IntRange(0, 120).Draw(t, "tokens"), Cost: inference.Money(rapid.IntRange(0, 400).Draw(t, "cost")),
		})
	}
	r, err := b.Reserve(t.Context(), a)
	b.errands.Wait()
	if err != nil {
		return
	}
	for _, c := range r.Charges {
		w.held[c.Slot] += c.Amount
		if limit := w.limit(c.Slot); w.held[c.Slot]+w.spent[c.Slot] > limit {
			t.Fatalf("%d held and %d spent of %v, limit %d", w.held[c.Slot], w.spent[c.Slot], c.Slot, limit)
		}
	}
	w.pending = append(w.pending, pending{b, a, r})
}

func (w *world) settle(t *rapid.T) {
	if len(w.pending) == 0 {
		t.Skip("nothing to settle")
	}
	i := rapid.IntRange(0, len(w.pending)-1).Draw(t, "call")
	p := w.pending[i]
	w.pending = append(w.pending[:i], w.pending[i+1:]...)
	claim := p.ask.Claims[0]
	record := ended(p.ask, p.r, rapid.IntRange(0, claim.Tokens).Draw(t, "tokens"), inference.Money(rapid.IntRange(0, int(claim.Cost)).Draw(t, "cost")))
	if rapid.Bool().Draw(t, "never made") {
		record.Attempts, record.Cost, record.Usage = nil, 0, inference.Usage{}
	}
	for range 2 { // the second time says nothing
		p.book.Settle(record)
	}
	for i, c := range record.Charges {
		if reserved := p.r.Charges[i].Amount; c.Amount > reserved {
			t.Fatalf("%d of %v is settled, %d was reserved", c.Amount, c.Slot, reserved)
		}
		w.held[c.Slot] -= p.r.Charges[i].Amount
		w.spent[c.Slot] += c.Amount
	}
}

func (w *world) pass(t *rapid.T) {
	w.clock.forward(time.Duration(rapid.IntRange(1, 40*3600).Draw(t, "seconds")) * time.Second)
}

func (w *world) giveBack(t *rapid.T) {
	b := rapid.SampledFrom(w.books).Draw(t, "book")
	b.forget()
	if b.bank == nil {
		return
	}
	if err := b.giveBack(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
}

// reload raises every limit: one that is lowered leaves more taken than there is.
func (w *world) reload(t *rapid.T) {
	times := rapid.IntRange(2, 3).Draw(t, "times")
	for _, b := range w.books {
		if b.byName["all"].limits[index(inference.Streams)] < int64(4*times) {
			b.Reconfigured(Config{Budgets: propertyBudgets(times)})
		}
	}
}

func (w *world) check(t *rapid.T) {
	known := map[inference.Slot]int64{}
	for _, b := range w.books {
		for _, of := range b.budgets {
			for _, p := range of.pots {
				for _, c := range p.cells {
					if c != nil {
						known[c.slot] += c.used
					}
				}
			}
		}
	}
	now := w.clock.now()
	for slot, spent := range w.spent {
		from, _ := slot.Measure.Window(now)
		if slot.Measure != inference.Streams && slot.Starts != from.Unix() {
			continue
		}
		if known[slot] != spent+w.held[slot] {
			t.Fatalf("the books know %d of %v, want %d spent and %d held", known[slot], slot, spent, w.held[slot])
		}
	}
	if w.bank == nil {
		return
	}
	for slot := range w.bank.held {
		if got, limit := w.bank.taken(slot), w.limit(slot); got > limit {
			t.Fatalf("%d leased of %v, limit %d", got, slot, limit)
		}
	}
}

// limit is that of a slot, which all books agree on.
func (w *world) limit(s inference.Slot) int64 {
	return w.books[0].byName[s.Budget].limits[index(s.Measure)]
}

func index(m inference.Measure) int {
	for i := range measures {
		if measures[i] == m {
			return i
		}
	}
	return -1
}
