package store

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fairway/internal/inference"
)

// TestBudgets holds every database to the same leases, servers and calibration.
func TestBudgets(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			for _, c := range []struct {
				name string
				run  func(*testing.T, *Store)
			}{
				{"take", testTake},
				{"spent more", testSpentMore},
				{"give", testGive},
				{"reclaim", testReclaim},
				{"streams", testStreams},
				{"shares of quotas", testQuotaShares},
				{"old windows", testOldWindows},
				{"taken", testTaken},
				{"take as a model does", testTakeModel},
				{"lost", testLost},
				{"calibrations", testCalibrations},
				{"calibrations at once", testCalibrationsAtOnce},
			} {
				t.Run(c.name, func(t *testing.T) { c.run(t, open(t, d.fresh(t))) })
			}
			t.Run("take at once", func(t *testing.T) { testTakeAtOnce(t, d.fresh(t)) })
		})
	}
}

// ofDay is a slot of the window that the test's clock begins in.
func ofDay(pot string) inference.Slot {
	return slotOf(inference.DollarsPerDay, pot)
}

func slotOf(m inference.Measure, pot string) inference.Slot {
	slot := inference.Slot{Budget: "team \x00'a'", Pot: pot, Measure: m}
	if from, _ := m.Window(began); !from.IsZero() {
		slot.Starts = from.Unix()
	}
	return slot
}

func wantTake(t *testing.T, s *Store, server string, slot inference.Slot, limit, want, granted, taken int64) {
	t.Helper()
	g, n, err := s.Take(t.Context(), server, slot, limit, want)
	if g != granted || n != taken || err != nil {
		t.Errorf("Take(%s, %v, %d, %d) = %d, %d, %v, want %d, %d", server, slot, limit, want, g, n, err, granted, taken)
	}
}

// spend is what the ledger does of the records of a server.
func spend(t *testing.T, s *Store, server string, slot inference.Slot, amount int64) {
	t.Helper()
	slot = storedSlot(slot)
	_, err := s.write.ExecContext(t.Context(), `INSERT INTO budget_leases (budget, pot, measure, starts, server, held, spent, until)
		VALUES ($1, $2, $3, $4, $5, 0, $6, 0)
		ON CONFLICT (budget, pot, measure, starts, server) DO UPDATE SET spent = budget_leases.spent + EXCLUDED.spent`,
		slot.Budget, slot.Pot, slot.Measure, slot.Starts, server, amount)
	if err != nil {
		t.Fatal(err)
	}
}

func give(t *testing.T, s *Store, server string, slot inference.Slot, amount int64) {
	t.Helper()
	if err := s.Give(t.Context(), server, []inference.Charge{{Slot: slot, Amount: amount}}); err != nil {
		t.Errorf("Give(%s, %v, %d) = %v", server, slot, amount, err)
	}
}

func testTake(t *testing.T, s *Store) {
	wantTake(t, s, "1", ofDay(""), 100, 0, 0, 0)
	wantTake(t, s, "1", ofDay(""), 100, -5, 0, 0)
	wantTake(t, s, "1", ofDay(""), 100, 60, 60, 60)
	wantTake(t, s, "2", ofDay(""), 100, 30, 30, 90)
	wantTake(t, s, "2", ofDay(""), 100, 30, 10, 100)
	wantTake(t, s, "1", ofDay(""), 100, 30, 0, 100)
	wantTake(t, s, "1", ofDay(""), 50, 30, 0, 100) // the limit came down
	wantTake(t, s, "1", ofDay(""), 110, 30, 10, 110)
	wantTake(t, s, "1", ofDay("bob"), 100, 100, 100, 100)
	tomorrow := ofDay("")
	tomorrow.Starts += 24 * 60 * 60
	wantTake(t, s, "1", tomorrow, 100, 100, 100, 100)
	wantTake(t, s, "1", slotOf(inference.TokensPerMinute, ""), 100, 100, 100, 100)
	_, _, err := s.Take(canceled(t), "1", ofDay(""), 200, 1)
	wantKind(t, "Take() of a caller who went away", err, inference.Canceled)
	wantTake(t, s, "1", ofDay(""), 200, 0, 0, 110)
}

