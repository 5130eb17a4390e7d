package sim

import (
	"context"
	"io"
	"sync"
	"time"

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
	charge *charge // nil before the quota was asked
	reply  draft

	mu     sync.Mutex // held by Next; Close wakes Next before it waits for it
	alive  bool       // the first sign of life was given
	rest   []int      // tokens of each piece still to be spoken, of half of them where the region cuts
	spoken int        // tokens
	ended  error      // what Next gives from here on
}

// begin is the call up to its first token, as the caller sees that.
func (s *stream) begin(t inference.Target, r *inference.Request) (err error) {
	w, v := s.world, s.visit
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
	if s.charge, err = v.region.reserve(w, s.call.bucket(t, r), s.call.input+s.call.limit()); err != nil {
		return s.reject(err)
	}
	if s.reply, err = w.write(v.ctx, s.call); err != nil {
		return s.reject(err)
	}
	s.rest = s.call.count(s.reply.pieces())
	if v.fault == Cut {
		s.rest = s.rest[:len(s.rest)/2]
	}
	return w.wait(v, s.pace.first(s.call.input)+s.pace.travel)
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

// Next shows life at once, then for each pulse that passes before the answer is
// complete.
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
	switch err := s.speak(); {
	case err != nil || len(s.rest) > 0:
		return inference.Event{}, err
	case s.visit.fault == Cut:
		return inference.Event{}, errCut
	}
	s.spoken = s.reply.tokens // the pieces' tokens are not quite those of the whole
	usage := inference.Usage{InputTokens: s.call.input, OutputTokens: s.spoken, Caching: s.call.model.Caching}
	body, err := s.reply.response(s.visit, s.call.model.ID, usage).Encode()
	return inference.Event{Raw: body, Content: true, Final: true, Usage: &usage}, err
}

// speak takes the time of the pieces that come next, up to a pulse.
func (s *stream) speak() error {
	for room := s.tokensPerPulse(); len(s.rest) > 0 && room > 0; {
		n := min(s.rest[0], room)
		if err := s.world.wait(s.visit, s.pace.token*time.Duration(n)); err != nil {
			return err
		}
		s.spoken += n
		room -= n
		if s.rest[0] -= n; s.rest[0] == 0 {
			s.rest = s.rest[1:]
		}
	}
	return nil
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
