package auth

import (
	"sync"

	"fairway/internal/wire/sigv4"
)

// signer is a secret and what it signs for.
type signer struct {
	secret string
	scope  sigv4.Scope
}

// signingKeys keeps the keys that good signatures were made with: clients sign for
// the same day, region and service all day long, and to derive the key is a third of
// the work of checking a signature.
type signingKeys struct {
	mu   sync.RWMutex
	keys map[signer]sigv4.Key
}

// maxSigningKeys is how many are kept. A full map, after some days, is begun anew.
const maxSigningKeys = 4096

func (s *signingKeys) get(of signer) (sigv4.Key, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	key, ok := s.keys[of]
	return key, ok
}

func (s *signingKeys) put(of signer, key sigv4.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil || len(s.keys) >= maxSigningKeys {
		s.keys = map[signer]sigv4.Key{}
	}
	s.keys[of] = key
}
