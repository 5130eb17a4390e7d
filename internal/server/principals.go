package server

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"fairway/backend"
	"fairway/internal/auth"
	"fairway/internal/config"
	"fairway/internal/inference"
	"fairway/internal/policy"
	"fairway/internal/store"
)

// callers are who may call: the principals of a configuration and a backend, and the
// keys that speak for them.
type callers struct {
	principals []policy.Principal
	named      *auth.Keys    // that the configuration names, and the developer's
	keys       *auth.Keys    // those, and what the store keeps
	apiKeys    *auth.APIKeys // of the GraphQL API
	asOf       int64         // what the store said of changes to its keys
}

// callers reads the principals of c and b. In development there is one more, the
// developer, who may do everything and has the keys that the server hands out. Service
// control policies bind them all. What c names and what cannot be used is ErrConfig,
// all of it at once.
func (s *Server) callers(c *config.Config, b *backend.Backend) (callers, error) {
	out := callers{named: auth.NewKeys(), keys: auth.NewKeys(), apiKeys: auth.NewAPIKeys(s.now)}
	controls, failed := statements(c.ServiceControlPolicies...)
	master, err := s.masterKey(c)
	failed = errors.Join(failed, err)
	for _, p := range c.Principals {
		caller := inference.Principal{Name: p.Name, ARN: p.ARN}
		allowed, err := statements(p.Policies...)
		boundary, bad := statements(p.Boundary)
		failed = errors.Join(failed, err, bad)
		out.principals = append(out.principals, policy.Principal{Principal: caller, Tags: p.Tags, Statements: allowed, Boundary: boundary})
		failed = errors.Join(failed, s.addKeys(out.named, caller, p, master))
	}
	if failed != nil {
		return callers{}, fmt.Errorf("%w: principals: %w", ErrConfig, failed)
	}
	if s.development {
		s.keys.speakFor(s.developer(), out.named)
		out.principals = append(out.principals, policy.Principal{Principal: s.developer(), Statements: []policy.Statement{{
			Effect: "Allow", Actions: []string{"bedrock:*", "appsync:GraphQL"}, Resources: []string{"*"}, At: "the built-in policy of developer",
		}}})
	}
	out.principals = append(out.principals, s.roles(c, b)...)
	for i := range out.principals {
		out.principals[i].ServiceControls = controls
	}
	return out, nil
}

// developer is the principal of the keys that the server hands out.
func (s *Server) developer() inference.Principal {
	return inference.Principal{
		Name: "developer",
		ARN:  inference.ARN("arn:aws:iam::" + s.account + ":user/developer"),
	}
}

// roles are the principals of b: those that its data sources call as, also where they
// were given no statement, and those of its identity pool. Without a statement they may
// do nothing, and are told so in the service's words.
func (s *Server) roles(c *config.Config, b *backend.Backend) []policy.Principal {
	if b == nil {
		return nil
	}
	pooled := poolRoles(b.Auth)
	all := slices.Clone(b.Principals)
	add := func(name string) {
		if !slices.ContainsFunc(all, func(p backend.Principal) bool { return p.Name == name }) {
			all = append(all, backend.Principal{Name: name})
		}
	}
	for _, ds := range b.DataSources {
		add(ds.Principal)
	}
	for _, name := range pooled {
		add(name)
	}
	var principals []policy.Principal
	for _, p := range all {
		principal := inference.ServiceRole(c.Account, p.Name)
		if slices.Contains(pooled, p.Name) {
			principal.ARN = inference.ARN("arn:aws:iam::" + c.Account + ":role/" + p.Name)
		}
		principals = append(principals, policy.Principal{Principal: principal, Statements: p.Statements})
	}
	return principals
}

// poolRoles are the roles of the identity pool beside a.
func poolRoles(a *backend.Auth) []string {
	if a == nil {
		return nil
	}
	names := []string{backend.AuthenticatedRole, backend.GuestRole}
	for _, group := range a.Groups {
		names = append(names, backend.GroupRole(group))
	}
	return names
}

// addKeys lets the keys of p speak for it; a server that only explains needs none, and
// not the secrets that they are read from.
func (s *Server) addKeys(keys *auth.Keys, caller inference.Principal, p config.Principal, master []byte) error {
	if s.explains {
		return nil
	}
	var failed error
	for _, k := range p.AccessKeys {
		secret, err := s.accessSecret(k, master)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("access key %s: %w", k.ID, err))
			continue
		}
		keys.AddAccessKey(auth.AccessKey{ID: k.ID, Name: k.ID, Secret: secret, Principal: caller})
	}
	for _, k := range p.BearerKeys {
		digest, err := k.Hash(s.env)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("bearer key of %s: %w", p.Name, err))
			continue
		}
		keys.AddBearer(auth.BearerKey{Hash: digest, Name: p.Name + "/" + lastName(k, digest), Principal: caller})
	}
	return failed
}

// lastName tells a principal's bearer keys apart: where the key is kept, or how its
// digest begins.
func lastName(k config.BearerKey, digest [sha256.Size]byte) string {
	switch kind, place, _ := strings.Cut(string(k), ":"); kind {
	case "env":
		return place
	case "file":
		return filepath.Base(place)
	}
	return hex.EncodeToString(digest[:4])
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
	if c.Master == "" || s.explains {
		return nil, nil
	}
	text, err := c.Master.Read(s.env)
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	return store.ParseMasterKey(text)
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
