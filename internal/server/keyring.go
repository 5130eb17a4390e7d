package server

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"fairway/internal/auth"
	"fairway/internal/inference"
)

// keysEvery is how often a server asks its store whether keys have changed: for so long
// a key that another server took back is good here.
const keysEvery = 5 * time.Second

// keysWithin is how long the store may take to give its keys.
const keysWithin = 10 * time.Second

// ownAPIKey is the name of the API key that clients are given in fairway_outputs.json.
const ownAPIKey = "api_key" // as it is called there

// followKeys takes up the keys that change in the store, until ctx ends.
func (s *Server) followKeys(ctx context.Context) {
	tick := time.NewTicker(keysEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.takeUpKeys(ctx)
		}
	}
}

// takeUpKeys reads the keys again where they have changed. While the store does not
// answer, those that were there go on.
func (s *Server) takeUpKeys(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, keysWithin)
	defer cancel()
	s.changing.Lock()
	defer s.changing.Unlock()
	served := s.app.Load()
	changed, err := s.store.KeysChanged(ctx)
	if err != nil || changed == served.asOf {
		return
	}
	fresh := callers{principals: served.principals, named: served.named, keys: auth.NewKeys(), apiKeys: auth.NewAPIKeys(s.now)}
	if err := s.readKeys(ctx, &fresh); err != nil {
		s.log.Warn("keys not read again, those that were there go on", "error", err)
		return
	}
	served.keys.Replace(fresh.keys)
	served.apiKeys.Replace(fresh.apiKeys)
	served.asOf = fresh.asOf
}

// readKeys adds what the store keeps to the keys of c that its configuration names. How
// often keys have changed is asked first, so that no change is missed.
func (s *Server) readKeys(ctx context.Context, c *callers) (err error) {
	ctx, cancel := context.WithTimeout(ctx, keysWithin)
	defer cancel()
	defer func() {
		if err != nil {
			err = fmt.Errorf("read keys: %w", err)
		}
	}()
	if c.asOf, err = s.store.KeysChanged(ctx); err != nil {
		return err
	}
	c.keys.Replace(c.named)
	speaks := map[string]inference.Principal{}
	for _, p := range c.principals {
		speaks[p.Name] = p.Principal
	}
	if err := s.addAccessKeys(ctx, c, speaks); err != nil {
		return err
	}
	bearers, err := s.store.BearerKeys(ctx)
	if err != nil {
		return err
	}
	for _, k := range bearers {
		principal, ok := speaks[k.Principal]
		if !ok {
			continue // its principal is not there any more
		}
		for hash, until := range k.Good() {
			c.keys.AddBearer(auth.BearerKey{Hash: hash, Name: k.Name, Principal: principal, Budget: k.Budget, Expires: until})
		}
	}
	return s.addAPIKeys(ctx, c)
}

func (s *Server) addAccessKeys(ctx context.Context, c *callers, speaks map[string]inference.Principal) error {
	all, err := s.store.AccessKeys(ctx)
	if err != nil {
		return err
	}
	for _, listed := range all {
		principal, ok := speaks[listed.Principal]
		if !ok || listed.Disabled {
			continue
		}
		key, found, err := s.store.AccessKey(ctx, listed.ID)
		if err != nil {
			return err
		}
		if found {
			c.keys.AddAccessKey(auth.AccessKey{ID: key.ID, Name: key.Name, Secret: key.Secret, Budget: key.Budget, Expires: key.Expires, Principal: principal})
		}
	}
	return nil
}

func (s *Server) addAPIKeys(ctx context.Context, c *callers) error {
	c.apiKeys.AddKey(auth.APIKey{Hash: sha256.Sum256([]byte(s.keys.APIKey)), Name: ownAPIKey, Expires: s.keys.APIKeyExpires})
	all, err := s.store.APIKeys(ctx)
	if err != nil {
		return err
	}
	for _, k := range all {
		for hash, until := range k.Good() {
			c.apiKeys.AddKey(auth.APIKey{Hash: hash, Name: k.Name, Principal: k.Principal, Budget: k.Budget, Expires: until})
		}
	}
	return nil
}
