package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Secret says where a secret is kept: "env:NAME" or "file:/path". It never holds
// the secret itself, so it may be printed. The zero Secret is unset.
type Secret string

// UnmarshalText refuses anything but a reference, without repeating it: it may
// be the secret.
func (s *Secret) UnmarshalText(text []byte) error {
	kind, name, _ := strings.Cut(string(text), ":")
	if len(text) > 0 && (name == "" || kind != "env" && kind != "file") {
		return errors.New(`want a reference to a secret, "env:NAME" or "file:/path"`)
	}
	*s = Secret(text)
	return nil
}

// MarshalText writes the reference.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s), nil }

// Read fetches the secret, without the line end of a file. An unset or empty
// secret is an error.
func (s Secret) Read(env func(name string) (value string, ok bool)) (string, error) {
	value := ""
	switch kind, name, _ := strings.Cut(string(s), ":"); kind {
	case "env":
		value, _ = env(name)
	case "file":
		data, err := readFile(name)
		if err != nil {
			return "", fmt.Errorf("read secret: %w", err)
		}
		value = strings.TrimRight(string(data), "\r\n")
	}
	if value == "" {
		return "", fmt.Errorf("read secret: nothing at %q, set it or name another place", string(s))
	}
	return value, nil
}

// KeySecret is the secret of an access key: a reference to it, or "sealed:" and
// the secret as "fairway config seal" writes it.
type KeySecret string

const sealedPrefix = "sealed:"

// UnmarshalText refuses clear text, without repeating it.
func (s *KeySecret) UnmarshalText(text []byte) error {
	sealed, ok := bytes.CutPrefix(text, []byte(sealedPrefix))
	_, encoding := base64.StdEncoding.DecodeString(string(sealed))
	if ok && (len(sealed) == 0 || encoding != nil) || !ok && new(Secret).UnmarshalText(text) != nil {
		return errors.New(`want a secret that "fairway config seal" wrote, "sealed:BASE64", or a reference to one, "env:NAME" or "file:/path"`)
	}
	*s = KeySecret(text)
	return nil
}

// Sealed reports whether s has to be opened with the master key. All others are
// read as a [Secret] is.
func (s KeySecret) Sealed() bool { return strings.HasPrefix(string(s), sealedPrefix) }

// BearerKey is a bearer key by reference, or by its hash: "sha256:" and the digest
// in hexadecimal.
type BearerKey string

const hashPrefix = "sha256:"

// UnmarshalText refuses clear text, without repeating it.
func (k *BearerKey) UnmarshalText(text []byte) error {
	digest, ok := bytes.CutPrefix(text, []byte(hashPrefix))
	raw, err := hex.DecodeString(string(digest))
	isHash := ok && err == nil && len(raw) == sha256.Size
	if !isHash && (ok || len(text) == 0 || new(Secret).UnmarshalText(text) != nil) {
		return errors.New(`want a reference to a bearer key, "env:NAME" or "file:/path", or "sha256:" and its digest in 64 hexadecimal digits`)
	}
	*k = BearerKey(text)
	return nil
}

// Hash is the SHA-256 of the key, which is read where k refers to it.
func (k BearerKey) Hash(env func(name string) (value string, ok bool)) (digest [sha256.Size]byte, err error) {
	if text, ok := strings.CutPrefix(string(k), hashPrefix); ok {
		_, err = hex.Decode(digest[:], []byte(text))
		return digest, err
	}
	key, err := Secret(k).Read(env)
	if err != nil {
		return digest, err
	}
	return sha256.Sum256([]byte(key)), nil
}

// maxFile is the most that a file may hold that is named here, in bytes.
const maxFile = 1 << 20

// readFile reads a file whole: a regular one, or what a container mounts as one.
func readFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s has more than %d bytes", name, maxFile)
	}
	return data, err
}
