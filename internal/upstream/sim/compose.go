package sim

import (
	"fmt"
	"time"

	"fairway/internal/inference"
)

// written is what became of asking the text source.
type written struct {
	reply draft
	err   error
}

// compose asks the text source. One that is more than arithmetic may take long: it
// writes on its own, so that the region can show life meanwhile.
func (s *stream) compose() {
	s.written = make(chan written, 1)
	switch s.world.config.Text.(type) {
	case Written, *Responses:
		s.written <- s.write()
	default:
		go func() { s.written <- s.write() }()
	}
}

func (s *stream) write() (w written) {
	defer func() {
		if cause := recover(); cause != nil {
			w = written{err: inference.AsError(fmt.Errorf("text source: panic: %v", cause))}
		}
	}()
	reply, err := s.world.write(s.visit.ctx, s.call)
	return written{reply, err}
}

// listen is how long a text source is waited for before the region shows life: less
// than any share of a deadline that route gives an attempt.
const listen = time.Second

// await waits for the text source, for a moment, and reports whether it is done.
func (s *stream) await() (done bool, err error) {
	select {
	case w := <-s.written:
		return s.take(w)
	default:
	}
	timer := time.NewTimer(listen)
	defer timer.Stop()
	select {
	case w := <-s.written:
		return s.take(w)
	case <-s.visit.ctx.Done():
		return false, s.visit.ctx.Err()
	case <-timer.C:
		return false, nil
	}
}

func (s *stream) take(w written) (done bool, err error) {
	s.written = nil
	if w.err != nil {
		return false, w.err
	}
	s.rehearse(w.reply)
	return true, nil
}
