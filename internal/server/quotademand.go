package server

import (
	"math"
	"time"

	"fairway/internal/route"
)

// demand is how much of a target's quota a server wants, in parts of the whole.
type demand struct {
	tokens, requests float64 // parts a minute that were used of late
	active           time.Time
	last, now        int // most that was wanted in the calm before, and in this one
	turned           time.Time
}

const (
	demandSmooth = 3 * time.Second  // in which two thirds of what is measured are of late
	demandCalm   = 5 * time.Second  // less is wanted only after once or twice as long
	demandIdle   = 30 * time.Second // without a call, nothing is
	demandRoom   = 1.25             // what is wanted for what is used
	demandFull   = 0.7              // share that is used of one that may be too small
	demandLow    = 0.5              // left in the bucket of such a one: routing prefers others then
)

// wanted is in whole blocks, 0 where no calls come.
func (d *demand) wanted() int { return max(d.last, d.now) }

// measure takes in what was used between two looks that are so far apart.
func (d *demand) measure(before, use *route.QuotaUse, block int, now time.Time, apart time.Duration) {
	if !use.Last.Equal(before.Last) || use.Reserved > 0 {
		d.active = now
	}
	fresh := 1 - math.Exp(-apart.Seconds()/demandSmooth.Seconds())
	d.tokens += fresh * (rate(before.Tokens, use.Tokens, apart) - d.tokens)
	d.requests += fresh * (rate(before.Requests, use.Requests, apart) - d.requests)
	if now.Sub(d.turned) >= demandCalm {
		d.last, d.now, d.turned = d.now, 0, now
	}
	if now.Sub(d.active) >= demandIdle {
		*d = demand{active: d.active, turned: d.turned}
		return
	}
	d.now = max(d.now, d.of(use, block))
}

// of is what is wanted by what is known at an instant: room for what is used, and for all
// that calls under way reserve at a time. One that uses up its share wants twice as much,
// since nobody knows how many calls went elsewhere.
func (d *demand) of(use *route.QuotaUse, block int) int {
	need := max(d.tokens, d.requests, partsOf(use.Reserved, use.Tokens.Limit))
	want := need * demandRoom
	if use.Left < demandLow && need >= demandFull*float64(use.Share) {
		want = max(want, 2*float64(use.Share))
	}
	blocks := math.Ceil(min(want, route.Whole) / float64(block))
	return min(max(1, int(blocks))*block, route.Whole)
}

// rate is what was used of a limit, in parts a minute.
func rate(before, after route.Used, apart time.Duration) float64 {
	return partsOf(after.Taken-before.Taken, after.Limit) / apart.Minutes()
}

// partsOf is n of a limit in parts, 0 where there is none.
func partsOf(n, limit int64) float64 {
	if limit == 0 {
		return 0
	}
	return float64(n) / float64(limit) * route.Whole
}
