package route

import (
	"slices"
	"time"
)

// outlierWindow is over how long targets are compared with their peers.
const outlierWindow = 10 * time.Second

// A target is an outlier when of enough calls in a window it failed a share that lies
// as much above its peers', or when it took as many times as long as they to the first
// content, and slower more.
const (
	outlierCalls = 20
	outlierShare = 0.2
	outlierTimes = 4
	outlierMore  = time.Second
)

// window is what a target's calls came to of late.
type window struct {
	since time.Time
	past  figures // of the window before
	now   figures
}

// figures are sums over calls.
type figures struct {
	calls, failed int
	answers       [2]int           // whose first content was seen: of unary calls, of streams
	waits         [2]time.Duration // to it
}

// count takes in how a call ended. It reports whether a window has ended before.
func (w *window) count(e ending, now time.Time) (ended bool) {
	ended = w.turn(now)
	if e != untold {
		w.now.calls++
	}
	if e == failed {
		w.now.failed++
	}
	return ended
}

func (w *window) seen(streams bool, d time.Duration) {
	sort := 0
	if streams {
		sort = 1
	}
	w.now.answers[sort]++
	w.now.waits[sort] += d
}

func (w *window) turn(now time.Time) bool {
	passed := now.Sub(w.since)
	if passed < outlierWindow {
		return false
	}
	w.past, w.now = w.now, figures{}
	if passed >= 2*outlierWindow {
		w.past = figures{}
	}
	w.since = now
	return true
}

// compare takes a target out of use for a hold that is an outlier among its peers, by
// the windows before: one whose share of failures or time to first content is far from
// theirs. A third of them may be out of use for that, so never the last.
func (h *health) compare(g *guard, now time.Time) {
	mine := g.past(now)
	if mine.calls < outlierCalls {
		return
	}
	peers, out := h.of(poolOf(g.target)), 1
	var room [32]figures
	others := room[:0]
	for _, peer := range peers {
		switch {
		case peer == g:
		case !peer.usable(now):
			out++
		default:
			others = append(others, peer.past(now))
		}
	}
	if 3*out <= len(peers) && mine.isOutlier(others) {
		g.eject(now)
	}
}

// isOutlier compares with the middle one of others.
func (f *figures) isOutlier(others []figures) bool {
	if mine, usual, ok := against(f, others, share); ok && mine >= usual+outlierShare {
		return true
	}
	for _, wait := range [...]figure{unaryWait, streamWait} {
		mine, usual, ok := against(f, others, wait)
		if ok && mine >= outlierTimes*usual && mine >= usual+outlierMore.Seconds() {
			return true
		}
	}
	return false
}

// against is a figure of f and the middle one of others. It reports false where
// there is not one on both sides.
func against(f *figures, others []figures, which figure) (mine, usual float64, ok bool) {
	mine, ok = f.of(which)
	var room [32]float64
	all := room[:0]
	for i := range others {
		if theirs, ok := others[i].of(which); ok {
			all = append(all, theirs)
		}
	}
	if !ok || len(all) == 0 {
		return 0, 0, false
	}
	slices.Sort(all)
	return mine, all[len(all)/2], true
}

// figure is what targets are compared by.
type figure int

const (
	unaryWait  figure = iota // to the first content on average, in seconds
	streamWait               // likewise
	share                    // of the calls that failed
)

// of is a figure. It reports false of few calls.
func (f *figures) of(which figure) (value float64, ok bool) {
	if which == share {
		return float64(f.failed) / float64(max(f.calls, 1)), f.calls >= outlierCalls
	}
	return f.waits[which].Seconds() / float64(max(f.answers[which], 1)), f.answers[which] >= outlierCalls
}

// past are the figures of the last window that is over.
func (g *guard) past(now time.Time) figures {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch passed := now.Sub(g.window.since); {
	case passed < outlierWindow:
		return g.window.past
	case passed < 2*outlierWindow:
		return g.window.now
	}
	return figures{}
}

// eject opens the breaker.
func (g *guard) eject(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer g.publish()
	if g.breaker.state(now) == Closed {
		g.breaker.open(now)
	}
}