// testSpentMore: calls that used more than was leased for them count, and what is
// leased from then on is there to be spent.
func testSpentMore(t *testing.T, s *Store) {
	wantTake(t, s, "1", ofDay(""), 100, 10, 10, 10)
	spend(t, s, "1", ofDay(""), 25)
	spend(t, s, "2", ofDay(""), 5)
	wantTake(t, s, "2", ofDay(""), 100, 0, 0, 30)
	wantTake(t, s, "1", ofDay(""), 100, 20, 20, 50)
	spend(t, s, "1", ofDay(""), 20)
	wantTake(t, s, "1", ofDay(""), 100, 100, 50, 100)
}

func testGive(t *testing.T, s *Store) {
	wantTake(t, s, "1", ofDay(""), 100, 60, 60, 60)
	wantTake(t, s, "2", ofDay(""), 100, 40, 40, 100)
	give(t, s, "1", ofDay(""), 50)
	wantTake(t, s, "2", ofDay(""), 100, 60, 50, 100)
	give(t, s, "1", ofDay(""), 50) // more than it holds
	give(t, s, "1", ofDay(""), -5)
	give(t, s, "3", ofDay(""), 50)
	wantTake(t, s, "1", ofDay(""), 100, 0, 0, 90)
	spend(t, s, "2", ofDay(""), 80)
	give(t, s, "2", ofDay(""), 50) // what is spent stays so
	wantTake(t, s, "1", ofDay(""), 100, 0, 0, 80)
	if err := s.Give(t.Context(), "1", nil); err != nil {
		t.Errorf("Give() of nothing = %v", err)
	}
}

func testReclaim(t *testing.T, s *Store) {
	minute, streams := slotOf(inference.RequestsPerMinute, ""), slotOf(inference.Streams, "")
	for _, slot := range []inference.Slot{ofDay("spent"), ofDay("not"), minute, streams} {
		wantTake(t, s, "1", slot, 100, 60, 60, 60)
		wantTake(t, s, "2", slot, 100, 10, 10, 70)
	}
	spend(t, s, "1", ofDay("spent"), 15)
	spend(t, s, "1", ofDay("not"), -3) // an unknown call turned out to have cost less
	if err := s.Reclaim(t.Context(), "1"); err != nil {
		t.Fatalf("Reclaim() = %v", err)
	}
	wantTake(t, s, "2", ofDay("spent"), 100, 0, 0, 25)
	for _, slot := range []inference.Slot{ofDay("not"), minute, streams} {
		wantTake(t, s, "2", slot, 100, 0, 0, 10)
	}
}

func beat(t *testing.T, s *Store, server string) {
	t.Helper()
	if err := s.Beat(t.Context(), server); err != nil {
		t.Fatalf("Beat(%s) = %v", server, err)
	}
}

// testStreams: leases without a window end with their server.
func testStreams(t *testing.T, s *Store) {
	at := began
	s.now = func() time.Time { return at }
	slot := slotOf(inference.Streams, "")
	wantTake(t, s, "1", slot, 10, 6, 6, 6)
	wantTake(t, s, "2", slot, 10, 3, 3, 9)
	at = began.Add(standingLease - time.Second)
	beat(t, s, "1")
	wantTake(t, s, "3", slot, 10, 0, 0, 9)
	at = began.Add(standingLease)
	wantTake(t, s, "3", slot, 10, 0, 0, 6)
	wantTake(t, s, "2", slot, 10, 0, 0, 9) // it is there: its streams run
	wantTake(t, s, "2", slot, 10, 1, 1, 10)
	wantTake(t, s, "3", slot, 10, 5, 0, 10)
	at = began.Add(3 * standingLease)
	wantTake(t, s, "3", slot, 10, 10, 10, 10)
}

