package server

import (
	"context"
	"fmt"
	"sync"
	"time"

	"fairway/internal/auth"
	"fairway/internal/config"
	"fairway/internal/inference"
)

// keysEvery is how often a server asks its store whether keys have changed: for so long
// a key that another server took back is good here.
const keysEvery = 5 * time.Second

// keysWithin is how long the store may take to give its keys.
const keysWithin = 10 * time.Second

// following is a loop beside the server. The zero following runs none.
type following struct {
	stop  context.CancelFunc
	ended sync.WaitGroup
}

func (f *following) begin(run func(context.Context)) {
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop
	f.ended.Go(func() { run(ctx) })
}

// end ends the loop, and waits for that.
func (f *following) end() {
	if f.stop != nil {
		f.stop()
	}
	f.ended.Wait()
}

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
	changed, err := s.store.KeysChanged(ctx)
	if err != nil || changed == s.keysSeen.Load() {
		return
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	served, fresh := s.app.Load(), &app{}
	err = s.readKeys(ctx, fresh, served.config)
	if err != nil {
		s.log.Warn("keys not read again, those that were there go on", "error", err)
		return
	}
	served.keys.Replace(fresh.keys)
	served.apiKeys.Replace(fresh.apiKeys)
}

// readKeys reads the principals of c and all keys for a, and remembers as of which
// change: that is asked first, so that none is missed.
func (s *Server) readKeys(ctx context.Context, a *app, c *config.Config) error {
	ctx, cancel := context.WithTimeout(ctx, keysWithin)
	defer cancel()
	changed, err := s.store.KeysChanged(ctx)
	if err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	if a.callers, err = s.callers(ctx, c); err != nil {
		return err
	}
	kept, err := s.store.APIKeys(ctx)
	if err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	a.apiKeys = auth.NewAPIKeys(s.now)
	a.apiKeys.Add(s.keys.APIKey, s.keys.APIKeyExpires)
	for _, k := range kept {
		for hash, until := range k.Good() {
			a.apiKeys.AddKey(auth.APIKey{Hash: hash, Name: k.Name, Principal: k.Principal, Budget: k.Budget, Expires: until})
		}
	}
	s.keysSeen.Store(changed)
	return nil
}

// addKept adds the keys in the store that speak for a principal of ours.
func (s *Server) addKept(ctx context.Context, c *callers) error {
	known := map[string]inference.Principal{}
	for _, p := range c.principals {
		known[p.Name] = p.Principal
	}
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
			c.keys.AddAccessKey(auth.AccessKey{ID: key.ID, Name: key.Name, Secret: key.Secret, Budget: key.Budget, Expires: key.Expires, Principal: principal})
		}
	}
	bearers, err := s.store.BearerKeys(ctx)
	if err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	for _, k := range bearers {
		principal, ok := known[k.Principal]
		if !ok {
			continue
		}
		for hash, until := range k.Good() {
			c.keys.AddBearer(auth.BearerKey{Hash: hash, Name: k.Name, Principal: principal, Budget: k.Budget, Expires: until})
		}
	}
	return nil
}
