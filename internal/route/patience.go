package route

import (
	"time"

	"fairway/internal/inference"
)

// A region that is well shows life within leastPatience; it may take longer by
// the time to read a long prompt, of which longPrompt passes in a second. The
// figures are generous: to read 20,000 tokens, some 80 kB, takes a second.
const (
	leastPatience = 3 * time.Second
	longPrompt    = 50_000 // bytes
)

// patience is how long an attempt may take to its first event: the attempt
// timeout, or less where the call's deadline would pass before all targets that
// are left have had their turn. Then each gets an equal share of the time, if
// that is enough for a region that is well, and one more share is for the answer.
// The last target has nothing to save time for.
//
// A call without a deadline saves none either: a unary answer of regions that show
// no life before it is waited for as long as an answer may take.
//
// The price: with a deadline and many targets, a region that takes longer than
// its share to show life is left for the next one, though it would have answered.
// If all of them are as slow the call fails that a single target would have
// served; the other targets are what one that hangs must not take down.
func (r *Router) patience(req *inference.Request, left int, deadline, now time.Time) time.Duration {
	switch {
	case deadline.IsZero() && r.answer > 0 && !req.Operation.Streams():
		return r.answer
	case deadline.IsZero() || left == 1:
		return r.timeout
	}
	share := deadline.Sub(now) / time.Duration(left+1)
	least := leastPatience + reading(len(req.Body))
	return min(r.timeout, max(least, share))
}

// reading is how long a region that is well takes to read a body of as many bytes.
func reading(size int) time.Duration { return time.Duration(size) * time.Second / longPrompt }
