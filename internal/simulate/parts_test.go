package simulate

import (
	"math"
	"slices"
	"testing"
	"time"
)

// TestEvents takes out in order what was put in at random, in between as well.
func TestEvents(t *testing.T) {
	d := newDice(1, 2)
	var q events
	for range 1000 {
		q.add(int64(d.IntN(500)), nil, 0)
	}
	last := event{at: -1}
	for n := range 3000 {
		e, ok := q.next()
		if !ok || e.before(&last) {
			t.Fatalf("event %d is %+v, %v after %+v", n, e, ok, last)
		}
		last = e
		if n < 2000 {
			q.add(e.at+int64(d.IntN(50)), nil, 0)
		}
	}
	if e, ok := q.next(); ok {
		t.Errorf("next = %+v of an empty queue", e)
	}
}

func TestQuantile(t *testing.T) {
	d := newDice(3, 4)
	var l latencies
	var all []time.Duration
	for range 10_000 {
		took := d.spread(700*time.Millisecond, 1.5)
		l.add(took)
		all = append(all, took)
	}
	slices.Sort(all)
	for _, share := range []float64{0, 0.01, 0.5, 0.99, 0.999} {
		got, want := l.quantile(share), all[int(share*float64(len(all)))]
		if off := math.Abs(float64(got)/float64(want) - 1); off > 0.005 {
			t.Errorf("quantile(%v) = %v, want %v within half a per cent", share, got, want)
		}
	}
	if got := new(latencies).quantile(0.5); got != 0 {
		t.Errorf("quantile of nothing = %v, want 0", got)
	}
}

// TestTraffic counts calls by the hour against the curve and the bursts.
func TestTraffic(t *testing.T) {
	s := source{
		traffic: &Traffic{Day: Day{Peak: 12 * time.Hour, Night: 0.25}},
		rate:    1, peak: 6 * time.Hour, dice: newDice(5, 6),
	}
	counts := make([]int, 24)
	for at, ok := s.following(0, 24*time.Hour); ok; at, ok = s.following(at, 24*time.Hour) {
		counts[at/time.Hour]++
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 5*math.Sqrt(want) {
			t.Errorf("%s: %v calls, want about %.0f", what, got, want)
		}
	}
	near("at the height", float64(counts[5]+counts[6])/2, 3600)
	near("at night", float64(counts[17]+counts[18])/2, 900)

	s.traffic = &Traffic{Bursts: Bursts{Every: time.Hour, Last: 10 * time.Minute, Times: 4}}
	inside, outside := 0, 0
	for at, ok := s.following(0, 10*time.Hour); ok; at, ok = s.following(at, 10*time.Hour) {
		if at%time.Hour >= 50*time.Minute {
			inside++
		} else {
			outside++
		}
	}
	near("in bursts", float64(inside), 4*6000)
	near("between bursts", float64(outside), 30000)
}

// TestGauge follows a quota of 600 a minute, ten a second.
func TestGauge(t *testing.T) {
	g := newGauge(600)
	second := int64(time.Second)
	if !g.fits(600, 0) {
		t.Error("a full quota does not hold itself")
	}
	g.take(600)
	if g.fits(1, second/20) {
		t.Error("half a token is one")
	}
	if !g.fits(100, 10*second) || g.fits(101, 10*second) {
		t.Error("ten seconds do not bring a hundred")
	}
	g.take(300)
	if g.fits(1, 30*second) || !g.fits(1, 31*second) {
		t.Error("what was overdrawn does not come back after twenty seconds")
	}
	g.take(-1e6)
	if !g.fits(600, 31*second) || g.fits(601, 31*second) {
		t.Error("what is given back exceeds the quota")
	}
	none := newGauge(0)
	if !none.fits(1e12, 0) {
		t.Error("no quota is none")
	}
}
