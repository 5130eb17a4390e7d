package store

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// plainPrefix begins a secret that is kept in base64, for want of a master key.
const plainPrefix = "plain:"

// Protect is what may be kept of id's secret: sealed with the master key, or in
// base64 where there is none.
func (s *Store) Protect(id string, secret []byte) (string, error) {
	if len(s.master) == 0 {
		return plainPrefix + base64.StdEncoding.EncodeToString(secret), nil
	}
	return Seal(s.master, id, secret)
}

// Reveal is the secret of id in what Protect gave, also what it gave before there
// was a master key.
func (s *Store) Reveal(id, text string) ([]byte, error) {
	plain, ok := strings.CutPrefix(text, plainPrefix)
	if !ok {
		return Unseal(s.master, id, text)
	}
	secret, err := base64.StdEncoding.DecodeString(plain)
	if err != nil {
		return nil, fmt.Errorf("read secret of %q: it is damaged: delete it", id)
	}
	return secret, nil
}

// Secret is a secret of the servers that share the store: the one that is kept
// under a name, else what invent gives. Servers that start at once agree on one.
func (s *Store) Secret(ctx context.Context, name string, invent func() []byte) ([]byte, error) {
	const op = "read secret"
	id := "secret " + name
	rows, err := s.secretsNamed(ctx, name)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		sealed, err := s.Protect(id, invent())
		if err != nil {
			return nil, failed(op, err)
		}
		if _, err := s.change(ctx, op, `INSERT INTO secrets (name, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING`, name, sealed); err != nil {
			return nil, err
		}
		if rows, err = s.secretsNamed(ctx, name); err != nil {
			return nil, err
		}
	}
	if len(rows) == 0 {
		return nil, failed(op, fmt.Errorf("%q is gone again", name))
	}
	secret, err := s.Reveal(id, rows[0])
	return secret, failed(op, err)
}

func (s *Store) secretsNamed(ctx context.Context, name string) ([]string, error) {
	rows, err := s.write.QueryContext(ctx, `SELECT sealed FROM secrets WHERE name = $1`, name)
	return collect("read secret", rows, err, func(r row) (sealed string, err error) { return sealed, r.Scan(&sealed) })
}

// SigningKey is a key that a pool signs tokens with.
type SigningKey struct {
	ID      string // kid of the tokens
	Pool    string
	Key     []byte // PKCS #8; sealed in the table
	Created time.Time
	Retired time.Time // zero: it signs
}

// AddSigningKey keeps a key. Created is set to now when it is zero. The error is of
// kind Conflict when there is a key of that id.
func (s *Store) AddSigningKey(ctx context.Context, k SigningKey) error {
	const op = "keep signing key"
	sealed, err := s.Protect(signingKeyID(k.ID), k.Key)
	if err != nil {
		return failed(op, err)
	}
	if k.Created.IsZero() {
		k.Created = s.now()
	}
	return s.insert(ctx, op, "a signing key with the id "+k.ID+" is already kept",
		`INSERT INTO signing_keys (id, pool, sealed, created, retired) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		k.ID, k.Pool, sealed, millis(k.Created), millis(k.Retired))
}

// SigningKeys is every key of a pool, the newest first. One that another master key
// sealed is an error that says so.
func (s *Store) SigningKeys(ctx context.Context, pool string) ([]SigningKey, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, pool, sealed, created, retired FROM signing_keys
		WHERE pool = $1 ORDER BY created DESC, id`, pool)
	return collect("read signing keys", rows, err, s.scanSigningKey)
}

// RetireSigningKey says since when a key signs nothing new. It reports false when
// there is none of that id, or it was retired before.
func (s *Store) RetireSigningKey(ctx context.Context, id string, at time.Time) (bool, error) {
	return s.change(ctx, "retire signing key", `UPDATE signing_keys SET retired = $2 WHERE id = $1 AND retired = 0`, id, millis(at))
}

// DeleteSigningKey forgets a key. It reports false when there is none of that id.
func (s *Store) DeleteSigningKey(ctx context.Context, id string) (bool, error) {
	return s.change(ctx, "delete signing key", `DELETE FROM signing_keys WHERE id = $1`, id)
}

func (s *Store) scanSigningKey(r row) (SigningKey, error) {
	var k SigningKey
	var sealed string
	var created, retired int64
	if err := r.Scan(&k.ID, &k.Pool, &sealed, &created, &retired); err != nil {
		return SigningKey{}, err
	}
	k.Created, k.Retired = fromMillis(created), fromMillis(retired)
	var err error
	k.Key, err = s.Reveal(signingKeyID(k.ID), sealed)
	return k, err
}

func signingKeyID(id string) string { return "signing key " + id }
