// Package store keeps what a server must not forget: application inference
// profiles, keys, users and their sessions, and the server's secrets. One schema serves SQLite, which is built in, and PostgreSQL,
// which several servers may share; the statements are the same for both.
package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"time"

	"fairway/internal/inference"
)

// Options configures a Store. The zero value is usable.
type Options struct {
	MasterKey []byte           // 32 bytes that seal secrets; without it no access keys are kept or read, see Protect for the rest
	Log       *slog.Logger     // default: none
	Now       func() time.Time // default: time.Now
}

// Store is an open database. It is safe for concurrent use.
//
// Errors of its methods are *inference.Error: Canceled when the context ended,
// ServiceUnavailable when the database does not answer, else as the method says.
type Store struct {
	write  *sql.DB // SQLite has one writer: here it waits for its turn, not for a lock
	read   *sql.DB // may be the same
	master []byte
	now    func() time.Time
	recent *Recent

	dialect    dialect
	statements *prepared // of the ledger
	series     *seriesIDs
	reports    chan struct{}
}

// Open opens the database that dsn names and brings its schema up to date:
// "sqlite:PATH" or a "file:" URI of SQLite, "postgres://..." of PostgreSQL, and
// "" or ":memory:" for one that ends with the process. Several servers may open
// one database at once. No error holds the password of a dsn. The caller closes
// the Store.
func Open(ctx context.Context, dsn string, o Options) (*Store, error) {
	if len(o.MasterKey) != 0 && len(o.MasterKey) != masterSize {
		return nil, errMasterSize
	}
	s := &Store{master: o.MasterKey, now: o.Now}
	if s.now == nil {
		s.now = time.Now
	}
	s.recent = &Recent{store: s, read: map[inference.ARN]recent{}}
	s.statements, s.series, s.reports = &prepared{}, &seriesIDs{}, make(chan struct{}, reporters)
	d, err := dialectOf(dsn)
	if err != nil {
		return nil, err
	}
	s.dialect = d
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	if s.write, s.read, err = d.open(ctx, dsn); err != nil {
		return nil, err
	}
	applied, err := migrate(ctx, s.write, d, s.now())
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if len(applied) > 0 && o.Log != nil {
		o.Log.InfoContext(ctx, "store schema brought up to date", "store", d.name, "migrations", applied)
	}
	return s, nil
}

// openWithin is how long a database may take to open and to have its schema
// brought up to date.
const openWithin = time.Minute

// Close closes the database once running statements have ended.
func (s *Store) Close() error {
	err := s.write.Close()
	if s.read != s.write {
		err = cmp.Or(err, s.read.Close())
	}
	return err
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	return failed("reach the store", s.read.PingContext(ctx))
}

// failed is a driver's error for whoever waits for the answer; nil stays nil.
func failed(op string, err error) error {
	if err == nil {
		return nil
	}
	if known, ok := errors.AsType[*inference.Error](err); ok {
		return known
	}
	if errors.Is(err, context.Canceled) {
		return &inference.Error{Kind: inference.Canceled, Op: op, Message: "the caller went away", Err: err}
	}
	return &inference.Error{Kind: inference.ServiceUnavailable, Op: op, Message: "Bedrock is unable to process your request.", Err: err}
}

// millis is a time as the tables have it; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
