package store

import (
	"context"
	"sync"
	"time"

	"fairway/internal/inference"
)

// A profile that was read is good for freshFor: so long a server may still run
// calls of one that another server deleted. What is remembered is bounded.
const (
	freshFor  = 5 * time.Second
	maxRecent = 10_000
)

// Recent gives application profiles to model calls, which ask for the same few
// again and again. It remembers what exists and reads what does not each time, so
// that a new profile can be called at once, on every server. It is safe for
// concurrent use, and nobody may modify what it gives.
type Recent struct {
	store *Store

	mu      sync.RWMutex
	changes int // counts what this server changed
	read    map[inference.ARN]recent
}

type recent struct {
	inference.Application
	until time.Time
}

// Recent is the store's profiles for model calls.
func (s *Store) Recent() *Recent { return s.recent }

// readWithin is how long the database may take to answer a model call.
const readWithin = 2 * time.Second

// Application is Store's, up to five seconds old where another server made the
// last change, and as it was last read while the database does not answer.
func (r *Recent) Application(ctx context.Context, arn inference.ARN) (inference.Application, bool, error) {
	now := r.store.now()
	r.mu.RLock()
	known, ok := r.read[arn]
	changes := r.changes
	r.mu.RUnlock()
	if ok && now.Before(known.until) {
		return known.Application, true, nil
	}
	reading, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	a, exists, err := r.store.Application(reading, arn)
	switch {
	case exists:
		r.keep(arn, recent{a, now.Add(freshFor)}, changes)
	case err != nil && ok && ctx.Err() == nil:
		return known.Application, true, nil
	}
	return a, exists, err
}

// keep remembers a reading, unless something was changed since it began.
func (r *Recent) keep(arn inference.ARN, known recent, changes int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changes != changes {
		return
	}
	if len(r.read) >= maxRecent {
		clear(r.read)
	}
	r.read[arn] = known
}

// forget makes the next call read a profile again.
func (r *Recent) forget(arn inference.ARN) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes++
	delete(r.read, arn)
}
