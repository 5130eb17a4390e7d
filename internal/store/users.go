package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"fairway/internal/inference"
)

// User is a user of a pool.
type User struct {
	Pool     string
	Sub      string // unique in the pool, and never another's
	Username string // as it was written; unique in the pool whatever its case, and not changed

	// Aliases are addresses and phone numbers that name the user too, in lower case.
	// In one pool no two users share a name, be it user name or alias.
	Aliases []string

	Groups  []string
	Profile []byte // JSON of package userpool
	Version int    // counts changes, from 1
	Created time.Time
	Updated time.Time
}

const userColumns = `u.pool, u.sub, u.username, u.aliases, u.in_groups, u.profile, u.version, u.created, u.updated`

// AddUser keeps a new user as version 1. Created is set to now when it is zero. The
// error is of kind Conflict when the name, an alias or the sub is taken, and
// Validation for a name that no database keeps.
func (s *Store) AddUser(ctx context.Context, u User) error {
	const op = "add user"
	if u.Created.IsZero() {
		u.Created = s.now()
	}
	names, aliases, groups, err := u.columns(op)
	if err != nil {
		return err
	}
	return s.transact(ctx, op, func(tx *sql.Tx) error {
		added, err := affected(ctx, tx, `INSERT INTO users (pool, sub, username, name, aliases, in_groups, profile, version, created, updated)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $8) ON CONFLICT DO NOTHING`,
			u.Pool, u.Sub, u.Username, lower(u.Username), aliases, groups, string(u.Profile), millis(u.Created))
		if err == nil && added == 0 {
			err = conflict(op, "a user with this name or sub is there already")
		}
		if err != nil {
			return err
		}
		return claim(ctx, tx, op, u, names)
	})
}

// User is the user of a sub. It reports false when there is none.
func (s *Store) User(ctx context.Context, pool, sub string) (User, bool, error) {
	return s.user(ctx, `SELECT `+userColumns+` FROM users u WHERE u.pool = $1 AND u.sub = $2`, pool, sub)
}

// UserNamed is the user whom a name or an alias names, whatever its case. It reports
// false when there is none.
func (s *Store) UserNamed(ctx context.Context, pool, name string) (User, bool, error) {
	if !storable(name) { // asked of the name itself: in lower case it would be
		return User{}, false, nil
	}
	return s.user(ctx, `SELECT `+userColumns+` FROM users u JOIN user_names n ON n.pool = u.pool AND n.sub = u.sub
		WHERE n.pool = $1 AND n.name = $2`, pool, lower(name))
}

func (s *Store) user(ctx context.Context, query, pool, key string) (User, bool, error) {
	if !storable(pool) || !storable(key) {
		return User{}, false, nil
	}
	u, err := scanUser(s.read.QueryRowContext(ctx, query, pool, key))
	if errors.Is(err, sql.ErrNoRows) {
		return User{}, false, nil
	}
	return u, err == nil, failed("read user", err)
}

// UpdateUser keeps the aliases, groups and profile of u, and counts its version up.
// It reports false when u.Version is not the kept one any more, or the user is
// gone: then nothing changed, and whoever asks reads the user again. The error is
// of kind Conflict when an alias is taken.
func (s *Store) UpdateUser(ctx context.Context, u User) (bool, error) {
	const op = "update user"
	names, aliases, groups, err := u.columns(op)
	if err != nil {
		return false, err
	}
	var changed int
	err = s.transact(ctx, op, func(tx *sql.Tx) (err error) {
		changed, err = affected(ctx, tx, `UPDATE users SET aliases = $4, in_groups = $5, profile = $6, version = version + 1, updated = $7
			WHERE pool = $1 AND sub = $2 AND version = $3`, u.Pool, u.Sub, u.Version, aliases, groups, string(u.Profile), millis(s.now()))
		if err != nil || changed == 0 {
			return err
		}
		return rename(ctx, tx, op, u, names)
	})
	return err == nil && changed > 0, err
}

