package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"fairway/internal/auth"
	"fairway/internal/inference"
	"fairway/internal/outputs"
	"fairway/internal/userpool"
)

const keysFile = "keys.json"

// apiKeyLife is how long a GraphQL API key is good for when the backend does not
// say, AppSync's own default.
const apiKeyLife = 7 * 24 * time.Hour

// keys are the credentials that clients are given in fairway_outputs.json. They
// are kept over restarts, so that a configured client goes on working.
type keys struct {
	AccessKeyID     string    `json:"access_key_id"`
	SecretAccessKey string    `json:"secret_access_key"`
	BearerKey       string    `json:"bearer_key"`
	APIKey          string    `json:"api_key"`
	APIKeyExpires   time.Time `json:"api_key_expires"`

	TestUser userpool.Login `json:"test_user,omitzero"` // of the user pool, in development
}

// openKeys reads the keys kept in dir, makes what is missing or expired, and
// keeps the result. The empty dir keeps them in memory. Keys of a developer are made
// in development only, and kept for the next time in any case.
func openKeys(dir string, development bool, life time.Duration, now func() time.Time) (*keys, error) {
	k, err := readKeys(dir)
	if err != nil {
		return nil, err
	}
	if development && k.AccessKeyID == "" {
		pair := auth.NewAccessKey(inference.Principal{})
		k.AccessKeyID, k.SecretAccessKey, k.BearerKey = pair.ID, pair.Secret, auth.NewBearerKey()
	}
	if k.APIKey == "" || !now().Before(k.APIKeyExpires) {
		k.APIKey, k.APIKeyExpires = auth.NewAPIKey(), now().Add(life)
	}
	if err := k.write(dir); err != nil {
		return nil, err
	}
	return k, nil
}

// speakFor lets the developer's keys speak for it, both in its name.
func (k *keys) speakFor(developer inference.Principal, in *auth.Keys) {
	in.AddAccessKey(auth.AccessKey{ID: k.AccessKeyID, Name: developer.Name, Secret: k.SecretAccessKey, Principal: developer})
	in.AddBearerKey(k.BearerKey, developer)
}

func readKeys(dir string) (*keys, error) {
	k := &keys{}
	if dir == "" {
		return k, nil
	}
	path := filepath.Join(dir, keysFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, k); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w: remove it to have new keys made", path, err)
	}
	return k, nil
}

func (k *keys) write(dir string) error {
	if dir == "" {
		return nil
	}
	raw, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return err
	}
	return outputs.Replace(filepath.Join(dir, keysFile), append(raw, '\n'))
}