// testQuotaShares: a share that ended is not its server's any more when that is back.
func testQuotaShares(t *testing.T, s *Store) {
	at := began
	s.now = func() time.Time { return at }
	slot := slotOf(inference.QuotaShare, "us-east-1")
	wantTake(t, s, "1", slot, 1000, 600, 600, 600)
	wantTake(t, s, "2", slot, 1000, 600, 400, 1000)
	wantTake(t, s, "1", slotOf(inference.Streams, ""), 10, 1, 1, 1)
	wantLeases(t, s, leaseOf(slot, "1", 600, at), leaseOf(slot, "2", 400, at))
	at = began.Add(standingLease - time.Second)
	beat(t, s, "2")
	wantLeases(t, s, leaseOf(slot, "1", 600, began), leaseOf(slot, "2", 400, at))
	at = began.Add(standingLease)
	beat(t, s, "1")
	wantLeases(t, s, leaseOf(slot, "2", 400, at.Add(-time.Second)))
	wantTake(t, s, "2", slot, 1000, 500, 500, 900)
	wantTake(t, s, "1", slot, 1000, 100, 0, 1500)
	give(t, s, "2", slot, 900)
	wantTake(t, s, "1", slot, 1000, 100, 100, 700)
	wantLeases(t, s, leaseOf(slot, "1", 700, at))
	at = began.Add(2*standingLease + keepMinutes + time.Second)
	beat(t, s, "2")
	if n := rowsOf(t, s, "budget_leases"); n != 0 {
		t.Errorf("%d leases are kept long after they ended, want none", n)
	}
}

// leaseOf is what a server was seen to hold at a time.
func leaseOf(slot inference.Slot, server string, held int64, seen time.Time) inference.Lease {
	return inference.Lease{Slot: storedSlot(slot), Server: server, Held: held, Until: seen.Add(standingLease)}
}

func wantLeases(t *testing.T, s *Store, want ...inference.Lease) {
	t.Helper()
	got, err := s.Leases(t.Context(), inference.QuotaShare)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Leases() = %v, want the other:\n%s", err, diff)
	}
}

