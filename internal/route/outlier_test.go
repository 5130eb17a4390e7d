package route

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairway/internal/inference"
)

// history is what a target does in a window: calls, of which some fail and the others
// take as long to their first content.
type history struct {
	calls, failed int
	wait          time.Duration
}

// relive has the targets of a pool go through a window each, and one call more to end
// it.
func relive(r *Router, histories []history, now time.Time) (open []bool) {
	for i, h := range histories {
		t := bare(inference.Region(rune('a' + i)))
		g := r.health.guard(t)
		g.settle(g.force(), untold, now) // begins a window
		for n := range h.calls {
			if n < h.failed {
				g.settle(g.force(), failed, now)
			} else {
				g.answered(g.force(), true, now, h.wait, now)
			}
		}
	}
	later := now.Add(outlierWindow)
	for i := range histories {
		t := bare(inference.Region(rune('a' + i)))
		g := r.health.guard(t)
		if g.settle(g.force(), untold, later) {
			r.health.compare(g, later)
		}
	}
	for i := range histories {
		open = append(open, r.health.guard(bare(inference.Region(rune('a'+i)))).outOfUse(later.UnixNano()))
	}
	return open
}

func TestOutlier(t *testing.T) {
	well := history{calls: 50, wait: 500 * time.Millisecond}
	for name, test := range map[string]struct {
		is   history
		with []history
		want bool
	}{
		"like its peers":          {well, []history{well, well}, false},
		"fails often":             {history{50, 15, well.wait}, []history{well, well}, true},
		"fails like its peers":    {history{50, 15, well.wait}, []history{{50, 15, well.wait}, {50, 10, well.wait}}, false},
		"slow":                    {history{50, 0, 3 * time.Second}, []history{well, well}, true},
		"slow like its peers":     {history{50, 0, 3 * time.Second}, []history{{50, 0, 2 * time.Second}, well, {50, 0, 4 * time.Second}}, false},
		"slower but not by much":  {history{50, 0, 1400 * time.Millisecond}, []history{well, well}, false},
		"few calls":               {history{outlierCalls - 1, 10, 3 * time.Second}, []history{well, well}, false},
		"nothing to compare with": {history{50, 15, 3 * time.Second}, []history{{}, {}}, false},
		"one of two":              {history{50, 15, 3 * time.Second}, []history{well}, false},
	} {
		r := New(Config{Breaker: BreakerConfig{Failures: 1000, FailureRate: 1}})
		if got := relive(r, append([]history{test.is}, test.with...), epoch); got[0] != test.want {
			t.Errorf("%s: a is out of use %t, want %t", name, got[0], test.want)
		}
	}
}

// Windows end often in a pool of many targets: to compare them costs no memory.
func TestCompareAllocatesNothing(t *testing.T) {
	r := New(Config{Breaker: BreakerConfig{Failures: 1000, FailureRate: 1.1}})
	histories := make([]history, 30)
	for i := range histories {
		histories[i] = history{50, 1, time.Second}
	}
	relive(r, histories, epoch)
	g, now := r.health.guard(bare("a")), epoch.Add(outlierWindow)
	if allocs := testing.AllocsPerRun(100, func() { r.health.compare(g, now) }); allocs != 0 {
		t.Errorf("compare() allocates %v times, want 0", allocs)
	}
}

// However targets differ, no more than a third of a pool is taken out of use for that.
func TestOutliersAreFew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		histories := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) history {
			calls := rapid.IntRange(0, 100).Draw(t, "calls")
			return history{calls, rapid.IntRange(0, calls).Draw(t, "failed"), time.Duration(rapid.IntRange(0, 20).Draw(t, "s")) * time.Second}
		}), 1, 12).Draw(t, "targets")
		r := New(Config{Breaker: BreakerConfig{Failures: 1000, FailureRate: 1.1}})
		out := 0
		for _, open := range relive(r, histories, epoch) {
			if open {
				out++
			}
		}
		if 3*out > len(histories) {
			t.Fatalf("%d of %d targets are out of use", out, len(histories))
		}
	})
}

// A target that fails some of its calls, too few in a row for its breaker, is left to
// its peers.
func TestOutlierIsLeft(t *testing.T) {
	r, now, first := New(Config{}), epoch, 0
	const calls = 1000
	r.health.guard(targets("c")[0]) // planned, if never tried
	for n := range calls {
		v := &voyage{course: r.Start(callOf(request), choose(targets("a", "b", "c")...), now), now: now}
		v.fate = func(l Leg) fate {
			if l.Target.Region == "a" && strings.ContainsRune("025", rune('0'+n%10)) {
				return fate{fails: errUnavail}
			}
			return fate{after: 10 * time.Millisecond}
		}
		if !v.sail() {
			t.Fatalf("call %d is not answered: %v", n, v.course.Failure())
		}
		if v.legs[0].Target.Region == "a" {
			first++
		}
		now = v.now.Add(40 * time.Millisecond)
	}
	if first > calls*3/4 {
		t.Errorf("%d of %d calls begin at a, which fails three of ten, want far fewer", first, calls)
	}
}
