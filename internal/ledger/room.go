package ledger

import (
	"sync"
	"sync/atomic"
)

// room shares out the journal among calls, so that one that runs can be settled.
type room struct {
	limit   int64
	journal *atomic.Int64 // bytes that are in it
	queue   *atomic.Int64 // that may have to go there

	mu       sync.Mutex
	held     map[string]int64 // bytes by record id, of the calls that run
	reserved int64            // all of them
	bounded  bool             // everything goes to the journal; else to the store, which has no bound
}

// reserve holds bytes for a call until release, and reports whether there are so many.
func (r *room) reserve(id string, bytes int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.has(bytes) {
		return false
	}
	r.reserved += bytes - r.held[id]
	r.held[id] = bytes
	return true
}

// release reports whether anything was reserved.
func (r *room) release(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	bytes, ok := r.held[id]
	r.reserved -= bytes
	delete(r.held, id)
	return ok
}

// fits reports whether bytes may be written for which nothing was reserved.
func (r *room) fits(bytes int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.has(bytes)
}

func (r *room) has(bytes int64) bool {
	return !r.bounded || r.journal.Load()+r.queue.Load()+r.reserved+bytes <= r.limit
}

func (r *room) bound(bounded bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bounded = bounded
}

func (r *room) isBounded() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bounded
}

func (r *room) running() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.held)
}
