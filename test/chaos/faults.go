package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"
)

// up is the region that works.
const up = "up"

// faults are what regions are given, each as often as the others.
var faults = []string{"down", "hang", "slow", "throttle", "5xx", "cut"}

// mendShare is how often a faulty region that is drawn is mended; otherwise it gets
// another fault. It leaves some three regions in ten working, and often one.
const mendShare = 0.35

// change gives a region a fault, or takes it away.
type change struct{ region, fault string }

// weather decides which region gets which fault, by its seed alone. It keeps one
// promise: at any time each set of destinations has a region that is up. Where a
// change would take the last one, another is mended first, and changes are made one
// after the other.
type weather struct {
	rand   *rand.Rand
	faults []string
	sets   [][]string
	state  map[string]string
	names  []string // of all regions, sorted
}

func newWeather(seed uint64, faults []string, sets [][]string) *weather {
	w := &weather{rand: rand.New(rand.NewPCG(seed, 1<<62)), faults: faults, sets: sets, state: map[string]string{}}
	for _, set := range sets {
		for _, region := range set {
			if _, known := w.state[region]; !known {
				w.state[region] = up
				w.names = append(w.names, region)
			}
		}
	}
	slices.Sort(w.names)
	return w
}

// next are the changes to make now, in this order.
func (w *weather) next() (changes []change) {
	region := w.names[w.rand.IntN(len(w.names))]
	if w.state[region] != up && w.rand.Float64() < mendShare {
		return w.make(changes, region, up)
	}
	fault := w.faults[w.rand.IntN(len(w.faults))]
	for _, set := range w.sets {
		if w.state[region] != up || !slices.Contains(set, region) || w.healthy(set) > 1 {
			continue
		}
		others := slices.DeleteFunc(slices.Clone(set), func(r string) bool { return r == region })
		changes = w.make(changes, others[w.rand.IntN(len(others))], up)
	}
	return w.make(changes, region, fault)
}

func (w *weather) make(changes []change, region, fault string) []change {
	w.state[region] = fault
	return append(changes, change{region, fault})
}

// healthy is how many regions of a set are up.
func (w *weather) healthy(set []string) (n int) {
	for _, region := range set {
		if w.state[region] == up {
			n++
		}
	}
	return n
}

// storm is weather over a server.
type storm struct {
	weather *weather
	every   time.Duration // a change, on average
	set     func(change) error

	given   map[string]int // changes, by fault
	took    time.Duration
	onlyOne time.Duration // while some set had a single region that was up
	faulty  time.Duration // summed over the regions
}

// gather has the storm begin in the middle: as many changes at once as leave no
// region as it was.
func (s *storm) gather() error {
	for range 4 * len(s.weather.names) {
		if err := s.change(); err != nil {
			return err
		}
	}
	return nil
}

// rage makes changes at random times until ctx ends. Then it mends all.
func (s *storm) rage(ctx context.Context) error {
	for began := time.Now(); ctx.Err() == nil; s.took = time.Since(began) {
		at := time.Now()
		select {
		case <-time.After(time.Duration(s.weather.rand.ExpFloat64() * float64(s.every))):
		case <-ctx.Done():
		}
		s.observe(time.Since(at))
		if err := s.change(); err != nil {
			return err
		}
	}
	for _, region := range s.weather.names {
		if err := s.set(change{region, up}); err != nil {
			return err
		}
	}
	return nil
}

// change makes the next changes one after the other; each is in force when the next
// is made.
func (s *storm) change() error {
	for _, c := range s.weather.next() {
		if err := s.set(c); err != nil {
			return err
		}
		s.given[c.fault]++
	}
	return nil
}

func (s *storm) observe(d time.Duration) {
	w := s.weather
	if slices.ContainsFunc(w.sets, func(set []string) bool { return w.healthy(set) == 1 }) {
		s.onlyOne += d
	}
	s.faulty += time.Duration(len(w.names)-w.healthy(w.names)) * d
}
