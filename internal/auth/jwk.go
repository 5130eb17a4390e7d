package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/golang-jwt/jwt/v5"
)

// KeySet finds the public keys of a token issuer by their id. It may wait for keys
// until ctx is done. An *inference.Error is that keys cannot be had now; any other
// error is that the issuer has no such key.
type KeySet interface {
	Key(ctx context.Context, kid string) (Key, error)
}

// Key verifies the tokens of an issuer.
type Key struct {
	Public    crypto.PublicKey // *rsa.PublicKey or *ecdsa.PublicKey
	Algorithm string           // the only one that it is for, empty for all that fit it
}

// RSAKeys are the keys of an issuer in this process, nil for one that it does not have.
// They are for RS256.
type RSAKeys func(ctx context.Context, kid string) *rsa.PublicKey

// Key is the key of that id.
func (f RSAKeys) Key(ctx context.Context, kid string) (Key, error) {
	public := f(ctx, kid)
	if public == nil {
		return Key{}, errNoKey
	}
	return Key{Public: public, Algorithm: jwt.SigningMethodRS256.Alg()}, nil
}

// fits reports whether a token signed by that algorithm may be checked with the key.
// That the token says how it is signed decides nothing by itself: no key of ours is
// ever a secret, and each has its algorithms.
func (k Key) fits(algorithm string) bool {
	return slices.Contains(k.algorithms(), algorithm) && (k.Algorithm == "" || k.Algorithm == algorithm)
}

func (k Key) algorithms() []string {
	switch public := k.Public.(type) {
	case *rsa.PublicKey:
		return []string{"RS256", "RS384", "RS512", "PS256"}
	case *ecdsa.PublicKey:
		switch public.Curve {
		case elliptic.P256():
			return []string{"ES256"}
		case elliptic.P384():
			return []string{"ES384"}
		}
	}
	return nil
}

const (
	maxKeys = 64 // of a set
	minRSA  = 2048
	maxRSA  = 8192 // bits of a modulus; more would make a signature take long to check
)

// jwk is a JSON Web Key (RFC 7517, RFC 7518 section 6).
type jwk struct {
	Kty, Use, Alg, Kid string
	KeyOps             []string `json:"key_ops"`
	N, E               string
	Crv, X, Y          string
}

// parseJWKS reads a JSON Web Key Set: its keys by id, those left out that are not for
// signatures or of a kind that is not known. Of keys with the same id the first counts.
func parseJWKS(text []byte) (map[string]Key, error) {
	var set struct{ Keys []jwk }
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("read key set: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("read key set: it has %d keys, of which %d may come", len(set.Keys), maxKeys)
	}
	keys := map[string]Key{}
	for _, j := range set.Keys {
		public, err := j.public()
		if _, known := keys[j.Kid]; known || err != nil || len(j.Kid) > maxKid {
			continue
		}
		if key := (Key{Public: public, Algorithm: j.Alg}); j.Alg == "" || key.fits(j.Alg) {
			keys[j.Kid] = key
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("read key set: it has no key that verifies tokens")
	}
	return keys, nil
}

func (j jwk) public() (crypto.PublicKey, error) {
	if j.Use != "" && j.Use != "sig" || j.KeyOps != nil && !slices.Contains(j.KeyOps, "verify") {
		return nil, errors.New("not for signatures")
	}
	switch j.Kty {
	case "RSA":
		return j.rsa()
	case "EC":
		return j.ecdsa()
	}
	return nil, errors.New("not of a kind that is known")
}

func (j jwk) rsa() (*rsa.PublicKey, error) {
	n, err := base64.RawURLEncoding.DecodeString(j.N)
	if err != nil {
		return nil, err
	}
	e, err := base64.RawURLEncoding.DecodeString(j.E)
	if err != nil {
		return nil, err
	}
	modulus, exponent := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e)
	if bits := modulus.BitLen(); bits < minRSA || bits > maxRSA || modulus.Bit(0) == 0 {
		return nil, fmt.Errorf("a modulus of %d bits", bits)
	}
	if exponent.BitLen() < 2 || exponent.BitLen() > 31 || exponent.Bit(0) == 0 {
		return nil, errors.New("an exponent out of range")
	}
	return &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}, nil
}

func (j jwk) ecdsa() (*ecdsa.PublicKey, error) {
	curve, ok := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384()}[j.Crv]
	if !ok {
		return nil, errors.New("a curve that is not known")
	}
	size := curve.Params().BitSize / 8
	point := []byte{4} // uncompressed (SEC 1, section 2.3.3)
	for _, text := range []string{j.X, j.Y} {
		coordinate, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil || len(coordinate) != size {
			return nil, errors.New("a coordinate of another length than the curve's")
		}
		point = append(point, coordinate...)
	}
	return ecdsa.ParseUncompressedPublicKey(curve, point)
}
