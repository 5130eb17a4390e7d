package userpool

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
)

// secrets are the keys that come of the pool's secret. All servers of a pool have the
// same, so what one of them seals another opens.
type secrets struct {
	aead cipher.AEAD
	root []byte
}

func newSecrets(root []byte) *secrets {
	s := &secrets{root: root}
	block, err := aes.NewCipher(s.derive("seal", "", 32))
	if err != nil {
		panic(err) // only a wrong size
	}
	if s.aead, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		panic(err) // only a wrong block size
	}
	return s
}

// derive is n bytes that nobody foretells who has not the secret, the same for the
// same use and text.
func (s *secrets) derive(use, text string, n int) []byte {
	key, err := hkdf.Key(sha256.New, s.root, nil, use+"\x00"+text, n)
	if err != nil {
		panic(err) // only a length that SHA-256 cannot give
	}
	return key
}

// seal is v as JSON that only open reads, in base64.
func (s *secrets) seal(use string, v any) (string, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return "", failed(err)
	}
	return base64.StdEncoding.EncodeToString(s.aead.Seal(nil, nil, plain, []byte(use))), nil
}

var errSeal = errors.New("open sealed text: it was not sealed here for this use")

// open reads into v what seal made for the same use.
func (s *secrets) open(use, text string, v any) error {
	sealed, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return errSeal
	}
	plain, err := s.aead.Open(nil, nil, sealed, []byte(use))
	if err != nil {
		return errSeal
	}
	return json.Unmarshal(plain, v)
}

// mac authenticates a text for a use, hexadecimal.
func (s *secrets) mac(use, text string) string {
	mac := hmac.New(sha256.New, s.root)
	mac.Write([]byte(use + "\x00" + text))
	return hex.EncodeToString(mac.Sum(nil))
}

// digest is the SHA-256 of a token that is random enough to need no more, hexadecimal.
func digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// newToken is a random token of 256 bits, in base64 for URLs.
func newToken() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails, see crypto/rand
	return base64.RawURLEncoding.EncodeToString(b)
}

// same compares secrets, or what is kept of them, without telling where they differ.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
