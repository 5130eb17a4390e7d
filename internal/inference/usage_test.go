package inference

import (
	"testing"
	"time"
)

// Every cost lies in its bucket, and no bucket is wider than a quarter of it.
func TestCostBucket(t *testing.T) {
	last := -1
	for cost := Money(0); cost < 1<<20; cost = cost*33/32 + 1 {
		bucket := CostBucket(cost)
		least, next := BucketCost(bucket), BucketCost(bucket+1)
		if bucket < last || cost < least || cost >= next || cost > 8 && next-least > least/4 {
			t.Fatalf("CostBucket(%d) = %d, from %d up to %d, after %d", cost, bucket, least, next, last)
		}
		last = bucket
	}
	if got := CostBucket(-1); got != 0 {
		t.Errorf("CostBucket(-1) = %d, want 0", got)
	}
}

func TestWindow(t *testing.T) {
	now := time.Date(2026, 12, 31, 23, 59, 58, 7, time.FixedZone("east", 3600))
	for m, want := range map[Measure][2]string{
		DollarsPerDay:     {"2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z"},
		DollarsPerMonth:   {"2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		TokensPerMinute:   {"2026-12-31T22:59:00Z", "2026-12-31T23:00:00Z"},
		RequestsPerMinute: {"2026-12-31T22:59:00Z", "2026-12-31T23:00:00Z"},
		Streams:           {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
	} {
		from, to := m.Window(now)
		if got := [2]string{from.Format(time.RFC3339), to.Format(time.RFC3339)}; got != want {
			t.Errorf("%s.Window = %v, want %v", m, got, want)
		}
	}
}

func TestBounded(t *testing.T) {
	for _, c := range []struct{ told, want Usage }{
		{Usage{}, Usage{}},
		{Usage{InputTokens: 3, OutputTokens: 4, CacheReadTokens: 5, CacheWriteTokens: 6, CacheWrite1h: 6, Caching: true}, Usage{3, 4, 5, 6, 6, true}},
		{Usage{InputTokens: -3, OutputTokens: -4, CacheReadTokens: -5, CacheWriteTokens: -6, CacheWrite1h: -7}, Usage{}},
		{Usage{InputTokens: 1 << 62, OutputTokens: 1e8 + 1, CacheWriteTokens: 7, CacheWrite1h: 8}, Usage{1e8, 1e8, 0, 7, 7, false}},
	} {
		if got := c.told.Bounded(); got != c.want {
			t.Errorf("%+v.Bounded() = %+v, want %+v", c.told, got, c.want)
		}
	}
}

func TestDimensionTimes(t *testing.T) {
	at := time.Date(2026, 12, 31, 23, 10, 0, 0, time.UTC)
	for d, want := range map[Dimension][2]string{
		ByHour:  {"2026-12-31T23Z", "2027-01-01T00Z"},
		ByDay:   {"2026-12-31", "2027-01-01"},
		ByMonth: {"2026-12", "2027-01"},
	} {
		if got := at.Format(d.Layout()); got != want[0] || !d.IsTime() {
			t.Errorf("the %s of %s = %s, want %s", d, at, got, want[0])
		}
		next := d.Next(at)
		if got := next.Format(d.Layout()); got != want[1] || next != d.Next(next.Add(-time.Nanosecond)) {
			t.Errorf("%s.Next(%s) = %s, want the begin of %s", d, at, next, want[1])
		}
	}
	if ByModel.IsTime() || ByModel.Layout() != "" {
		t.Errorf("%s is a time", ByModel)
	}
}
