package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// hashedKeys is a table of keys of which the hash is kept.
type hashedKeys struct{ table, noun string }

var (
	bearerKeys = hashedKeys{"bearer_keys", "bearer key"}
	apiKeys    = hashedKeys{"api_keys", "API key"}
)

const hashedKeyColumns = `hash, name, principal, budget, created, expires, disabled, before, before_until`

func (h hashedKeys) add(ctx context.Context, s *Store, k BearerKey) error {
	op := "keep " + h.noun
	if k.Created.IsZero() {
		k.Created = s.now()
	}
	added, err := s.changeKeys(ctx, op, `INSERT INTO `+h.table+` (`+hashedKeyColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, '', 0) ON CONFLICT DO NOTHING`,
		k.Hash, k.Name, k.Principal, k.Budget, millis(k.Created), millis(k.Expires), k.Disabled)
	if err == nil && !added {
		err = conflict(op, "this "+h.noun+", or another with the name "+k.Name+", is already kept")
	}
	return err
}

func (h hashedKeys) get(ctx context.Context, s *Store, hash string) (BearerKey, bool, error) {
	if hash == "" {
		return BearerKey{}, false, nil
	}
	k, err := scanHashedKey(s.read.QueryRowContext(ctx, `SELECT `+hashedKeyColumns+` FROM `+h.table+` WHERE hash = $1 OR before = $1`, hash))
	if errors.Is(err, sql.ErrNoRows) {
		return BearerKey{}, false, nil
	}
	return k, err == nil, failed("read "+h.noun, err)
}

func (h hashedKeys) all(ctx context.Context, s *Store) ([]BearerKey, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+hashedKeyColumns+` FROM `+h.table+` ORDER BY created, name`)
	return collect("list "+h.noun+"s", rows, err, scanHashedKey)
}

func (h hashedKeys) replace(ctx context.Context, s *Store, name, hash string, expires, oldUntil time.Time) (bool, error) {
	op := "replace " + h.noun
	if _, taken, err := h.get(ctx, s, hash); err != nil || taken {
		if err == nil {
			err = conflict(op, "this "+h.noun+" is already kept")
		}
		return false, err
	}
	if oldUntil.IsZero() {
		oldUntil = s.now()
	}
	// An old key that expires sooner goes on doing so.
	return s.changeKeys(ctx, op, `UPDATE `+h.table+` SET before = hash, hash = $2, expires = $3,
		before_until = CASE WHEN expires > 0 AND expires < $4 THEN expires ELSE $4 END
		WHERE name = $1`, name, hash, millis(expires), millis(oldUntil))
}

func (h hashedKeys) disable(ctx context.Context, s *Store, name string, disabled bool) (bool, error) {
	return s.changeKeys(ctx, "disable "+h.noun, `UPDATE `+h.table+` SET disabled = $2 WHERE name = $1`, name, disabled)
}

func (h hashedKeys) expire(ctx context.Context, s *Store, name string, at time.Time) (bool, error) {
	return s.changeKeys(ctx, "expire "+h.noun, `UPDATE `+h.table+` SET expires = $2,
		before_until = CASE WHEN CAST($2 AS BIGINT) BETWEEN 1 AND before_until THEN $2 ELSE before_until END
		WHERE name = $1`, name, millis(at))
}

func (h hashedKeys) delete(ctx context.Context, s *Store, name string) (bool, error) {
	return s.changeKeys(ctx, "delete "+h.noun, `DELETE FROM `+h.table+` WHERE name = $1`, name)
}

func scanHashedKey(r row) (BearerKey, error) {
	var k BearerKey
	var created, expires, until int64
	err := r.Scan(&k.Hash, &k.Name, &k.Principal, &k.Budget, &created, &expires, &k.Disabled, &k.Before, &until)
	k.Created, k.Expires, k.BeforeUntil = fromMillis(created), fromMillis(expires), fromMillis(until)
	return k, err
}
