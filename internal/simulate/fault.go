package simulate

import (
	"slices"
	"time"

	"fairway/internal/inference"
)

// spell is a fault coming or going in a region.
type spell struct {
	fault  *Fault
	region *region
	on     bool
}

// happen also ends what a region that goes down has in flight.
func (s *spell) happen(w *world, _ uint32) {
	r := s.region
	r.faults = slices.DeleteFunc(r.faults, func(f *Fault) bool { return f == s.fault })
	if !s.on {
		return
	}
	r.faults = append(r.faults, s.fault)
	if s.fault.Kind != Down {
		return
	}
	for _, a := range slices.Clone(r.visits) {
		if a.region == r && w.meets(s.fault, a) { // still there: ending one may have ended others
			a.breakOff(w, dropped(r.name))
		}
	}
}

// meets reports whether an attempt that is under way breaks with its region.
func (w *world) meets(f *Fault, a *attempt) bool {
	w.dice.source.Seed(mix(w.seed^a.call.number), breaking<<32|uint64(a.nth))
	return w.dice.hits(f.share())
}

// breaking sets the luck of breaking off apart from that of an attempt.
const breaking = 1 << 16

func (f *Fault) share() float64 {
	if f.Share == 0 {
		return 1
	}
	return f.Share
}

// spells makes the events of a fault in a region. One without an end outlasts the
// calls that are under way at the end of the scenario.
func (w *world) spells(f *Fault, r *region) {
	end := f.To
	if end == 0 {
		end = maxDuration
	}
	every, last := f.Every, f.Last
	if every == 0 {
		every, last = end, end
	}
	for from := f.From; from < min(end, w.scenario.Duration); from += every {
		w.events.add(int64(from), &spell{f, r, true}, 0)
		if until := min(from+last, end); until < maxDuration {
			w.events.add(int64(until), &spell{f, r, false}, 0)
		}
	}
}

// afflicts is the first fault that a call meets in the region, nil for none.
func (r *region) afflicts(d dice) *Fault {
	for _, f := range r.faults {
		if d.hits(f.share()) {
			return f
		}
	}
	return nil
}

// The texts are the service's.
const (
	unavailable   = "Bedrock is unable to process your request."
	tooManyTokens = "Too many tokens, please wait before trying again."
)

// dropped is the failure of a connection that was refused or broke, or on which
// nothing came for too long.
func dropped(in inference.Region) *inference.Error {
	return &inference.Error{Kind: inference.ServiceUnavailable, Op: op, Region: in, Transport: true, Message: unavailable}
}

func throttled(in inference.Region) *inference.Error {
	return &inference.Error{Kind: inference.Throttling, Op: op, Region: in, Message: tooManyTokens}
}

func broken(in inference.Region) *inference.Error {
	return &inference.Error{Kind: inference.ServiceUnavailable, Op: op, Region: in, Message: unavailable}
}

const op = "simulate call"

// refusal is how long a region takes to refuse a call, beside the way.
const refusal = 10 * time.Millisecond
