package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// dialect is all that differs between the databases.
type dialect struct {
	name string
	open func(ctx context.Context, dsn string) (write, read *sql.DB, err error)
	lock string // statement that holds every other migration off until the transaction ends; "" when its start does
	slot string // the same for who takes of the slot that $1 names

	numbered bool   // parameters must be: $1
	hold     string // ends a SELECT of one row that no other transaction shall change; "" where none can

	// byKey is a statement that has its transaction find rows by their keys alone. PostgreSQL plans a prepared
	// statement for good while the tables are small, when it would rather read all of them.
	byKey string
}

var (
	sqlite   = dialect{name: "sqlite", open: openSQLite}
	postgres = dialect{name: "postgres", open: openPostgres, lock: "SELECT pg_advisory_xact_lock(7310582269384229)", // a number of our own
		slot: "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", numbered: true, hold: " FOR UPDATE",
		byKey: "SELECT set_config(name, 'off', TRUE) FROM (VALUES ('enable_seqscan'), ('enable_hashjoin'), ('enable_mergejoin')) off (name)"}
)

// searchByKey does what byKey says.
func (d dialect) searchByKey(ctx context.Context, tx *sql.Tx) error {
	if d.byKey == "" {
		return nil
	}
	_, err := tx.ExecContext(ctx, d.byKey)
	return err
}

// own is a schema with the parts that are for this database alone, which are comments
// to every other: "/*sqlite WITHOUT ROWID*/".
func (d dialect) own(schema string) string {
	return regexp.MustCompile(`/\*`+d.name+` (.*?)\*/`).ReplaceAllString(schema, "$1")
}

func dialectOf(dsn string) (dialect, error) {
	scheme, _, _ := strings.Cut(dsn, ":")
	switch {
	case dsn == "", dsn == memory, scheme == "sqlite", scheme == "file":
		return sqlite, nil
	case scheme == "postgres", scheme == "postgresql":
		return postgres, nil
	}
	return dialect{}, fmt.Errorf("open store: the kind of database is not known: want sqlite:PATH or postgres://HOST/DATABASE")
}

const memory = ":memory:"

// readers is how many readers SQLite has beside its writer.
const readers = 4

// pragmas of every connection: readers do not wait for the writer, a commit is on
// the disk, and who meets another process's lock waits for it.
const pragmas = "_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=foreign_keys(1)"

func openSQLite(ctx context.Context, dsn string) (write, read *sql.DB, err error) {
	uri := sqliteURI(dsn)
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok && path != "" && path != memory {
		if err := private(path); err != nil {
			return nil, nil, err
		}
	}
	if write, err = openPool(ctx, uri+"&_txlock=immediate", 1); err != nil {
		return nil, nil, err
	}
	if strings.HasPrefix(uri, "file:"+memory) || strings.Contains(uri, "mode=memory") {
		return write, write, nil // the one connection is the database
	}
	if read, err = openPool(ctx, uri+"&_pragma=query_only(1)", readers); err != nil {
		write.Close()
		return nil, nil, err
	}
	return write, read, nil
}

// private makes a database that is not there yet readable by its owner only: it
// holds keys. SQLite gives the files beside it the same mode.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	return f.Close()
}

// sqliteURI is what the driver opens, with at least one parameter. A path may hold
// characters that mean something in a URI; a URI has them escaped already.
func sqliteURI(dsn string) string {
	path, isPath := strings.CutPrefix(dsn, "sqlite:")
	switch {
	case dsn == "" || path == "" || path == memory:
		dsn = "file:" + memory
	case isPath:
		dsn = "file:" + (&url.URL{Path: path}).EscapedPath()
	}
	if strings.Contains(dsn, "?") {
		return dsn + "&" + pragmas
	}
	return dsn + "?" + pragmas
}

func openPool(ctx context.Context, uri string, conns int) (*sql.DB, error) {
	db, err := sql.Open("sqlite", uri)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	if err := db.PingContext(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("open store: %w", err)
	}
	return db, nil
}

// The pool of a server over PostgreSQL. A connection is renewed now and then, so
// that a database that moved is found again.
const (
	postgresConns = 16
	postgresAge   = 30 * time.Minute
	connectWithin = 10 * time.Second
)

func openPostgres(ctx context.Context, dsn string) (write, read *sql.DB, err error) {
	c, err := pgx.ParseConfig(dsn)
	if err != nil { // its text may hold the password
		return nil, nil, fmt.Errorf("open store: the postgres URL cannot be read: want postgres://USER:PASSWORD@HOST:PORT/DATABASE")
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectWithin
	}
	db := stdlib.OpenDB(*c)
	db.SetMaxOpenConns(postgresConns)
	db.SetMaxIdleConns(postgresConns)
	db.SetConnMaxLifetime(postgresAge)
	if err := db.PingContext(ctx); err != nil {
		db.Close()
		return nil, nil, fmt.Errorf("open store: %w", err)
	}
	return db, db, nil
}
