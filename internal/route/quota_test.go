package route

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// quotaOf60k is a bucket of 60,000 tokens and 600 requests a minute.
func quotaOf60k() *bucket {
	b := new(bucket)
	b.configure(Quota{TokensPerMinute: 60_000, RequestsPerMinute: 600}, Whole, epoch)
	return b
}

func TestBucket(t *testing.T) {
	b := quotaOf60k()
	expect := func(what string, tokens int, at time.Time, want time.Duration) {
		t.Helper()
		if got := b.wait(tokens, at); got != want || b.fits(tokens, at) != (want == 0) {
			t.Errorf("wait(%d) %s = %v, want %v", tokens, what, got, want)
		}
	}
	expect("when full", 60_000, epoch, 0)
	expect("beyond the limit, when full", 90_000, epoch, 0)
	b.take(60_000, epoch)
	expect("when empty", 5_000, epoch, 5*time.Second)
	expect("beyond the limit, when empty", 90_000, epoch, time.Minute)
	expect("five seconds later", 5_000, epoch.Add(5*time.Second), 0)
	b.settle(60_000, 20_000, epoch)
	expect("when two thirds came back", 40_000, epoch, 0)
	expect("and no more", 41_000, epoch, time.Second)
	b.settle(0, 10_000, epoch)
	expect("when more was burnt than reserved", 40_000, epoch, 10*time.Second)
}

func TestBucketOfRequests(t *testing.T) {
	b := quotaOf60k()
	for range 600 {
		b.take(0, epoch)
	}
	if got, want := b.wait(1, epoch), 100*time.Millisecond; got != want {
		t.Errorf("wait() after all requests of a minute = %v, want %v", got, want)
	}
}

// room is the share of a quota that is left.
func room(b *bucket, now time.Time) float64 {
	_, left := b.look(0, now.UnixNano())
	return left.Minutes()
}

func TestBucketWithoutLimit(t *testing.T) {
	var b bucket
	for range 1000 {
		b.take(1_000_000, epoch)
	}
	if b.inForce(epoch) || !b.fits(1_000_000, epoch) || room(&b, epoch) != 1 {
		t.Error("a bucket without a limit has one")
	}
}

func TestBucketHolds(t *testing.T) {
	var b bucket
	b.throttled(30*time.Second, epoch)
	b.throttled(5*time.Second, epoch)
	for _, test := range []struct{ after, want time.Duration }{{0, 30 * time.Second}, {29 * time.Second, time.Second}, {30 * time.Second, 0}} {
		if got := b.wait(1, epoch.Add(test.after)); got != test.want {
			t.Errorf("wait() %v after Retry-After 30 = %v, want %v", test.after, got, test.want)
		}
	}
	if b.inForce(epoch.Add(time.Minute)) {
		t.Error("a target that was never used has learned a limit")
	}
}

// A target is left alone for ten minutes at most, and no longer than until it answers a
// call that began after it throttled.
func TestBucketHoldEnds(t *testing.T) {
	for _, test := range []struct{ said, want time.Duration }{
		{-time.Hour, 0}, {math.MinInt64, 0}, {0, 0}, {time.Second, time.Second},
		{10 * time.Minute, 10 * time.Minute}, {time.Hour, 10 * time.Minute}, {math.MaxInt64, 10 * time.Minute},
	} {
		var b bucket
		b.throttled(test.said, epoch)
		if got := b.held(epoch); got != test.want || b.isRefusing(epoch) != (test.want == 0) {
			t.Errorf("held() after Retry-After %s = %s, want %s; isRefusing() = %t", test.said, got, test.want, b.isRefusing(epoch))
		}
		b.answered(epoch.Add(-1))
		if got := b.held(epoch); got != test.want || b.isRefusing(epoch) != (test.want == 0) {
			t.Errorf("held() when a call from before was answered = %s, want %s still; isRefusing() = %t", got, test.want, b.isRefusing(epoch))
		}
		b.answered(epoch)
		if got := b.held(epoch); got != 0 || b.isRefusing(epoch) {
			t.Errorf("held() when a later call was answered = %s, want none; isRefusing() = %t", got, b.isRefusing(epoch))
		}
	}
	var b bucket
	b.throttled(0, epoch)
	if at := epoch.Add(time.Minute); b.isRefusing(at) || !b.isRefusing(at.Add(-1)) {
		t.Error("isRefusing() changes at another time than a minute after the throttle")
	}
}

// A target that throttles is spared, for longer when it does again, and taken back by
// and by; all the while calls that have nowhere else to go fit.
func TestBucketRests(t *testing.T) {
	var b bucket
	left := func(at time.Time) time.Duration {
		wait, left := b.look(1, at.UnixNano())
		if wait > 0 {
			t.Errorf("look() = a wait of %v, want none", wait)
		}
		return left
	}
	at := epoch
	for _, rest := range []time.Duration{1, 2, 4, 8, 10, 10} {
		rest *= time.Minute
		b.throttled(0, at)
		if got := left(at.Add(rest)); got != 0 {
			t.Errorf("quota left when a rest of %v ends = %v, want none", rest, got)
		}
		if got := left(at.Add(rest + 20*time.Second)); got != 20*time.Second {
			t.Errorf("quota left 20s after a rest of %v = %v, want 20s", rest, got)
		}
		at = at.Add(rest + time.Minute)
		if b.bounds(at.UnixNano()) {
			t.Errorf("quota is bound a minute after a rest of %v", rest)
		}
	}
	b.throttled(0, at.Add(2*time.Hour))
	if got := left(at.Add(2*time.Hour + 90*time.Second)); got != 30*time.Second {
		t.Errorf("quota left 90s after the first throttle in hours = %v, want 30s", got)
	}
}