func rowsOf(t *testing.T, s *Store, table string) (n int) {
	t.Helper()
	if err := s.read.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM `+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// testOldWindows: what is long over is forgotten, and nothing before.
func testOldWindows(t *testing.T, s *Store) {
	at := began
	s.now = func() time.Time { return at }
	for _, m := range []inference.Measure{
		inference.DollarsPerDay, inference.DollarsPerMonth, inference.TokensPerMinute, inference.RequestsPerMinute, inference.Streams,
	} {
		wantTake(t, s, "1", slotOf(m, ""), 10, 10, 10, 10)
	}
	day, _ := inference.DollarsPerDay.Window(began)
	month, _ := inference.DollarsPerMonth.Window(began)
	for _, c := range []struct {
		at            time.Time
		leases, known int
	}{
		{began.Add(keepMinutes), 5, 2},
		{began.Add(keepMinutes + time.Second), 3, 2},
		{began.Add(standingLease + keepMinutes + time.Second), 2, 2},
		{month.Add(keepMoney), 2, 2},
		{month.Add(keepMoney + time.Second), 1, 2},
		{day.Add(keepMoney + time.Second), 0, 2},
		{began.Add(keepMoney + time.Second), 0, 1},
	} {
		at = c.at
		beat(t, s, "2")
		if leases, known := rowsOf(t, s, "budget_leases"), rowsOf(t, s, "servers"); leases != c.leases || known != c.known {
			t.Errorf("%s after their begin there are %d leases and %d servers, want %d and %d", at.Sub(began), leases, known, c.leases, c.known)
		}
	}
}

func testTaken(t *testing.T, s *Store) {
	at := began
	s.now = func() time.Time { return at }
	monthly, minute, streams := slotOf(inference.DollarsPerMonth, ""), slotOf(inference.TokensPerMinute, "x"), slotOf(inference.Streams, "")
	for _, slot := range []inference.Slot{ofDay("b"), ofDay("a"), monthly, minute, streams} {
		wantTake(t, s, "1", slot, 100, 20, 20, 20)
	}
	wantTake(t, s, "2", ofDay("a"), 100, 10, 10, 30)
	spend(t, s, "2", ofDay("a"), 15)
	spend(t, s, "1", ofDay("a"), 5)
	pot := func(slot inference.Slot, held, spent int64) inference.Taken {
		return inference.Taken{Slot: storedSlot(slot), Held: held, Spent: spent}
	}
	all := []inference.Taken{
		pot(ofDay("a"), 35, 20), pot(ofDay("b"), 20, 0), pot(monthly, 20, 0), pot(minute, 20, 0), pot(streams, 20, 0),
	}
	byMeasure := func(a, b inference.Taken) int { return a.Slot.Compare(b.Slot) }
	slices.SortFunc(all, byMeasure)
	for _, c := range []struct {
		at   time.Time
		want []inference.Taken
	}{
		{began, all},
		{began.Add(2 * time.Minute), slices.DeleteFunc(slices.Clone(all), func(p inference.Taken) bool { return !p.Measure.IsMoney() })},
		{began.AddDate(0, 0, 1), []inference.Taken{pot(monthly, 20, 0)}},
		{began.AddDate(0, 1, 0), nil},
	} {
		at = c.at
		got, err := s.Taken(t.Context())
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("Taken() at %s = %v (-want +got):\n%s", c.at, err, diff)
		}
	}
}

// testTakeModel: any order of taking, giving, spending and reclaiming leaves what a
// plain sum says, and taking never passes the limit.
func testTakeModel(t *testing.T, s *Store) {
	round := 0
	rapid.Check(t, func(r *rapid.T) {
		round++
		slot := ofDay(fmt.Sprint(round))
		held, spent := map[string]int64{}, map[string]int64{}
		sum := func() (n int64) {
			for _, server := range []string{"1", "2", "3"} {
				n += max(held[server], spent[server])
			}
			return n
		}
		r.Repeat(map[string]func(*rapid.T){
			"take": func(r *rapid.T) {
				server, limit, want := rapid.SampledFrom([]string{"1", "2", "3"}).Draw(r, "server"), rapid.Int64Range(0, 50).Draw(r, "limit"), rapid.Int64Range(-2, 20).Draw(r, "want")
				before := sum()
				granted, taken, err := s.Take(t.Context(), server, slot, limit, want)
				if wanted := max(min(want, limit-before), 0); granted != wanted || err != nil {
					r.Fatalf("Take(%d, %d) of which %d is taken = %d, %v, want %d", limit, want, before, granted, err, wanted)
				}
				if granted > 0 {
					held[server] = max(held[server], spent[server]) + granted
				}
				if taken != sum() || granted > 0 && taken > limit {
					r.Fatalf("Take(%d, %d) leaves %d, want %d", limit, want, taken, sum())
				}
			},
			"give": func(r *rapid.T) {
				server, back := rapid.SampledFrom([]string{"1", "2", "3"}).Draw(r, "server"), rapid.Int64Range(0, 20).Draw(r, "back")
				give(t, s, server, slot, back)
				held[server] = max(held[server]-back, 0)
			},
			"spend": func(r *rapid.T) {
				server, amount := rapid.SampledFrom([]string{"1", "2", "3"}).Draw(r, "server"), rapid.Int64Range(0, 20).Draw(r, "amount")
				spend(t, s, server, slot, amount)
				spent[server] += amount
			},
			"reclaim": func(r *rapid.T) {
				server := rapid.SampledFrom([]string{"1", "2", "3"}).Draw(r, "server")
				if err := s.Reclaim(t.Context(), server); err != nil {
					r.Fatal(err)
				}
				held[server] = spent[server]
			},
		})
	})
}

// testTakeAtOnce: three servers that take at once get the limit, to the last unit.
func testTakeAtOnce(t *testing.T, dsn string) {
	stores := []*Store{open(t, dsn)}
	for len(stores) < 3 && dsn != memory {
		stores = append(stores, open(t, dsn))
	}
	const limit, takers = 500, 24
	var granted atomic.Int64
	var all sync.WaitGroup
	for i := range takers {
		all.Go(func() {
			server := i % 3
			for {
				n, taken, err := stores[server%len(stores)].Take(t.Context(), fmt.Sprint(server), ofDay(""), limit, 7)
				granted.Add(n)
				if err != nil || taken > limit {
					t.Errorf("Take() = %d, %d, %v", n, taken, err)
				}
				if n == 0 || err != nil {
					return
				}
			}
		})
	}
	all.Wait()
	if granted.Load() != limit {
		t.Errorf("%d takers of %d got %d", takers, limit, granted.Load())
	}
}
