package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"time"

	"fairway/internal/inference"
)

// A session token is, in base64 for URLs, one byte of version, the nonce, and the
// JSON of its claims under AES-256-GCM with the version and the access key id as
// additional data. The secret key is an HMAC of id and token. So a server knows the
// credentials that any server with its secret issued, and keeps none of them.
const (
	sessionVersion = 1
	sessionPrefix  = "FWAS"
	nonceSize      = 12
	tagSize        = 16
	sessionSecret  = 32 // bytes of a server's secret
)

const (
	maxSessionToken = 8 << 10        // bytes of text
	maxSessionLife  = 36 * time.Hour // as AWS STS gives at most
)

// SessionClaims are what a session token says.
type SessionClaims struct {
	Principal string              `json:"principal"`      // by name
	ARN       inference.ARN       `json:"arn,omitempty"`  // of the session, as denials name it; empty is the principal's
	Name      string              `json:"name,omitempty"` // of the role session, or the id of the identity
	Issued    time.Time           `json:"issued"`         // in whole seconds; zero is now
	Expires   time.Time           `json:"expires"`        // in whole seconds
	Tags      map[string]string   `json:"tags,omitempty"` // as inference.Session has them
	Keys      map[string][]string `json:"keys,omitempty"` // as inference.Session has them
	Caller    inference.Caller    `json:"caller,omitzero"`
	Budget    string              `json:"budget,omitempty"`
}

// Sessions issues temporary credentials and knows them again. Its methods may be
// called concurrently.
type Sessions struct {
	aead    cipher.AEAD
	signing []byte // makes the secret keys
	now     func() time.Time
}

// NewSessions knows the credentials of every server that has this secret, of 32
// bytes; now is the clock that expires them.
func NewSessions(secret []byte, now func() time.Time) *Sessions {
	if len(secret) != sessionSecret {
		panic("auth: the secret of sessions is not 32 bytes")
	}
	derive := func(use string) []byte {
		key, err := hkdf.Key(sha256.New, secret, nil, use, sessionSecret)
		if err != nil {
			panic(err) // the size is a small constant
		}
		return key
	}
	block, err := aes.NewCipher(derive("fairway session tokens"))
	if err != nil {
		panic(err) // the size is one of AES
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // the block is AES's
	}
	return &Sessions{aead: aead, signing: derive("fairway session secret keys"), now: now}
}

// Issue makes credentials for c. Errors are of kind Validation: a session that
// begins late, is over or lasts more than 36 hours, and claims that make a token
// of more than 8 KiB.
func (s *Sessions) Issue(c SessionClaims) (AccessKey, error) {
	now := s.now()
	if c.Issued.IsZero() {
		c.Issued = now
	}
	c.Issued, c.Expires = c.Issued.UTC().Truncate(time.Second), c.Expires.UTC().Truncate(time.Second)
	if c.Issued.After(now) || !now.Before(c.Expires) || c.Expires.Sub(c.Issued) > maxSessionLife {
		return AccessKey{}, refuseSession("a session begins by now, ends later, and lasts 36 hours at most")
	}
	claims, err := json.Marshal(c)
	if err != nil {
		return AccessKey{}, refuseSession("a time has no text")
	}
	sealed := make([]byte, 1+nonceSize, 1+nonceSize+len(claims)+tagSize)
	sealed[0] = sessionVersion
	rand.Read(sealed[1:]) // never fails, see crypto/rand
	id := sessionPrefix + base32.StdEncoding.EncodeToString(random(10))
	sealed = s.aead.Seal(sealed, sealed[1:], claims, boundTo(id))
	if tokenText.EncodedLen(len(sealed)) > maxSessionToken {
		return AccessKey{}, refuseSession("names and tags take too much room in the session token")
	}
	return s.accessKey(id, tokenText.EncodeToString(sealed), c), nil
}

// Open gives the credentials of a session token and the claims in it. The principal
// has the name and the ARN that the claims say: whether it exists is the caller's to
// check. Errors are UnrecognizedClient for a token that was not issued with this id
// and this secret, and ExpiredToken.
func (s *Sessions) Open(accessKeyID, token string) (AccessKey, SessionClaims, error) {
	c, ok := s.claims(accessKeyID, token)
	switch {
	case !ok:
		return AccessKey{}, SessionClaims{}, refuse(inference.UnrecognizedClient, msgUnrecognized)
	case !s.now().Before(c.Expires):
		return AccessKey{}, SessionClaims{}, refuse(inference.ExpiredToken, msgExpired)
	}
	return s.accessKey(accessKeyID, token, c), c, nil
}

// tokenText has one text for a token, once line breaks are refused.
var tokenText = base64.RawURLEncoding.Strict()

func (s *Sessions) claims(id, token string) (SessionClaims, bool) {
	if len(token) > maxSessionToken {
		return SessionClaims{}, false
	}
	raw, err := tokenText.DecodeString(token)
	if err != nil || tokenText.EncodedLen(len(raw)) != len(token) || len(raw) < 1+nonceSize+tagSize || raw[0] != sessionVersion {
		return SessionClaims{}, false
	}
	opened, err := s.aead.Open(nil, raw[1:1+nonceSize], raw[1+nonceSize:], boundTo(id))
	if err != nil {
		return SessionClaims{}, false
	}
	var c SessionClaims
	if err := json.Unmarshal(opened, &c); err != nil {
		return SessionClaims{}, false
	}
	return c, true
}

// boundTo is the data that a token is sealed with and does not hold.
func boundTo(id string) []byte { return append([]byte{sessionVersion}, id...) }

func (s *Sessions) accessKey(id, token string, c SessionClaims) AccessKey {
	return AccessKey{
		ID:           id,
		Name:         c.Name,
		Secret:       s.secret(id, token),
		SessionToken: token,
		Expires:      c.Expires,
		Principal:    inference.Principal{Name: c.Principal, ARN: c.ARN},
		Budget:       c.Budget,
		Session:      &inference.Session{Name: c.Name, Issued: c.Issued, Tags: c.Tags, Keys: c.Keys},
		Caller:       c.Caller,
	}
}

// secret is the secret key that goes with an id and its token: 40 characters, as
// AWS's are.
func (s *Sessions) secret(id, token string) string {
	mac := hmac.New(sha256.New, s.signing)
	mac.Write([]byte(id + "\n" + token))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:30])
}

func refuseSession(why string) *inference.Error {
	return &inference.Error{Kind: inference.Validation, Op: "issue session", Message: "issue session: " + why}
}