// DeleteUser forgets a user and revokes their sessions. It reports false when there
// is none.
func (s *Store) DeleteUser(ctx context.Context, pool, sub string) (bool, error) {
	var deleted int
	err := s.transact(ctx, "delete user", func(tx *sql.Tx) (err error) {
		if deleted, err = affected(ctx, tx, `DELETE FROM users WHERE pool = $1 AND sub = $2`, pool, sub); err != nil || deleted == 0 {
			return err
		}
		_, err = affected(ctx, tx, revokeAll, pool, sub, millis(s.now()))
		return err
	})
	return err == nil && deleted > 0, err
}

// Users is up to limit users by lower-case user name, those after the given one; the
// empty name begins. The order is the database's.
func (s *Store) Users(ctx context.Context, pool, after string, limit int) ([]User, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+userColumns+` FROM users u
		WHERE u.pool = $1 AND u.name > $2 ORDER BY u.name LIMIT $3`, pool, lower(after), limit)
	return collect("list users", rows, err, scanUser)
}

// columns are all names of u, sorted, and what the table keeps of its lists.
func (u User) columns(op string) (names []string, aliases, groups string, err error) {
	for _, text := range slices.Concat(u.Aliases, u.Groups, []string{u.Pool, u.Sub, u.Username, string(u.Profile)}) {
		if !storable(text) {
			return nil, "", "", &inference.Error{Kind: inference.Validation, Op: op, Message: op + ": a name or attribute holds a zero byte or is no UTF-8"}
		}
	}
	own := sorted(u.Aliases)
	// Whoever takes several names takes them in one order.
	names = sorted(append([]string{u.Username}, own...))
	return names, list(own), list(u.Groups), nil
}

// sorted is names in lower case, each once.
func sorted(names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = lower(name)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// claim takes names for u, in the order given.
func claim(ctx context.Context, tx *sql.Tx, op string, u User, names []string) error {
	for _, name := range names {
		added, err := affected(ctx, tx, `INSERT INTO user_names (pool, name, sub) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, u.Pool, name, u.Sub)
		if err == nil && added == 0 {
			err = conflict(op, "another user has this name or alias")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// rename gives u these names and no others.
func rename(ctx context.Context, tx *sql.Tx, op string, u User, names []string) error {
	rows, err := tx.QueryContext(ctx, `SELECT name FROM user_names WHERE pool = $1 AND sub = $2`, u.Pool, u.Sub)
	has, err := collect(op, rows, err, func(r row) (name string, err error) { return name, r.Scan(&name) })
	if err != nil {
		return err
	}
	for _, name := range has {
		if slices.Contains(names, name) {
			continue
		}
		if _, err := affected(ctx, tx, `DELETE FROM user_names WHERE pool = $1 AND name = $2`, u.Pool, name); err != nil {
			return err
		}
	}
	return claim(ctx, tx, op, u, slices.DeleteFunc(names, func(name string) bool { return slices.Contains(has, name) }))
}

func scanUser(r row) (User, error) {
	var u User
	var aliases, groups, profile string
	var created, updated int64
	if err := r.Scan(&u.Pool, &u.Sub, &u.Username, &aliases, &groups, &profile, &u.Version, &created, &updated); err != nil {
		return User{}, err
	}
	u.Profile, u.Created, u.Updated = []byte(profile), fromMillis(created), fromMillis(updated)
	return u, errors.Join(json.Unmarshal([]byte(aliases), &u.Aliases), json.Unmarshal([]byte(groups), &u.Groups))
}

// list is the JSON of texts; none is an empty array.
func list(texts []string) string {
	if texts == nil {
		texts = []string{}
	}
	raw, _ := json.Marshal(texts) // texts always have a JSON
	return string(raw)
}

func lower(name string) string { return strings.ToLower(name) }

// storable reports whether every database keeps a text as it is: PostgreSQL takes
// neither a zero byte nor what is no UTF-8.
func storable(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }
