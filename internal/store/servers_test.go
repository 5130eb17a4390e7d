package store

import (
	"slices"
	"testing"
	"time"

	"fairway/internal/inference"
)

func wantLost(t *testing.T, s *Store, since time.Time, want ...string) {
	t.Helper()
	got, err := s.Lost(t.Context(), since)
	if !slices.Equal(got, want) || err != nil {
		t.Errorf("Lost(%s) = %q, %v, want %q", since, got, err, want)
	}
}

func testLost(t *testing.T, s *Store) {
	at := began
	s.now = func() time.Time { return at }
	late := began.Add(time.Minute)
	entry := inference.Entry{Open: true, Record: inference.Record{ID: "1", Time: began}}
	for _, server := range []string{"records", "never seen"} {
		entry.Record.ID += server
		if err := s.Keep(t.Context(), server, []inference.Entry{entry}); err != nil {
			t.Fatal(err)
		}
	}
	beat(t, s, "records")
	beat(t, s, "idle")
	wantTake(t, s, "leases", ofDay(""), 100, 10, 10, 10)
	wantTake(t, s, "all spent", ofDay(""), 100, 10, 10, 20)
	spend(t, s, "all spent", ofDay(""), 10)

	wantLost(t, s, began, "never seen")
	wantLost(t, s, late, "leases", "never seen", "records")
	at = late
	beat(t, s, "records")
	wantLost(t, s, late, "leases", "never seen")
	if err := s.Reclaim(t.Context(), "leases"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CloseUnsettled(t.Context(), "never seen", false); err != nil {
		t.Fatal(err)
	}
	wantLost(t, s, late)
	wantLost(t, s, late.Add(time.Millisecond), "records")
}
