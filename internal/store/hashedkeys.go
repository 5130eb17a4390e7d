package store

import (
	"context"
	"database/sql"
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
	return s.addKey(ctx, op, keyName{k.Name, h.table}, `INSERT INTO `+h.table+` (`+hashedKeyColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, '', 0) ON CONFLICT DO NOTHING`,
		k.Hash, k.Name, k.Principal, k.Budget, millis(k.Created), millis(k.Expires), k.Disabled)
}

func (h hashedKeys) all(ctx context.Context, s *Store) ([]BearerKey, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+hashedKeyColumns+` FROM `+h.table+` ORDER BY created, name`)
	return collect("list "+h.noun+"s", rows, err, scanHashedKey)
}

func (h hashedKeys) replace(ctx context.Context, s *Store, k BearerKey, oldUntil time.Time) (bool, error) {
	op := "replace " + h.noun
	if k.Created.IsZero() {
		k.Created = s.now()
	}
	if oldUntil.IsZero() {
		oldUntil = s.now()
	}
	return s.keysChange(ctx, op, func(tx *sql.Tx) (bool, error) {
		var taken int
		err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM `+h.table+` WHERE hash = $1 OR before = $1`, k.Hash).Scan(&taken)
		if err != nil {
			return false, err
		}
		if taken > 0 {
			return false, conflict(op, "this "+h.noun+" is already kept")
		}
		// An old key that expires sooner goes on doing so.
		n, err := affected(ctx, tx, `UPDATE `+h.table+` SET before = hash, hash = $2, created = $3, expires = $4,
			before_until = CASE WHEN expires > 0 AND expires < $5 THEN expires ELSE $5 END
			WHERE name = $1`, k.Name, k.Hash, millis(k.Created), millis(k.Expires), millis(oldUntil))
		return n > 0, err
	})
}

func (h hashedKeys) expire(ctx context.Context, s *Store, name string, at time.Time) (bool, error) {
	return s.changeKeys(ctx, "expire "+h.noun, `UPDATE `+h.table+` SET expires = $2,
		before_until = CASE WHEN CAST($2 AS BIGINT) BETWEEN 1 AND before_until THEN $2 ELSE before_until END
		WHERE name = $1`, name, millis(at))
}

func (h hashedKeys) delete(ctx context.Context, s *Store, name string) (bool, error) {
	return s.deleteKey(ctx, "delete "+h.noun, h.table, `DELETE FROM `+h.table+` WHERE name = $1 RETURNING name`, name)
}

func scanHashedKey(r row) (BearerKey, error) {
	var k BearerKey
	var created, expires, until int64
	err := r.Scan(&k.Hash, &k.Name, &k.Principal, &k.Budget, &created, &expires, &k.Disabled, &k.Before, &until)
	k.Created, k.Expires, k.BeforeUntil = fromMillis(created), fromMillis(expires), fromMillis(until)
	return k, err
}
