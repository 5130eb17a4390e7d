package main

import (
	"maps"
	"slices"
	"testing"
)

// destinations are like those of profiles: one set lies within the other.
var destinations = map[string][]string{
	"all":  {"a", "b", "c", "d", "e", "f", "g", "h"},
	"some": {"b", "c", "d", "e", "f", "g"},
}

// TestWeatherKeepsItsPromise: after each single change every set has a region that
// is up, and yet the last one moves about.
func TestWeatherKeepsItsPromise(t *testing.T) {
	for seed := range uint64(50) {
		w := newWeather(seed, faults, slices.Collect(maps.Values(destinations)))
		state, given := maps.Clone(w.state), map[string]int{}
		alone := map[string]bool{}
		for range 2000 {
			for _, c := range w.next() {
				state[c.region] = c.fault
				given[c.fault]++
				for name, set := range destinations {
					healthy := slices.DeleteFunc(slices.Clone(set), func(r string) bool { return state[r] != up })
					switch len(healthy) {
					case 0:
						t.Fatalf("seed %d: after %v no region of %s is up", seed, c, name)
					case 1:
						alone[healthy[0]] = true
					}
				}
			}
		}
		if want := len(destinations["some"]); len(alone) != want || len(given) != len(faults)+1 {
			t.Errorf("seed %d: %d regions were the last one, %d faults were given, want %d and %d", seed, len(alone), len(given), want, len(faults)+1)
		}
	}
}

func TestWeatherFollowsFromTheSeed(t *testing.T) {
	sets := [][]string{destinations["all"], destinations["some"]}
	one, same, other := newWeather(1, faults, sets), newWeather(1, faults, sets), newWeather(2, faults, sets)
	differ := false
	for i := range 1000 {
		a, b, c := one.next(), same.next(), other.next()
		if !slices.Equal(a, b) {
			t.Fatalf("change %d of the same seed = %v and %v, want the same", i, a, b)
		}
		differ = differ || !slices.Equal(a, c)
	}
	if !differ {
		t.Error("two seeds made the same weather")
	}
}
