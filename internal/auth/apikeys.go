package auth

import (
	"sync"
	"time"
)

// APIKeys holds the API keys of a GraphQL API, as hashes. Its methods may be
// called concurrently.
type APIKeys struct {
	now     func() time.Time
	mu      sync.RWMutex
	expires map[digest]time.Time
}

// NewAPIKeys holds no keys; now is the clock that expires them.
func NewAPIKeys(now func() time.Time) *APIKeys {
	return &APIKeys{now: now, expires: map[digest]time.Time{}}
}

// Add lets key in until expires; the zero time is never.
func (k *APIKeys) Add(key string, expires time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.expires[digestOf(key)] = expires
}

// Valid reports whether key is known and has not expired.
func (k *APIKeys) Valid(key string) bool {
	k.mu.RLock()
	expires, ok := k.expires[digestOf(key)]
	k.mu.RUnlock()
	return ok && (expires.IsZero() || k.now().Before(expires))
}