// A target throttles at 1,000 tokens a second: the limit falls below that, grows, and is
// forgotten.
func TestBucketLearns(t *testing.T) {
	var b bucket
	at := epoch
	for range 120 {
		at = at.Add(time.Second)
		b.take(1000, at)
	}
	b.throttled(0, at)
	first := b.tokens.bound(at.UnixNano())
	if first < 30_000 || first > 45_000 {
		t.Errorf("limit learned at 60,000 tokens a minute = %d, want about 42,000", first)
	}
	if b.fits(1000, at) {
		t.Error("a call fits a bucket that turned out to be empty")
	}
	b.throttled(0, at.Add(time.Duration(lowerEvery/2)))
	if got := b.tokens.bound(at.UnixNano()); got != first {
		t.Errorf("limit after a second throttle at once = %d, want %d still", got, first)
	}
	last := first
	for at.Sub(epoch) < 190*time.Second {
		at = at.Add(time.Second)
		bound := b.tokens.bound(at.UnixNano())
		if bound < last {
			t.Fatalf("limit falls from %d to %d without a throttle", last, bound)
		}
		last = bound
	}
	if last < 2*first {
		t.Errorf("limit a minute after the throttle = %d, want at least twice %d", last, first)
	}
	if at = at.Add(time.Minute); b.inForce(at) {
		t.Errorf("limit two minutes after the throttle = %d, want it forgotten", b.tokens.bound(at.UnixNano()))
	}
}

func TestBucketLearnsBelowWhatIsConfigured(t *testing.T) {
	b := quotaOf60k()
	b.take(20_000, epoch)
	b.throttled(0, epoch)
	if got := b.tokens.bound(epoch.UnixNano()); got != 14_000 {
		t.Errorf("limit learned at 20,000 tokens of 60,000 = %d, want 14,000", got)
	}
	if got := b.tokens.bound(epoch.Add(time.Hour).UnixNano()); got != 60_000 {
		t.Errorf("limit an hour later = %d, want the configured 60,000", got)
	}
}

// Whoever takes only what fits never has more than a minute's limit and what was earned
// since, and gets what it waited for.
func TestBucketNeverAdmitsMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(100, 1_000_000).Draw(t, "limit")
		var b bucket
		b.configure(Quota{TokensPerMinute: limit}, Whole, epoch)
		at, burnt := epoch, 0
		for range rapid.IntRange(1, 100).Draw(t, "calls") {
			at = at.Add(time.Duration(rapid.IntRange(0, 20_000).Draw(t, "ms")) * time.Millisecond)
			tokens := rapid.IntRange(1, limit).Draw(t, "tokens")
			if wait := b.wait(tokens, at); wait > 0 {
				if b.fits(tokens, at.Add(wait-time.Millisecond)) && wait > time.Millisecond {
					t.Fatalf("%d tokens fit before their wait of %v is over", tokens, wait)
				}
				if !b.fits(tokens, at.Add(wait)) {
					t.Fatalf("%d tokens do not fit after their wait of %v", tokens, wait)
				}
				continue
			}
			b.take(tokens, at)
			used := rapid.IntRange(0, tokens).Draw(t, "used")
			b.settle(tokens, used, at)
			burnt += used
			earned := float64(limit) * (1 + at.Sub(epoch).Minutes())
			if float64(burnt) > earned*1.001+1 {
				t.Fatalf("%d tokens were admitted in %v, want at most %.0f", burnt, at.Sub(epoch), earned)
			}
			if share := room(&b, at); share < 0 || share > 1 {
				t.Fatalf("room() = %v, want 0 to 1", share)
			}
		}
	})
}

// What is given back too often leaves a full bucket, not a fuller one.
func TestBucketIsNeverMoreThanFull(t *testing.T) {
	b := quotaOf60k()
	b.settle(500_000, 0, epoch)
	b.take(60_000, epoch)
	if b.fits(1000, epoch) {
		t.Error("a call fits when all of the limit was taken")
	}
}

// Under a fluid service that admits so much a minute, the learned limit finds that rate:
// few calls are throttled, and most of it is used.
func TestBucketFindsTheServicesLimit(t *testing.T) {
	var ours bucket
	service := quotaOf60k()
	at, throttled, answered := epoch, 0, 0
	for range 40_000 { // 10 minutes of 66 calls a second, for 10 that fit
		at = at.Add(15 * time.Millisecond)
		if !ours.fits(100, at) {
			continue
		}
		ours.take(100, at)
		if service.fits(100, at) {
			service.take(100, at)
			answered++
		} else {
			ours.settle(100, 0, at)
			ours.throttled(0, at)
			throttled++
		}
	}
	if answered < 4500 {
		t.Errorf("%d calls were answered, want most of the 6,600 that fit", answered)
	}
	if throttled > answered/20 {
		t.Errorf("%d calls were throttled beside %d, want less than one in 20", throttled, answered)
	}
	t.Logf("%d answered, %d throttled", answered, throttled)
}
