package store

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

func condense(t *testing.T, s *Store, want int) {
	t.Helper()
	if n, err := s.Condense(t.Context()); n != want || err != nil {
		t.Errorf("Condense() = %d, %v, want %d", n, err, want)
	}
}

// testCondense: what is over becomes one row of all buckets, also what is told of it
// later, and is forgotten with the rest.
func testCondense(t *testing.T, s *Store) {
	at := began
	s.now = func() time.Time { return at }
	call := func(id string, cost inference.Money) inference.Record {
		return inference.Record{ID: id, Time: began, Outcome: inference.OK, Cost: cost, Attempts: []inference.Attempt{}}
	}
	by := inference.UsageQuery{By: []inference.Dimension{inference.ByHour}}
	keepAll(t, s, call("1", 1), call("2", 100), call("3", 10_000))
	before := usage(t, s, by)
	tables := func(recentHours, recentDays, pastHours, pastDays int) {
		t.Helper()
		got := []int{rowsOf(t, s, "usage_hours"), rowsOf(t, s, "usage_days"), rowsOf(t, s, "past_hours"), rowsOf(t, s, "past_days")}
		if diff := cmp.Diff([]int{recentHours, recentDays, pastHours, pastDays}, got); diff != "" {
			t.Errorf("%s later the tables have (-want +got):\n%s", at.Sub(began), diff)
		}
	}
	at = began.Add(time.Hour + condenseAfter) // began is on the hour
	condense(t, s, 0)
	tables(3, 3, 0, 0)
	at = at.Add(time.Millisecond)
	condense(t, s, 3)
	tables(0, 3, 1, 0)
	at = began.Add(36*time.Hour + condenseAfter)
	condense(t, s, 3)
	tables(0, 0, 1, 1)
	if diff := cmp.Diff(before, usage(t, s, by)); diff != "" {
		t.Errorf("Usage() after Condense() (-before +after):\n%s", diff)
	}

	keepAll(t, s, call("late", 100))
	tables(1, 1, 1, 1)
	condense(t, s, 2)
	tables(0, 0, 1, 1)
	got := usage(t, s, by)
	if len(got) != 1 || got[0].Calls != 4 || got[0].Cost != 10_201 || got[0].Costs[inference.CostBucket(100)] != 2 {
		t.Errorf("Usage() with a late call = %+v, want its 4", got)
	}

	keepAll(t, s, call("latest", 1))
	if _, err := s.Forget(t.Context(), began, began.AddDate(0, 0, 2)); err != nil {
		t.Fatal(err)
	}
	tables(0, 0, 0, 0)
}

// testCondenseAtOnce: servers that condense while others write lose nothing and count
// nothing twice.
func testCondenseAtOnce(t *testing.T, s *Store) {
	s.now = func() time.Time { return began.AddDate(0, 1, 0) }
	const writers, calls = 4, 25
	var all, writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for i := range calls {
				record := inference.Record{ID: fmt.Sprint(w, "-", i), Time: began, Outcome: inference.OK, Cost: inference.Money(i % 3)}
				if err := s.Keep(t.Context(), fmt.Sprint(w), []inference.Entry{{Record: record}}); err != nil {
					t.Errorf("Keep() = %v", err)
				}
			}
		})
	}
	done := make(chan struct{})
	for range 2 {
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					if _, err := s.Condense(t.Context()); err != nil {
						t.Errorf("Condense() = %v", err)
					}
				}
			}
		})
	}
	writing.Wait()
	close(done)
	all.Wait()
	if _, err := s.Condense(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := usage(t, s, inference.UsageQuery{})
	if got[0].Calls != writers*calls || rowsOf(t, s, "usage_days") != 0 || rowsOf(t, s, "past_days") != 1 {
		t.Errorf("Usage() = %+v, want %d calls, and all of the past", got, writers*calls)
	}
}
