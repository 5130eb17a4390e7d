package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// BearerKey is a bearer key that speaks for a principal. Of the key itself only
// the hash is kept.
type BearerKey struct {
	Hash      string // as KeyHash gives it
	Name      string // unique among all keys, for people
	Principal string // by name
	Budget    string // by name, empty for none
	Created   time.Time
	Expires   time.Time // zero is never
	Disabled  bool

	// Before is the hash of the key that this one replaced, empty for none. It is good
	// until BeforeUntil while this one is not Disabled.
	Before      string
	BeforeUntil time.Time
}

// Digest is the SHA-256 of a key.
type Digest = [sha256.Size]byte

// Good is what lets its holder in, each until its time, the zero time being never:
// the key and the one before it, also when that time has come. A disabled key lets
// nobody in.
func (k BearerKey) Good() map[Digest]time.Time {
	good := map[Digest]time.Time{}
	if k.Disabled {
		return good
	}
	if digest, ok := digestOf(k.Before); ok && !k.BeforeUntil.IsZero() {
		good[digest] = k.BeforeUntil
	}
	if digest, ok := digestOf(k.Hash); ok {
		good[digest] = k.Expires
	}
	return good
}

func digestOf(hash string) (Digest, bool) {
	raw, err := hex.DecodeString(hash)
	if err != nil || len(raw) != sha256.Size {
		return Digest{}, false
	}
	return Digest(raw), true
}

// KeyHash is what is kept of a bearer key or an API key: its SHA-256, hexadecimal.
func KeyHash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// AddBearerKey keeps a key, which nothing is Before. Created is set to now when it is
// zero. The error is of kind Conflict when the key is kept, or any key of that name.
func (s *Store) AddBearerKey(ctx context.Context, k BearerKey) error {
	return bearerKeys.add(ctx, s, k)
}

// BearerKeys is every key, the oldest first.
func (s *Store) BearerKeys(ctx context.Context) ([]BearerKey, error) {
	return bearerKeys.all(ctx, s)
}

// ReplaceBearerKey puts k, by its Hash, Created and Expires, in the place of the key of
// its Name, which goes on being good until oldUntil, the zero time being now; one that
// was replaced before is over. It reports false when there is none of that name. The
// error is of kind Conflict when the key is kept already.
func (s *Store) ReplaceBearerKey(ctx context.Context, k BearerKey, oldUntil time.Time) (bool, error) {
	return bearerKeys.replace(ctx, s, k, oldUntil)
}

// ExpireBearerKey says when a key, named so, is over, and with it the one before it;
// the zero time is never. It reports false when there is none.
func (s *Store) ExpireBearerKey(ctx context.Context, name string, at time.Time) (bool, error) {
	return bearerKeys.expire(ctx, s, name, at)
}

// DeleteBearerKey forgets a key by its name. It reports false when there is none.
func (s *Store) DeleteBearerKey(ctx context.Context, name string) (bool, error) {
	return bearerKeys.delete(ctx, s, name)
}
