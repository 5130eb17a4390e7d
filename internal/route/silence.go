package route

import (
	"sync"
	"sync/atomic"
	"time"
)

// silence bounds each wait for an event of a stream, to the instant, with one timer
// for all of them: it looks after the wait at hand and comes back when that may
// have been too long.
type silence struct {
	clock  Clock
	limit  time.Duration
	giveUp func()       // called once, in the clock's goroutine
	since  atomic.Int64 // when the wait began, in Unix nanoseconds; 0 between waits

	mu   sync.Mutex
	stop func() bool // the timer
	over bool
}

// watch begins to look after waits, until end.
func watch(clock Clock, limit time.Duration, giveUp func()) *silence {
	s := &silence{clock: clock, limit: limit, giveUp: giveUp}
	s.arm(limit)
	return s
}

// begins and ends are around each wait.
func (s *silence) begins() { s.since.Store(s.clock.Now().UnixNano()) }
func (s *silence) ends()   { s.since.Store(0) }

func (s *silence) look() {
	left := s.limit
	if since := s.since.Load(); since != 0 {
		left -= time.Duration(s.clock.Now().UnixNano() - since)
	}
	if left > 0 {
		s.arm(left)
	} else {
		s.giveUp()
	}
}

func (s *silence) arm(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.stop = s.clock.AfterFunc(d, s.look)
	}
}

func (s *silence) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.stop()
}
