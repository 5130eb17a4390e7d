package userpool

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"fairway/internal/store"
)

const (
	keyLife     = 90 * 24 * time.Hour      // of a signing key, then there is a new one
	keyLinger   = maxTokenLife + time.Hour // of a retired one: its last tokens, and servers that learn of it late
	reloadEvery = 2 * time.Second          // at most, for keys that nobody knows
)

// signer holds the pool's signing keys as the store has them. Making one takes a
// fifth of a second.
type signer struct {
	store *store.Store
	pool  string // its id
	now   func() time.Time
	ready chan struct{} // closed once there is a key, or making the first failed
	once  sync.Once     // closes ready

	mu   sync.RWMutex
	keys []signingKey // the newest first

	making    sync.Mutex // one key at a time
	reloading sync.Mutex
	reloaded  time.Time // for a key that was not known; under reloading
}

type signingKey struct {
	id      string // kid, the key's thumbprint
	key     *rsa.PrivateKey
	created time.Time
	retired time.Time // zero: it signs
}

func newSigner(kept *store.Store, pool string, now func() time.Time) *signer {
	return &signer{store: kept, pool: pool, now: now, ready: make(chan struct{})}
}

// load reads the keys. A key is parsed once.
func (s *signer) load(ctx context.Context) error {
	kept, err := s.store.SigningKeys(ctx, s.pool)
	if err != nil {
		return err
	}
	keys := make([]signingKey, len(kept))
	for i, k := range kept {
		if keys[i], err = s.parsed(k); err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.keys = keys
	s.mu.Unlock()
	if _, ok := s.current(); ok {
		s.once.Do(func() { close(s.ready) })
	}
	return nil
}

func (s *signer) parsed(k store.SigningKey) (signingKey, error) {
	known, ok := s.known(k.ID)
	if !ok {
		key, err := x509.ParsePKCS8PrivateKey(k.Key)
		if err != nil {
			return signingKey{}, fmt.Errorf("read signing key %s: %w", k.ID, err)
		}
		if known.key, ok = key.(*rsa.PrivateKey); !ok {
			return signingKey{}, fmt.Errorf("read signing key %s: a key of type %T, want RSA", k.ID, key)
		}
	}
	return signingKey{k.ID, known.key, k.Created, k.Retired}, nil
}

// known is the key of an id, as far as this server knows.
func (s *signer) known(id string) (signingKey, bool) {
	for _, k := range s.all() {
		if k.id == id {
			return k, true
		}
	}
	return signingKey{}, false
}

func (s *signer) all() []signingKey {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.keys // replaced, never modified
}

// published are the keys whose tokens may still live.
func (s *signer) published() []signingKey {
	var keys []signingKey
	for _, k := range s.all() {
		if !k.over(s.now()) {
			keys = append(keys, k)
		}
	}
	return keys
}

func (k signingKey) over(now time.Time) bool {
	return !k.retired.IsZero() && now.Sub(k.retired) > keyLinger
}

// current is the key that signs.
func (s *signer) current() (signingKey, bool) {
	for _, k := range s.all() {
		if k.retired.IsZero() {
			return k, true
		}
	}
	return signingKey{}, false
}

// wait is the key that signs, once there is one.
func (s *signer) wait(ctx context.Context) (signingKey, error) {
	select {
	case <-s.ready:
	case <-ctx.Done():
		return signingKey{}, ctx.Err()
	}
	k, ok := s.current()
	if !ok {
		return signingKey{}, fmt.Errorf("sign token: pool %s has no signing key", s.pool)
	}
	return k, nil
}

// renew makes a key when there is none, or when the newest is old.
func (s *signer) renew(ctx context.Context) error {
	defer s.once.Do(func() { close(s.ready) })
	if k, ok := s.current(); ok && s.now().Sub(k.created) < keyLife {
		return nil
	}
	return s.rotate(ctx)
}

// rotate makes the key that signs from now on and retires the others.
func (s *signer) rotate(ctx context.Context) error {
	s.making.Lock()
	defer s.making.Unlock()
	before := s.all()
	if err := s.add(ctx); err != nil {
		return err
	}
	for _, k := range before {
		if !k.retired.IsZero() {
			continue
		}
		if _, err := s.store.RetireSigningKey(ctx, k.id, s.now()); err != nil {
			return err
		}
	}
	return s.load(ctx)
}

func (s *signer) add(ctx context.Context) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return fmt.Errorf("make signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("make signing key: %w", err)
	}
	return s.store.AddSigningKey(ctx, store.SigningKey{
		ID: thumbprint(&key.PublicKey), Pool: s.pool, Key: der, Created: s.now(),
	})
}

// forget deletes the keys whose tokens have all expired.
func (s *signer) forget(ctx context.Context) error {
	for _, k := range s.all() {
		if !k.over(s.now()) {
			continue
		}
		if _, err := s.store.DeleteSigningKey(ctx, k.id); err != nil {
			return err
		}
	}
	return nil
}

// sign makes a JWT of the claims.
func (k signingKey) sign(claims jwt.MapClaims) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = k.id
	delete(token.Header, "typ") // Cognito's header has alg and kid only
	return token.SignedString(k.key)
}

// find is the key of an id. One that is not known may be new and another server's, so
// the store is asked, but not each time somebody makes up a key.
func (s *signer) find(ctx context.Context, id string) (signingKey, bool) {
	if k, ok := s.known(id); ok {
		return k, !k.over(s.now())
	}
	s.reloading.Lock()
	defer s.reloading.Unlock()
	if now := s.now(); now.Sub(s.reloaded) >= reloadEvery {
		s.reloaded = now
		if err := s.load(ctx); err != nil {
			return signingKey{}, false
		}
	}
	return s.known(id)
}

// thumbprint is the key's JWK thumbprint (RFC 7638).
func thumbprint(key *rsa.PublicKey) string {
	n, e := modulusAndExponent(key)
	sum := sha256.Sum256([]byte(`{"e":"` + e + `","kty":"RSA","n":"` + n + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// modulusAndExponent are the n and e of a JWK.
func modulusAndExponent(key *rsa.PublicKey) (n, e string) {
	encode := base64.RawURLEncoding.EncodeToString
	return encode(key.N.Bytes()), encode(big.NewInt(int64(key.E)).Bytes())
}
