package route

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const ms = time.Millisecond

// answers are samples of about d, off by a quarter as those of real regions are.
func answers(l *load, n int, d time.Duration, at time.Time) {
	for i := range n {
		off := [...]time.Duration{-30, 10, 25, -10, 40, -25, 0, -10}[i%8]
		l.seen(true, d+d*off/100, at)
	}
}

func TestLoadExpects(t *testing.T) {
	now := func(after time.Duration) int64 { return epoch.Add(after).UnixNano() }
	const prior = 500 * ms
	var none, one, many load
	answers(&one, 1, 1000*ms, epoch)
	answers(&many, 512, 1000*ms, epoch)
	late := new(load)
	answers(late, 512, 1000*ms, epoch)
	late.seen(true, 10_000*ms, epoch)
	over := new(load)
	answers(over, 512, 1000*ms, epoch)
	over.seen(true, 10_000*ms, epoch)
	answers(over, 64, 1000*ms, epoch)
	for _, test := range []struct {
		name        string
		l           *load
		after       time.Duration
		least, most time.Duration
	}{
		{"nothing: the prior", &none, 0, prior, prior},
		{"one answer: little more than the prior", &one, 0, 505 * ms, 530 * ms},
		{"many: nearly their mean", &many, 0, 850 * ms, 950 * ms},
		{"many, minutes ago: less", &many, 5 * time.Minute, 780 * ms, 850 * ms},
		{"many, an hour ago: the prior", &many, time.Hour, prior, 510 * ms},
		{"one ten times as late: much more at once", late, 0, 2500 * ms, 4000 * ms},
		{"a minute later: as before", late, time.Minute, 850 * ms, 950 * ms},
		{"answers in time after it: as before", over, 0, 850 * ms, 1000 * ms},
	} {
		if got := test.l.expected(true, prior, now(test.after)); got < test.least || got > test.most {
			t.Errorf("%s: expected() = %v, want %v to %v", test.name, got, test.least, test.most)
		}
	}
	if got := many.expected(false, prior, now(0)); got != prior {
		t.Errorf("expected() of unary calls after streams = %v, want %v", got, prior)
	}
}

// A region that has become slower for good is known for it, though each answer is late.
func TestLoadFollowsAStep(t *testing.T) {
	var l load
	answers(&l, 512, 500*ms, epoch)
	answers(&l, 128, 3000*ms, epoch)
	if got := l.expected(true, 500*ms, epoch.Add(time.Minute).UnixNano()); got < 2000*ms {
		t.Errorf("expected() after 128 answers of 3s = %v, want 2s at least", got)
	}
}

// A surge is taken by and by: what is hot moves up with what answers prove.
func TestLoadProves(t *testing.T) {
	var l load
	answers(&l, 8, 500*ms, epoch)
	grow := func(to int) {
		for l.inFlight() < to {
			l.enter()
		}
	}
	expect := func(what string, want bool) {
		t.Helper()
		if got := l.hot(l.flying.Load()); got != want {
			t.Errorf("hot() with %d in flight %s = %v, want %v", l.inFlight(), what, got, want)
		}
	}
	grow(few)
	expect("when nothing is proven", false)
	grow(few + 1)
	expect("when nothing is proven", true)
	answers(&l, 1, 500*ms, epoch)
	expect("and an answer in time", false)
	grow(2 * few)
	expect("when half as many are proven", true)
	answers(&l, 1, 500*ms, epoch)
	l.seen(true, 9000*ms, epoch)
	expect("after a late answer", true)
}

// What is expected comes closer to the prior with time.
func TestHalved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(-int64(10*time.Minute), int64(10*time.Minute)).Draw(t, "n")
		age := rapid.Int64Range(0, int64(10*time.Minute)).Draw(t, "age")
		bits := rapid.SampledFrom([]int{lateHalfBits, countHalfBits}).Draw(t, "bits")
		want := float64(n) * math.Exp2(-float64(age)/float64(int64(1)<<bits))
		got := halved(n, age, bits)
		if math.Abs(float64(got)-want) > math.Abs(float64(n))*0.05+1 {
			t.Fatalf("halved(%d, %v, %d) = %d, want about %.0f", n, time.Duration(age), bits, got, want)
		}
		if later := halved(n, age+int64(time.Second), bits); max(later, -later) > max(got, -got)+1 {
			t.Fatalf("halved(%d, %v, %d) grows with age", n, time.Duration(age), bits)
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
