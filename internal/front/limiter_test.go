package front

import (
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var start = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func TestLimiter(t *testing.T) {
	l := NewLimiter(Rate{Burst: 3, Every: time.Second})
	for _, c := range []struct {
		at   time.Duration
		key  string
		want bool
	}{
		{0, "a", true}, {0, "a", true}, {0, "a", true}, {0, "a", false},
		{0, "b", true},
		{999 * time.Millisecond, "a", false},
		{time.Second, "a", true}, {time.Second, "a", false},
		{time.Hour, "a", true}, {time.Hour, "a", true}, {time.Hour, "a", true}, {time.Hour, "a", false},
		{time.Minute, "a", false}, // a clock that went back
	} {
		if got := l.Allow(c.key, start.Add(c.at)); got != c.want {
			t.Errorf("Allow(%s) at %v = %t, want %t", c.key, c.at, got, c.want)
		}
	}
}

// TestLimiterKeepsItsRate wants no more than the burst and what the time gave, whenever
// it is asked.
func TestLimiterKeepsItsRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := Rate{Burst: rapid.IntRange(1, 20).Draw(t, "burst"), Every: time.Duration(rapid.IntRange(1, 1000).Draw(t, "every")) * time.Millisecond}
		l, passed, allowed := NewLimiter(rate), time.Duration(0), 0
		for range rapid.IntRange(1, 200).Draw(t, "requests") {
			passed += time.Duration(rapid.IntRange(0, 500).Draw(t, "wait")) * time.Millisecond
			if l.Allow("a", start.Add(passed)) {
				allowed++
			}
		}
		if most := rate.Burst + int(passed/rate.Every); allowed > most {
			t.Errorf("%d allowed in %v by %+v, want at most %d", allowed, passed, rate, most)
		}
	})
}

func TestLimiterIsBounded(t *testing.T) {
	l := NewLimiter(Rate{Burst: 1, Every: time.Hour})
	for i := range maxClients + 100 {
		l.Allow(strconv.Itoa(i), start)
	}
	if got := l.full.Len(); got != maxClients {
		t.Errorf("%d clients are remembered, want %d", got, maxClients)
	}
	if l.Allow(strconv.Itoa(maxClients+99), start) {
		t.Error("the last client was forgotten")
	}
}

func BenchmarkLimiter(b *testing.B) {
	l := NewLimiter(GuessRate)
	b.ReportAllocs()
	for b.Loop() {
		l.Allow("192.0.2.1 InitiateAuth", start)
	}
}
