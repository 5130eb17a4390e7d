package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// SealedPrefix begins every sealed secret.
const SealedPrefix = "sealed:"

// A sealed secret is the prefix and, in base64, one byte of version, four of the
// master key's id, the nonce, and the secret under AES-256-GCM with the id of its
// access key as additional data.
const (
	masterSize  = 32
	sealVersion = 1
	keyIDSize   = 4
	nonceSize   = 12
	tagSize     = 16
	headSize    = 1 + keyIDSize + nonceSize
)

var (
	errMasterSize = errors.New("read master key: want 32 bytes in base64 or hexadecimal, as of: openssl rand -base64 32")

	// ErrNoMaster is that a secret cannot be sealed, for there is no key to do it with.
	ErrNoMaster = errors.New("seal secret: there is no master key: set master_key")
)

// ParseMasterKey reads a master key of 32 bytes: 64 hexadecimal digits, or
// base64 of either alphabet with or without padding. White space around it is no
// part of it.
func ParseMasterKey(text string) ([]byte, error) {
	text = strings.TrimSpace(text)
	if key, err := hex.DecodeString(text); err == nil && len(key) == masterSize {
		return key, nil
	}
	plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	key, err := base64.RawStdEncoding.DecodeString(plain)
	if err != nil || len(key) != masterSize {
		return nil, errMasterSize
	}
	return key, nil
}

// Seal encrypts a secret so that only the master key opens it, and only for the
// same id. It seals the same secret differently each time.
func Seal(master []byte, id string, secret []byte) (string, error) {
	aead, err := aeadOf(master)
	if err != nil {
		return "", err
	}
	sealed := make([]byte, headSize, headSize+len(secret)+tagSize)
	sealed[0] = sealVersion
	copy(sealed[1:], keyID(master))
	nonce := sealed[1+keyIDSize : headSize]
	rand.Read(nonce) // never fails, see crypto/rand
	sealed = aead.Seal(sealed, nonce, secret, []byte(id))
	return SealedPrefix + base64.StdEncoding.EncodeToString(sealed), nil
}

// Unseal opens what Seal made of id's secret. Errors tell another master key from
// damage, and hold nothing of the secret.
func Unseal(master []byte, id, sealed string) ([]byte, error) {
	aead, err := aeadOf(master)
	if err != nil {
		return nil, err
	}
	text, ok := strings.CutPrefix(sealed, SealedPrefix)
	raw, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(raw) < headSize+tagSize || raw[0] != sealVersion {
		return nil, fmt.Errorf("unseal secret of %q: this is no sealed secret: seal it anew", id)
	}
	if with := raw[1 : 1+keyIDSize]; !hmac.Equal(with, keyID(master)) {
		return nil, fmt.Errorf("unseal secret of %q: it was sealed with master key %x and this is %x: give that one, or seal it anew",
			id, with, keyID(master))
	}
	secret, err := aead.Open(nil, raw[1+keyIDSize:headSize], raw[headSize:], []byte(id))
	if err != nil {
		return nil, fmt.Errorf("unseal secret of %q: it is damaged or was sealed for another id: seal it anew", id)
	}
	return secret, nil
}

func aeadOf(master []byte) (cipher.AEAD, error) {
	switch len(master) {
	case masterSize:
	case 0:
		return nil, ErrNoMaster
	default:
		return nil, errMasterSize
	}
	block, err := aes.NewCipher(master)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// keyID tells master keys apart and says nothing of them.
func keyID(master []byte) []byte {
	mac := hmac.New(sha256.New, master)
	mac.Write([]byte("fairway master key id"))
	return mac.Sum(nil)[:keyIDSize]
}
