package route

import (
	"sync/atomic"
	"time"
)

// bucket is a target's quota: what it may take in a minute as configured, or as
// learned from its throttles. It counts as the service does: what a call may use is
// taken at its start, and what it did not use given back at its end. Without a limit
// everything fits.
//
// It is a state machine over now. Reading takes no lock; writers keep out of one
// another's way.
type bucket struct {
	tokens   gauge
	requests gauge
	hold     atomic.Int64 // up to when the target asked to be left alone, in Unix nanoseconds
	rested   atomic.Int64 // up to when it is spared since it throttled, likewise
	refuses  atomic.Int64 // up to when it is taken to throttle still, since it did not say for how long, likewise
	missed   atomic.Int64 // when a call last met it shut, likewise
	start    atomic.Int64 // parts of the quota that are there to be taken while none are leased
	leased   bool         // parts are
	parts    int64        // that are leased
	reserved int64        // tokens of the calls under way
	peak     int64        // the most of them at a time, since somebody asked
	refused  int64        // when it last throttled
	lowered  int64        // when a throttle last lowered the limits
	rest     int64        // how long it was last spared
}

// lowerEvery is how often throttles lower the limits: those of calls that were under
// way together are one sign.
const lowerEvery = int64(time.Second)

// leastRequests is the lowest limit of requests a minute that is learned.
const leastRequests = 6

// configure sets the limits, 0 for none, and what part of them is there to be taken while
// none is leased.
func (b *bucket) configure(q Quota, start int64, now time.Time) {
	b.start.Store(start)
	b.tokens.limit.Store(int64(q.TokensPerMinute))
	b.requests.limit.Store(int64(q.RequestsPerMinute))
	b.divide(now)
}

// inForce reports whether anything bounds what fits.
func (b *bucket) inForce(now time.Time) bool { return b.bounds(now.UnixNano()) }

func (b *bucket) bounds(now int64) bool {
	return b.tokens.bound(now) != 0 || b.requests.bound(now) != 0 || now < b.hold.Load()
}

// fits reports whether a call of as many tokens is within the quota.
func (b *bucket) fits(tokens int, now time.Time) bool { return b.wait(tokens, now) == 0 }

// wait is how long it takes until such a call fits. One beyond the limit fits a full
// bucket.
func (b *bucket) wait(tokens int, now time.Time) time.Duration {
	wait, _ := b.look(tokens, now.UnixNano())
	return wait
}

// look is how long a call of as many tokens has to wait, and how much of the quota is
// left: as the time in which that is earned, up to a minute. Nothing is said to be left
// of one that is spared, and from then on no more than was earned since.
func (b *bucket) look(tokens int, now int64) (wait, left time.Duration) {
	tokensWait, tokensLeft := b.tokens.look(tokens, now)
	requestsWait, requestsLeft := b.requests.look(1, now)
	hold := b.hold.Load() - now
	left = time.Duration(min(tokensLeft, requestsLeft, max(0, now-b.rested.Load())))
	if hold > 0 {
		left = 0
	}
	return time.Duration(max(0, hold, tokensWait, requestsWait)), left
}

// isLearned reports whether a limit in force is not the configured one.
func (b *bucket) isLearned(now int64) bool {
	return b.tokens.bound(now) != b.tokens.ours.Load() || b.requests.bound(now) != b.requests.ours.Load()
}

// take reserves the tokens of a call, whether they fit or not.
func (b *bucket) take(tokens int, now time.Time) {
	b.reserved += int64(tokens)
	b.peak = max(b.peak, b.reserved)
	b.tokens.take(tokens, now.UnixNano())
	b.requests.take(1, now.UnixNano())
}

// settle replaces the reserved tokens of a call by those that it burnt.
func (b *bucket) settle(reserved, burnt int, now time.Time) {
	b.reserved -= int64(reserved)
	b.tokens.take(burnt-reserved, now.UnixNano())
}

// longestHold is for how long a target is left alone, whatever it asks for: nothing
// looks for its quota meanwhile.
const longestHold = 10 * time.Minute

// held is for how much longer the target asked to be left alone.
func (b *bucket) held(now time.Time) time.Duration {
	return time.Duration(max(0, b.hold.Load()-now.UnixNano()))
}

// isRefusing reports whether the target throttled less than a minute ago without a word
// of how long it will, and has answered nothing since.
func (b *bucket) isRefusing(now time.Time) bool { return now.UnixNano() < b.refuses.Load() }

// answered takes in that the target answered a call: where that began no sooner than the
// last throttle it throttles no longer, whatever it said.
func (b *bucket) answered(began time.Time) {
	if began.UnixNano() >= b.refused {
		b.hold.Store(0)
		b.refuses.Store(0)
	}
}

