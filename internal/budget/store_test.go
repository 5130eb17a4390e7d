//go:build unix

package budget

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fairway/internal/inference"
	"fairway/internal/store"
)

// TestStore has three servers share budgets in a real database.
func TestStore(t *testing.T) {
	for _, database := range []struct {
		name string
		dsn  func(*testing.T) string
	}{
		{"sqlite", func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "store.db") }},
		{"postgres", startPostgres},
	} {
		t.Run(database.name, func(t *testing.T) {
			c := newClock()
			bank, err := store.Open(t.Context(), database.dsn(t), store.Options{Now: c.now})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := bank.Close(); err != nil {
					t.Error(err)
				}
			})
			for _, limit := range thousand {
				limit.Name, limit.Principals = "all", []string{"*"}
				threeServers(t, bank, c, limit)
			}
			restart(t, bank, c)
			if database.name == "postgres" {
				overshoot(t, bank, c)
			}
		})
	}
}

// threeServers take what there is of one limit, and settle it.
func threeServers(t *testing.T, bank *store.Store, c *clock, limit Budget) {
	books := servers(3, bank, Config{Budgets: []Budget{limit}, Now: c.now, Away: Refuse})
	m := inference.Streams
	for i, n := range limit.limits() {
		if n > 0 {
			m = measures[i]
		}
	}
	var mu sync.Mutex
	var entries []inference.Entry
	var all sync.WaitGroup
	var got atomic.Int64
	for i := range 24 {
		all.Go(func() {
			for {
				a := call(sonnet, 7, 3)
				a.Stream = true
				r, err := books[i%3].Reserve(t.Context(), a)
				if err != nil {
					if k := inference.AsError(err).Kind; k != inference.Throttling && k != inference.ServiceQuotaExceeded {
						t.Errorf("%s: Reserve = %v, want that nothing is left", m, err)
					}
					return
				}
				got.Add(1)
				record := ended(a, r, 7, 3)
				record.Time = c.now()
				mu.Lock()
				entries = append(entries, inference.Entry{Record: *record, Charges: record.Charges})
				mu.Unlock()
			}
		})
	}
	all.Wait()
	for _, b := range books {
		b.errands.Wait()
	}
	if n := got.Load(); n > 1000 || n < 1000-3*75 {
		t.Errorf("%s: three servers reserved %d of 1000, want all but a block and a half each", m, n)
	}
	taken, err := bank.Taken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range taken {
		if p.Measure == m && (p.Held > limit.limits()[index(m)] || p.Held == 0) {
			t.Errorf("%s: %d held, want up to the limit of %d", m, p.Held, limit.limits()[index(m)])
		}
	}
	if !m.IsMoney() {
		return
	}
	if err := bank.Keep(t.Context(), "server-0", entries); err != nil {
		t.Fatal(err)
	}
	for _, b := range books {
		if err := b.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// restart finds in the store what was spent before.
func restart(t *testing.T, bank *store.Store, c *clock) {
	config := Config{Budgets: []Budget{{Name: "mine", Principals: []string{"*"}, DollarsPerMonth: 100}}, Now: c.now}
	b := servers(1, bank, config)[0]
	a := call(sonnet, 0, 50)
	record := ended(a, reserve(t, b, a), 0, 60)
	record.Time = c.now()
	b.Settle(record)
	if err := bank.Keep(t.Context(), b.server, []inference.Entry{{Record: *record, Charges: record.Charges}}); err != nil {
		t.Fatal(err)
	}
	b.errands.Wait() // it ends without a word
	if err := bank.Reclaim(t.Context(), b.server); err != nil {
		t.Fatal(err)
	}
	b = servers(1, bank, config)[0]
	if _, cause := refused(t, b, call(sonnet, 0, 41), inference.ServiceQuotaExceeded); cause.Left != 40 {
		t.Errorf("left %d after a restart, want 40", cause.Left)
	}
	c.forward(2 * dryFor)
	reserve(t, b, call(sonnet, 0, 40))
}

// overshoot closes the store under three servers: each spends a block more.
func overshoot(t *testing.T, bank *store.Store, c *clock) {
	c.forward(2 * time.Minute)
	books := servers(3, bank, Config{
		Budgets: []Budget{{Name: "over", Principals: []string{"*"}, RequestsPerMinute: 1000}}, Now: c.now,
	})
	got := storm(t.Context(), books[0])
	books[0].errands.Wait()
	bank.Close()
	c.forward(2 * dryFor)
	more := storm(t.Context(), books...)
	fmt.Fprintf(t.Output(), "%d calls reserved of 1000, then %d more by three servers without their store\n", got, more)
	if total := got + more; total <= 1000 || total > 1000+3*50 {
		t.Errorf("%d reserved of 1000, want up to three blocks of 50 more", total)
	}
}
