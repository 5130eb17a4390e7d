package route

import (
	"time"

	"fairway/internal/inference"
)

// Plan appends to buf the targets of a call, best first:
//
//  1. destinations that the configured order names, in that order
//  2. destinations that a statement names, as written
//  3. the source region
//  4. the others, in catalog order
//
// Targets whose breaker is open go last, in the same order, and are never left
// out. Plan depends on nothing but the grant, the breakers and now. It allocates
// only when buf is too small.
//
// Each target is pinned: it names the foundation model, not the profile.
func (r *Router) Plan(buf []inference.Target, g *inference.Grant, now time.Time) []inference.Target {
	var space [64]int
	for _, rank := range r.ranked(space[:0], g, now) {
		buf = append(buf, inference.Target{
			Region:    g.Destinations[rank&maxIndex].Region,
			Model:     string(g.Profile.Model),
			Simulated: r.simulated,
		})
	}
	return buf
}

// A rank carries the index of its destination in the low bits: ranks are all
// different, and equal places keep the grant's order.
const (
	indexBits = 16
	maxIndex  = 1<<indexBits - 1
)

// ranked appends the destinations' ranks to the empty ranks, the lowest first.
// It is an insertion sort, since grants come nearly in order.
func (r *Router) ranked(ranks []int, g *inference.Grant, now time.Time) []int {
	guards, at := r.health.of(pool{model: string(g.Profile.Model)}), now.UnixNano()
	for i := range g.Destinations {
		d := &g.Destinations[i]
		place := r.place(g, d)
		if guard := guards[d.Region]; guard != nil && guard.outOfUse(at) {
			place += len(r.order) + unordered
		}
		rank, to := place<<indexBits|i, i
		ranks = append(ranks, rank)
		for ; to > 0 && ranks[to-1] > rank; to-- {
			ranks[to] = ranks[to-1]
		}
		ranks[to] = rank
	}
	return ranks
}

// unordered is how many places follow those of the configured order.
const unordered = 3

// place is where a destination stands while its breaker is closed, 0 the first.
func (r *Router) place(g *inference.Grant, d *inference.Destination) int {
	if len(r.order) > 0 {
		if place, ok := r.order[d.Region]; ok {
			return place
		}
	}
	switch {
	case d.Named:
		return len(r.order)
	case d.Region == g.Profile.SourceRegion:
		return len(r.order) + 1
	default:
		return len(r.order) + 2
	}
}