// throttled takes in that the target refused a call for its quota, and for how long
// it asked to be left alone, 0 where it did not say.
func (b *bucket) throttled(retryAfter time.Duration, now time.Time) {
	at := now.UnixNano()
	b.refused = at
	if retryAfter > 0 {
		b.hold.Store(max(b.hold.Load(), at+int64(min(retryAfter, longestHold))))
	} else {
		b.refuses.Store(at + minute)
	}
	if b.lowered != 0 && at-b.lowered < lowerEvery {
		return
	}
	b.lowered = at
	b.spare(at)
	b.tokens.lower(at, 1)
	b.requests.lower(at, leastRequests)
}

// A target that throttled is spared while others have room, and then taken back by and
// by: calls may have used up its quota that others made, which nothing here counts.
const (
	firstRest   = minute      // in which a quota refills
	longestRest = 10 * minute // so that a higher one is found within some minutes
	restsCount  = 4           // a throttle as many rests after one is about something else
)

// spare lets the target rest, for twice as long when it has rested of late.
func (b *bucket) spare(at int64) {
	if b.rest > 0 && at < b.rested.Load()+restsCount*b.rest {
		b.rest = min(2*b.rest, longestRest)
	} else {
		b.rest = firstRest
	}
	b.rested.Store(at + b.rest)
}

// gauge is the bucket of one quantity. It holds what a minute's limit is, and refills
// in a minute (the generic cell rate algorithm: an instant says how full it is).
type gauge struct {
	ours    atomic.Int64 // what is there to be taken of it: 0 where there is no limit, else shut or more
	learned atomic.Int64 // per minute when it was learned, 0 is none
	since   atomic.Int64 // when it was learned, in Unix nanoseconds
	full    atomic.Int64 // when the bucket will be full again, in Unix nanoseconds
	limit   atomic.Int64 // per minute as configured, 0 is none
	opened  bool         // it was ever not shut
	taken   int64        // in all
	used    tally
}

const minute = int64(time.Minute)

// A learned limit is a share of what was used when the target throttled. It grows
// until the next throttle, by itself in each regrowth, and is forgotten when it is
// three times what it was: it no longer binds.
const (
	lowered  = 0.7
	regrowth = 40 * int64(time.Second)
)

// bound is the limit at now, 0 for none, shut where nothing fits.
func (g *gauge) bound(now int64) int64 {
	limit, learned := g.ours.Load(), g.learned.Load()
	if learned == 0 {
		return limit
	}
	age := max(0, now-g.since.Load())
	if age >= 2*regrowth {
		return limit
	}
	learned += int64(float64(learned) * float64(age) / float64(regrowth))
	if limit == 0 {
		return learned
	}
	return min(limit, learned)
}

// look is as the bucket's; a wait may be below zero.
func (g *gauge) look(n int, now int64) (wait, left int64) {
	bound := g.bound(now)
	switch bound {
	case 0:
		return 0, minute
	case shut:
		return shutWait, 0
	}
	left = minute - max(0, g.full.Load()-now)
	return earned(min(int64(n), bound), bound) - left, max(0, left)
}

// take takes n out, or puts it in below zero.
func (g *gauge) take(n int, now int64) {
	g.used.add(int64(n), now)
	g.taken += int64(n)
	if bound := g.bound(now); bound > 0 {
		g.full.Store(max(g.full.Load(), now) + earned(int64(n), bound))
	}
}

// lower takes in that the bucket turned out to be empty.
func (g *gauge) lower(now, least int64) {
	used := g.used.lastMinute(now)
	if used <= 0 {
		return
	}
	if bound := g.bound(now); bound > 0 {
		used = min(used, bound)
	}
	g.learned.Store(max(least, int64(lowered*float64(used))))
	g.since.Store(now)
	g.full.Store(max(g.full.Load(), now+minute))
}

// earned is the time in which a limit per minute yields n.
func earned(n, limit int64) int64 { return int64(float64(n) / float64(limit) * float64(minute)) }

// tally is what was used in the last minute, to half a minute.
type tally struct {
	start     int64 // of the half minute at hand, in Unix nanoseconds
	now, last int64 // used in it, and in the one before
}

func (t *tally) add(n, at int64) {
	t.turn(at)
	t.now += n
}

func (t *tally) lastMinute(at int64) int64 {
	t.turn(at)
	return t.now + t.last
}

func (t *tally) turn(at int64) {
	switch passed := at - t.start; {
	case passed < minute/2:
	case passed < minute:
		t.start, t.now, t.last = t.start+minute/2, 0, t.now
	default:
		t.start, t.now, t.last = at, 0, 0
	}
}
