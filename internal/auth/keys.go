// Package auth finds out who calls. Bedrock knows callers by SigV4 signature or
// bearer key, GraphQL by API key or user-pool token. What a caller may do is the
// business of package policy.
package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"maps"
	"strings"
	"sync"
	"time"

	"fairway/internal/inference"
	"fairway/internal/wire/sigv4"
)

// AccessKey is a key pair that signs requests as a principal.
type AccessKey struct {
	ID        string
	Secret    string
	Name      string // for people, empty for none, as it is of temporary credentials
	Principal inference.Principal
	Budget    string    // by name, empty for none
	Expires   time.Time // zero is never

	// Of temporary credentials.
	SessionToken string             // which requests must carry
	Session      *inference.Session // that they are of
	Caller       inference.Caller   // who is behind it
}

// BearerKey is a bearer key that speaks for a principal.
type BearerKey struct {
	Hash      [sha256.Size]byte // SHA-256 of the key
	Name      string            // for people, empty for none
	Principal inference.Principal
	Budget    string    // by name, empty for none
	Expires   time.Time // zero is never
}

// Keys holds the access keys and bearer keys of principals, in memory: those that
// are good, or were until they expired. Access key secrets are kept as they are, for
// signatures are checked with them; of bearer keys only the hash is kept. Its methods
// may be called concurrently.
type Keys struct {
	mu     sync.RWMutex
	access map[string]AccessKey
	bearer map[digest]BearerKey

	signing signingKeys
}

// digest is a SHA-256. Looking a key up by its digest takes a time that says
// nothing of the key.
type digest [sha256.Size]byte

func digestOf(key string) digest { return sha256.Sum256([]byte(key)) }

// NewKeys holds no keys.
func NewKeys() *Keys {
	return &Keys{access: map[string]AccessKey{}, bearer: map[digest]BearerKey{}}
}

// AddAccessKey adds key or replaces the one of its ID.
func (k *Keys) AddAccessKey(key AccessKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.access[key.ID] = key
}

// AddBearer adds key or replaces the one of its Hash.
func (k *Keys) AddBearer(key BearerKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.bearer[key.Hash] = key
}

// AddBearerKey lets key speak for p, in whose name it is.
func (k *Keys) AddBearerKey(key string, p inference.Principal) {
	k.AddBearer(BearerKey{Hash: digestOf(key), Name: p.Name, Principal: p})
}

func (k *Keys) accessKey(id string) (AccessKey, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	key, ok := k.access[id]
	return key, ok
}

func (k *Keys) bearerKey(key string) (BearerKey, bool) {
	hash := digestOf(key)
	k.mu.RLock()
	defer k.mu.RUnlock()
	known, ok := k.bearer[hash]
	return known, ok
}

// verify reports whether the holder of secret made the signature.
func (k *Keys) verify(a sigv4.Authorization, signed sigv4.Request, secret string, at time.Time) bool {
	s := signer{secret, a.Scope}
	key, known := k.signing.get(s)
	if !known {
		key = a.Scope.Key(secret)
	}
	ok := a.Verify(signed, key, at)
	if ok && !known {
		k.signing.put(s, key)
	}
	return ok
}

// NewAccessKey makes a random key pair for p. The ID's prefix differs from AWS's
// so that neither people nor secret scanners take it for an AWS key.
func NewAccessKey(p inference.Principal) AccessKey {
	return AccessKey{
		ID:        "FWAK" + base32.StdEncoding.EncodeToString(random(10)),
		Secret:    base64.RawURLEncoding.EncodeToString(random(30)),
		Principal: p,
	}
}

// NewBearerKey makes a random bearer key.
func NewBearerKey() string {
	return "fairway-api-key-" + base64.RawURLEncoding.EncodeToString(random(30))
}

// NewAPIKey makes a random GraphQL API key in AppSync's form: "da2-" and 26
// lower-case letters and digits.
func NewAPIKey() string {
	return "da2-" + strings.ToLower(base32.StdEncoding.EncodeToString(random(20))[:26])
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails, see crypto/rand
	return b
}

// Replace holds the keys of other from now on, and not those of before.
func (k *Keys) Replace(other *Keys) {
	other.mu.RLock()
	defer other.mu.RUnlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.access, k.bearer = maps.Clone(other.access), maps.Clone(other.bearer)
}
