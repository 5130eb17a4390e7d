package simulate

import (
	"maps"
	"time"

	"fairway/internal/inference"
)

// region is a destination region: what it grants, holds and suffers.
type region struct {
	name     inference.Region
	first    time.Duration // median time to the first token
	capacity float64       // calls in flight from which on it slows down; 0 is any
	rush     float64       // how many times slower it is at the height of its day; 0 is none
	peak     time.Duration // that height, after midnight UTC
	tokens   gauge
	requests gauge
	visits   []*attempt // in flight
	faults   []*Fault   // as they hold now
	cached   map[uint64]int64
	sweep    int // how many prefixes are cached when those that have expired are next thrown out
}

// gauge is a token bucket as the service keeps them: full at first, and refilled in a
// minute. A call that burns more than it reserved may leave it below nothing.
type gauge struct {
	limit float64 // a minute; 0 is none
	level float64
	at    int64
}

func newGauge(limit float64) gauge { return gauge{limit: limit, level: limit} }

func (g *gauge) fits(n float64, at int64) bool {
	if g.limit == 0 {
		return true
	}
	g.level = min(g.limit, g.level+g.limit*float64(at-g.at)/float64(time.Minute))
	g.at = at
	return g.level >= n
}

func (g *gauge) take(n float64) { g.level = min(g.limit, g.level-n) }

// reserve takes one request and as many tokens, or neither.
func (r *region) reserve(tokens int, at int64) bool {
	if !r.requests.fits(1, at) || !r.tokens.fits(float64(tokens), at) {
		return false
	}
	r.requests.take(1)
	r.tokens.take(float64(tokens))
	return true
}

// enter takes an attempt in, which leaves by its place.
func (r *region) enter(a *attempt) {
	a.place = len(r.visits)
	r.visits = append(r.visits, a)
}

func (r *region) leave(a *attempt) {
	last := r.visits[len(r.visits)-1]
	r.visits[a.place], last.place = last, a.place
	r.visits[len(r.visits)-1] = nil
	r.visits = r.visits[:len(r.visits)-1]
}

// slowness is how many times longer than usual the region takes: for the calls that it
// has in flight, which share what it can do, and for the hour of its day.
func (r *region) slowness(at int64) float64 {
	slow := 1.0
	if r.capacity > 0 {
		slow = max(1, float64(len(r.visits))/r.capacity)
	}
	if r.rush > 1 {
		slow *= 1 + (r.rush-1)*sunny(time.Duration(at)-r.peak)
	}
	return slow
}

// holds reports whether a prefix is in the prompt cache.
func (r *region) holds(prefix uint64, at int64) bool { return r.cached[prefix] > at }

// keep puts a prefix into the prompt cache, or lets it stay for longer.
func (r *region) keep(prefix uint64, at int64, d time.Duration) {
	r.cached[prefix] = at + int64(d)
	if len(r.cached) < r.sweep {
		return
	}
	maps.DeleteFunc(r.cached, func(_ uint64, until int64) bool { return until <= at })
	r.sweep = max(minSweep, 2*len(r.cached))
}

const minSweep = 1024
