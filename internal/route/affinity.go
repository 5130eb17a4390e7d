package route

import (
	"cmp"
	"time"

	"fairway/internal/inference"
)

// bringHome puts the home of a call first: the target that calls with the same session
// or prompt prefix go to, where a region has what they share in its cache. It is chosen
// by rendezvous hashing among the targets of the best tier, so that a target that fails
// moves only its own calls. A home that is hot is left when it is expected to take
// longer than another by more than the cache is worth.
func (p *planner) bringHome(ranks []rank, seen []view) {
	best, size := tierOf(ranks)
	if size < 2 || p.call.policy() == inference.Ordered {
		return
	}
	key := p.shared()
	if key == 0 {
		return
	}
	home, highest, soonest := -1, uint64(0), time.Duration(-1)
	for i, at := range ranks {
		if at.tier() != best || p.slate.candidates[i].weight <= 0 { // what has no weight is never first
			continue
		}
		if h := mix(key ^ p.slate.candidates[i].seed); h >= highest {
			home, highest = i, h
		}
		if !seen[i].hot && (soonest < 0 || seen[i].expected < soonest) {
			soonest = seen[i].expected
		}
	}
	if home < 0 || seen[home].hot && soonest >= 0 && seen[home].expected-soonest > p.worth() {
		return
	}
	seen[home].home = ofPrefix
	if p.call.Session != 0 {
		seen[home].home = ofSession
	}
	ranks[home] &^= awayBit | hotBit
}

// shared is what the call has in common with others, 0 for nothing.
func (p *planner) shared() uint64 {
	if p.call.Session != 0 {
		return p.call.Session
	}
	return p.call.outline().Prefix
}

// worth is how long waiting for the home is worth it.
func (p *planner) worth() time.Duration {
	tokens := cmp.Or(p.call.told.PrefixTokens, p.call.Size/4)
	return p.router.keepCache * time.Duration(tokens) / 1000
}

// home says what a call has in common with others that its target answers.
type home uint8

const (
	notHome home = iota
	ofSession
	ofPrefix
)
