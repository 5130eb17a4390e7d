package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed migrations/*.sql
var files embed.FS

// migration is one step of the schema: a file NNNN_name.sql, never changed once
// it was released.
type migration struct {
	version int
	name    string
	text    string
}

// migrations are the steps in the given directory, by rising version without gap.
func migrations(in fs.FS) ([]migration, error) {
	names, err := fs.Glob(in, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	all := make([]migration, len(names))
	for i, name := range names {
		base := strings.TrimSuffix(strings.TrimPrefix(name, "migrations/"), ".sql")
		digits, _, _ := strings.Cut(base, "_")
		version, err := strconv.Atoi(digits)
		if err != nil || version != i+1 {
			return nil, fmt.Errorf("read migrations: %s is not number %d", name, i+1)
		}
		text, err := fs.ReadFile(in, name)
		if err != nil {
			return nil, err
		}
		all[i] = migration{version, base, string(text)}
	}
	return all, nil
}

// migrate applies what the database does not have, all or nothing, and names it.
// Servers that start at once take turns: the dialect's lock, or the start of the
// transaction, holds the others off.
func migrate(ctx context.Context, db *sql.DB, d dialect, now time.Time) ([]string, error) {
	all, err := migrations(files)
	if err != nil {
		return nil, err
	}
	for i := range all {
		all[i].text = d.own(all[i].text)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("migrate store: %w", err)
	}
	defer tx.Rollback()
	if d.lock != "" {
		if _, err := tx.ExecContext(ctx, d.lock); err != nil {
			return nil, fmt.Errorf("migrate store: wait for other servers: %w", err)
		}
	}
	applied, err := apply(ctx, tx, all, now)
	if err != nil {
		return nil, fmt.Errorf("migrate store: %w", err)
	}
	return applied, tx.Commit()
}

func apply(ctx context.Context, tx *sql.Tx, all []migration, now time.Time) ([]string, error) {
	const table = `CREATE TABLE IF NOT EXISTS fairway_migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied BIGINT NOT NULL)`
	if _, err := tx.ExecContext(ctx, table); err != nil {
		return nil, err
	}
	var has int
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM fairway_migrations`).Scan(&has); err != nil {
		return nil, err
	}
	if has > len(all) {
		return nil, fmt.Errorf("the schema is version %d and this server knows %d: start a newer server", has, len(all))
	}
	var applied []string
	for _, m := range all[has:] {
		if _, err := tx.ExecContext(ctx, m.text); err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO fairway_migrations VALUES ($1, $2, $3)`, m.version, m.name, millis(now)); err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		applied = append(applied, m.name)
	}
	return applied, nil
}
