package sim

import (
	"context"
	"io"
	"math"
	"sync"
	"time"

	"fairway/internal/dialect"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
)

// pulse is how often, in real time, a region that is speaking shows life.
const pulse = 5 * time.Second

// stream is one call from its arrival in the region to the end of its answer.
type stream struct {
	world  *World
	visit  *visit
	pace   pace
	call   *call
	charge *charge // nil where the quota was not asked
	writer *invocation.Writer

	written chan written // what the text source says; nil once that is known

	mu     sync.Mutex // held by Next; Close wakes Next before it waits for it
	alive  bool       // the first sign of life was given
	speech speech
	line   line // that is being spoken
	begun  bool // line is
	breath int  // tokens after which the region cuts
	spoken int  // tokens
	ready  []inference.Event
	ended  error // what Next gives from here on
}

// begin is the call up to its first token, as the caller sees that.
func (s *stream) begin(t inference.Target, r *inference.Request) (err error) {
	w, v := s.world, s.visit
	t = w.onward(v, t)
	s.pace = w.pace(v, t, r)
	if err := w.wait(v, s.pace.travel); err != nil {
		return err
	}
	if err := v.meet(); err != nil {
		return s.reject(err)
	}
	if s.call, err = w.open(t, r); err != nil {
		return s.reject(err)
	}
	if r.Operation == inference.CountTokens {
		s.ready = s.call.counted()
		return w.wait(v, s.pace.travel)
	}
	if s.charge, err = v.entry.reserve(w, s.call.bucket(t, r), s.call.input+s.call.limit); err != nil {
		return s.reject(err)
	}
	s.compose()
	done, err := s.await()
	switch {
	case err != nil:
		return s.reject(err)
	case !done:
		return nil // the source takes longer than a model would
	}
	return w.wait(v, s.pace.first(s.call.input)+s.pace.travel)
}

// rehearse gets everything ready that is to be spoken.
func (s *stream) rehearse(reply draft) {
	s.call.sign(reply.content, s.visit.rand)
	s.writer = s.call.form.Begin(s.call.head(s.visit.rand, s.world.config.Now()))
	s.speech, s.breath = s.pace.speech(s.call, reply), math.MaxInt
	if s.visit.fault == Cut {
		s.breath = reply.tokens / 2
	}
}

// reject sends an error back over the distance; a connection that was refused
// needs no way back.
func (s *stream) reject(err error) error {
	if inference.AsError(err).Transport {
		return err
	}
	if ended := s.world.wait(s.visit, s.pace.travel); ended != nil {
		return ended
	}
	return err
}

// Next shows life at once, then gives what is spoken, or a sign of life for each
// pulse that passes without.
func (s *stream) Next(ctx context.Context) (inference.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return inference.Event{}, s.ended
	}
	if ctx.Err() != nil {
		s.visit.drop(ctx.Err())
	}
	defer context.AfterFunc(ctx, func() { s.visit.drop(ctx.Err()) })()
	event, err := s.next()
	switch {
	case err != nil:
		s.ended = s.visit.failure(err)
		s.leave()
		return inference.Event{}, s.ended
	case event.Final:
		s.ended = io.EOF
		s.leave()
	}
	return event, nil
}

func (s *stream) next() (inference.Event, error) {
	if !s.alive {
		s.alive = true
		return inference.Event{}, s.visit.ctx.Err()
	}
	if s.written != nil {
		if done, err := s.await(); !done || err != nil {
			return inference.Event{}, err
		}
	}
	for len(s.ready) == 0 {
		if !s.begun {
			s.line, s.begun = s.speech.next(), true
		}
		if said, err := s.speak(); !said || err != nil {
			return inference.Event{}, err
		}
		if s.line.piece.Kind == dialect.Stopped && s.speech.failure != nil {
			return inference.Event{}, s.speech.failure
		}
		events, err := s.writer.Write(s.line.piece)
		if err != nil {
			return inference.Event{}, err
		}
		s.begun, s.ready = false, events
	}
	event := s.ready[0]
	s.ready = s.ready[1:]
	return event, s.visit.ctx.Err()
}

// speak takes the time of the next line, up to a pulse, and reports whether the
// line has been said.
func (s *stream) speak() (said bool, err error) {
	until := s.line.until
	if n := min(until, s.breath, s.spoken+s.tokensPerPulse()) - s.spoken; n > 0 {
		if err := s.world.wait(s.visit, s.pace.token*time.Duration(n)); err != nil {
			return false, err
		}
		s.spoken += n
		if s.spoken == until {
			return true, nil // and cut before the next
		}
	}
	if s.spoken >= s.breath {
		return false, errCut
	}
	return s.spoken >= until, nil
}

func (s *stream) tokensPerPulse() int {
	return int(max(1, pulse/max(1, s.world.scale(s.pace.token))))
}

// Close ends what the region is still doing for the call.
func (s *stream) Close() error {
	s.visit.drop(nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == nil {
		s.ended = s.visit.failure(context.Canceled)
		s.leave()
	}
	return nil
}

// leave ends the visit and pays for what was read and spoken.
func (s *stream) leave() {
	if s.charge != nil {
		s.charge.settle(s.call.input + s.spoken*max(1, s.call.model.OutputBurndown))
	}
	s.visit.leave()
}
