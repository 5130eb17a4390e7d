package route

import (
	"sync"
	"time"
)

// burst is how many tokens a budget holds before any call has earned it one, and the
// most that are saved up.
const burst = 10

// budget bounds attempts that come on top of a call's first at each target: calls and
// time earn tokens, and each such attempt takes one. So however many calls fail, the
// attempts are no more than share*calls + rate*time + burst. What needs them less leaves
// some for what needs them more. The zero budget is full.
// It is safe for concurrent use.
type budget struct {
	mu     sync.Mutex
	spent  float64 // of burst and what was saved up; below 0 never
	earned time.Time
}

// earn takes in a call, which earns a share of a token.
func (b *budget) earn(share float64) {
	b.mu.Lock()
	b.spent = max(b.spent-share, 0)
	b.mu.Unlock()
}

// spare is how many tokens are left for what needs them more.
const spare = burst / 2

// spend takes a token, if there is one beside those to leave, where rate of them are
// earned in a second.
func (b *budget) spend(rate, leave float64, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if passed := now.Sub(b.earned); !b.earned.IsZero() && passed > 0 {
		b.spent = max(b.spent-rate*passed.Seconds(), 0)
	}
	if now.After(b.earned) {
		b.earned = now
	}
	if b.spent+1 > burst-leave {
		return false
	}
	b.spent++
	return true
}

// How long a call waits before its second round over the targets, at most, and how
// far that doubles from round to round.
const (
	leastBackoff = 100 * time.Millisecond
	mostBackoff  = 5 * time.Second
)

// backoff is the wait before a round, 2 the first that waits: with full jitter, so
// that calls that failed together do not come back together.
func backoff(round int32, seed uint64) time.Duration {
	most := mostBackoff
	if doublings := round - 2; doublings < 6 {
		most = min(leastBackoff<<doublings, mostBackoff)
	}
	return time.Millisecond + time.Duration(mix(seed+uint64(round))%uint64(most))
}

// mix spreads the bits of x over all of its result (splitmix64, by Sebastiano Vigna,
// public domain).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
