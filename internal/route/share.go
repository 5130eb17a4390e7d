package route

import (
	"time"

	"fairway/internal/inference"
)

// Whole is all of a quota, in parts.
const Whole = 1000

// Unleased is the share of a target that nothing is leased for: what [Config] says.
const Unleased = -1

// QuotaUse is a target with a configured quota, and what calls from here took of it.
type QuotaUse struct {
	Region  inference.Region
	Model   string
	Account string

	Tokens, Requests Used
	Reserved         int64     // most tokens at a time that calls under way might use, since Quotas was last called
	Left             float64   // share of the bucket that is not taken: 1 for a full one
	Share            int       // parts of the quota that are there to be taken
	Last             time.Time // when a call last went there, or would have if the share were not 0; zero for never
}

// Used is what was taken of one limit.
type Used struct {
	Limit int64 // a minute, whole; 0 for none
	Taken int64 // in all; it falls when a call used less than it reserved
}

// Quotas lists the targets that have a configured quota and were met by calls. It is
// there for one that shares quotas with other servers: see QuotaUse.Reserved.
func (r *Router) Quotas() []QuotaUse {
	var all []QuotaUse
	now := r.clock.Now()
	for p, regions := range *r.health.table.Load() {
		for region, g := range regions {
			if u := g.quotaUse(now); u.Tokens.Limit+u.Requests.Limit > 0 && !u.Last.IsZero() {
				u.Region, u.Account, u.Model = region, p.account, p.model
				all = append(all, u)
			}
		}
	}
	return all
}

// Share says how many parts of its quota a target may take from now on, of the Whole, or
// that none are leased. What a share grows by is empty at first, since others may have
// taken it just before: so shares that move never let calls take more than the quota.
func (r *Router) Share(region inference.Region, model, account string, parts int) {
	g := r.health.of(pool{account, model})[region]
	if g == nil {
		return
	}
	now := r.clock.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.bucket.leased, g.bucket.parts = parts != Unleased, int64(parts)
	g.bucket.divide(now)
}

// meter puts a quota in place, and the share that the target starts with.
func (g *guard) meter(q Quota, start int64, clock Clock) {
	b := &g.bucket
	if b.tokens.limit.Load() == int64(q.TokensPerMinute) && b.requests.limit.Load() == int64(q.RequestsPerMinute) && b.start.Load() == start {
		return
	}
	now := clock.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	b.configure(q, start, now)
}

func (g *guard) quotaUse(now time.Time) QuotaUse {
	g.mu.Lock()
	defer g.mu.Unlock()
	b, at := &g.bucket, now.UnixNano()
	_, tokens := b.tokens.look(0, at)
	_, requests := b.requests.look(0, at)
	u := QuotaUse{
		Tokens:   Used{b.tokens.limit.Load(), b.tokens.taken},
		Requests: Used{b.requests.limit.Load(), b.requests.taken},
		Reserved: b.peak, Left: time.Duration(min(tokens, requests)).Minutes(), Share: int(b.share()),
	}
	b.peak = b.reserved
	if last := max(g.used.Load(), b.missed.Load()); last > 0 {
		u.Last = time.Unix(0, last)
	}
	return u
}

// share is the parts of the quota that are there to be taken.
func (b *bucket) share() int64 {
	if b.leased {
		return b.parts
	}
	return b.start.Load()
}

func (b *bucket) divide(now time.Time) {
	b.tokens.divide(b.share(), now.UnixNano())
	b.requests.divide(b.share(), now.UnixNano())
}

// shut is the bound of a limit of which nothing is there to be taken.
const shut = -1

// shutWait is how soon a call looks again for a share of a quota that there is none of.
const shutWait = int64(time.Second)

// divide puts a share of the limit in place. What was left stays as much as it was, or
// becomes less with the share; what is missing beyond a minute's stays as much, too.
func (g *gauge) divide(parts, now int64) {
	before := g.bound(now)
	ours := partOf(g.limit.Load(), parts)
	g.ours.Store(ours)
	after := g.bound(now)
	switch left := minute - max(0, g.full.Load()-now); {
	case after <= 0:
	case before > 0 && (after > before || left < 0):
		g.full.Store(now + minute - int64(float64(left)*float64(before)/float64(after)))
	case before == shut && g.opened:
		g.full.Store(max(g.full.Load(), now+minute))
	}
	g.opened = g.opened || ours > 0
}

// partOf is as many parts of a limit, one at least where there are any.
func partOf(limit, parts int64) int64 {
	switch {
	case limit == 0:
		return 0
	case parts <= 0:
		return shut
	case parts >= Whole:
		return limit
	}
	return max(1, int64(float64(limit)/Whole*float64(parts)))
}

// miss takes in that a plan found no room. It writes seldom: plans of all calls come here.
func (b *bucket) miss(now int64) {
	if (b.tokens.ours.Load() == shut || b.requests.ours.Load() == shut) && now-b.missed.Load() > shutWait/4 {
		b.missed.Store(now)
	}
}
