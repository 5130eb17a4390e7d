package store

import (
	"context"
	"database/sql"
	"errors"
)

// keyName is what one key is called, of those in a table: no key in another table has
// the name too.
type keyName struct{ name, table string }

// KeysChanged grows with every change of an access key, a bearer key or an API key.
func (s *Store) KeysChanged(ctx context.Context) (int64, error) {
	var count int64
	err := s.read.QueryRowContext(ctx, `SELECT count FROM changes WHERE topic = 'keys'`).Scan(&count)
	return count, failed("ask for changes of keys", err)
}

// addKey claims a name and runs the INSERT of its key, which leaves an existing row
// alone. Either being there is a Conflict.
func (s *Store) addKey(ctx context.Context, op string, n keyName, statement string, args ...any) error {
	added, err := s.keysChange(ctx, op, func(tx *sql.Tx) (bool, error) {
		claimed, err := affected(ctx, tx, `INSERT INTO key_names (name, kind) VALUES ($1, $2) ON CONFLICT DO NOTHING`, n.name, n.table)
		if err != nil {
			return false, err
		}
		if claimed == 0 {
			return false, conflict(op, "a key called "+n.name+" is already kept")
		}
		inserted, err := affected(ctx, tx, statement, args...)
		return inserted > 0, err
	})
	if err == nil && !added {
		err = conflict(op, "this key is already kept")
	}
	return err
}

// deleteKey runs a DELETE of one key that returns its name, which is free then.
func (s *Store) deleteKey(ctx context.Context, op, table, statement string, args ...any) (bool, error) {
	return s.keysChange(ctx, op, func(tx *sql.Tx) (bool, error) {
		var name string
		if err := tx.QueryRowContext(ctx, statement, args...).Scan(&name); err != nil {
			if errors.Is(err, sql.ErrNoRows) {
				err = nil
			}
			return false, err
		}
		_, err := affected(ctx, tx, `DELETE FROM key_names WHERE name = $1 AND kind = $2`, name, table)
		return true, err
	})
}

// changeKeys is change for tables of keys.
func (s *Store) changeKeys(ctx context.Context, op, statement string, args ...any) (bool, error) {
	return s.keysChange(ctx, op, func(tx *sql.Tx) (bool, error) {
		n, err := affected(ctx, tx, statement, args...)
		return n > 0, err
	})
}

// keysChange runs do in a transaction, with which KeysChanged grows. Where do reports
// that there was nothing to change, all of it is undone.
func (s *Store) keysChange(ctx context.Context, op string, do func(*sql.Tx) (bool, error)) (bool, error) {
	err := s.transact(ctx, op, func(tx *sql.Tx) error {
		changed, err := do(tx)
		if err == nil && !changed {
			err = errUnchanged
		}
		if err != nil {
			return err
		}
		_, err = affected(ctx, tx, `UPDATE changes SET count = count + 1 WHERE topic = 'keys'`)
		return err
	})
	if errors.Is(err, errUnchanged) {
		return false, nil
	}
	return err == nil, err
}

// errUnchanged undoes a change of keys that changed none.
var errUnchanged = errors.New("nothing to change")
