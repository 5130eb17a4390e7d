package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"fairway/internal/auth"
	"fairway/internal/config"
	"fairway/internal/inference"
	"fairway/internal/policy"
	"fairway/internal/store"
)

// callers are who may call: the principals of a configuration, and the keys that
// speak for them.
type callers struct {
	principals []policy.Principal
	keys       *auth.Keys
}

// callers reads the principals of c. In development there is one more, the
// developer, who may do everything and has the keys that the server hands out.
// What c names and what cannot be used is ErrConfig, all of it at once.
func (s *Server) callers(ctx context.Context, c *config.Config) (*callers, error) {
	out := &callers{keys: auth.NewKeys()}
	controls, failed := statements(c.ServiceControlPolicies...)
	master, err := s.masterKey(c)
	failed = errors.Join(failed, err)
	for _, p := range c.Principals {
		caller := inference.Principal{Name: p.Name, ARN: p.ARN}
		allowed, err := statements(p.Policies...)
		boundary, bad := statements(p.Boundary)
		failed = errors.Join(failed, err, bad)
		out.principals = append(out.principals, policy.Principal{
			Principal: caller, Statements: allowed, Boundary: boundary, ServiceControls: controls,
		})
		failed = errors.Join(failed, s.addKeys(out.keys, caller, p, master))
	}
	if failed != nil {
		return nil, fmt.Errorf("%w: principals: %w", ErrConfig, failed)
	}
	if err := s.addKept(ctx, out); err != nil {
		return nil, err
	}
	if s.development {
		s.keys.speakFor(s.developer(), out.keys)
		out.principals = append(out.principals, policy.Principal{Principal: s.developer(), Statements: []policy.Statement{{
			Effect: "Allow", Actions: []string{"bedrock:*"}, Resources: []string{"*"}, At: "the built-in policy of developer",
		}}})
	}
	return out, nil
}

// addKeys lets the keys of p speak for it.
func (s *Server) addKeys(keys *auth.Keys, caller inference.Principal, p config.Principal, master []byte) error {
	var failed error
	for _, k := range p.AccessKeys {
		secret, err := s.accessSecret(k, master)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("access key %s: %w", k.ID, err))
			continue
		}
		keys.AddAccessKey(auth.AccessKey{ID: k.ID, Secret: secret, Principal: caller})
	}
	for _, k := range p.BearerKeys {
		digest, err := k.Hash(s.env)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("bearer key of %s: %w", p.Name, err))
			continue
		}
		keys.AddBearerHash(digest, caller, time.Time{})
	}
	return failed
}

func (s *Server) accessSecret(k config.AccessKey, master []byte) (string, error) {
	if !k.Secret.Sealed() {
		return config.Secret(k.Secret).Read(s.env)
	}
	secret, err := store.Unseal(master, k.ID, string(k.Secret))
	return string(secret), err
}

// masterKey is what sealed secrets open with; nil where none is configured.
func (s *Server) masterKey(c *config.Config) ([]byte, error) {
	if c.Master == "" {
		return nil, nil
	}
	text, err := c.Master.Read(s.env)
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	return store.ParseMasterKey(text)
}

// keysWithin is how long the store may take to give its keys.
const keysWithin = 10 * time.Second

// addKept adds the keys in the store that speak for a principal of ours.
func (s *Server) addKept(ctx context.Context, c *callers) error {
	known := map[string]inference.Principal{}
	for _, p := range c.principals {
		known[p.Name] = p.Principal
	}
	ctx, cancel := context.WithTimeout(ctx, keysWithin)
	defer cancel()
	access, err := s.store.AccessKeys(ctx)
	if err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	for _, listed := range access {
		principal, ok := known[listed.Principal]
		if !ok || listed.Disabled {
			continue
		}
		key, found, err := s.store.AccessKey(ctx, listed.ID)
		if err != nil {
			return fmt.Errorf("read keys: %w", err)
		}
		if found {
			c.keys.AddAccessKey(auth.AccessKey{ID: key.ID, Secret: key.Secret, Expires: key.Expires, Principal: principal})
		}
	}
	bearers, err := s.store.BearerKeys(ctx)
	if err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	for _, key := range bearers {
		principal, ok := known[key.Principal]
		hash, bad := hex.DecodeString(key.Hash)
		if ok && bad == nil && len(hash) == sha256.Size {
			c.keys.AddBearerHash([sha256.Size]byte(hash), principal, key.Expires)
		}
	}
	return nil
}

// statements are those of some policy documents, each with its position.
func statements(documents ...config.Document) ([]policy.Statement, error) {
	var all []policy.Statement
	var failed error
	for _, d := range documents {
		if d.IsZero() {
			continue
		}
		parsed, err := policy.ParseDocument(d.Text)
		if err != nil {
			at := string(d.File)
			if at == "" && len(d.At) > 0 {
				at = d.At[0]
			}
			failed = errors.Join(failed, fmt.Errorf("%s: %s", at, inference.AsError(err).Message))
			continue
		}
		for i := range parsed.Statements {
			if i < len(d.At) {
				parsed.Statements[i].At = d.At[i]
			}
		}
		all = append(all, parsed.Statements...)
	}
	return all, failed
}
