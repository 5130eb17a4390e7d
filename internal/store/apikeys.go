package store

import (
	"context"
	"time"
)

// APIKey is a key of the GraphQL API, kept as a BearerKey is.
type APIKey BearerKey

// Good is that of a BearerKey.
func (k APIKey) Good() map[Digest]time.Time { return BearerKey(k).Good() }

// AddAPIKey is AddBearerKey for keys of the GraphQL API.
func (s *Store) AddAPIKey(ctx context.Context, k APIKey) error {
	return apiKeys.add(ctx, s, BearerKey(k))
}

// APIKeys is every key of the GraphQL API, the oldest first.
func (s *Store) APIKeys(ctx context.Context) ([]APIKey, error) {
	keys, err := apiKeys.all(ctx, s)
	all := make([]APIKey, len(keys))
	for i, k := range keys {
		all[i] = APIKey(k)
	}
	return all, err
}

// ReplaceAPIKey is ReplaceBearerKey for keys of the GraphQL API.
func (s *Store) ReplaceAPIKey(ctx context.Context, k APIKey, oldUntil time.Time) (bool, error) {
	return apiKeys.replace(ctx, s, BearerKey(k), oldUntil)
}

// ExpireAPIKey is ExpireBearerKey for keys of the GraphQL API.
func (s *Store) ExpireAPIKey(ctx context.Context, name string, at time.Time) (bool, error) {
	return apiKeys.expire(ctx, s, name, at)
}

// DeleteAPIKey is DeleteBearerKey for keys of the GraphQL API.
func (s *Store) DeleteAPIKey(ctx context.Context, name string) (bool, error) {
	return apiKeys.delete(ctx, s, name)
}
