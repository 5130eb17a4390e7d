package auth

import (
	"crypto/sha256"
	"maps"
	"sync"
	"time"
)

// APIKey is a key of a GraphQL API.
type APIKey struct {
	Hash      [sha256.Size]byte // SHA-256 of the key
	Name      string            // for people, empty for none
	Principal string            // by name, empty where the key speaks for nobody
	Budget    string            // by name, empty for none
	Expires   time.Time         // zero is never
}

// APIKeys holds the API keys of a GraphQL API, as hashes: those that are good, or
// were until they expired. Its methods may be called concurrently.
type APIKeys struct {
	now  func() time.Time
	mu   sync.RWMutex
	keys map[digest]APIKey
}

// NewAPIKeys holds no keys; now is the clock that expires them.
func NewAPIKeys(now func() time.Time) *APIKeys {
	return &APIKeys{now: now, keys: map[digest]APIKey{}}
}

// AddKey adds key or replaces the one of its Hash.
func (k *APIKeys) AddKey(key APIKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys[key.Hash] = key
}

// Lookup is what is known of a key. It reports false for one that is not known or has
// expired.
func (k *APIKeys) Lookup(key string) (APIKey, bool) {
	hash := digestOf(key)
	k.mu.RLock()
	known, ok := k.keys[hash]
	k.mu.RUnlock()
	if !ok || !known.Expires.IsZero() && !k.now().Before(known.Expires) {
		return APIKey{}, false
	}
	return known, true
}

// Replace holds the keys of other from now on, and not those of before.
func (k *APIKeys) Replace(other *APIKeys) {
	other.mu.RLock()
	defer other.mu.RUnlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = maps.Clone(other.keys)
}
