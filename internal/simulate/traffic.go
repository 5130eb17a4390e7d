package simulate

import (
	"math"
	"time"

	"fairway/internal/inference"
	"fairway/internal/route"
)

// source is a source region: its calls, and the gateway that they come to.
type source struct {
	traffic *Traffic
	rate    float64       // calls a second where neither day nor burst changes it
	peak    time.Duration // after midnight UTC, of the day's curve
	grant   *inference.Grant
	router  *route.Router
	route   *route.Route
	way     time.Duration   // round trip between the callers and the gateway
	trips   []time.Duration // from the gateway to each region and back
	dice    dice
	open    []session
}

// session is a series of calls with the same prefix.
type session struct {
	id     uint64
	prefix int // tokens
}

// pace is the rate at an instant as a multiple of the source's own.
func (s *source) pace(at time.Duration) float64 {
	return s.day(at) * s.burst(at)
}

func (s *source) day(at time.Duration) float64 {
	d := s.traffic.Day
	if d == (Day{}) {
		return 1
	}
	return d.Night + (1-d.Night)*sunny(at-s.peak)
}

// sunny is 1 at the height of a day and 0 twelve hours from it.
func sunny(fromPeak time.Duration) float64 {
	return (1 + math.Cos(2*math.Pi*float64(fromPeak)/float64(24*time.Hour))) / 2
}

func (s *source) burst(at time.Duration) float64 {
	b := s.traffic.Bursts
	if b.Every == 0 || at%b.Every < b.Every-b.Last {
		return 1
	}
	return b.Times
}

// following is when the next call after at comes, false if none does before the end.
// Calls are a Poisson process: of one at the highest rate there is those are left out
// that are too many at their time.
func (s *source) following(at, end time.Duration) (time.Duration, bool) {
	highest := max(1, s.traffic.Bursts.Times)
	for s.rate > 0 {
		at += max(1, time.Duration(s.dice.ExpFloat64()/(s.rate*highest)*float64(time.Second)))
		if at < 0 || at >= end {
			break
		}
		if pace := s.pace(at); pace == highest || s.dice.Float64()*highest < pace {
			return at, true
		}
	}
	return 0, false
}

// happen is a call that comes in.
func (s *source) happen(w *world, _ uint32) {
	w.expect(s)
	w.newCall(s).begin(w)
}

// expect makes the event of the source's next call.
func (w *world) expect(s *source) {
	if at, ok := s.following(time.Duration(w.at), w.scenario.Duration); ok {
		w.events.add(int64(at), s, 0)
	}
}

// session is the one that a call belongs to, the zero session for none. One that has
// had its calls makes room for another.
func (s *source) session(of *Sessions) session {
	if len(s.open) == 0 || !s.dice.hits(of.Share) {
		return session{}
	}
	at := &s.open[s.dice.IntN(len(s.open))]
	drawn := *at
	if s.dice.hits(1 / of.Calls) {
		*at = s.newSession(of)
	}
	return drawn
}

func (s *source) newSession(of *Sessions) session {
	return session{id: s.dice.Uint64() | 1, prefix: s.dice.count(of.Prefix, maxPrompt)}
}

// maxPrompt is the context window that prompts are kept to, in tokens: the largest usual one.
const maxPrompt = 1_000_000
