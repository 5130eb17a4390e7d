package sim

import (
	"slices"

	"fairway/internal/inference"
)

// onward is where a call runs that came to the endpoint of t.Region: there, where
// t names a model; where it names an inference profile, in a destination that the
// region picks, with t.Model the profile's. A region whose endpoint does not
// answer hands nothing on.
func (w *World) onward(v *visit, t inference.Target) inference.Target {
	if _, bare := w.config.Models(inference.ModelID(t.Model)); bare || w.config.Profiles == nil {
		return t
	}
	model, destinations, ok := w.config.Profiles(t.Model, t.Region)
	if !ok || len(destinations) == 0 {
		return t
	}
	t.Model = string(model)
	if v.fault == Down || v.fault == Hang {
		return t
	}
	if to := w.pick(v, destinations); to != t.Region {
		v.moveTo(w.region(to))
	}
	return t
}

// pick prefers the region itself, then any that has no fault, then any.
func (w *World) pick(v *visit, destinations []inference.Region) inference.Region {
	if v.fault == Up && slices.Contains(destinations, v.entry.name) {
		return v.entry.name
	}
	up := slices.DeleteFunc(slices.Clone(destinations), func(name inference.Region) bool { return w.faultOf(name) != Up })
	if len(up) == 0 {
		up = destinations
	}
	return up[v.rand.IntN(len(up))]
}

func (w *World) faultOf(name inference.Region) Fault {
	r := w.region(name)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fault
}
