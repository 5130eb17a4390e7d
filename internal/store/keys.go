package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"time"

	"fairway/internal/inference"
)

// AccessKey is a key pair that signs requests as a principal.
type AccessKey struct {
	ID        string
	Name      string // unique among all keys, for people; its ID where that is empty
	Secret    string // in clear: only in what AddAccessKey takes and AccessKey gives
	Principal string // by name
	Budget    string // by name, empty for none
	Created   time.Time
	Expires   time.Time // zero is never
	Disabled  bool
}

const accessKeys = "access_keys" // the table

const accessKeyColumns = `id, name, principal, budget, created, expires, disabled`

// AddAccessKey keeps a key, its secret sealed. Created is set to now when it is
// zero. The error is of kind Conflict when there is a key of that id, or any key of
// that name.
func (s *Store) AddAccessKey(ctx context.Context, k AccessKey) error {
	const op = "keep access key"
	sealed, err := Seal(s.master, k.ID, []byte(k.Secret))
	if err != nil {
		return failed(op, err)
	}
	if k.Created.IsZero() {
		k.Created = s.now()
	}
	return s.addKey(ctx, op, keyName{cmp.Or(k.Name, k.ID), accessKeys},
		`INSERT INTO access_keys (id, sealed, name, principal, budget, created, expires, disabled)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
		k.ID, sealed, k.Name, k.Principal, k.Budget, millis(k.Created), millis(k.Expires), k.Disabled)
}

// AccessKey is the key of an id with its secret, also when it has expired or is
// disabled. It reports false when there is none. A secret that another master key
// sealed is an error that says so.
func (s *Store) AccessKey(ctx context.Context, id string) (AccessKey, bool, error) {
	const op = "read access key"
	row := s.read.QueryRowContext(ctx, `SELECT `+accessKeyColumns+`, sealed FROM access_keys WHERE id = $1`, id)
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
	rows, err := s.read.QueryContext(ctx, `SELECT `+accessKeyColumns+` FROM access_keys ORDER BY created, id`)
	return collect("list access keys", rows, err, func(r row) (AccessKey, error) { return scanAccessKey(r) })
}

// ExpireAccessKey says when a key is over; the zero time is never. It reports false
// when there is none of that id.
func (s *Store) ExpireAccessKey(ctx context.Context, id string, at time.Time) (bool, error) {
	return s.changeKeys(ctx, "expire access key", `UPDATE access_keys SET expires = $2 WHERE id = $1`, id, millis(at))
}

// DeleteAccessKey forgets a key. It reports false when there is none of that id.
func (s *Store) DeleteAccessKey(ctx context.Context, id string) (bool, error) {
	return s.deleteKey(ctx, "delete access key", accessKeys, `DELETE FROM access_keys WHERE id = $1 RETURNING COALESCE(NULLIF(name, ''), id)`, id)
}

func scanAccessKey(r row, more ...any) (AccessKey, error) {
	var k AccessKey
	var created, expires int64
	err := r.Scan(append([]any{&k.ID, &k.Name, &k.Principal, &k.Budget, &created, &expires, &k.Disabled}, more...)...)
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
	n, err := s.count(ctx, op, statement, args...)
	return n > 0, err
}

// count runs a statement and counts the rows that it changed.
func (s *Store) count(ctx context.Context, op, statement string, args ...any) (int, error) {
	result, err := s.write.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, failed(op, err)
	}
	n, err := result.RowsAffected()
	return int(n), failed(op, err)
}
