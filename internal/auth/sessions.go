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

// claims are what a session token says.
type claims struct {
	Principal string              `json:"principal"`      // by name
	ARN       inference.ARN       `json:"arn,omitempty"`  // of the session, as denials name it; empty is the principal's
	Name      string              `json:"name,omitempty"` // of the role session
	Issued    time.Time           `json:"issued"`         // in whole seconds
	Expires   time.Time           `json:"expires"`        // in whole seconds
	Tags      map[string]string   `json:"tags,omitempty"` // as inference.Session has them
	Keys      map[string][]string `json:"keys,omitempty"` // as inference.Session has them
	Caller    inference.Caller    `json:"caller,omitzero"`
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

// Issue makes credentials of a session; one that does not say when it begins begins
// now. Times are in whole seconds. Errors are of kind Validation: a session that begins
// late, is over or lasts more than 36 hours, and one of which so much is to be said that
// its token would be longer than 8 KiB.
func (s *Sessions) Issue(t inference.TemporarySession) (inference.TemporaryCredentials, error) {
	now := s.now()
	if t.Session.Issued.IsZero() {
		t.Session.Issued = now
	}
	begins, ends := t.Session.Issued.UTC().Truncate(time.Second), t.Expires.UTC().Truncate(time.Second)
	if begins.After(now) || !now.Before(ends) || ends.Sub(begins) > maxSessionLife {
		return inference.TemporaryCredentials{}, refuseSession("a session begins by now, ends later, and lasts 36 hours at most")
	}
	id := sessionPrefix + base32.StdEncoding.EncodeToString(random(10))
	token, err := s.seal(id, claims{t.Principal, t.ARN, t.Session.Name, begins, ends, t.Session.Tags, t.Session.Keys, t.Caller})
	if err != nil {
		return inference.TemporaryCredentials{}, err
	}
	return inference.TemporaryCredentials{AccessKeyID: id, SecretAccessKey: s.secret(id, token), SessionToken: token, Expires: ends}, nil
}

// seal is the token of a session.
func (s *Sessions) seal(id string, c claims) (string, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return "", refuseSession("a time has no text")
	}
	sealed := make([]byte, 1+nonceSize, 1+nonceSize+len(text)+tagSize)
	sealed[0] = sessionVersion
	rand.Read(sealed[1:]) // never fails, see crypto/rand
	sealed = s.aead.Seal(sealed, sealed[1:], text, boundTo(id))
	if tokenText.EncodedLen(len(sealed)) > maxSessionToken {
		return "", refuseSession("names and tags take too much room in the session token")
	}
	return tokenText.EncodeToString(sealed), nil
}

// Open gives the credentials of a session token. The principal has the name and the ARN
// that the token says: whether it exists is the caller's to check. Errors are
// UnrecognizedClient for a token that was not issued with this id and this secret, and
// ExpiredToken.
func (s *Sessions) Open(accessKeyID, token string) (AccessKey, error) {
	c, ok := s.unseal(accessKeyID, token)
	switch {
	case !ok:
		return AccessKey{}, refuse(inference.UnrecognizedClient, msgUnrecognized)
	case !s.now().Before(c.Expires):
		return AccessKey{}, refuse(inference.ExpiredToken, msgExpired)
	}
	return AccessKey{
		ID:           accessKeyID,
		Secret:       s.secret(accessKeyID, token),
		Principal:    inference.Principal{Name: c.Principal, ARN: c.ARN},
		Expires:      c.Expires,
		SessionToken: token,
		Session:      &inference.Session{Name: c.Name, Issued: c.Issued, Tags: c.Tags, Keys: c.Keys},
		Caller:       c.Caller,
	}, nil
}

// tokenText has one text for a token, once line breaks are refused.
var tokenText = base64.RawURLEncoding.Strict()

// unseal is what a token says. It reports false for one that seal did not make for id.
func (s *Sessions) unseal(id, token string) (claims, bool) {
	if len(token) > maxSessionToken {
		return claims{}, false
	}
	raw, err := tokenText.DecodeString(token)
	if err != nil || tokenText.EncodedLen(len(raw)) != len(token) || len(raw) < 1+nonceSize+tagSize || raw[0] != sessionVersion {
		return claims{}, false
	}
	opened, err := s.aead.Open(nil, raw[1:1+nonceSize], raw[1+nonceSize:], boundTo(id))
	if err != nil {
		return claims{}, false
	}
	var c claims
	if err := json.Unmarshal(opened, &c); err != nil {
		return claims{}, false
	}
	return c, true
}

// boundTo is the data that a token is sealed with and does not hold.
func boundTo(id string) []byte { return append([]byte{sessionVersion}, id...) }

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
