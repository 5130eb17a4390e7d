package route

import (
	"cmp"
	"time"

	"fairway/internal/inference"
)

// bringHome puts the home of a call first: the target that calls with the same session
// or prompt prefix go to, where a region has what they share in its cache. It is chosen
// by rendezvous hashing among the targets of the best tier, so that a target that fails
// moves only its own calls. One that is known to take longer than the soonest by more
// than the cache is worth is no home.
func (p *planner) bringHome(ranks []rank, seen []view) {
	best, size := tierOf(ranks)
	if size < 2 || p.call.policy() == inference.Ordered {
		return
	}
	key := p.shared()
	if key == 0 {
		return
	}
	home, highest := -1, uint64(0)
	soonest := p.soonestOf(best, ranks, seen)
	most := soonest + max(p.worth(), time.Duration(near*float64(soonest)))
	for i, at := range ranks {
		c := &p.slate.candidates[i]
		h := mix(key ^ c.seed)
		if h < highest || !p.welcomes(i, best, at, seen) {
			continue
		}
		// what is not known well is taken for the soonest: homes do not move on few answers
		if c.guard.load.expected(p.call.Streams, soonest, p.now) <= most {
			home, highest = i, h
		}
	}
	if home < 0 {
		return
	}
	seen[home].home = ofPrefix
	if p.call.Session != 0 {
		seen[home].home = ofSession
	}
	ranks[home] &^= awayBit | hotBit
}

// welcomes reports whether a candidate of the best tier may be a home: what has no
// weight is never first, and what is short of quota is not asked for more.
func (p *planner) welcomes(i int, best, at rank, seen []view) bool {
	return at.tier() == best && !seen[i].scarce && p.slate.candidates[i].weight > 0
}

// soonestOf is the least that is expected of those that may be a home, the cold first.
func (p *planner) soonestOf(best rank, ranks []rank, seen []view) time.Duration {
	soonest, hot := time.Duration(0), true
	for i, at := range ranks {
		if v := &seen[i]; p.welcomes(i, best, at, seen) && (soonest == 0 || hot && !v.hot || hot == v.hot && v.expected < soonest) {
			soonest, hot = v.expected, v.hot
		}
	}
	return soonest
}

// shared is what the call has in common with others, 0 for nothing.
func (p *planner) shared() uint64 {
	if p.call.Session != 0 {
		return p.call.Session
	}
	return p.call.outline().Prefix
}

// worth is how long waiting for the home is worth it. Models keep no prompt of fewer
// than about a thousand tokens: who asks for a home has as many.
func (p *planner) worth() time.Duration {
	tokens := max(1000, cmp.Or(p.call.told.PrefixTokens, p.call.Size/4))
	return p.router.keepCache * time.Duration(tokens) / 1000
}

// home says what a call has in common with others that its target answers.
type home uint8

const (
	notHome home = iota
	ofSession
	ofPrefix
)
