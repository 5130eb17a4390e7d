package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"time"

	"fairway/internal/inference"
)

// AccessKey is a key pair that signs requests as a principal.
type AccessKey struct {
	ID        string
	Secret    string // in clear: only in what AddAccessKey takes and AccessKey gives
	Principal string // by name
	Created   time.Time
	Expires   time.Time // zero is never
	Disabled  bool
}

// AddAccessKey keeps a key, its secret sealed. Created is set to now when it is
// zero. The error is of kind Conflict when there is a key of that id.
func (s *Store) AddAccessKey(ctx context.Context, k AccessKey) error {
	const op = "keep access key"
	sealed, err := Seal(s.master, k.ID, []byte(k.Secret))
	if err != nil {
		return failed(op, err)
	}
	if k.Created.IsZero() {
		k.Created = s.now()
	}
	return s.insert(ctx, op, "an access key with the id "+k.ID+" is already kept",
		`INSERT INTO access_keys (id, sealed, principal, created, expires, disabled) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		k.ID, sealed, k.Principal, millis(k.Created), millis(k.Expires), k.Disabled)
}

// AccessKey is the key of an id with its secret, also when it has expired or is
// disabled. It reports false when there is none. A secret that another master key
// sealed is an error that says so.
func (s *Store) AccessKey(ctx context.Context, id string) (AccessKey, bool, error) {
	const op = "read access key"
	row := s.read.QueryRowContext(ctx, `SELECT id, principal, created, expires, disabled, sealed FROM access_keys WHERE id = $1`, id)
	var sealed string
	k, err := scanAccessKey(row, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return AccessKey{}, false, nil
	}
	if err != nil {
		return AccessKey{}, false, failed(op, err)
	}
	secret, err := Unseal(s.master, id, sealed)
	if err != nil {
		return AccessKey{}, false, failed(op, err)
	}
	k.Secret = string(secret)
	return k, true, nil
}

// AccessKeys is every key without its secret, the oldest first.
func (s *Store) AccessKeys(ctx context.Context) ([]AccessKey, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, principal, created, expires, disabled FROM access_keys ORDER BY created, id`)
	return collect("list access keys", rows, err, func(r row) (AccessKey, error) { return scanAccessKey(r) })
}

// DisableAccessKey turns a key off, or on again. It reports false when there is
// none of that id.
func (s *Store) DisableAccessKey(ctx context.Context, id string, disabled bool) (bool, error) {
	return s.change(ctx, "disable access key", `UPDATE access_keys SET disabled = $2 WHERE id = $1`, id, disabled)
}

// DeleteAccessKey forgets a key. It reports false when there is none of that id.
func (s *Store) DeleteAccessKey(ctx context.Context, id string) (bool, error) {
	return s.change(ctx, "delete access key", `DELETE FROM access_keys WHERE id = $1`, id)
}

func scanAccessKey(r row, more ...any) (AccessKey, error) {
	var k AccessKey
	var created, expires int64
	err := r.Scan(append([]any{&k.ID, &k.Principal, &created, &expires, &k.Disabled}, more...)...)
	k.Created, k.Expires = fromMillis(created), fromMillis(expires)
	return k, err
}

// BearerKey is a bearer key that speaks for a principal. Of the key itself only
// the hash is kept.
type BearerKey struct {
	Hash      string // as BearerHash gives it
	Name      string // unique, for people
	Principal string // by name
	Created   time.Time
	Expires   time.Time // zero is never
}

// BearerHash is what is kept of a bearer key: its SHA-256, hexadecimal.
func BearerHash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// AddBearerKey keeps a key. Created is set to now when it is zero. The error is of
// kind Conflict when the key is kept, or one of that name.
func (s *Store) AddBearerKey(ctx context.Context, k BearerKey) error {
	if k.Created.IsZero() {
		k.Created = s.now()
	}
	return s.insert(ctx, "keep bearer key", "this bearer key, or another with the name "+k.Name+", is already kept",
		`INSERT INTO bearer_keys (hash, name, principal, created, expires) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		k.Hash, k.Name, k.Principal, millis(k.Created), millis(k.Expires))
}

// BearerKey is the key of a hash, also when it has expired. It reports false when
// there is none.
func (s *Store) BearerKey(ctx context.Context, hash string) (BearerKey, bool, error) {
	k, err := scanBearerKey(s.read.QueryRowContext(ctx, `SELECT hash, name, principal, created, expires FROM bearer_keys WHERE hash = $1`, hash))
	if errors.Is(err, sql.ErrNoRows) {
		return BearerKey{}, false, nil
	}
	return k, err == nil, failed("read bearer key", err)
}

// BearerKeys is every key, the oldest first.
func (s *Store) BearerKeys(ctx context.Context) ([]BearerKey, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT hash, name, principal, created, expires FROM bearer_keys ORDER BY created, name`)
	return collect("list bearer keys", rows, err, scanBearerKey)
}

// DeleteBearerKey forgets a key by its name. It reports false when there is none.
func (s *Store) DeleteBearerKey(ctx context.Context, name string) (bool, error) {
	return s.change(ctx, "delete bearer key", `DELETE FROM bearer_keys WHERE name = $1`, name)
}

func scanBearerKey(r row) (BearerKey, error) {
	var k BearerKey
	var created, expires int64
	err := r.Scan(&k.Hash, &k.Name, &k.Principal, &created, &expires)
	k.Created, k.Expires = fromMillis(created), fromMillis(expires)
	return k, err
}

// insert runs an INSERT that leaves an existing row alone, which is a Conflict.
func (s *Store) insert(ctx context.Context, op, conflict, statement string, args ...any) error {
	added, err := s.change(ctx, op, statement, args...)
	if err == nil && !added {
		return &inference.Error{Kind: inference.Conflict, Op: op, Message: op + ": " + conflict}
	}
	return err
}

// change runs a statement and reports whether it changed a row.
func (s *Store) change(ctx context.Context, op, statement string, args ...any) (bool, error) {
	result, err := s.write.ExecContext(ctx, statement, args...)
	if err != nil {
		return false, failed(op, err)
	}
	n, err := result.RowsAffected()
	return n > 0, failed(op, err)
}
