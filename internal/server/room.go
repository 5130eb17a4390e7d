package server

import (
	"sync"
	"sync/atomic"
	"time"

	"fairway/internal/inference"
)

// room bounds what the server holds at once: calls in flight, and bytes of their
// requests, which are kept for failover until a call has ended. It implements
// front.Room. Zero limits are none.
type room struct {
	maxCalls, maxHeld atomic.Int64
	calls, held       atomic.Int64
	refused           func() // told of each refusal
}

func newRoom(calls, held int64, refused func()) *room {
	r := &room{refused: refused}
	r.limit(calls, held)
	return r
}

// limit changes the bounds; what is held already stays.
func (r *room) limit(calls, held int64) {
	r.maxCalls.Store(calls)
	r.maxHeld.Store(held)
}

// Enter takes the place of one call.
func (r *room) Enter() (leave func(), err error) {
	return r.take(&r.calls, &r.maxCalls, 1, "Too many requests, please wait before trying again.")
}

// Hold takes room for n bytes of a request.
func (r *room) Hold(n int64) (release func(), err error) {
	return r.take(&r.held, &r.maxHeld, n, "Too many tokens, please wait before trying again.")
}

func (r *room) take(used, bound *atomic.Int64, n int64, message string) (func(), error) {
	limit := bound.Load()
	for {
		now := used.Load()
		switch {
		case limit > 0 && now+n > limit:
			r.refused()
			return nil, &inference.Error{Kind: inference.Throttling, Op: "admit call", Message: message, RetryAfter: time.Second}
		case used.CompareAndSwap(now, now+n):
			return sync.OnceFunc(func() { used.Add(-n) }), nil
		}
	}
}
