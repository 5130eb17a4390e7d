package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// reaper kills a server at random moments and starts it again.
type reaper struct {
	server *server
	every  time.Duration // on average
	rand   *rand.Rand
	forget func() // the connections to a server that is no more
	early  int    // kills of a server that was starting

	mu    sync.Mutex
	kills []time.Time
	ready chan struct{} // closed while calls are let in
}

// open lets calls in.
func (r *reaper) open() {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.ready)
}

// shut holds calls back, for the server is about to be killed.
func (r *reaper) shut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kills = append(r.kills, time.Now())
	select {
	case <-r.ready:
		r.ready = make(chan struct{})
	default: // nobody was let in since the last time
	}
}

// state is how often the server was killed, and what is closed while it lets calls in.
func (r *reaper) state() (kills int, ready <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.kills), r.ready
}

// rage kills until calm ends, and leaves a server that is ready. One kill in five comes
// before the server is: what it is at then is bringing in what the last one left.
func (r *reaper) rage(calm, ctx context.Context) error {
	for ready := true; ; {
		wait := time.Duration(r.rand.ExpFloat64() * float64(r.every))
		if !ready {
			wait = time.Duration(r.rand.Int64N(int64(startTakes)))
		}
		select {
		case <-time.After(wait):
		case <-calm.Done():
			if ready {
				return nil
			}
			return r.server.ready(ctx)
		}
		if !ready {
			r.early++
		}
		r.shut()
		if err := r.server.kill(); err != nil {
			return err
		}
		r.forget()
		if err := r.server.spawn(ctx); err != nil {
			return err
		}
		if ready = r.rand.IntN(5) > 0; ready {
			if err := r.server.ready(ctx); err != nil {
				return err
			}
			r.open()
		}
	}
}

// startTakes is about how long a server takes until it is ready.
const startTakes = 150 * time.Millisecond

// letIn waits for the server, and says how often it was killed before; false where it
// will not come.
func (r *reaper) letIn(ctx context.Context) (kills int, ok bool) {
	for {
		kills, ready := r.state()
		select {
		case <-ready:
			return kills, true
		default:
		}
		select {
		case <-ready: // there may have been kills meanwhile
		case <-ctx.Done():
			return 0, false
		}
	}
}

// try makes the call of that number once the server is ready; nil where it will not be.
func (r *reaper) try(ctx context.Context, c *caller, number uint64) *trial {
	kills, ok := r.letIn(ctx)
	if !ok {
		return nil
	}
	dice := rand.New(rand.NewPCG(c.seed, number))
	t := &trial{outcome: c.make(context.WithoutCancel(ctx), number, order(killedMenu, dice), dice)}
	t.ended = time.Now()
	if now, _ := r.state(); now > kills {
		t.struck, t.problem = t.problem, nil
	}
	return t
}
