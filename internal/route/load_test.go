package route

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestLoadExpects(t *testing.T) {
	const ms = time.Millisecond
	l := load{peers: new(pacing)}
	expect := func(what string, after, want time.Duration) {
		t.Helper()
		if got := l.expected(true, 400*ms, epoch.Add(after).UnixNano()); got < want-ms || got > want+ms {
			t.Errorf("expected() %s = %v, want %v", what, got, want)
		}
	}
	expect("of nothing", 0, 400*ms)
	l.seen(true, 800*ms, epoch)
	expect("after 800ms", 0, 800*ms)
	expect("a half-life later", halfLife, 600*ms)
	expect("two half-lives later", 2*halfLife, 500*ms)
	expect("an hour later", time.Hour, 400*ms)
	l.seen(true, 1600*ms, epoch)
	expect("after a slower one", 0, 1000*ms)
	l.seen(true, 360*ms, epoch)
	expect("after a faster one", 0, 960*ms)
	l.seen(false, 9000*ms, epoch)
	expect("after a unary one", 0, 960*ms)
	later := epoch.Add(halfLife)
	l.seen(true, 760*ms, later)
	expect("after a faster one when half is forgotten", halfLife, 860*ms)
	if got, want := l.usual(true), (800+1600+360+760)*ms/4; got < want-ms || got > want+ms {
		t.Errorf("usual() = %v, want %v", got, want)
	}
}

// What is expected lies between what was seen and what is usual, and comes closer to
// that with time.
func TestHalved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(-int64(10*time.Minute), int64(10*time.Minute)).Draw(t, "d"))
		age := rapid.Int64Range(0, int64(10*time.Minute)).Draw(t, "age")
		want := float64(d) * math.Exp2(-float64(age)/float64(halfLife))
		if got := float64(halved(d, age)); math.Abs(got-want) > math.Abs(float64(d))*0.05+1 {
			t.Fatalf("halved(%v, %v) = %v, want about %v", d, time.Duration(age), time.Duration(got), time.Duration(want))
		}
		if later := halved(d, age+int64(time.Second)); later.Abs() > halved(d, age).Abs()+1 {
			t.Fatalf("halved(%v, %v) grows with age", d, time.Duration(age))
		}
	})
}

func TestLoadInFlight(t *testing.T) {
	var l load
	l.enter()
	l.enter()
	l.leave()
	if got := l.inFlight(); got != 1 {
		t.Errorf("inFlight() = %d, want 1", got)
	}
}

// A target that has few samples of its own goes by those of its peers.
func TestP95OfPeers(t *testing.T) {
	peers := new(pacing)
	known, young := load{peers: peers}, load{peers: peers}
	young.seen(true, 50*time.Millisecond, epoch)
	if _, ok := young.p95(true); ok {
		t.Error("p95() of one sample is told")
	}
	for range enough {
		known.seen(true, time.Second, epoch)
	}
	for _, l := range []*load{&known, &young} {
		if d, ok := l.p95(true); !ok || d < time.Second || d > 9*time.Second/8 {
			t.Errorf("p95() = %v, %v, want 1s to an eighth", d, ok)
		}
	}
	if _, ok := known.p95(false); ok {
		t.Error("p95() of unary calls is told by streams")
	}
}

// The p95 is that of the samples, to an eighth.
func TestHistogram(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h histogram
		ms := rapid.SliceOfN(rapid.IntRange(1, 100_000), enough, memory).Draw(t, "ms")
		for _, ms := range ms {
			h.add(time.Duration(ms)*time.Millisecond, epoch.UnixNano())
		}
		slices.Sort(ms)
		want := time.Duration(ms[len(ms)-1-len(ms)/20]) * time.Millisecond
		if got, ok := h.p95(); !ok || got < want || got > want+want/8+time.Millisecond {
			t.Fatalf("p95() = %v, %v, want %v to an eighth", got, ok, want)
		}
	})
}

func TestHistogramForgets(t *testing.T) {
	var h histogram
	for range memory {
		h.add(10*time.Second, epoch.UnixNano())
	}
	for range 4 * memory {
		h.add(time.Second, epoch.UnixNano())
	}
	if got, _ := h.p95(); got > 2*time.Second {
		t.Errorf("p95() after %d newer samples = %v, want 1s", 4*memory, got)
	}
	var idle histogram
	for range 50 {
		idle.add(10*time.Second, epoch.UnixNano())
	}
	for i := range 10 {
		idle.add(time.Second, epoch.Add(time.Duration(i+1)*2*ageHalf).UnixNano())
	}
	if _, ok := idle.p95(); ok {
		t.Error("p95() of samples that are hours old is told")
	}
	for _, d := range []time.Duration{-1, 0, time.Hour, math.MaxInt64} {
		h.add(d, epoch.UnixNano())
	}
}

func BenchmarkLoadSeen(b *testing.B) {
	l := load{peers: new(pacing)}
	at := epoch
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(10 * time.Millisecond)
		l.seen(true, 400*time.Millisecond, at)
	}
}
