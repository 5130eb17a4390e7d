package userpool

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"net/http"
)

// ServeHTTP answers GET /{poolId}/.well-known/jwks.json and
// openid-configuration, which token verifiers read; anything else is not found.
func (p *Pool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	prefix := "/" + p.ID() + "/.well-known/"
	var document any
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	case r.URL.Path == prefix+"jwks.json":
		if _, err := p.signer.wait(r.Context()); err != nil {
			http.Error(w, "signing key is not available", http.StatusServiceUnavailable)
			return
		}
		document = p.keySet()
	case r.URL.Path == prefix+"openid-configuration":
		document = p.configuration()
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	json.NewEncoder(w).Encode(document) // a failed write is the client's to notice
}

// PublicKey is the key of that id, nil when the pool has no such key or ctx is
// done before the pool has made its first.
func (p *Pool) PublicKey(ctx context.Context, kid string) *rsa.PublicKey {
	if _, err := p.signer.wait(ctx); err != nil {
		return nil
	}
	k, ok := p.signer.find(ctx, kid)
	if !ok {
		return nil
	}
	return &k.key.PublicKey
}

// RotateKey makes a new signing key, which signs from now on. The old ones stay in
// the key set until their tokens are over.
func (p *Pool) RotateKey(ctx context.Context) error { return p.signer.rotate(ctx) }

// keySet is the pool's JSON Web Key Set (RFC 7517).
func (p *Pool) keySet() any {
	type jwk struct {
		Alg string `json:"alg"`
		E   string `json:"e"`
		Kid string `json:"kid"`
		Kty string `json:"kty"`
		N   string `json:"n"`
		Use string `json:"use"`
	}
	var keys []jwk
	for _, k := range p.signer.published() {
		n, e := modulusAndExponent(&k.key.PublicKey)
		keys = append(keys, jwk{Alg: "RS256", E: e, Kid: k.id, Kty: "RSA", N: n, Use: "sig"})
	}
	return map[string][]jwk{"keys": keys}
}

// configuration is the part of Cognito's OpenID Connect discovery document that
// holds for a pool without a hosted sign-in page.
func (p *Pool) configuration() any {
	return map[string]any{
		"issuer":                                p.issuer,
		"jwks_uri":                              p.issuer + "/.well-known/jwks.json",
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"response_types_supported":              []string{"code", "token"},
		"scopes_supported":                      []string{"openid", "email", "phone", "profile"},
		"subject_types_supported":               []string{"public"},
	}
}
