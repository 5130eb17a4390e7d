package userpool

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"path/filepath"

	"github.com/golang-jwt/jwt/v5"
)

const keyFile = "signing-key.pem"

// signer holds the signing key, which takes a fifth of a second to make. Only
// the goroutine that closes ready writes the other fields.
type signer struct {
	ready chan struct{}
	key   *rsa.PrivateKey
	kid   string
	err   error
}

// newSigner reads the key of dir, or starts making one.
func newSigner(dir directory) (*signer, error) {
	s := &signer{ready: make(chan struct{})}
	data, err := dir.read(keyFile)
	if err != nil {
		return nil, err
	}
	if data == nil {
		go func() {
			defer close(s.ready)
			s.key, s.err = makeKey(dir)
			if s.err == nil {
				s.kid = thumbprint(&s.key.PublicKey)
			}
		}()
		return s, nil
	}
	defer close(s.ready)
	s.key, err = parseKey(data)
	if err != nil {
		return nil, fmt.Errorf("open user pool: %s: %w: delete it to make a new key", filepath.Join(string(dir), keyFile), err)
	}
	s.kid = thumbprint(&s.key.PublicKey)
	return s, nil
}

func makeKey(dir directory) (*rsa.PrivateKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	return key, dir.write(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func parseKey(data []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("no PEM block")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("a key of type %T, want RSA", parsed)
	}
	return key, nil
}

// wait returns once the key is there.
func (s *signer) wait(ctx context.Context) error {
	select {
	case <-s.ready:
		return s.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sign makes a JWT of the claims; the key must be there.
func (s *signer) sign(claims jwt.MapClaims) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = s.kid
	delete(token.Header, "typ") // Cognito's header has alg and kid only
	return token.SignedString(s.key)
}

// PublicKey is the key of that id, nil when the pool has no such key or ctx is
// done before the pool has made its key.
func (p *Pool) PublicKey(ctx context.Context, kid string) *rsa.PublicKey {
	if err := p.signer.wait(ctx); err != nil || kid != p.signer.kid {
		return nil
	}
	return &p.signer.key.PublicKey
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
